"""The supervisor with all that it starts: safe, watched, ended together, and back after kill -9."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from bench.harness import ROOT
from bench.services.flink import RealFlink
from bench.services.java import JARS, jars
from bench.services.kafka import RealKafka
from bench.services.registry_http import serve
from bench.services.waiting import free_port, wait_for
from races.flink.dialect import queries
from races.flink.gateway import StatementRefused
from races.flink.local.build import build
from races.flink.local.jars import jars as fetched
from races.flink.local.java import Java, find_java
from races.streams.registry.service import Registry
from tests.integration.flink_race import on_kafka, recorded_race
from tests.streams.contract import fresh_names

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
EVIL = {"Origin": "http://evil.example"}
REBOUND = {"Host": "evil.example:8083"}


@pytest.fixture
def own_flink(tmp_path: Path) -> Iterator[RealFlink]:
    """One that a test may kill."""
    flink = RealFlink(tmp_path)
    flink.start()
    yield flink
    flink.stop()


@pytest.mark.parametrize("headers", [EVIL, REBOUND], ids=["foreign origin", "another name"])
def test_foreign_page_gets_nothing(real_flink: RealFlink, headers: dict[str, str]) -> None:
    local = real_flink.local
    answers = [
        requests.post(f"{local.gateway_url}/v4/sessions", data="{}", headers=headers, timeout=10),
        requests.get(f"{local.gateway_url}/v4/info", headers=headers, timeout=10),
        requests.get(f"{local.rest_url}/overview", headers=headers, timeout=10),
    ]
    assert [answer.status_code for answer in answers] == [403] * 3
    assert not any("sessionHandle" in answer.text for answer in answers)
    assert not any("Access-Control-Allow-Origin" in answer.headers for answer in answers)


def test_dashboards_own_page_and_programs_pass(real_flink: RealFlink) -> None:
    url = real_flink.local.rest_url
    assert requests.get(f"{url}/overview", headers={"Origin": url}, timeout=10).ok
    assert requests.get(f"{url}/overview", timeout=10).ok


def test_no_jar_can_be_uploaded(real_flink: RealFlink) -> None:
    jar = {"jarfile": ("x.jar", b"PK", "application/java-archive")}
    answer = requests.post(f"{real_flink.local.rest_url}/jars/upload", files=jar, timeout=10)
    assert answer.status_code >= 400
    assert "not allowed" in answer.text or "not found" in answer.text.lower()


def test_listens_on_loopback_only(real_flink: RealFlink) -> None:
    process = real_flink.local.process
    assert process is not None
    open_files = [str(file.readlink()) for file in Path(f"/proc/{process.pid}/fd").iterdir()]
    inodes = {file[8:-1] for file in open_files if file.startswith("socket:[")}
    listening = [
        line.split()[1]
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/{process.pid}/net/{table}").read_text().splitlines()[1:]
        if line.split()[3] == "0A" and line.split()[9] in inodes
    ]
    assert listening
    loopback = ("0100007F:", "0000000000000000FFFF00000100007F:", "00000000000000000000000001000000:")
    assert all(address.startswith(loopback) for address in listening), listening


@pytest.mark.parametrize("connector", ["filesystem", "http"])
def test_no_connector_for_files(real_flink: RealFlink, connector: str) -> None:
    session = real_flink.gateway.open("files")
    session.run(
        f"CREATE TABLE f (a STRING) WITH ('connector' = '{connector}', 'path' = '/etc', 'format' = 'raw')"
    )
    with pytest.raises(StatementRefused):
        session.run("SELECT * FROM f")
    session.close()


def test_killed_flink_loses_nothing(own_flink: RealFlink, real_kafka: RealKafka) -> None:
    """Half of a race, a checkpoint, kill -9, the other half, Flink again: every average and every final value."""
    with serve(Registry()) as registry:
        place = real_kafka.settings(registry.url)
        race = on_kafka(place, fresh_names(), registry.registry, recorded_race(laps=6))
        wanted = queries(["average"], race.settings.topics, None, "lab")
        deployer = own_flink.deployer(wanted, race.settings, race.codec, race.begin_ms - 1000)
        deployer.look()
        middle = len(race.records) // 2
        race.publish(race.records[:middle])
        averages = race.averages()
        half = sum(record.role == "positions" for record in race.records[:middle])
        race.read("avg_speed", lambda found: len(found) >= half)

        def noted() -> bool:
            deployer.look()
            return bool(own_flink.memories.points())

        wait_for(noted, "a checkpoint is noted", 60)
        own_flink.kill()
        race.publish(race.records[middle:])
        own_flink.start()

        def runs() -> bool:
            deployer.look()
            return own_flink.states().get(wanted[0].name) == "RUNNING"

        wait_for(runs, "the statement runs again", 90)
        finals = {key: rows[-1]["avg_speed"] for key, rows in averages.items()}

        def whole(found: list[tuple[object, dict[str, float]]]) -> bool:
            newest = {
                tuple(key.values()): value["avg_speed"] for key, value in found if isinstance(key, dict)
            }
            return newest == finals

        written = race.read("avg_speed", whole)
        for key, rows in averages.items():
            assert {row["avg_speed"] for row in rows} <= {row["avg_speed"] for row in written[key]}


def test_compiles_where_there_is_no_javac(tmp_path: Path) -> None:
    """A JRE has none. Eclipse's compiler runs on it, with our classes and Flink's jars."""
    program = tmp_path / "jre" / "java"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{find_java().program}" "$@"\n')
    program.chmod(0o755)
    java = Java(program, 17)
    assert java.compiler is None
    lab = tmp_path / "lab"
    lab.mkdir()
    (compiler,) = fetched(["compiler"], JARS / "lab", print)
    (lab / "compiler").symlink_to(compiler)
    with zipfile.ZipFile(build(java, jars("flink"), lab, print)) as made:
        assert "lab/f1/DetectAnomalies.class" in made.namelist()


def test_nothing_outlives_the_supervisor() -> None:
    """kill -9 of the supervisor: Kafka, Flink and the lab end by themselves. Before, all of it answers."""
    jars("flink")
    with tempfile.TemporaryDirectory() as folder:
        environ = {**os.environ, "F1_VAR_DIR": folder}
        manage = [sys.executable, str(ROOT / "manage.py")]
        subprocess.run(
            [*manage, "migrate", "--verbosity", "0"], env=environ, check=True, cwd=ROOT, timeout=120
        )
        page, kafka, gateway, dashboard = (free_port() for _ in range(4))
        ports = [
            "--kafka-port",
            str(kafka),
            "--gateway-port",
            str(gateway),
            "--dashboard-port",
            str(dashboard),
        ]
        process = subprocess.Popen([*manage, "run_flink", str(page), *ports], env=environ, cwd=ROOT)
        try:
            wait_for(lambda: _answers(f"http://127.0.0.1:{page}/healthz"), "the lab answers", 150)
            assert _answers(f"http://127.0.0.1:{dashboard}/overview")
            lost = _processes(folder)
            assert len(lost) >= 2
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(10)
        wait_for(lambda: not _processes(folder), f"gone: {lost}", 20)
        wait_for(lambda: not _answers(f"http://127.0.0.1:{page}/livez"), "the lab is gone", 20)


def _answers(url: str) -> bool:
    try:
        requests.get(url, timeout=5)
        return True
    except requests.RequestException:
        return False


def _processes(folder: str) -> list[int]:
    """The JVMs whose command names this folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if folder in words and "lab.f1.Tied" in words:
            found.append(int(process.name))
    return found
