"""The usual headers on every kind of answer, from the site as tests ask it and as it is really started."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from django.contrib.auth.models import User
from django.test import Client

from bench.services.waiting import free_port
from races.streams.connection import Connection
from tests.fakes.markup import check_headers
from tests.fakes.migrated import Migrated
from tests.fakes.recorded import Recorded
from tests.fakes.waiting import wait_for
from tests.live.servers import command, started


@pytest.mark.django_db
def test_pages_files_downloads_refusals_and_errors_carry_them(
    kafka: Connection, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    race = Recorded(laps=1).race
    at = race.get_absolute_url()
    strict = Client(enforce_csrf_checks=True, raise_request_exception=False)

    def broken() -> None:
        raise RuntimeError("somebody's mistake")

    monkeypatch.setattr("races.views.api.load_season", broken)
    answers = [
        (200, client.get(path))
        for path in (
            "/static/races/live.js", "/static/races/icon.svg", "/static/admin/css/base.css", "/", at, f"{at}replay/",
            f"{at}results.csv", f"{at}report.json", "/api/races/", f"/api/races/{race.pk}/", "/lab/", "/livez",
            "/metrics", "/registry/subjects", "/admin/login/",
        )
    ]  # fmt: skip
    answers += [
        (400, client.get("/", headers={"host": "evil.example"})),
        (403, strict.post("/races/", {"driver": "NOR"})),
        (403, client.post(f"{at}stop/")),
        (404, client.get("/nothing/")),
        (404, client.get("/static/nothing.js")),
        (404, client.get("/api/races/00000000-0000-0000-0000-000000000000/")),
        (405, client.put("/")),
        (405, client.patch("/registry/subjects")),
        (413, client.post("/races/", b"driver=" + b"N" * 2_700_000, "application/x-www-form-urlencoded")),
        (500, strict.get("/api/drivers/")),
        (503, client.get("/healthz")),  # nothing is read here
    ]
    for status, answer in answers:
        assert answer.status_code == status, answer.request["PATH_INFO"]
        check_headers(answer)


@pytest.mark.django_db
def test_pages_of_the_admin_carry_them(client: Client) -> None:
    race = Recorded(laps=1).race
    client.force_login(User.objects.create_superuser("marshal"))
    for path in ("/admin/", "/admin/races/race/", f"/admin/races/race/{race.pk}/change/"):
        check_headers(client.get(path))


@pytest.fixture(params=["daphne", "uvicorn"])
def https_site(request: pytest.FixtureRequest, tmp_path: Path, migrated: Migrated) -> Iterator[str]:
    """The site as somebody puts it behind a proxy that speaks HTTPS."""
    port = free_port()
    environ = {"DJANGO_DEBUG": "0", "DJANGO_HTTPS": "1"}
    migrated(tmp_path)
    with started(command(request.param, port, tmp_path), tmp_path, **environ) as process:
        base = f"http://127.0.0.1:{port}"
        wait_for(lambda: answers(base, process), "it answers", 60)
        yield base


def answers(base: str, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None
    try:
        return requests.get(f"{base}/livez", timeout=20).ok
    except requests.ConnectionError:
        return False


def ask(base: str, path: str, method: str = "GET", **headers: str) -> Any:
    answer = requests.request(method, base + path, headers=headers, timeout=20, allow_redirects=False)
    check_headers(answer.headers)  # type: ignore[arg-type]  # asked for by name, as an answer's are
    return answer


@pytest.mark.timeout(120)
def test_headers_with_debug_off_and_https(https_site: str) -> None:
    secure = {"X-Forwarded-Proto": "https"}
    expected = {
        "/": 200, "/races/": 200, "/static/races/live.js": 200, "/static/nothing.js": 404, "/nothing/": 404,
        "/api/races/": 200, "/livez": 200, "/metrics": 200, "/healthz": 503, "/registry/subjects": 503,
        "/admin/": 302, "/admin/login/": 200, "/lab/": 200, "/races/00000000-0000-0000-0000-000000000000/x.csv": 404,
    }  # fmt: skip
    for path, status in expected.items():
        answer = ask(https_site, path, **secure)
        assert answer.status_code == status, path
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
        cookies = answer.headers.get("Set-Cookie", "")
        assert cookies.count("Secure") == cookies.count("Path="), path
    assert ask(https_site, "/", "POST", **secure).status_code == 405
    assert ask(https_site, "/races/", "POST", **secure).status_code == 403
    assert ask(https_site, "/", Host="evil.example", **secure).status_code == 400
    assert ask(https_site, "/", Host="evil.example").status_code == 400, "before it is sent to HTTPS"
    assert ask(https_site, "/").status_code == 301
