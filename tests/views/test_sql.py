"""The workspace's page and its answers: who may ask, and what comes back."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from races.lab import workspace
from tests.fakes.flink_gateway import fake_gateway
from tests.fakes.waiting import wait_for
from tests.sql.conftest import Desk

pytestmark = pytest.mark.django_db
ADDRESSES = ("/sql/", "/sql/changes/")


@pytest.fixture(name="desk")
def desk_fixture(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """The page's workspace is that of the desk."""
    with fake_gateway() as fake:
        desk = Desk(fake)
        desk.start()
        monkeypatch.setattr(workspace, "_current", desk.workspace)
        monkeypatch.setattr(workspace, "why_not", lambda: ())
        yield desk
        desk.workspace.close()


def post(client: Client, text: str, **fields: Any) -> Any:
    return client.post("/sql/run/", {"text": text, "cursor": "0", "from": "beginning", **fields})


def looked(client: Client, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/sql/changes/?version=-1{query}").json()["statements"]
    return found


def test_embedded_kafka_says_how_to_get_there(client: Client) -> None:
    for address in ADDRESSES:
        text = client.get(address).content.decode()
        assert "which Flink&#x27;s clients cannot use" in text
        assert "make flink" in text


def test_page(client: Client, desk: Desk) -> None:
    text = client.get("/sql/").content.decode()
    assert "Apache Flink 2.3.0" in text
    assert "4 of 4 slots free" in text
    assert "costs nothing more" in text
    assert "`f1-driver-positions`" in text
    assert "<dt>" in text
    assert "km/h, mean over the tick" in text


def test_scripts_are_light_and_on_this_page_only(client: Client, desk: Desk) -> None:
    folder = Path(settings.BASE_DIR) / "static" / "races" / "sql"
    files = [path for path in folder.rglob("*") if path.suffix in (".js", ".css")]
    assert sum(len(gzip.compress(path.read_bytes())) for path in files) < 60_000
    assert "races/sql/" in client.get("/sql/").content.decode()
    for address in ("/", "/races/", "/lab/"):
        assert "races/sql/" not in client.get(address).content.decode()


def test_run_and_look(client: Client, desk: Desk) -> None:
    answer = post(client, "SELECT 1")
    assert answer.status_code == 201
    wait_for(lambda: looked(client)[0]["state"] == "finished", "it runs")
    (one,) = looked(client)
    assert answer.json() == {"ids": [one["id"]]}
    assert one["changes"] == [["+I", 1]]
    assert looked(client, f"&seen={one['id']}:1")[0]["changes"] == []


def test_statement_of_the_cursor(client: Client, desk: Desk) -> None:
    """The cursor counts line ends as the browser does, whatever the form makes of them."""
    text = "SELECT\r\n2;\r\nSELECT 1"
    post(client, text, cursor="11")
    assert looked(client)[0]["sql"] == "SELECT 1"


def test_statements_of_the_selection(client: Client, desk: Desk) -> None:
    text = "CREATE TABLE a (n INT);\nSELECT * FROM a;\nSELECT 1"
    assert len(post(client, text, cursor="0", until="30").json()["ids"]) == 2
    assert [one["sql"] for one in looked(client)] == ["CREATE TABLE a (n INT)", "SELECT * FROM a"]


def test_explain(client: Client, desk: Desk) -> None:
    post(client, "SELECT n FROM t", explain="1")
    wait_for(lambda: looked(client)[0]["tree"], "the plan comes")


@pytest.mark.parametrize(
    ("text", "status", "words"),
    [
        ("", 422, "There is no statement here"),
        ("-- nothing", 422, "There is no statement here"),
        ("ADD JAR 'x'", 422, "does not run ADD"),
        ("SELECT 1 " + "x" * 110_000, 422, "longer than 100,000"),
        ("SELECT '" + "x" * 30_000, 422, "longer than 20,000"),
    ],
)
def test_refused(client: Client, desk: Desk, text: str, status: int, words: str) -> None:
    answer = post(client, text)
    assert answer.status_code == status
    assert words in answer.json()["error"]
    assert looked(client) == []


def test_strange_numbers(client: Client, desk: Desk) -> None:
    for cursor in ("-1", "x", "9" * 30, "²"):
        assert post(client, "SELECT 1", cursor=cursor, until=cursor).status_code == 201
    for query in ("seen=a:b,,1:,:2", "version=x", "seen=" + "1:1," * 5000):
        assert client.get(f"/sql/changes/?version=-1&{query}").status_code == 200


def test_no_free_slot(client: Client, desk: Desk) -> None:
    desk.fake.slots = 0
    answer = post(client, "SELECT 1")
    assert answer.status_code == 429
    assert "none is free" in answer.json()["error"]


def test_stop_and_forget(client: Client, desk: Desk) -> None:
    (one,) = post(client, "SELECT * FROM ticker").json()["ids"]
    assert client.post(f"/sql/{one}/stop/").status_code == 204
    wait_for(lambda: looked(client)[0]["state"] == "stopped", "it is stopped")
    assert client.post(f"/sql/{one}/forget/").status_code == 204
    assert looked(client) == []
    assert client.post("/sql/999/stop/").status_code == 204


def test_another_browser_sees_nothing(client: Client, desk: Desk) -> None:
    (one,) = post(client, "SELECT * FROM ticker").json()["ids"]
    other = Client()
    assert looked(other) == []
    other.post(f"/sql/{one}/stop/")
    assert looked(client)[0]["state"] in ("planning", "running")


@pytest.mark.parametrize("address", ADDRESSES)
def test_from_elsewhere_only_staff(desk: Desk, address: str) -> None:
    elsewhere = Client(REMOTE_ADDR="10.1.2.3")
    assert elsewhere.get(address).status_code == 403
    proxied = Client(REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR="10.1.2.3")
    assert proxied.get(address).status_code == 403
    elsewhere.force_login(
        User.objects.create_user("staff", is_staff=True),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    assert elsewhere.get(f"{address}?version=-1").status_code == 200


def test_user_who_is_no_staff(desk: Desk) -> None:
    client = Client(REMOTE_ADDR="10.1.2.3")
    client.force_login(User.objects.create_user("ann"), backend="django.contrib.auth.backends.ModelBackend")
    assert client.post("/sql/run/", {"text": "SELECT 1"}).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "http://testserver:81"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
    ],
)
def test_other_sites_get_no_answer(client: Client, desk: Desk, headers: dict[str, str]) -> None:
    for answer in (
        client.get("/sql/changes/?version=-1", headers=headers),
        client.post("/sql/run/", {"text": "SELECT 1", "cursor": "0"}, headers=headers),
    ):
        assert answer.status_code == 403
        assert "statements" not in answer.content.decode()
    assert looked(client) == []


def test_link_from_elsewhere_opens_the_page(client: Client, desk: Desk) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert client.get("/sql/", headers=headers).status_code == 200


def test_forgery_token_is_asked_for(desk: Desk) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post("/sql/run/", {"text": "SELECT 1"}).status_code == 403
    assert client.post("/sql/1/stop/").status_code == 403


def test_hostile_rows_are_data(client: Client, desk: Desk) -> None:
    """The answer is JSON, which the page shows as text."""
    answer = client.get("/sql/changes/?version=-1")
    assert answer["Content-Type"] == "application/json"
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_configuration_without_flink(client: Client, settings: Any) -> None:
    settings.LAB = SimpleNamespace(kafka=object(), flink=None)
    assert "no Flink is named" in client.get("/sql/").content.decode()
