"""config.yaml as plain data that remembers where each value stands.

Every value stays the text that the person wrote: the model decides what is a number. Anchors, aliases and merge keys
work. Depth and size are bounded, because ten lines of aliases can stand for more than any memory holds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from f1site.config.errors import ConfigError

Key = tuple[str, ...]
MAX_DEPTH = 5
MAX_NODES = 2_000
NULL, BOOL, MERGE = (f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "merge"))
HINTS = (
    ("cannot start any token", "; indent with spaces, not with tabs", "\\t"),
    ("hexadecimal", "; in double quotes \\ begins an escape, so write a path in single quotes", ""),
    ("unknown escape", "; in double quotes \\ begins an escape, so write a path in single quotes", ""),
    ("another document", "; keep one document: take out the second ---", ""),
)


@dataclass(slots=True)
class Source:
    """values: nested dicts, lists and texts. places: where the value of a key path comes from, in words.

    booleans: the paths of plain words that YAML takes for true or false, such as yes and off.
    """

    file: Path
    values: dict[str, Any] = field(default_factory=dict)
    places: dict[Key, str] = field(default_factory=dict)
    booleans: set[Key] = field(default_factory=set)
    _nodes: int = 0

    def wrong(self, path: Key, problem: str) -> ConfigError:
        """The message of the contract: file, line, key, what is wrong. Without a line of its own: the file."""
        name = ".".join(path) or "the file"
        return ConfigError(f"{self.places.get(path, str(self.file))}: '{name}' {problem}")

    def set(self, path: Key, value: str, place: str) -> None:
        """A value from elsewhere, such as the environment, which wins over the file's."""
        section = self.values
        for key in path[:-1]:
            section = section.setdefault(key, {})
            if not isinstance(section, dict):
                raise self.wrong(path[:-1], f"is one value, and {place} sets a key inside it")
        section[path[-1]] = value
        self.places[path] = place
        self.booleans.discard(path)

    def rename(self, old: Key, new: Key) -> None:
        """Moves a value that a person wrote under another name; its place goes along."""
        section = self.section(old[:-1])
        value = section.pop(old[-1])
        self.section(new[:-1])[new[-1]] = value
        self.places[new] = self.places.get(old, str(self.file))
        if old in self.booleans:
            self.booleans.add(new)

    def section(self, path: Key) -> dict[str, Any]:
        """The mapping at a path; an empty one where there is none. Raises ConfigError where it is no mapping."""
        found: Any = self.values
        for depth, key in enumerate(path, 1):
            found = found.setdefault(key, {})
            if not isinstance(found, dict):
                raise self.wrong(path[:depth], "must be a list of 'key: value' lines")
        return found  # type: ignore[no-any-return]  # YAML

    def _line(self, node: yaml.Node) -> str:
        return f"{self.file}, line {node.start_mark.line + 1}"

    def _value(self, path: Key, node: yaml.Node) -> Any:
        self._nodes += 1
        if self._nodes > MAX_NODES or len(path) > MAX_DEPTH:
            raise self.wrong(path[:2], "holds more than any configuration has")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(path, node)
        if isinstance(node, yaml.SequenceNode):
            return [self._value((*path, str(number)), item) for number, item in enumerate(node.value)]
        if _spans_lines(node):
            raise self.wrong(path, "goes on over several lines; is a quotation mark missing at its end?")
        text = str(node.value).strip()
        if "\0" in text:  # librdkafka's text would end there, and an empty group's name ends the process
            raise self.wrong(path, "holds a NUL character; take it out")
        if node.tag == BOOL:
            self.booleans.add(path)
        return text

    def _mapping(self, path: Key, node: yaml.MappingNode) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        seen: set[str] = set()
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode) or _spans_lines(key_node):
                raise ConfigError(f"{self._line(key_node)}: a key must be one word")
            if key_node.tag == MERGE:
                merged |= self._merged(path, value_node)
                continue
            key = str(key_node.value)
            here = (*path, key)
            if key in seen:
                name = ".".join(here)
                raise ConfigError(f"{self._line(key_node)}: '{name}' stands twice; put both under one")
            seen.add(key)
            self.places[here] = self._line(key_node)
            if value_node.tag != NULL:
                found[key] = self._value(here, value_node)
        return merged | found

    def _merged(self, path: Key, node: yaml.Node) -> dict[str, Any]:
        """The keys of `<<: *name`, or of a list of them."""
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        if not all(isinstance(one, yaml.MappingNode) for one in nodes):
            raise self.wrong((*path, "<<"), "must name a mapping")
        found: dict[str, Any] = {}
        for one in reversed(nodes):
            found |= self._value((*path, "<<"), one)
        for key in found:
            self.places.setdefault((*path, key), self._line(node))
        return found


def _spans_lines(node: yaml.Node) -> bool:
    """Where a quotation mark is missing, the rest of the file is the value: keys that nobody should be shown."""
    quoted = isinstance(node, yaml.ScalarNode) and node.style in ("'", '"')
    return quoted and node.start_mark.line != node.end_mark.line


def read_source(path: Path) -> Source:
    """An empty Source where there is no file. Raises ConfigError."""
    source = Source(path)
    node = _compose(path) if path.exists() else None
    if node is None or node.tag == NULL:
        return source
    if not isinstance(node, yaml.MappingNode):
        raise ConfigError(f"{source._line(node)}: 'the file' must be a list of 'key: value' lines")
    source.values = source._mapping((), node)
    return source


def _compose(path: Path) -> yaml.Node | None:
    try:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
        try:
            decoded = data.decode("utf-8-sig")  # with or without the mark that Windows puts in front
        except UnicodeDecodeError as error:
            if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
                raise ConfigError(f"{path}: is UTF-16 text; save it as UTF-8") from error
            number = data[: error.start].count(b"\n") + 1
            raise ConfigError(f"{path}, line {number}: is not UTF-8 text; save the file as UTF-8") from error
        node: yaml.Node | None = yaml.compose(decoded, Loader=yaml.SafeLoader)
        return node
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        hints = (hint for sign, hint, also in HINTS if sign in str(error) and (not also or also in problem))
        raise ConfigError(f"{path}{line}: is not YAML: {problem}{next(hints, '')}") from error
