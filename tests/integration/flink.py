"""A real Apache Flink for one SQL job: started in a JVM of its own, ended with its job."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.services.java import JavaProcess, jars, require

HEAP_MB = 768
LIMIT_S = 150.0
OPENED = (
    "lang",
    "util",
    "net",
    "io",
    "nio",
    "time",
    "util.concurrent",
    "util.concurrent.atomic",
    "lang.reflect",
    "text",
)
SOURCE = Path(__file__).with_name("RunSql.java")


@dataclass(frozen=True, slots=True)
class Ran:
    """plan: as EXPLAIN tells it. asked: the prompts that AI_COMPLETE was called with, in order."""

    plan: str
    asked: list[str]


def compiled(folder: Path) -> str:
    """The class path. To classes on disk, since Flink hands its functions from one class loader to another."""
    require("javac")
    classpath = f"{folder}:{jars('flink')}/*"
    subprocess.run(["javac", "-cp", classpath, "-d", str(folder), str(SOURCE)], check=True, timeout=120)
    return classpath


def run_sql(sql: str, folder: Path) -> Ran:
    """Runs all statements to their end. Raises RuntimeError with Flink's output."""
    classes = compiled(folder)
    file, plan, log = folder / "job.sql", folder / "job.plan", folder / "flink.log"
    file.write_text(sql)
    flags = [f"--add-opens=java.base/java.{package}=ALL-UNNAMED" for package in OPENED]
    flink = JavaProcess(classes, ["RunSql", str(file), str(plan)], log, HEAP_MB, flags)
    try:
        if flink.wait(LIMIT_S) != 0:
            raise RuntimeError(f"the Flink job failed:\n{flink.output()}")
    finally:
        flink.stop()
    asked = [line.partition(": ")[2] for line in log.read_text().splitlines() if line.startswith("asked ")]
    return Ran(plan.read_text(), asked)
