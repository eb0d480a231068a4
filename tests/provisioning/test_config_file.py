"""config.yaml: our block comes and goes, the rest stays byte for byte."""

from __future__ import annotations

import stat
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from provisioning import config_file
from provisioning.errors import Refused
from provisioning.private_file import remove_leftovers

KAFKA: dict[str, object] = {
    "bootstrap.servers": "pkc-1:9092",
    "sasl.password": "p: '#\"",
    "topics": {"positions": "f1"},
}
SECTIONS: dict[str, dict[str, object]] = {
    "kafka": KAFKA,
    "analytics": {"engine": "flink", "commentary": "embedded"},
}
FILES = [
    "",
    "# only a comment",
    "# mine\r\nfeatures:\r\n  anomaly_detection: {enabled: true}\r\n",
    "features: {}\n\n\n",
    "features: {}",
    "kafka:\n  # my names\n  topics:\n    positions: mine\nfeatures: {}\n",
    "analytics:\n    engine: flink   # I want Flink\n",
    "analytics:\n  engine: flink",
    "confluent:\n  region: us-west-2\nkafka:\n  topics: {positions: mine}\n",
]


def rewrite(path: Path, text: str) -> str:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
    assert config_file.write(path, SECTIONS)
    return config_file.read(path)


@pytest.mark.parametrize("text", FILES)
def test_block_comes_and_goes(tmp_path: Path, text: str) -> None:
    """The block comes and goes and the rest stays byte for byte."""
    path = tmp_path / "config.yaml"
    written = rewrite(path, text)
    loaded = yaml.safe_load(written)
    assert loaded["kafka"]["sasl.password"] == KAFKA["sasl.password"]
    assert loaded["analytics"]["commentary"] == "embedded"
    assert not config_file.write(path, SECTIONS), "the same again is no change"
    assert config_file.remove(path)
    assert config_file.read(path) == text
    assert path.exists() == bool(text)


LINES = st.text(alphabet="ab: #\n\r\t'\"{}é", max_size=60)


@given(LINES)
def test_text_around_the_block_survives(text: str) -> None:
    """Any text around the block survives."""
    whole = config_file.with_blocks("", SECTIONS)
    assert config_file.without_blocks(
        text + ("\n" if text and not text.endswith("\n") else "") + whole
    ).startswith(text)


def test_new_block_replaces_the_old(tmp_path: Path) -> None:
    """A new block replaces the old one."""
    path = tmp_path / "config.yaml"
    rewrite(path, "# mine\n")
    config_file.write(path, {"kafka": {"bootstrap.servers": "pkc-2:9092"}, "analytics": {}})
    assert yaml.safe_load(path.read_text()) == {"kafka": {"bootstrap.servers": "pkc-2:9092"}}


def test_the_persons_own_topic_names_win(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    loaded = yaml.safe_load(rewrite(path, "kafka:\n  topics:\n    positions: mine\n"))
    assert loaded["kafka"]["topics"] == {"positions": "mine"}
    assert loaded["kafka"]["bootstrap.servers"] == "pkc-1:9092"


def test_file_becomes_private(tmp_path: Path) -> None:
    """It is for its owner only even if it was open before."""
    path = tmp_path / "config.yaml"
    path.write_text("features: {}\n")
    path.chmod(0o644)
    config_file.write(path, SECTIONS)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    assert not config_file.write(path, SECTIONS)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that fails leaves the old file."""
    path = tmp_path / "config.yaml"
    path.write_text("features: {}\n")

    def full(handle: int) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        config_file.write(path, SECTIONS)
    assert path.read_text() == "features: {}\n"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kafka:\n  bootstrap.servers: my.own:9092\n", "a Kafka of its own"),
        ("analytics:\n  engine: embedded\n", "asks for flink"),
        ("kafka: {topics: {positions: mine}}\n", "in lines of its own"),
        ("kafka:\n#  bootstrap.servers: mine\n", "with nothing in it"),
        ("analytics: {}\n", "with nothing in it"),
    ],
)
def test_contradicting_file_is_refused(tmp_path: Path, text: str, words: str) -> None:
    """A file that says otherwise stops it before anything is made."""
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(Refused, match=words):
        config_file.check_room(path, "flink")


def test_our_own_block_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    rewrite(path, "")
    config_file.check_room(path, "embedded")


TWO_BLOCKS = "kafka:\n  topics:\n    positions: mine\nanalytics:\n  commentary: flink\n"


@pytest.mark.parametrize("missing", [0, 1])
@pytest.mark.parametrize(("cut", "words"), [("END", "first line of our"), ("BEGIN", "last line of our")])
def test_block_with_a_missing_line(tmp_path: Path, missing: int, cut: str, words: str) -> None:
    """A line of the block that is missing takes nothing of the person's text along."""
    path = tmp_path / "config.yaml"
    path.write_text(TWO_BLOCKS)
    config_file.write(path, SECTIONS)
    lines = path.read_text().splitlines(keepends=True)
    mark = getattr(config_file, cut)
    ends = [number for number, line in enumerate(lines) if mark in line]
    assert len(ends) == 2
    del lines[ends[missing]]
    path.write_text(broken := "".join(lines))
    for act in (
        lambda: config_file.check_room(path, "flink"),
        lambda: config_file.write(path, SECTIONS),
        lambda: config_file.remove(path),
    ):
        with pytest.raises(Refused, match=f"{words} block without its"):
            act()
    assert path.read_text() == broken


def test_half_written_files_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a kill left half written is swept away."""
    path, killed = tmp_path / "config.yaml", []

    def kill(self: Path, target: Path) -> None:
        killed.append(self.name)
        raise SystemExit

    others = {".config.yaml.swp", ".config.yaml.original"}
    for name in others:
        (tmp_path / name).write_text("an editor's")
    with monkeypatch.context() as dying:
        dying.setattr(Path, "replace", kill)
        dying.setattr(Path, "unlink", lambda self: None)
        with pytest.raises(SystemExit):
            config_file.write(path, SECTIONS)
    assert (tmp_path / killed[0]).exists()
    assert fnmatch(killed[0], ".config.yaml.*")  # as .gitignore has it
    remove_leftovers(path)
    assert {left.name for left in tmp_path.iterdir()} == others
