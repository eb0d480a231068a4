"""The socket: a snapshot, then frames; acknowledgements in, nothing else."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.core import signing
from django.test import override_settings

from f1site.asgi import application
from races.live.hub import Socket
from races.live.rendering.header import RaceStatus
from races.live.service import LiveService
from races.middleware.visitors import COOKIE, SALT
from races.models import Race
from races.models.creation import Choice, create_race

pytestmark = pytest.mark.django_db(transaction=True)
ORIGIN = (b"origin", b"http://localhost")
HOST = (b"host", b"localhost")


def cookie(client: str) -> tuple[bytes, bytes]:
    return b"cookie", f"{COOKIE}={signing.Signer(salt=SALT).sign(client)}".encode()


def socket(race_id: Any, *headers: tuple[bytes, bytes]) -> WebsocketCommunicator:
    return WebsocketCommunicator(
        application, f"/ws/races/{race_id}/", headers=[HOST, *(headers or (ORIGIN,))]
    )


def run(story: Callable[[], Awaitable[None]], live: LiveService) -> None:
    async def whole() -> None:
        try:
            await story()
        finally:
            await live.close()

    asyncio.run(whole())


async def closed(page: WebsocketCommunicator) -> int:
    while True:
        message = await page.receive_output(5)
        if message["type"] == "websocket.close":
            return int(message["code"])


def test_connecting_gives_the_whole_state(live: LiveService) -> None:
    race = create_race(Choice("NOR"))

    async def story() -> None:
        page = socket(race.pk)
        assert (await page.connect())[0]
        text = await page.receive_from(5)
        assert 'id="tower"' in text
        assert "NOR" in text
        await page.disconnect()
        assert live.hub.count() == 0

    run(story, live)


def test_an_unknown_race_closes_with_4404(live: LiveService) -> None:
    async def story() -> None:
        page = socket(uuid.uuid4())
        await page.connect()
        assert await closed(page) == 4404

    run(story, live)


@pytest.mark.parametrize(
    "path", ["/", "/races/", "/ws", "/ws/", "/ws/nothing/", "/ws/races/abc/", "/ws/a\nb/", "//ws/", ""]
)
def test_another_address_closes_with_4404(
    live: LiveService, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        page = WebsocketCommunicator(application, "/", headers=[HOST, ORIGIN])
        page.scope["path"] = path
        await page.connect()
        assert await closed(page) == 4404
        await page.disconnect()

    run(story, live)
    assert [record for record in caplog.records if record.levelname not in ("DEBUG", "INFO")] == []


@pytest.mark.parametrize(
    "said", ["hello", "ack", "ack x", "ack -1", "ack 1 2", '{"HEADERS":{}}', "ack " + "9" * 99]
)
def test_other_messages_close_with_4400(live: LiveService, said: str) -> None:
    race = create_race(Choice("NOR"))

    async def story() -> None:
        page = socket(race.pk)
        await page.connect()
        await page.send_to(text_data=said)
        assert await closed(page) == 4400
        assert live.hub.count() == 0

    run(story, live)


def test_bytes_close_with_4400(live: LiveService) -> None:
    race = create_race(Choice("NOR"))

    async def story() -> None:
        page = socket(race.pk)
        await page.connect()
        await page.send_to(bytes_data=b"ack 1")
        assert await closed(page) == 4400

    run(story, live)


def test_a_flood_of_acknowledgements_closes(live: LiveService) -> None:
    race = create_race(Choice("NOR"))

    async def story() -> None:
        page = socket(race.pk)
        await page.connect()
        await page.receive_from(5)
        await page.send_to(text_data="ack 7")
        assert ">7<" in await page.receive_from(5)
        for _ in range(30):
            await page.send_to(text_data="ack 8")
        assert await closed(page) == 4400

    run(story, live)


@pytest.mark.parametrize(
    "origin",
    [
        b"http://evil.example", b"http://localhost.evil.example", b"http://localhost@evil.example", b"http://evil/localhost",
        b"null", b"", b"file://", b"localhost", b"http://[", b"http://localhost:99999999", b"\xff\xfe", None,
    ],
)  # fmt: skip
def test_a_page_of_another_origin_is_refused(live: LiveService, origin: bytes | None) -> None:
    race = create_race(Choice("NOR"))

    async def story() -> None:
        page = socket(race.pk, HOST if origin is None else (b"origin", origin))
        assert not (await page.connect())[0]

    run(story, live)


@override_settings(F1_MAX_SOCKETS_PER_CLIENT=2)
def test_too_many_sockets_close_with_4429(live: LiveService) -> None:
    race = create_race(Choice("NOR"))

    async def story() -> None:
        pages = [socket(race.pk, ORIGIN, cookie("one")) for _ in range(3)]
        for page in pages[:2]:
            await page.connect()
            assert 'id="tower"' in await page.receive_from(5)  # it counts from its first snapshot on
        await pages[2].connect()
        assert await closed(pages[2]) == 4429
        other = socket(race.pk, ORIGIN, cookie("two"))
        await other.connect()
        assert 'id="tower"' in await other.receive_from(5)

    run(story, live)


def test_a_silent_page_slows_and_is_closed(live: LiveService) -> None:
    race = create_race(Choice("NOR"))

    async def story() -> None:
        page = socket(race.pk)
        await page.connect()
        await page.receive_from(5)
        (spectator,) = live.hub.sockets()
        now = spectator.acked_at
        live.check(str(race.pk), spectator, now + 14)
        assert not spectator.lagging
        live.check(str(race.pk), spectator, now + 16)
        assert spectator.lagging
        assert 'id="tower"' in await page.receive_from(5)
        live.hub.publish(str(race.pk), [(1, "a frame")], now + 17)
        live.check(str(race.pk), spectator, now + 18)
        assert await page.receive_nothing(0.1)
        live.check(str(race.pk), spectator, now + 61)
        assert await closed(page) == 4408

    run(story, live)


def test_an_unanswered_close_keeps_nobody(live: LiveService) -> None:
    async def never(code: int, reason: str) -> None:
        await asyncio.Event().wait()

    async def sent(text: str) -> None: ...

    async def story() -> None:
        gone = [Socket(sent, never, None, acked_at=0.0) for _ in range(3)]
        for spectator in gone:
            live.hub.join("race", spectator)
        live._clock = lambda: 61.0
        care = asyncio.ensure_future(live.look_after())
        async with asyncio.timeout(10):
            while live.hub.sockets():
                await asyncio.sleep(0.02)
        care.cancel()

    run(story, live)


def test_a_stopping_server_says_1012(live: LiveService) -> None:
    race = create_race(Choice("NOR"))

    async def story() -> None:
        page = socket(race.pk)
        await page.connect()
        await page.receive_from(5)
        await live.close()
        assert await closed(page) == 1012

    run(story, live)


def test_a_changed_status_reaches_the_page(live: LiveService) -> None:
    race = create_race(Choice("NOR"))

    async def story() -> None:
        page = socket(race.pk)
        await page.connect()
        await page.receive_from(5)

        def fail() -> None:
            Race.objects.filter(pk=race.pk).update(status="failed", status_reason="<b>the gearbox</b>")

        await asyncio.to_thread(fail)
        text = ""
        while "the gearbox" not in text:  # the strip at the foot has messages of its own
            text = str(await page.receive_from(5))
        assert "<b>the gearbox" not in text

    run(story, live)


def test_a_message_on_its_way_comes_once(live: LiveService) -> None:
    race = create_race(Choice("NOR"))
    race_id = str(race.pk)

    async def story() -> None:
        page = socket(race.pk)
        await page.connect()
        await page.receive_from(5)
        got: list[str] = []

        async def send(text: str) -> None:
            got.append(text)

        async def close(code: int, reason: str) -> None: ...

        live.feed.set_status(race_id, RaceStatus("failed", "the gearbox"))  # on its way into the loop
        late = Socket(send, close, None, acked_at=0.0)
        live.hub.join(race_id, late)
        late.show(live.feed.snapshot(race_id))
        assert "the gearbox" in await page.receive_from(5)
        assert "".join(got).count("the gearbox") == got[0].count("the gearbox") > 0
        live.hub.leave(race_id, late)

    run(story, live)
