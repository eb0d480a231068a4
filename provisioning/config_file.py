"""config.yaml: our own blocks of text, and nothing else of it.

A block stands between two comment lines. A section that the person has already (kafka: with topics:, analytics: with
engine:) takes our keys as a block inside it, because YAML allows a section once; any other gets a block of its own
at the end. What is outside stays byte for byte: comments, order, line ends.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from provisioning.errors import ProvisioningError, Refused
from provisioning.private_file import write_private

BEGIN = "# >>> written by manage.py provision_confluent; teardown_confluent takes it out again"
JOINED = " (with the line end before it)"
END = "# <<< provision_confluent"
BLOCK = re.compile(
    rf"(?ms)(?:\r?\n{re.escape(BEGIN + JOINED)}|^[^\S\n]*{re.escape(BEGIN)})\r?\n"
    rf"(?:(?!{re.escape(BEGIN)}).)*?^[^\S\n]*{re.escape(END)}[^\S\n]*(?:\n|\Z)"
)
Sections = Mapping[str, Mapping[str, object]]


def read(path: Path) -> str:
    """Reads the file with its own line ends, which newline="" keeps."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def without_blocks(text: str) -> str:
    """Raises Refused for a block whose end is not to be told from the person's own text."""
    rest = BLOCK.sub("", text)
    for there, missing, which in ((BEGIN, END, "first"), (END, BEGIN, "last")):
        if there in rest:
            other, side = ("last", "after") if which == "first" else ("first", "before")
            raise Refused(
                f"config.yaml holds the {which} line of our block without its {other}: {missing}",
                f"Put that line back {side} what provision_confluent wrote, or take all of it out by hand; then run "
                "again.",
            )
    return rest


def with_blocks(text: str, sections: Sections) -> str:
    text = without_blocks(text)
    rest: dict[str, object] = {}
    for name, values in ((name, values) for name, values in sections.items() if values):
        filled = _inside(text, name, values)
        if filled is None:
            rest[name] = dict(values)
        text = filled or text
    if not rest:
        return text
    added = f"{_yaml(rest)}{END}\n"
    if text and not text.endswith("\n"):
        return f"{text}\n{BEGIN}{JOINED}\n{added}"
    return f"{text}{BEGIN}\n{added}"


def _inside(text: str, name: str, values: Mapping[str, object]) -> str | None:
    """Puts our keys into the section. None means that there is no such section, or an empty one."""
    section = _section(text, name)
    if section is None:
        return None
    first = section.value[0][0].start_mark
    indent = " " * first.column
    lines = [f"{indent}{line}\n" for line in (BEGIN, *_yaml(dict(values)).splitlines(), END)]
    before = text.splitlines(keepends=True)
    return "".join([*before[: first.line], *lines, *before[first.line :]])


def _section(text: str, name: str) -> yaml.MappingNode | None:
    try:
        whole: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ProvisioningError(f"config.yaml is not YAML outside our block: {error}") from None
    for key, value in whole.value if isinstance(whole, yaml.MappingNode) else ():
        if key.value == name and isinstance(value, yaml.MappingNode) and value.value:
            return value
    return None


def _yaml(values: Mapping[str, object]) -> str:
    return yaml.safe_dump(
        dict(values), sort_keys=False, default_flow_style=False, width=10_000, allow_unicode=True
    )


def check_room(path: Path, engine: str) -> None:
    """Refuses a file whose other lines contradict the new blocks, before anything is made: they could not
    be written in the end."""
    rest = without_blocks(read(path))
    for name in ("kafka", "analytics"):
        section = _section(rest, name)
        if section is not None and section.flow_style:
            raise Refused(
                f"{path}: write the section {name}: in lines of its own, not in braces.", "Then run again."
            )
    loaded = yaml.safe_load(rest) or {}
    for name in ("kafka", "analytics"):
        if name in loaded and not loaded[name]:  # ours would be a second one, which the lab does not read
            raise Refused(f"{path} has a section {name}: with nothing in it.", "Take it out, then run again.")
    kafka, analytics = loaded.get("kafka") or {}, loaded.get("analytics") or {}
    if set(kafka) - {"topics", "consumer_group"}:
        raise Refused(
            f"{path} names a Kafka of its own (kafka: {', '.join(sorted(set(kafka) - {'topics'}))}).",
            "provision_confluent does not overwrite it. Take these keys out (topics: may stay) and run again.",
        )
    said = analytics.get("engine")
    if said and said != engine:
        raise Refused(
            f"{path} says analytics.engine: {said}, the command asks for {engine}.",
            "Change or remove that line, or leave out --flink.",
        )


def write(path: Path, sections: Sections) -> bool:
    """Writes our blocks and returns whether the file changed. Keys that the person has written are left out of
    them."""
    text = read(path)
    own = yaml.safe_load(without_blocks(text)) or {}
    missing = {
        name: {key: value for key, value in values.items() if key not in (own.get(name) or {})}
        for name, values in sections.items()
    }
    wanted = with_blocks(text, missing)
    if wanted == text:
        if path.exists():
            path.chmod(0o600)  # somebody may have opened it since: it holds keys
        return False
    write_private(path, wanted)
    return True


def bootstrap(path: Path) -> str:
    """Gives the address of the Kafka in our block, and "" without a block."""
    ours = "".join(found[0] for found in BLOCK.finditer(read(path)))
    named = re.search(r"(?m)^\s*bootstrap\.servers: (\S+)$", ours)
    return named[1] if named else ""


def has_block(path: Path) -> bool:
    text = read(path)
    return BEGIN in text or END in text


def remove(path: Path) -> bool:
    """Takes our blocks out and returns whether there was one. A file that held nothing else goes, unless F1_CONFIG
    names it."""
    text = read(path)
    rest = without_blocks(text)
    if rest == text:
        return False
    if rest or os.environ.get("F1_CONFIG"):
        write_private(path, rest)
    else:
        path.unlink()
    return True
