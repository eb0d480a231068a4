"""python -m bench <name> [--json] [--short], python -m bench --list

A benchmark is a module with `run() -> dict`: those in `scenarios` measure the lab's speed, those in `studies` the race
model and the analytics. It prints its figures indented, with --json as one JSON object on the last line. Figures vary
between runs: read ratios, and medians of several runs.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import pkgutil
import re
import sys
from pathlib import Path

from bench import scenarios, studies
from races.lib.spelling import write_anywhere

ROOT = Path(__file__).resolve().parents[1]
RUN = re.compile(r"^def run\((?:\)|\w+: \w+ = )", re.M)  # without arguments, or with defaults


def modules() -> dict[str, str]:
    """Each benchmark's name and the name of its module."""
    found = {}
    for package in (scenarios, studies):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            if RUN.search(_source(module.name)):
                found[module.name.rpartition(".")[2]] = module.name
    return found


def names() -> dict[str, str]:
    """Each benchmark's name and the first line of its module."""
    return {
        name: _source(module).lstrip('"').splitlines()[0].rstrip('"') for name, module in modules().items()
    }


def _source(module: str) -> str:
    return (ROOT / (module.replace(".", "/") + ".py")).read_text(encoding="utf-8")


def main(arguments: list[str]) -> int:
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__, formatter_class=as_written)
    parser.add_argument("name", nargs="?", help="which benchmark")
    parser.add_argument("--list", action="store_true", help="the benchmarks, a line each")
    parser.add_argument("--json", action="store_true", help="the figures as one JSON object on the last line")
    parser.add_argument("--short", action="store_true", help="minutes instead of half an hour (soak)")
    options = parser.parse_args(arguments)
    if options.list or options.name is None:
        print("\n".join(f"{name:<14} {words}" for name, words in sorted(names().items())))
        return 0
    known = modules()
    if options.name not in known:
        print(f"No benchmark '{options.name}'. There are: {', '.join(sorted(known))}", file=sys.stderr)
        return 2
    run = importlib.import_module(known[options.name]).run
    if options.short and "short" not in inspect.signature(run).parameters:
        print(f"'{options.name}' has no short variant.", file=sys.stderr)
        return 2
    figures = run(short=True) if options.short else run()
    print(json.dumps(figures, indent=None if options.json else 2))
    if figures.get("out_of_band"):
        print(f"Out of band: {', '.join(figures['out_of_band'])}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    write_anywhere()
    sys.exit(main(sys.argv[1:]))
