from __future__ import annotations

import pytest

from bench.services.registry_http import serve
from races.flink.cluster import Cluster, ClusterAway, Slots
from races.flink.gateway import Gateway
from races.streams.registry.service import Registry
from tests.fakes.flink_gateway import fake_gateway


def test_slots_and_jobs() -> None:
    with fake_gateway(slots=3) as fake:
        cluster, session = Cluster(fake.url), Gateway(fake.url).open("x")
        assert cluster.slots() == Slots(3, 3, 1)
        job = session.run("INSERT INTO a SELECT 1", {"pipeline.name": "mine"}).job
        assert cluster.slots().free == 2
        assert [(one.name, one.state, one.ended) for one in cluster.jobs()] == [("mine", "RUNNING", False)]
        cluster.cancel(job)
        assert cluster.jobs()[0].ended


def test_root_cause_is_one_line() -> None:
    with fake_gateway() as fake:
        fake.failures["a"] = "java.lang.ArithmeticException: / by zero"
        assert Cluster(fake.url).root_cause("a") == "/ by zero"
        assert Cluster(fake.url).root_cause("b") == ""


def test_nobody_and_another_service() -> None:
    with pytest.raises(ClusterAway, match=r"does not answer at http://127\.0\.0\.1:1"):
        Cluster("http://127.0.0.1:1").slots()
    with serve(Registry()) as registry, pytest.raises(ClusterAway, match="is no job manager of Flink"):
        Cluster(registry.url).slots()
