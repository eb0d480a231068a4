"""make flink: start, memory, processor, agreement with the embedded engine, latency, and what kill -9 costs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any

import requests
import yaml

from bench.harness import ROOT, LabProcess, all_cpu_seconds, load_average, rss_kb, setting
from bench.services.flink import lose_task_manager
from bench.services.language_model import serve_model
from bench.services.waiting import free_port, wait_for
from races.analytics.anomaly import AnomalyDetector
from races.analytics.average_speed import AverageSpeed
from races.flink.cluster import Cluster
from races.flink.gateway import Gateway
from races.streams.codec import Codec
from races.streams.config import StreamSettings
from races.streams.consumer import Tail
from races.streams.registry.client import HttpRegistry

START_LIMIT_S, RACE_LIMIT_S = 300.0, 400.0
MODEL_S = 0.2
JVMS = {"kafka": "kafka.Kafka", "flink": "lab.f1.LocalFlink"}
SOURCES = ("positions", "car_metrics", "race_control")
DERIVED = {"avg_speed": "positions", "car_metrics_anomalies": "car_metrics", "commentary": "race_control"}


@dataclass
class Heard:
    """Returns the decoded records in the order in which they were read, each with its instant."""

    records: dict[str, list[tuple[float, Any, dict[str, Any]]]] = field(default_factory=dict)

    def of(self, role: str, race: str) -> list[tuple[float, Any, dict[str, Any]]]:
        return [one for one in self.records.get(role, []) if _race(role, one[1], one[2]) == race]


def _race(role: str, key: Any, value: dict[str, Any]) -> str:
    if role == "avg_speed":
        return str(key["race_id"])
    if role == "car_metrics_anomalies":
        return str(key["key"].partition(":")[0])
    return str(value["race_id"])


class MakeFlink:
    """The supervisor on ports and in a folder of its own."""

    def __init__(self, folder: Path, model_url: str) -> None:
        self.folder, self.ports = folder, [free_port() for _ in range(4)]
        config = folder / "config.yaml"
        config.write_text(yaml.safe_dump({"commentary": {"base_url": model_url, "model": "small"}}))
        limits = {"F1_MAX_RACES": "0", "F1_MAX_RACES_PER_CLIENT": "0"}
        self.environ = {**os.environ, **limits, "F1_VAR_DIR": str(folder), "F1_CONFIG": str(config)}
        self.base = f"127.0.0.1:{self.ports[0]}"
        self.cluster = Cluster(f"http://127.0.0.1:{self.ports[3]}")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Seconds from the command to three statements RUNNING."""
        manage = [sys.executable, str(ROOT / "manage.py")]
        subprocess.run([*manage, "migrate", "--verbosity", "0"], env=self.environ, check=True, cwd=ROOT)
        _, kafka, gateway, dashboard = map(str, self.ports)
        began = time.monotonic()
        options = ["--kafka-port", kafka, "--gateway-port", gateway, "--dashboard-port", dashboard]
        log = (self.folder / "make-flink.log").open("wb")
        self.process = subprocess.Popen(
            [*manage, "run_flink", self.base, *options], env=self.environ, cwd=ROOT, stdout=log, stderr=log
        )
        wait_for(self.running, "three statements run", START_LIMIT_S)
        return time.monotonic() - began

    def running(self) -> bool:
        try:
            return sum(job.state == "RUNNING" for job in self.cluster.jobs()) >= 3
        except Exception:
            return False

    def pids(self) -> dict[str, int]:
        """The process ids of the two JVMs."""
        found: dict[str, int] = {}
        for process in Path("/proc").glob("[0-9]*"):
            try:
                words = (process / "cmdline").read_bytes().decode().split("\0")
            except OSError:
                continue
            found |= {n: int(process.name) for n, main in JVMS.items() if main in words and self._ours(words)}
        return found

    def _ours(self, words: list[str]) -> bool:
        return any(str(self.folder) in word for word in words)

    def stop(self) -> float:
        """Seconds from Ctrl-C until all is gone."""
        if self.process is None:
            return 0.0
        began = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)
        return time.monotonic() - began

    def lab(self) -> LabProcess:
        return LabProcess(self.base, 0, 0.0, self.environ)

    def settings(self) -> StreamSettings:
        health = requests.get(f"http://{self.base}/healthz", timeout=30).json()
        bootstrap = {"bootstrap.servers": health["kafka"]["bootstrap"]}
        return StreamSettings(False, bootstrap, registry_url=health["registry"]["url"])

    def figures(self) -> dict[str, dict[str, float]]:
        pids = self.pids()
        return {
            "rss_mb": {name: round(rss_kb(pid) / 1024) for name, pid in pids.items()},
            "cpu_s": {name: round(all_cpu_seconds(pid), 1) for name, pid in pids.items()},
        }


@contextmanager
def listening(settings: StreamSettings) -> Iterator[Heard]:
    """Reads all topics in a thread until the context ends."""
    registry = HttpRegistry(settings.registry_url, None, "")
    codec, heard, ended = Codec(settings, registry), Heard(), threading.Event()
    tail = Tail(settings, [*SOURCES, *DERIVED], "beginning")

    def listen() -> None:
        while not ended.is_set():
            for message in tail.poll(2000, 0.05):
                at = time.monotonic()
                key = codec.decode_key(message.role, message.key) if message.key else None
                value = codec.decode(message.role, message.value or b"")
                heard.records.setdefault(message.role, []).append((at, key, value))

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield heard
    finally:
        ended.set()
        thread.join()
        tail.close()
        registry.close()


def agreement(heard: Heard, race: str) -> dict[str, int | float]:
    """Differences from the embedded engine's arithmetic over the same records. repeats: records that came twice."""
    engine, steps = AverageSpeed(), dict[str, list[float]]()
    seen: set[tuple[str, int]] = set()
    for _, _, value in heard.of("positions", race):
        if (value["driver_name"], value["tick"]) not in seen:
            seen.add((value["driver_name"], value["tick"]))
            engine.feed(value)
            steps.setdefault(value["driver_name"], []).append(engine.of(value["driver_name"]) or 0.0)
    written: dict[str, list[float]] = {}
    for _, key, value in heard.of("avg_speed", race):
        written.setdefault(key["driver_name"], []).append(value["avg_speed"])
    expected, found = sum(map(len, steps.values())), sum(map(len, written.values()))
    detector, rows = AnomalyDetector(), dict[tuple[str, int], dict[str, Any]]()
    for _, _, value in heard.of("car_metrics", race):
        key = f"{race}:{value['driver_code']}"
        if (judged := detector.feed(key, value)) is not None:
            rows[key, value["timestamp"]] = judged
    judged_rows = {
        (key["key"], key["ts"]): value for _, key, value in heard.of("car_metrics_anomalies", race)
    }
    common = rows.keys() & judged_rows.keys()
    bounds = [abs((rows[one]["lower_bound"] or 0) - (judged_rows[one]["lower_bound"] or 0)) for one in common]
    return {
        "positions": expected,
        "averages": found,
        "finals_unequal": sum(written.get(name, [None])[-1] != values[-1] for name, values in steps.items()),
        "step_difference": max(
            (abs(a - b) for name in steps for a, b in zip(steps[name], written.get(name, []), strict=False)),
            default=0.0,
        )
        if found == expected
        else -1.0,
        "readings": len(rows),
        "anomaly_rows_missing": len(rows) - len(common),
        "flags_unequal": sum(rows[one]["is_anomaly"] != judged_rows[one]["is_anomaly"] for one in common),
        "bound_difference": max(bounds, default=0.0),
        "repeats": max(0, found - expected) + len(heard.of("car_metrics_anomalies", race)) - len(judged_rows),
    }


def latencies(heard: Heard, races: list[str]) -> dict[str, dict[str, float]]:
    """Milliseconds from reading a record to reading what was derived from it, p50 and p95, by derived topic."""
    found: dict[str, list[float]] = {role: [] for role in DERIVED}
    for race in races:
        metrics = {
            (f"{race}:{value['driver_code']}", value["timestamp"]): at
            for at, _, value in heard.of("car_metrics", race)
        }
        for at, key, _ in heard.of("car_metrics_anomalies", race):
            if (key["key"], key["ts"]) in metrics:
                found["car_metrics_anomalies"].append(at - metrics[key["key"], key["ts"]])
        sent: dict[str, list[float]] = {}
        for at, _, value in heard.of("positions", race):
            sent.setdefault(value["driver_name"], []).append(at)
        got: dict[str, list[float]] = {}
        for at, key, _ in heard.of("avg_speed", race):
            got.setdefault(key["driver_name"], []).append(at)
        for name, times in sent.items():
            found["avg_speed"] += [b - a for a, b in zip(times, got.get(name, []), strict=False)]
        events = {f"{race}:e{value['event']}": at for at, _, value in heard.of("race_control", race)}
        for at, _, value in heard.of("commentary", race):
            if value["id"] in events:
                found["commentary"].append(at - events[value["id"]])
    return {role: _percentiles(values) for role, values in found.items() if len(values) > 1}


def _percentiles(seconds: list[float]) -> dict[str, float]:
    cut = quantiles(seconds, n=100)
    return {"p50_ms": round(cut[49] * 1000), "p95_ms": round(cut[94] * 1000), "records": len(seconds)}


def _whole(lab: LabProcess, race: str) -> bool:
    return bool(lab.get(f"/api/races/{race}/").json()["status"] in ("finished", "stopped"))


def _race_through(flink: MakeFlink, heard: Heard, count: int = 1) -> list[str]:
    """So many default races, side by side, to their end and three seconds more."""
    lab = flink.lab()
    races = [lab.start_race(seed=seed + 1) for seed in range(count)]
    wait_for(lambda: all(_whole(lab, race) for race in races), "the races end", RACE_LIMIT_S)
    time.sleep(3)
    return races


def kill_flink(flink: MakeFlink, heard: Heard) -> dict[str, Any]:
    """kill -9 of Flink in the middle of a race: when it is back, and what it cost."""
    lab = flink.lab()
    race = lab.start_race(seed=77)
    wait_for(lambda: len(heard.of("positions", race)) > 22 * 150, "half a minute of race", RACE_LIMIT_S)
    os.kill(flink.pids()["flink"], signal.SIGKILL)
    killed = time.monotonic()
    wait_for(lambda: not flink.running(), "Flink is gone", 30)
    wait_for(flink.running, "Flink's statements run again", START_LIMIT_S)
    back = time.monotonic() - killed
    wait_for(lambda: _whole(lab, race), "the race ends", RACE_LIMIT_S)
    time.sleep(8)
    return {"back_s": round(back, 1), **agreement(heard, race)}


def lost_task_manager(flink: MakeFlink) -> dict[str, float]:
    """Seconds from the loss of the one task manager until the three statements run again."""
    lose_task_manager(Gateway(f"http://127.0.0.1:{flink.ports[2]}"), flink.cluster)
    lost = time.monotonic()
    wait_for(lambda: not flink.running(), "no statement runs", 30)
    wait_for(flink.running, "Flink's statements run again", START_LIMIT_S)
    return {"cured_s": round(time.monotonic() - lost, 1)}


def run() -> dict[str, object]:
    side_by_side = int(setting("BENCH_RACES", 6))
    figures: dict[str, object] = {"load_before": load_average()}
    with tempfile.TemporaryDirectory() as name, serve_model(MODEL_S) as model:
        flink = MakeFlink(Path(name), model.url)
        try:
            figures["to_three_statements_s"] = round(flink.start(), 1)
            figures["idle"] = flink.figures()
            subjects = requests.get(f"{flink.settings().registry_url}subjects", timeout=30).json()
            with listening(flink.settings()) as heard:
                races = [
                    race
                    for _ in range(int(setting("BENCH_SINGLE", 3)))
                    for race in _race_through(flink, heard)
                ]
                figures["after_races"] = {"races": len(races), **flink.figures()}
                figures["agreement"] = [agreement(heard, race) for race in races]
                figures["latency_one_race"] = latencies(heard, races)
                figures["kill_flink"] = kill_flink(flink, heard)
                figures["lost_task_manager"] = lost_task_manager(flink)
                if side_by_side:
                    six = _race_through(flink, heard, side_by_side)
                    figures["latency_six_races"] = latencies(heard, six)
                    figures["agreement_six"] = [agreement(heard, race) for race in six]
                figures["at_the_end"] = flink.figures()
            after = requests.get(f"{flink.settings().registry_url}subjects", timeout=30).json()
            figures["new_subjects"] = sorted(set(after) - set(subjects))
        finally:
            figures["to_stop_s"] = round(flink.stop(), 1)
    return {**figures, "load_after": load_average()}
