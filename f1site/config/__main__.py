"""Prints the JSON Schema of config.yaml: python -m f1site.config > config.schema.json"""

from __future__ import annotations

import json
import sys

from f1site.config.model import Configuration
from races.lib.spelling import write_anywhere


def json_schema() -> str:
    schema = Configuration.model_json_schema(by_alias=True)
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, indent=2) + "\n"


if __name__ == "__main__":
    write_anywhere()
    sys.stdout.write(json_schema())
