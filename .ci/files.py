"""Writes the list of all files into docs/architecture.md: of each its first sentence and its names, room by room.

python .ci/files.py                written anew
python .ci/files.py --check        nothing is written; exits with 1 where the list is not as the files are
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/architecture.md"
LISTED = ("races", "provisioning", "f1site", "bench")
LIST = re.compile(r"(?s)(?<=<!-- written by \.ci/files\.py -->\n).*?(?=<!-- the list ends -->)")


def modules() -> Iterator[Path]:
    for top in LISTED:
        for path in sorted((ROOT / top).rglob("*.py"), key=lambda path: (path.parent, path.name)):
            if "migrations" not in path.parts and (path.name != "__init__.py" or path.stat().st_size > 100):
                yield path


def purpose(path: Path) -> str:
    """Returns the first sentence of the module, or of a command's help."""
    tree = ast.parse(path.read_text())
    text = ast.get_docstring(tree) or next(command_helps(tree), "")
    return re.split(r"(?<=[^.][.?!])\s|\n\n", text, maxsplit=1)[0].replace("\n", " ").rstrip(".")


def command_helps(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id="help")], value=ast.Constant(value=str(text))):
                yield text.strip()


def names(path: Path) -> str:
    """Returns the classes and functions that the module has for others, in parentheses."""
    defined = (
        node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef | ast.FunctionDef)
    )
    found = ", ".join(f"`{node.name}`" for node in defined if not node.name.startswith("_"))
    return found and f" ({found})"


def listing() -> str:
    lines, room = [], None
    for path in modules():
        if path.parent != room:
            room = path.parent
            lines += ["", f"`{room.relative_to(ROOT)}`:", ""]
        lines.append(f"- `{path.name}`{': ' * bool(purpose(path))}{purpose(path)}{names(path)}")
    return "\n".join([*lines, "", ""])


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    page = PAGE.read_text()
    wanted = LIST.sub(lambda _: listing(), page)
    if parser.parse_args().check:
        if wanted != page:
            print(
                "docs/architecture.md does not list the files as they are. Write it: make files",
                file=sys.stderr,
            )
        return int(wanted != page)
    PAGE.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
