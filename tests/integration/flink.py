"""A real Apache Flink for one SQL job: started in a JVM of its own, ended with its job."""

from __future__ import annotations

from pathlib import Path

from tests.integration.java import JavaProcess, jars, require

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
MAIN = Path(__file__).with_name("RunSql.java")


def run_sql(sql: str, folder: Path) -> str:
    """Runs all statements to their end and returns Flink's output. Raises RuntimeError with it."""
    require("javac")
    file, log = folder / "job.sql", folder / "flink.log"
    file.write_text(sql)
    flags = [f"--add-opens=java.base/java.{package}=ALL-UNNAMED" for package in OPENED]
    flink = JavaProcess(f"{jars('flink')}/*", [str(MAIN), str(file)], log, HEAP_MB, flags)
    try:
        if flink.wait(LIMIT_S) != 0:
            raise RuntimeError(f"the Flink job failed:\n{flink.output()}")
    finally:
        flink.stop()
    return flink.output()
