"""python -m bench <name> [--json] [--short], python -m bench --list

One benchmark is one module of this package with `run() -> dict`; what it prints is for people, --json puts the
figures on the last line as one JSON object. Figures vary between runs: read ratios, and medians of several runs.
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

RUN = re.compile(r"^def run\((?:\)|\w+: \w+ = )", re.M)  # without arguments, or with defaults


def names() -> dict[str, str]:
    """Benchmark to its module's first line."""
    found = {}
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        source = (
            (Path(__file__).parent / f"{module.name}.py").read_text(encoding="utf-8")
            if not module.ispkg
            else ""
        )
        if RUN.search(source):
            found[module.name] = source.lstrip('"').splitlines()[0].rstrip('"')
    return found


def main(arguments: list[str]) -> int:
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__, formatter_class=as_written)
    parser.add_argument("name", nargs="?", help="which benchmark")
    parser.add_argument("--list", action="store_true", help="the benchmarks, a line each")
    parser.add_argument("--json", action="store_true", help="the figures as one JSON object on the last line")
    parser.add_argument("--short", action="store_true", help="minutes instead of half an hour (soak)")
    options = parser.parse_args(arguments)
    known = names()
    if options.list or options.name is None:
        print("\n".join(f"{name:<14} {words}" for name, words in sorted(known.items())))
        return 0
    if options.name not in known:
        print(f"No benchmark '{options.name}'. There are: {', '.join(sorted(known))}", file=sys.stderr)
        return 2
    run = importlib.import_module(f"bench.{options.name}").run
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
    sys.exit(main(sys.argv[1:]))
