"""Makes the lock files from the short requirements files, and says whether they still fit.

    python .ci/lock.py                made anew with uv; what is locked already keeps its version
    python .ci/lock.py --upgrade      the newest versions that the requirements allow
    python .ci/lock.py --check        nothing is made or fetched; exits with 1 where a lock does not fit

A lock has every package with its version and the hashes of all its files, for every system and each Python that the lab
runs on. `uv run` takes the same versions from the list in pyproject.toml. This file needs nothing but Python itself.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Each lock and what it is made from, the largest first: the others take their versions from it.
LOCKS = {
    "requirements-dev.lock": ("requirements-dev.txt",),
    "requirements-uvicorn.lock": ("requirements.txt", "requirements-uvicorn.txt"),
    "requirements-parquet.lock": ("requirements.txt", "requirements-parquet.txt"),
    "requirements.lock": ("requirements.txt",),
    "requirements-flink.lock": ("requirements-flink.txt",),
}
LARGEST, LISTED = "requirements-dev.lock", ("requirements-uvicorn.lock", "requirements-parquet.lock")
OLDEST_PYTHON = "3.11"
PIN = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*\])?==(?P<version>[^\s;\\]+)(?P<marker>\s*;[^\\\n]*)?", re.MULTILINE
)
BLOCK = re.compile(r"(?s)(?<=# >>> .ci/lock.py\n).*?(?=# <<< .ci/lock.py\n)")


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def wanted(path: Path) -> dict[str, str]:
    """The direct packages of a requirements file and of those that it includes: name to version."""
    text = path.read_text(encoding="utf-8")
    found = {plain(one["name"]): one["version"] for one in PIN.finditer(text)}
    for included in re.findall(r"(?m)^-r (\S+)", text):
        found |= wanted(path.with_name(included))
    return found


def pins(root: Path) -> str:
    """The versions of the locks of lab and extras as the lines of a list in pyproject.toml."""
    markers: dict[str, str] = {}
    for lock in LISTED:
        for one in PIN.finditer((root / lock).read_text(encoding="utf-8")):
            markers.setdefault(f"{plain(one['name'])}=={one['version']}", (one["marker"] or "").rstrip())
    return "".join(f'  "{line}{marker}",\n' for line, marker in sorted(markers.items()))


def problems(root: Path) -> list[str]:
    """Returns a line for each lock that does not fit; an empty list where all fit."""
    found = [
        line
        for lock, sources in LOCKS.items()
        for line in _unfit(root / lock, [root / one for one in sources])
    ]
    listed = BLOCK.search((root / "pyproject.toml").read_text(encoding="utf-8"))
    if not found and (listed is None or listed[0] != pins(root)):
        found.append(f"pyproject.toml lists other versions than {' and '.join(LISTED)}")
    return found


def _unfit(lock: Path, sources: list[Path]) -> list[str]:
    text = lock.read_text(encoding="utf-8") if lock.exists() else ""
    there = {plain(one["name"]): one["version"] for one in PIN.finditer(text)}
    found = []
    for source in sources:
        for package, version in sorted(wanted(source).items()):
            if there.get(package) != version:
                has = f"has {there[package]}" if package in there else "lacks it"
                found.append(f"{source.name} wants {package} {version}, and {lock.name} {has}")
    for entry in re.split(r"(?m)^(?=[A-Za-z0-9])", text):
        if PIN.match(entry) and "--hash=sha256:" not in entry:
            found.append(f"{lock.name}: {entry.split()[0]} has no hash")
    return found


def make(upgrade: bool) -> None:
    options = [
        "--universal",
        "--python-version",
        OLDEST_PYTHON,
        "--generate-hashes",
        "--no-header",
        "--quiet",
    ]
    for lock, sources in LOCKS.items():
        along = [] if lock == LARGEST else ["--constraints", LARGEST]
        command = ["uv", "pip", "compile", *options, *along, *["--upgrade"] * upgrade]
        subprocess.run([*command, *sources, "--output-file", lock], cwd=ROOT, check=True)
    project = ROOT / "pyproject.toml"
    listed = pins(ROOT)
    project.write_text(BLOCK.sub(lambda _: listed, project.read_text(encoding="utf-8")), encoding="utf-8")


def main(arguments: list[str], root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--upgrade", action="store_true")
    given = parser.parse_args(arguments)
    if not given.check:
        make(given.upgrade)
    found = problems(root)
    for line in found[:3]:
        print(line, file=sys.stderr)
    if found:
        print("The lock does not fit. Make it anew: make lock", file=sys.stderr)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
