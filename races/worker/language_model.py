"""Commentary by a language model at any OpenAI-compatible address.

A line of the built-in commentator is offered to the model. Within the time limit it comes back in the model's words.
Where the model is slow, busy, broken or not to be believed, it comes back unchanged. `offer` and `ready` never wait.
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
from races.lib.http_deadline import AbortableConnection, NoAnswer, post

TIME_LIMIT_S = 1.5  # below the two seconds between two lines, so that lines keep their order
AT_ONCE = 4  # calls in flight, for all races of this worker
REST_S = 30.0  # without calls, after FAILURES in a row
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
    connection: AbortableConnection


class LanguageModel:
    """One for each worker, used by the analytics' thread only. The calls run in threads of their own."""

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
        connection = AbortableConnection()
        call = self._calls.submit(self.complete, asked, connection)
        self._running.add(call)
        self._offered.append(_Offered(derived, derived.line, until, call, connection))

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
        for offered in self._offered:
            offered.connection.abort()
        self._calls.shutdown(wait=False, cancel_futures=True)

    def _finished(self, offered: _Offered) -> Derived:
        try:
            if not offered.answer.done():
                offered.answer.cancel()
                offered.connection.abort()
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

    def complete(self, messages: list[dict[str, object]], connection: AbortableConnection) -> str:
        """Makes one call, in a thread. Raises NoAnswer for every failure: a key or an address that cannot be used fails
        in a library's own ways.
        """
        body = {"model": self._model, "messages": messages, "max_tokens": 60, "temperature": 0.8}
        try:
            answer = post(connection, self._url, body, self._headers, self._time_limit_s, LONGEST_ANSWER)
        except NoAnswer:
            raise
        except Exception as error:  # its words may hold the address or the key
            raise NoAnswer(type(error).__name__) from None
        try:
            content = json.loads(answer)["choices"][0]["message"]["content"]
        except (ValueError, LookupError, TypeError, RecursionError):
            content = None
        if not isinstance(content, str):
            raise NoAnswer("not a chat completion")
        return content
