"""Commentary by a language model behind any OpenAI-compatible address; the built-in line is what is sure.

A line is offered; within the time limit it comes back in the model's words, or, when the model is slow, busy,
broken or not to be believed, as it was. The worker's loop never waits: `offer` and `ready` return at once.
"""

from __future__ import annotations

import json
import logging
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from races.analytics.commentary.commentator import Line
from races.analytics.engine import Derived
from races.analytics.language_model import believed, conversation
from races.lib.http_deadline import NoAnswer, Wire, post

TIME_LIMIT_S = 1.5  # below the two seconds between two lines, so that lines keep their order
AT_ONCE = 4  # calls in flight, for all races of this worker
REST_S = 30.0  # without calls after FAILURES in a row: a dead address costs nothing but its first seconds
FAILURES = 3
LONGEST_ANSWER = 64 * 1024  # bytes
RACES_REMEMBERED = 200
LINES_REMEMBERED = 400

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Offered:
    derived: Derived
    line: Line
    until: float
    answer: Future[str]
    wire: Wire


class LanguageModel:
    """One for a worker, used from its loop only; the calls run in threads of their own."""

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
        self._calls = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="commentary")
        self._offered: list[_Offered] = []
        self._sure: list[Derived] = []
        self._running: set[Future[str]] = set()
        self._said: OrderedDict[str, deque[str]] = OrderedDict()
        self._failures = 0
        self._rest_until = 0.0

    @property
    def calls(self) -> int:
        """In flight."""
        self._running = {call for call in self._running if not call.done()}
        return len(self._running)

    def offer(self, derived: Derived) -> None:
        """Take a commentary record of the engine; it comes back from `ready`."""
        if derived.line is None or self.calls >= AT_ONCE or self._clock() < self._rest_until:
            self._sure.append(derived)
            return
        until = self._clock() + self._time_limit_s
        said = self._said_in(derived)
        asked = conversation(derived.line, list(said)[-4:])
        wire = Wire()
        call = self._calls.submit(self._complete, asked, wire)
        self._running.add(call)
        self._offered.append(_Offered(derived, derived.line, until, call, wire))

    def ready(self) -> list[Derived]:
        """What may be published now: answered, refused, or out of time."""
        out, self._sure = self._sure, []
        now = self._clock()
        done = [offered for offered in self._offered if offered.answer.done() or now >= offered.until]
        self._offered = [offered for offered in self._offered if offered not in done]
        out += [self._settle(offered) for offered in done]
        for derived in out:
            self._said_in(derived).append(derived.value["message"])
        return out

    def close(self) -> None:
        for offered in self._offered:
            offered.wire.cut()
        self._calls.shutdown(wait=False, cancel_futures=True)

    def _settle(self, offered: _Offered) -> Derived:
        try:
            text = self._text(offered)
        except NoAnswer as refused:
            self._failed(str(refused))
            return offered.derived
        self._failures = 0
        if text is None or text in self._said_in(offered.derived):
            return offered.derived
        return replace(offered.derived, value={**offered.derived.value, "message": text})

    @staticmethod
    def _text(offered: _Offered) -> str | None:
        if not offered.answer.done():
            offered.answer.cancel()
            offered.wire.cut()
            raise NoAnswer("no answer in time")
        return believed(offered.answer.result(), offered.line)

    def _failed(self, reason: str) -> None:
        self._failures += 1
        if self._failures == FAILURES:
            log.warning("commentary model: %s; the built-in commentator goes on for %d s", reason, REST_S)
        if self._failures >= FAILURES:
            self._rest_until = self._clock() + REST_S
            self._failures = 0

    def _said_in(self, derived: Derived) -> deque[str]:
        race = str(derived.value["race_id"])
        said = self._said.setdefault(race, deque(maxlen=LINES_REMEMBERED))
        self._said.move_to_end(race)
        if len(self._said) > RACES_REMEMBERED:
            self._said.popitem(last=False)
        return said

    def _complete(self, messages: list[dict[str, object]], wire: Wire) -> str:
        """One call, in a thread. A key or an address that no request can be made of fails in a library's own ways:
        whatever it is, the built-in line is what is said.
        """
        body = {"model": self._model, "messages": messages, "max_tokens": 60, "temperature": 0.8}
        try:
            return _content(post(wire, self._url, body, self._headers, self._time_limit_s, LONGEST_ANSWER))
        except NoAnswer:
            raise
        except Exception as error:  # its words may hold the address or the key
            raise NoAnswer(type(error).__name__) from None


def _content(body: bytes) -> str:
    try:
        content = json.loads(body)["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise NoAnswer("not a chat completion") from None
    if not isinstance(content, str):
        raise NoAnswer("not a chat completion")
    return content
