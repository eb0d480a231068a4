"""Exits with 1 and a line of words where the package index of pip does not answer."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.error
import urllib.request

from pip._internal.models.index import PyPI  # the index that pip takes where nobody names one

WAIT_S = 5


def index() -> str:
    """The index that this Python's pip asks; its own settings may name another than PyPI."""
    asked = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    found = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    return os.environ.get("PIP_INDEX_URL") or found or str(PyPI.simple_url)


def main() -> None:
    url = index()
    try:
        urllib.request.urlopen(url, timeout=WAIT_S).close()
    except urllib.error.HTTPError:
        return  # it answers, whatever it says of this address
    except (OSError, ValueError) as error:
        why = getattr(error, "reason", error)
        sys.exit(
            f"The package index at {url} does not answer ({why}). The first start needs a network, once."
        )


if __name__ == "__main__":
    main()
