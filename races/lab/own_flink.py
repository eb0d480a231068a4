"""`make flink`: the configuration that the lab gets from it, and what its supervisor starts."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import yaml
from django.conf import settings

from races.flink.local.build import build
from races.flink.local.flink import LocalFlink
from races.flink.local.jars import Say, jars
from races.flink.local.java import Java, find_java
from races.flink.local.kafka import LocalKafka
from races.flink.local.ports import must_be_free
from races.flink.local.supervisor import LabProcess, Supervisor


def jar_names() -> list[str]:
    """What has to be fetched: the model's jar only where a model is configured."""
    return ["kafka", "flink", *(["model"] if settings.LAB.commentary.configured else [])]


def prepare(say: Say) -> tuple[Java, list[Path], Path]:
    """Java, the folders of jars (Kafka's first), and our own jar. Raises CannotRun."""
    java = find_java()
    folders = jars(jar_names(), settings.BASE_DIR / ".jars", say)
    return java, folders, build(java, folders[1], settings.BASE_DIR / ".jars/lab", say)


def make_supervisor(
    host: str, port: int, kafka_port: int, gateway_port: int, dashboard_port: int, say: Say
) -> Supervisor:
    """Raises CannotRun."""
    must_be_free(kafka_port, "Kafka's", "KAFKA_PORT")
    must_be_free(gateway_port, "the SQL gateway's", "GATEWAY_PORT")
    must_be_free(dashboard_port, "Flink's dashboard's", "DASHBOARD_PORT")
    java, (kafka_jars, *flink_jars), ours = prepare(say)
    folder = Path(settings.VAR_DIR) / "flink"
    lab_url = f"http://127.0.0.1:{port}"
    kafka = LocalKafka(java, (kafka_jars, ours), Path(settings.VAR_DIR) / "kafka", kafka_port)
    flink = LocalFlink(java, (*flink_jars, ours), folder, gateway_port, dashboard_port, lab_url)
    config = write_config(kafka, flink, folder / "lab.yaml")
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "runlab", f"{host}:{port}", "--tied"]
    return Supervisor(kafka, flink, LabProcess(command, {**os.environ, "F1_CONFIG": str(config)}), say)


def write_config(kafka: LocalKafka, flink: LocalFlink, file: Path) -> Path:
    """The person's own config.yaml with this Kafka and this Flink in it; for its owner only, since it may hold keys."""
    path = Path(settings.LAB.path)  # it has been read and checked at the start of this process
    found = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None
    found = found if isinstance(found, dict) else {}
    own_kafka = found.get("kafka") or {}
    kept = {key: own_kafka[key] for key in ("topics", "consumer_group") if key in own_kafka}
    features = found.setdefault("features", None) or {}
    found["features"] = {"anomaly_detection": features.get("anomaly_detection") or {"enabled": True}}
    found["kafka"] = {"bootstrap.servers": kafka.bootstrap, "schema_registry_url": "own", **kept}
    found["analytics"] = {"engine": "flink"}
    found["flink"] = {"gateway_url": flink.gateway_url, "rest_url": flink.rest_url}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(0o600)
    file.chmod(0o600)
    file.write_text(
        "# Written by make flink at each start\n" + yaml.safe_dump(found, sort_keys=False), encoding="utf-8"
    )
    return file


def purge(checkpoints: Path, kept: set[str]) -> None:
    """Removes what killed Flinks have left behind: all checkpoints that no statement will go on from."""
    named = {Path(point.removeprefix("file:")).parent.name for point in kept}
    for folder in checkpoints.glob("*"):
        if folder.is_dir() and folder.name not in named:
            shutil.rmtree(folder, ignore_errors=True)
