"""Two clients of Maven repositories: Maven itself and jgo, which is one in Python.

Both get each jar by its coordinates and resolve nothing: the lock file has everything already. Both keep what has
come in Maven's local repository, so that a fetch that was cut goes on where it stopped.
"""

from __future__ import annotations

import shutil
import subprocess
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol
from xml.sax.saxutils import escape

# From 3.0 on it reads each artifact's parents first, and those of flink-model-openai are in no repository.
COPY = "org.apache.maven.plugins:maven-dependency-plugin:2.10:copy"
POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>f1.lab</groupId><artifactId>jars</artifactId><version>1</version>
<packaging>pom</packaging>
<build><plugins><plugin><groupId>org.apache.maven.plugins</groupId><artifactId>maven-dependency-plugin</artifactId>
<configuration><outputDirectory>{folder}</outputDirectory><artifactItems>{items}</artifactItems></configuration>
</plugin></plugins></build></project>
"""
ITEM = "<artifactItem><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></artifactItem>"
MIRROR = """<settings><mirrors><mirror><id>f1</id><mirrorOf>central</mirrorOf><url>{url}</url></mirror></mirrors>
</settings>
"""
ANOTHER = "Another repository: F1_MAVEN=https://…"
Say = Callable[[str], None]


class FetchFailed(Exception):
    """One line: what the client said."""


class Jar(Protocol):
    @property
    def file(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def coordinates(self) -> tuple[str, str, str]: ...


def fetch_by_maven(jars: Sequence[Jar], folder: Path, mirror: str, say: Say) -> None:
    """Raises FetchFailed."""
    items = "".join(ITEM.format(*map(escape, jar.coordinates)) for jar in jars)
    pom, settings = folder / "pom.xml", folder / "settings.xml"
    pom.write_text(POM.format(folder=escape(str(folder.resolve())), items=items), encoding="utf-8")
    settings.write_text(MIRROR.format(url=escape(mirror)), encoding="utf-8")
    command = [
        shutil.which("mvn") or "mvn",
        "-B",
        "-f",
        str(pom),
        *(["-s", str(settings)] if mirror else []),
        COPY,
    ]
    newest: deque[str] = deque(maxlen=200)
    progress = Progress(jars, say)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True
    ) as maven:
        try:
            for line in maven.stdout or ():
                newest.append(line)
                if "Downloaded from" in line:
                    progress.came(line.split("/")[-1].split(" ")[0])
        except BaseException:
            maven.terminate()
            raise
    if maven.returncode != 0:
        raise FetchFailed(_maven_said(newest))


def _maven_said(output: Sequence[str]) -> str:
    """The one line of Maven's error that says what is wrong."""
    errors = [line.partition("[ERROR]")[2].strip() for line in output if "[ERROR]" in line]
    first = next((line for line in errors if line), "it said nothing")
    words = (first.partition(": Unable to")[2] and "Unable to" + first.partition(": Unable to")[2]) or first
    return f"Maven could not fetch the jars: {words[:400].rstrip('.')}. {ANOTHER}"


def fetch_by_jgo(jars: Sequence[Jar], folder: Path, mirror: str, say: Say) -> None:
    """Raises FetchFailed."""
    from jgo.maven import MavenContext

    context = MavenContext(remote_repos={"f1": mirror.rstrip("/")} if mirror else None, timeout=30)
    progress = Progress(jars, say)
    for jar in jars:
        group, name, version = jar.coordinates
        artifact = context.project(group, name).at_version(version).artifact()
        cached = artifact.cached_path
        if cached is not None and cached.exists() and cached.stat().st_size != jar.size:
            cached.unlink()  # the download was cut
        try:
            shutil.copyfile(artifact.resolve(), folder / jar.file)
        except (OSError, RuntimeError) as error:  # requests' errors are OSErrors
            said = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
            raise FetchFailed(f"jgo could not fetch {jar.file}: {said}. {ANOTHER}") from None
        progress.came(jar.file)


class Progress:
    """A line at every tenth of the bytes."""

    def __init__(self, jars: Sequence[Jar], say: Say) -> None:
        self._sizes = {jar.file: jar.size for jar in jars}
        self._total = sum(self._sizes.values())
        self._say, self._done, self._told = say, 0, 0

    def came(self, file: str) -> None:
        self._done += self._sizes.pop(file, 0)  # Maven's own plugins count for nothing
        tenth = 10 * self._done // max(1, self._total)
        if tenth > self._told:
            self._told = tenth
            self._say(f"  {self._done // 1_000_000} of {self._total // 1_000_000} MB")
