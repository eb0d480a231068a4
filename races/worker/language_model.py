"""Commentary by a language model at any OpenAI-compatible address.

A line of the built-in commentator is offered to the model. Within the time limit it comes back in the model's words.
Where the model is slow, busy, broken or not to be believed, it comes back unchanged. `offer` and `ready` never wait.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from threading import Thread
from typing import TYPE_CHECKING

from races.analytics.commentary.commentator import Line
from races.analytics.engine import Derived
from races.analytics.language_model import believed, conversation

if TYPE_CHECKING:
    import httpx2

TIME_LIMIT_S = 1.5  # below the two seconds between two lines, so that lines keep their order
AT_ONCE = 4  # calls in flight, for all races of this worker
REST_S = 30.0  # without calls, after FAILURES in a row
FAILURES = 3
LONGEST_ANSWER = 64 * 1024  # bytes
RACES_REMEMBERED = 200
LINES_REMEMBERED = 400

log = logging.getLogger(__name__)


class NoAnswer(Exception):
    """The call gave nothing to use. The message is safe to log."""


@dataclass(slots=True)
class _Offered:
    derived: Derived
    line: Line
    until: float
    answer: Future[str]


class LanguageModel:
    """One for each worker, used by the analytics' thread only. The calls run in an event loop of their own: a call that
    is cancelled there ends wherever it is, also where a server sends a byte at a time for ever.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        api_key: str = "",
        time_limit_s: float = TIME_LIMIT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = f"{base_url.rstrip('/')}/chat/completions"
        self._model = model
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._time_limit_s = time_limit_s
        self._clock = clock
        self._http: httpx2.AsyncClient | None = None
        self.loop = asyncio.new_event_loop()
        self._closed = asyncio.Event()
        Thread(target=self._run, name="commentary", daemon=True).start()
        self._offered: list[_Offered] = []
        self._unchanged: list[Derived] = []
        self._running: set[Future[str]] = set()
        self._lines: OrderedDict[str, deque[str]] = OrderedDict()
        self._failures = 0
        self._rest_until = 0.0

    @property
    def calls(self) -> int:
        """Calls in flight."""
        self._running = {call for call in self._running if not call.done()}
        return len(self._running)

    def offer(self, derived: Derived) -> None:
        """Takes a commentary record of the engine. It comes back from `ready`."""
        if derived.line is None or self.calls >= AT_ONCE or self._clock() < self._rest_until:
            self._unchanged.append(derived)
            return
        until = self._clock() + self._time_limit_s
        said = self._lines_of(derived)
        asked = conversation(derived.line, list(said)[-4:])
        call = asyncio.run_coroutine_threadsafe(self.complete(asked), self.loop)
        self._running.add(call)
        self._offered.append(_Offered(derived, derived.line, until, call))

    def ready(self) -> list[Derived]:
        """The records that may be published now: answered, refused, or out of time."""
        out, self._unchanged = self._unchanged, []
        now = self._clock()
        done = [offered for offered in self._offered if offered.answer.done() or now >= offered.until]
        self._offered = [offered for offered in self._offered if offered not in done]
        out += [self._finished(offered) for offered in done]
        for derived in out:
            self._lines_of(derived).append(derived.value["message"])
        return out

    def close(self) -> None:
        """Ends the calls in flight."""
        with suppress(RuntimeError):  # closed already
            self.loop.call_soon_threadsafe(self._closed.set)

    def _run(self) -> None:
        async def until_closed() -> None:
            await self._closed.wait()
            calls = asyncio.all_tasks() - {asyncio.current_task()}
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
            if self._http is not None:
                await self._http.aclose()

        with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
            runner.run(until_closed())

    def _finished(self, offered: _Offered) -> Derived:
        try:
            if not offered.answer.done():
                offered.answer.cancel()
                raise NoAnswer("no answer in time")
            text = believed(offered.answer.result(), offered.line)
        except NoAnswer as refused:
            self._failures += 1
            if self._failures == FAILURES:
                log.warning(
                    "commentary model: %s; the built-in commentator goes on for %d s", refused, REST_S
                )
            if self._failures >= FAILURES:
                self._rest_until = self._clock() + REST_S
                self._failures = 0
            return offered.derived
        self._failures = 0
        if text is None or text in self._lines_of(offered.derived):
            return offered.derived
        return replace(offered.derived, value={**offered.derived.value, "message": text})

    def _lines_of(self, derived: Derived) -> deque[str]:
        race = str(derived.value["race_id"])
        said = self._lines.setdefault(race, deque(maxlen=LINES_REMEMBERED))
        self._lines.move_to_end(race)
        if len(self._lines) > RACES_REMEMBERED:
            self._lines.popitem(last=False)
        return said

    async def complete(self, messages: list[dict[str, object]]) -> str:
        """Makes one call. Raises NoAnswer for every failure: a key or an address that cannot be used fails in a
        library's own ways.
        """
        body = {"model": self._model, "messages": messages, "max_tokens": 60, "temperature": 0.8}
        try:
            async with asyncio.timeout(self._time_limit_s):
                return _content(await self._post(body))
        except NoAnswer:
            raise
        except Exception as error:  # its words may hold the address or the key
            raise NoAnswer(type(error).__name__) from None

    async def _post(self, body: object) -> bytes:
        """Returns the body of a response with status 200, of at most LONGEST_ANSWER bytes as they were sent."""
        if self._http is None:
            import httpx2  # 0.1 s, which a lab without a model saves

            # Redirects are not followed, because the key belongs to the configured address.
            self._http = httpx2.AsyncClient(timeout=None)  # complete has a deadline for the whole call
        # As it is sent, so that no small answer becomes a large one
        headers, found = self._headers | {"Accept-Encoding": "identity"}, b""
        async with self._http.stream("POST", self._url, json=body, headers=headers) as response:
            if response.status_code != 200:
                raise NoAnswer(f"HTTP {response.status_code}")
            async for chunk in response.aiter_raw():
                found += chunk
                if len(found) > LONGEST_ANSWER:
                    raise NoAnswer("answer too long")
        return found


def _content(body: bytes) -> str:
    try:
        content = json.loads(body)["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise NoAnswer("not a chat completion") from None
    if not isinstance(content, str):
        raise NoAnswer("not a chat completion")
    return content
