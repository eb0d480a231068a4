"""Measures the structure of the code, and exits with 1 where a figure is beyond its limit.

    python .ci/structure.py            the figures beside their limits
    python .ci/structure.py --list     the places behind each figure as well

Imports count wherever they stand, in functions and under TYPE_CHECKING too.
"""

from __future__ import annotations

import argparse
import ast
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
PRODUCT = ("f1site", "races", "provisioning")
TESTS = ("tests", "e2e")
DJANGO_NAMES = {"__init__", "admin", "apps", "checks", "forms", "middleware", "models", "urls", "views"}
# A docstring that begins so has no subject and no verb: it goes on where the function's name ends.
PREPOSITIONS = (
    "of with without by as in on at from to for until beside beyond like than "
    "after before behind between under over"
)
FRAGMENTS = set(
    f"{PREPOSITIONS} also once who whose which because but and or then even not where".title().split()
)
LIMITS = {
    "modules at the root of races without a name of Django's": 0,
    "circles between packages": 0,
    "circles between files": 0,
    "imports that go up the layers": 0,
    "tests that import another test module": 0,
    "docstrings that are fragments": 0,
    "private helpers called from one place, % of all functions": 15,
    "lines of a function, median": 9,
    "characters of a test's name, median": 36,
    "files of more than 400 lines": 3,
}
"""A limit goes down when its figure does, so that no change makes the structure worse."""
Function = ast.FunctionDef | ast.AsyncFunctionDef
Graph = Mapping[str, set[str]]


@dataclass(slots=True)
class Figure:
    """A measured value, and the places behind it."""

    value: float
    places: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Source:
    """A file of the project, parsed. `module` is its dotted name."""

    path: Path
    module: str
    tree: ast.Module
    lines: int

    @property
    def functions(self) -> list[Function]:
        return [node for node in ast.walk(self.tree) if isinstance(node, Function)]

    def at(self, node: ast.stmt, name: str) -> str:
        return f"{self.path}:{node.lineno} {name}"


def sources(root: Path, folders: Iterable[str]) -> list[Source]:
    """Every Python file below the folders, migrations left out."""
    found = []
    for path in sorted(path for folder in folders for path in (root / folder).rglob("*.py")):
        if "migrations" not in path.parts:
            text, place = path.read_text(encoding="utf-8"), path.relative_to(root)
            module = ".".join(place.with_suffix("").parts).removesuffix(".__init__")
            found.append(Source(place, module, ast.parse(text), text.count("\n")))
    return found


def imports(source: Source, known: set[str]) -> set[str]:
    """The known modules that a file imports, by the longest name that is one."""
    found: set[str] = set()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        found |= {name if name in known else name.rpartition(".")[0] for name in names}
    return (found & known) - {source.module}


def import_graph(files: list[Source]) -> dict[str, set[str]]:
    known = {source.module for source in files}
    return {source.module: imports(source, known) for source in files}


def circles(graph: Graph) -> list[list[str]]:
    """The strongly connected components of more than one node (Tarjan's algorithm)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph.get(node, ())):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            start = stack.index(node)
            if len(stack) - start > 1:
                found.append(sorted(stack[start:]))
            del stack[start:]

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


def package_circles(graph: Graph) -> list[list[str]]:
    """Circles between the children of each package, where a child stands for all that is below it."""
    parents = {name.rsplit(".", depth)[0] for name in graph for depth in range(1, name.count(".") + 1)}
    found = []
    for parent in sorted(parents):
        depth = parent.count(".") + 2
        between: dict[str, set[str]] = {}
        for name, others in graph.items():
            if name.startswith(f"{parent}."):
                child = ".".join(name.split(".")[:depth])
                targets = {".".join(o.split(".")[:depth]) for o in others if o.startswith(f"{parent}.")}
                between.setdefault(child, set()).update(targets - {child})
        found += [circle for circle in circles(between) if any(_is_package(name, graph) for name in circle)]
    return found


def _is_package(name: str, graph: Graph) -> bool:
    return any(other.startswith(f"{name}.") for other in graph)


def layers_of(root: Path) -> dict[str, int]:
    """Each room of `races` to its floor, counted from below, as import-linter's first contract has them."""
    contracts = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (its["layers"] for its in contracts if its.get("containers") == ["races"])
    return {
        f"races.{room.strip()}": floor
        for floor, rooms in enumerate(reversed(layers))
        for room in rooms.replace("|", ":").split(":")
    }


def climbing(graph: Graph, floors: Mapping[str, int]) -> list[str]:
    """Imports from a room to one on a higher floor."""
    return [
        f"{name} -> {other}"
        for name, others in graph.items()
        for other in others
        if floors.get(_room(name), 99) < floors.get(_room(other), -1)
    ]


def _room(module: str) -> str:
    return ".".join(module.split(".")[:2])


def called_once(source: Source) -> list[str]:
    """Private functions and methods that one place of their file names."""
    names = Counter(
        node.id if isinstance(node, ast.Name) else node.attr
        for node in ast.walk(source.tree)
        if (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)) or isinstance(node, ast.Attribute)
    )
    return [
        source.at(function, function.name)
        for function in source.functions
        if function.name.startswith("_") and not function.name.endswith("__") and names[function.name] == 1
    ]


def fragments(source: Source) -> Iterator[str]:
    """Docstrings of functions, classes and modules that begin as no sentence does."""
    for node in ast.walk(source.tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Module)):
            text = ast.get_docstring(node) or ""
            first, _, rest = text.partition(" ")
            if first in FRAGMENTS and not _is_sentence(first, rest):
                line = getattr(node, "lineno", 1)
                yield f"{source.path}:{line} {text.splitlines()[0]}"


def _is_sentence(first: str, rest: str) -> bool:
    """A clause before a main clause is set off by a comma: "For a car in the pits, the gap is None."."""
    return first not in {"Of", "Who", "Which", "Also"} and "," in rest.partition(".")[0]


def measure(root: Path) -> dict[str, Figure]:
    """Every figure of LIMITS, for the project in a folder."""
    product, bench, tests = sources(root, PRODUCT), sources(root, ["bench"]), sources(root, TESTS)
    graph = import_graph([*product, *bench, *tests])
    own = {name: others for name, others in graph.items() if not name.startswith(TESTS)}
    loose = [s for s in product if s.path.parent.name == "races" and s.path.stem not in DJANGO_NAMES]
    functions = [function for source in product for function in source.functions]
    once = [place for source in product for place in called_once(source)]
    names = [f.name for s in tests for f in s.functions if f.name.startswith("test_")]
    from_tests = [
        f"{name} -> {other}"
        for name, others in graph.items()
        for other in others
        if other.rpartition(".")[2].startswith("test_")
    ]
    figures: list[Figure | list[str]] = [
        [str(source.path) for source in loose],
        [" <-> ".join(circle) for circle in package_circles(own)],
        [" <-> ".join(circle) for circle in circles(own)],
        climbing(own, layers_of(root)),
        from_tests,
        [place for source in (*product, *bench, *tests) for place in fragments(source)],
        Figure(round(100 * len(once) / len(functions), 1), once),
        Figure(median((f.end_lineno or f.lineno) - f.lineno + 1 for f in functions)),
        Figure(median(map(len, names)), sorted(names, key=len)[-40:]),
        [f"{s.path} {s.lines}" for s in (*product, *bench, *tests) if s.lines > 400],
    ]
    listed = [Figure(len(its), its) if isinstance(its, list) else its for its in figures]
    return dict(zip(LIMITS, listed, strict=True))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("root", nargs="?", type=Path, default=ROOT, help="another checkout to measure")
    parser.add_argument("--list", action="store_true", help="the places behind each figure")
    options = parser.parse_args(arguments)
    beyond = False
    for what, figure in measure(options.root).items():
        over = figure.value > LIMITS[what]
        beyond |= over
        print(
            f"{figure.value:>6g}  at most {LIMITS[what]:>3g}  {what}{'  <-- beyond the limit' if over else ''}"
        )
        if figure.places and (options.list or over):
            print("\n".join(f"          {place}" for place in figure.places))
    return int(beyond)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
