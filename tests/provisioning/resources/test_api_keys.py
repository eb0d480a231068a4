"""New keys: brokers hear of them one after another, and a new cluster's name comes late into the DNS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

from provisioning.client import Call, Client, Login
from provisioning.clock import Clock
from provisioning.errors import NameUnknown, NetworkError
from provisioning.resources import api_keys
from provisioning.session import Session
from provisioning.standin import Answers
from races.streams.redaction import Redactor
from tests.fakes.in_process_session import InProcessSession
from tests.fakes.laptop import Laptop, new_laptop


def unresolvable() -> requests.ConnectionError:
    """The error of a real look-up: names below .invalid never exist."""
    try:
        requests.get("https://pkc-new.invalid/", timeout=5)
    except requests.ConnectionError as error:
        return error
    raise AssertionError("somebody answers for a name that cannot exist")


def test_name_that_nobody_knows() -> None:
    client = Client(Redactor(), Clock(sleep=lambda _: None), tries=2)
    with pytest.raises(NameUnknown, match="no name resolution"):
        client.request(Call("GET", "https://pkc-new.invalid/", Login("Kafka", "key", "secret")))


@pytest.fixture
def late_names(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """A cluster's host is unknown until "from" on the laptop's clock."""
    known, error, ask = {"from": 0.0}, unresolvable(), InProcessSession.request

    def request(session: InProcessSession, method: str, url: str, **given: Any) -> requests.Response:
        if "/pkc-" in url and session.standin.state.now() < known["from"]:
            raise error
        return ask(session, method, url, **given)

    monkeypatch.setattr(InProcessSession, "request", request)
    return known


def test_late_name_is_waited_for(laptop: Laptop, late_names: dict[str, float]) -> None:
    """It takes minutes now and then; nothing of it reaches the person but what is waited for."""
    late_names["from"] = laptop.manual_clock() + 150
    laptop.provision()
    assert len(laptop.living_keys()) == 3


def test_name_that_never_comes_ends_the_wait(laptop: Laptop, late_names: dict[str, float]) -> None:
    late_names["from"] = laptop.manual_clock() + 10_000
    began = laptop.manual_clock()
    with pytest.raises(NetworkError, match="no name resolution"):
        laptop.provision()
    assert api_keys.NEW_NAME_S <= laptop.manual_clock() - began < api_keys.NEW_NAME_S + 200
    late_names["from"] = 0.0
    laptop.provision()
    assert laptop.journalled_keys() == laptop.living_keys()


def test_two_looks_at_a_new_kafka_key(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second comes later, when every broker should have heard of it; a key that is known is asked once."""
    looks: list[float] = []
    look = api_keys.probe

    def timed(session: Session, kind: str) -> None:
        look(session, kind)
        if kind == "kafka":
            looks.append(laptop.manual_clock())

    monkeypatch.setattr(api_keys, "probe", timed)
    laptop.provision()
    assert looks[-1] - looks[-2] >= api_keys.KAFKA_BROKERS_S
    before = len(looks)
    laptop.provision()
    assert len(looks) == before + 1


def test_key_that_flaps_for_a_while(tmp_path: Path) -> None:
    """Some frontends go on refusing a key that others have accepted: each call is tried again."""
    with new_laptop(tmp_path, answers=Answers.parse("new_key=flaps")) as laptop:
        laptop.provision()
        refused = [c for c in laptop.standin.calls if c.status == 401]
        assert len(refused) > 5
        assert laptop.teardown() == []
