"""The stand-in's faults: what a client sees, and what has happened behind its back."""

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
import requests

from provisioning.standin import KINDS, Exchange, Fault, Standin
from tests.fakes import openapi
from tests.fakes.api_caller import Caller, as_administrator, build, environment_body
from tests.fakes.standin_snapshot import snapshot

POST = "POST", "/org/v2/environments"


@pytest.fixture
def standin() -> Iterator[Standin]:
    with Standin(kafka=False) as found:
        yield found
    assert openapi.problems(found.calls) == []


def names(standin: Standin) -> list[str]:
    return list(snapshot(standin.state)["environments"])


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("timeout_before", requests.ReadTimeout),
        ("timeout_after", requests.ReadTimeout),
        ("drop_before", requests.ConnectionError),
        ("drop_after", requests.ConnectionError),
    ],
)
def test_lost_answer_and_its_effect(standin: Standin, kind: str, error: type[Exception]) -> None:
    """A lost answer leaves its effect only if it came after."""
    cloud = Caller(standin.url, (standin.key, standin.secret), timeout=0.3)
    standin.faults.add(Fault(kind, at=1))  # type: ignore[arg-type]
    with pytest.raises(error):
        cloud(*POST, environment_body("lab"))
    assert names(standin) == (["lab"] if kind.endswith("after") else [])
    assert standin.calls[0].status == 0
    assert cloud("GET", "/org/v2/organizations").status_code == 200


@pytest.mark.parametrize("kind", ["429", "429_bare", "429_html", "500", "503", "503_envelope"])
def test_refusal_has_no_effect(standin: Standin, kind: str) -> None:
    """A refusal has no effect and its own shape."""
    standin.faults.add(Fault(kind, at=1))  # type: ignore[arg-type]
    answer = as_administrator(standin)(*POST, environment_body("lab"))
    assert str(answer.status_code) == kind[:3]
    assert names(standin) == []
    assert ("Retry-After" in answer.headers) == (kind == "429")
    shape = "html" if kind == "429_html" else next(iter(answer.json()))
    assert shape == {"429_html": "html", "503_envelope": "status"}.get(kind, "errors")


def test_error_shapes_of_the_data_planes(standin: Standin) -> None:
    """The data planes have shapes of their own."""
    lab = build(standin)
    standin.faults.add(Fault("429_bare", path="/topics"), Fault("503", path="/subjects"))
    assert "<html>" in lab.kafka("GET", lab.topics).text
    assert lab.registry("GET", "/subjects").json()["error_code"] == 50301


def test_fault_meets_the_calls_it_names(standin: Standin) -> None:
    """A fault meets the calls it names as often as it says."""
    cloud = as_administrator(standin)
    standin.faults.add(Fault("500", method="GET", path="^/org/v2/environments$", times=2))
    assert cloud("GET", "/org/v2/organizations").status_code == 200
    assert [cloud("GET", "/org/v2/environments").status_code for _ in range(3)] == [500, 500, 200]
    assert standin.faults.met == 2
    assert [call.fault for call in standin.calls] == ["", "500", "500", ""]


def test_slow_answer_is_whole(standin: Standin) -> None:
    """A slow answer comes late and whole."""
    standin.faults.add(Fault("slow", at=1, delay_s=0.2))
    started = time.monotonic()
    assert as_administrator(standin)("GET", "/org/v2/organizations").status_code == 200
    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize(("kind", "left"), [("hook_before", []), ("hook_after", ["lab"])])
def test_hook_can_kill_the_command(standin: Standin, kind: str, left: list[str]) -> None:
    """As `kill -9` does: the process is gone without an answer, its effect is there or isn't."""
    script = (
        "import sys, requests; requests.post(sys.argv[1] + '/org/v2/environments', json={'display_name': 'lab'}, "
        "auth=(sys.argv[2], sys.argv[3]), timeout=20); print('answered')"
    )
    arguments = [sys.executable, "-c", script, standin.url, standin.key, standin.secret]
    command = subprocess.Popen(arguments, stdout=subprocess.PIPE)

    def kill(exchange: Exchange) -> None:
        command.kill()
        command.wait(10)

    standin.faults.add(Fault(kind, at=1, hook=kill))  # type: ignore[arg-type]
    out, _ = command.communicate(timeout=20)
    assert (command.returncode, out) == (-9, b"")
    assert names(standin) == left


def test_hook_after_sees_the_answer(standin: Standin) -> None:
    """A hook after names the answer that nobody will read."""
    heard: list[Exchange] = []
    standin.faults.add(Fault("hook_after", at=1, hook=heard.append))
    as_administrator(standin)(*POST, environment_body("lab"))
    assert heard[0].response["display_name"] == "lab"


def test_same_seed_same_state() -> None:
    """The same calls meet the same faults and leave the same picture."""

    def create_once() -> tuple[list[tuple[str, int, str]], object]:
        faults = [
            Fault(kind, at=number * 3) for number, kind in enumerate(KINDS, start=1) if "time" not in kind
        ]
        with Standin(faults=faults, kafka=False) as standin:
            cloud = as_administrator(standin)
            for number in range(25):
                try:
                    cloud(*POST, environment_body(f"lab-{number}"))
                except requests.ConnectionError:
                    continue
            return [(c.method, c.status, c.fault) for c in standin.calls], snapshot(standin.state)

    assert create_once() == create_once()


def test_log_prints_calls_and_no_secret(standin: Standin) -> None:
    """The log prints every call and no secret."""
    lab = build(standin)
    sql = (
        "CREATE CONNECTION c WITH ('type'='openai', 'endpoint'='https://x.example', 'api-key'='cfltInTheSql')"
    )
    lab.statement("connect", sql)
    printed = "\n".join(call.printout() for call in standin.calls)
    assert len(standin.calls) == printed.count(" -> ")
    secrets = [secret for _, secret in lab.keys.values()] + ["cfltInTheSql", standin.secret]
    assert [secret for secret in secrets if secret in printed] == []
    assert all(secret in str([c.response for c in standin.calls]) for _, secret in lab.keys.values())


def test_time_out_holds_up_no_end() -> None:
    """A time out that nobody waits for does not hold up the end."""
    started = time.monotonic()
    with Standin(faults=[Fault("timeout_before")], kafka=False) as standin:
        cloud = Caller(standin.url, (standin.key, standin.secret), timeout=0.1)
        with pytest.raises(requests.ReadTimeout):
            cloud("GET", "/org/v2/organizations")
    assert time.monotonic() - started < 5
