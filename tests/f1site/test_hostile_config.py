"""Whatever is in config.yaml: it is taken, or told in one line that shows no key; none of it is markup on a page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import strategies as st

from f1site.config import ConfigError, Lab, read_lab
from tests.fakes.fuzzing import FEW, MANY, MARKUP, Counted, sweep

ROOT = Path(__file__).resolve().parents[2]
SLOWEST_S = 5.0  # far above what any file takes, far below what an endless one would
SECRET = "zq-secret-4711"
WHOLE = f"""\
kafka:
  bootstrap.servers: broker:9092
  security.protocol: SASL_SSL
  sasl.mechanism: PLAIN
  sasl.username: KEY
  sasl.password: {SECRET}
  session.timeout.ms: 6000
  schema_registry_url: https://registry:8081
  schema_registry_api_key: SRKEY
  schema_registry_secret: {SECRET}
  consumer_group: lab
  topics:
    positions: my-positions
    commentary: my-commentary
features:
  anomaly_detection:
    enabled: true
analytics:
  engine: flink
  commentary: embedded
commentary:
  base_url: http://localhost:11434/v1
  model: some-model
  api_key: {SECRET}
confluent:
  cloud_api_secret: {SECRET}
  region: us-east-2
  flink_max_cfu: 5
"""
LINES = WHOLE.splitlines()
VALUED = [number for number, line in enumerate(LINES) if not line.endswith(":") and SECRET not in line]
BOMB = "a: &a [x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\n" + "".join(
    f"{one}: &{one} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, one in zip("bcdefgh", "cdefghi", strict=True)
)
KEY_BOMB = BOMB + "? *i\n: 1\n"

VALUES = st.one_of(
    st.sampled_from(MARKUP).map(lambda text: yaml.safe_dump(text, allow_unicode=True).strip()),
    st.text(max_size=60).map(lambda text: yaml.safe_dump(text).strip()),
    st.sampled_from(
        [
            "!!python/object/apply:os.system ['exit 1']", "!!binary aGk=", "&a [*a]", "*nobody", "{a: {b: {}}}",
            "[1, [2]]", '"\\e]0;owned\\a"', '"one\\ntwo"', '"\\0"', "|\n    one\n    two", "~", "''", "9" * 5000, "-1",
            "1e999", ".nan", "0x7fffffffffffffff", "2001-01-01", "true", "../../etc/passwd", "http://[", "a b",
            "${HOME}", "%s%n", "'", "@",
        ]
    ),
    st.text(max_size=40),
)  # fmt: skip
RAW = st.one_of(
    st.text(min_size=1, max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.binary(min_size=1, max_size=200),
    st.sampled_from([BOMB.encode(), KEY_BOMB.encode(), b"\0" * 99, b"%YAML 9.9\n---\n", b"a: 1\n---\nb: 2\n"]),
    st.builds(
        lambda sign, depth: sign * depth,
        st.sampled_from([b"[", b"{a: ", b"- ", b"? ", b"!a "]),
        st.integers(1, 800),
    ),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
        max_leaves=12,
    ).map(lambda tree: yaml.safe_dump(tree).encode()),
)  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    data = bytearray(WHOLE.encode())
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 6))] = draw(
            st.binary(max_size=6) | st.text(max_size=4).map(str.encode)
        )
    return bytes(data)


@st.composite
def other_values(draw: st.DrawFn) -> bytes:
    """The keys are right, and so is each line's place."""
    lines = list(LINES)
    for number in draw(st.lists(st.sampled_from(VALUED), min_size=1, max_size=3, unique=True)):
        lines[number] = f"{lines[number].partition(':')[0]}: {draw(VALUES)}"
    return "\n".join(lines).encode("utf-8", "surrogatepass")


@st.composite
def other_keys(draw: st.DrawFn) -> bytes:
    """A line more, somewhere: unknown, twice, or one that librdkafka takes for something else."""
    names = st.sampled_from(
        ["plugin.library.paths", "group.id", "ssl.key.location", "debug", "kafka", "topics", "<<"]
    )
    key = draw(names | st.text(min_size=1, max_size=20).map(lambda text: yaml.safe_dump(text).strip()))
    lines, at = list(LINES), draw(st.integers(1, len(LINES)))
    indent = len(LINES[at - 1]) - len(LINES[at - 1].lstrip())
    lines.insert(at, f"{' ' * indent}{key}: {draw(VALUES)}")
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def check_told(words: str, path: Path, data: bytes) -> None:
    assert words.startswith(str(path))
    assert words.isprintable(), words
    assert len(words) < 2000
    if SECRET.encode() in data and all(line in data for line in KEPT):
        assert SECRET not in words


KEPT = [line.encode() for line in LINES if SECRET in line]


def check_taken(found: Lab) -> None:
    """Names of topics and the engine are what a page shows."""
    assert all(re.fullmatch(r"[\w.-]{1,249}", name, re.ASCII) for name in found.topics.values())
    assert {found.engine, found.wanted_engine, found.commentator} <= {"embedded", "flink"}
    assert found.confluent["flink_max_cfu"] in range(5, 51)


def take_or_tell(path: Path, data: bytes) -> int:
    """How many hostile files it was: what is taken is none."""
    path.write_bytes(data)
    begun = time.perf_counter()
    try:
        check_taken(read_lab(path.parent, {}))
    except ConfigError as told:
        check_told(str(told), path, data)
        return 1
    finally:
        assert time.perf_counter() - begun < SLOWEST_S
    return 0


def files(tmp_path: Path, counted: Counted, at_least: int) -> None:
    cases = RAW | damaged() | other_values() | other_keys()
    path = tmp_path / "config.yaml"
    sweep(counted, "hostile config files", at_least, cases, lambda data: take_or_tell(path, data), 0.9)


def test_the_file_that_is_damaged_is_a_good_one(tmp_path: Path) -> None:
    assert take_or_tell(tmp_path / "config.yaml", WHOLE.encode()) == 0


def test_hostile_files_are_one_line(tmp_path: Path, counted: Counted) -> None:
    files(tmp_path, counted, FEW)


@pytest.mark.full
@pytest.mark.timeout(1200)
def test_many_hostile_files_are_one_line(tmp_path: Path, counted: Counted) -> None:
    files(tmp_path, counted, MANY)


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe\0",
        pytest.param(b"[" * 800, marks=pytest.mark.full),
        WHOLE.replace("broker:9092", '"\\e]0;owned"').encode(),
        pytest.param(
            WHOLE.replace("consumer_group: lab", 'consumer_group: "\\0"').encode(), marks=pytest.mark.full
        ),
    ],
)
def test_a_start_with_such_a_file_ends_with_that_line(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(data)
    environ = os.environ | {"F1_CONFIG": str(path), "F1_VAR_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--check"],
        cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith(f"The configuration is wrong: {path}")
    assert done.stderr.strip().isprintable()
