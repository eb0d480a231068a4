"""Words where not every sign can be written: every command speaks on, in another spelling."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from races.lib.spelling import plain

CODES = ["cp1252", "cp437", "cp932", "ascii"]
EVERYTHING = """
import sys, runpy
from races.lib.spelling import write_anywhere
from races.lib.terminal import Terminal
write_anywhere()
import django
from django.core.management import call_command, get_commands
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "f1site.settings"
django.setup()
ours = sorted(name for name, app in get_commands().items() if app in ("races", "provisioning"))
assert len(ours) > 8, ours
for name in ours:
    try:
        call_command(name, "--help")
    except SystemExit as end:
        assert not end.code, name
modules = ["standin", "terraform", "record", "flink"]
for module in ["bench", *(f"provisioning.{name}" for name in modules), "f1site.config", "races.streams.asyncapi"]:
    sys.argv = [module, "--help"]
    try:
        runpy.run_module(module, run_name="__main__")
    except SystemExit as end:
        assert not end.code, module
said = Terminal(sys.stdout, str)
said.table(("name", "bar"), [("P\\u00e9rez \\u2026", "\\u2588\\u2591")])
said.say("S\\u00e3o Paulo \\u2192 \\u6771\\u4eac")
print("P\\u00e9rez \\u2026 \\u2588\\u2591 \\u2264")
print("all said", file=sys.stderr)
"""


def environ(code: str, folder: Path) -> dict[str, str]:
    """A redirected console of that encoding, in a locale that knows ASCII only."""
    there = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG"))}
    return there | {
        "PYTHONIOENCODING": code,
        "LC_ALL": "C",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONUTF8": "0",
        "F1_VAR_DIR": str(folder),
    }


@pytest.mark.parametrize(
    "code", [code if code == "cp1252" else pytest.param(code, marks=pytest.mark.full) for code in CODES]
)
def test_every_command_speaks(code: str, tmp_path: Path) -> None:
    """The help of all of them, and a line with signs that the encoding lacks, into pipes."""
    done = subprocess.run(
        [sys.executable, "-c", EVERYTHING],
        cwd=settings.BASE_DIR,
        env=environ(code, tmp_path),
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr.decode(code).split("\n")[-2]) == (0, "all said")
    assert done.stdout.decode(code).splitlines()[-1].startswith("P")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Pérez … 1:23.4 — “box”", 'Perez ... 1:23.4 - "box"'),
        ("██░░ ← →", "##.. <- ->"),
        ("Hülkenberg, Straße", "Hulkenberg, Strasse"),
        ("東京", "??"),
    ],
)
def test_another_spelling(text: str, words: str) -> None:
    assert plain(text) == words
