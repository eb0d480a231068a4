"""Confluent Cloud up and down by one command each, and a stand-in for it."""

import importlib.util
import sys

if (
    importlib.util.find_spec("confluent_kafka") is None
):  # else `python -m provisioning.standin` ends in a traceback
    sys.exit(
        "This Python has no packages of the lab. "
        "First: source .venv/bin/activate, or .venv\\Scripts\\Activate.ps1 on Windows"
    )
