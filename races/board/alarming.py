"""The one alarm rule of the analytics, in the shape that board and recorder take it."""

from __future__ import annotations

from typing import Any

from races.analytics.alarms import Alarm, AlarmRule
from races.board.frames import Record
from races.board.logs import Alarms


def alarm_rule() -> Alarms:
    return _Alarms()


class _Alarms:
    def __init__(self) -> None:
        self._rule = AlarmRule()

    def __call__(self, key: str, ts: int, record: Record) -> list[dict[str, Any]]:
        return [plain(alarm) for alarm in self._rule.feed(key, ts, record)]

    def reached(self, ts: int, over: bool) -> list[dict[str, Any]]:
        return [plain(alarm) for alarm in self._rule.reached(ts, over)]


def plain(alarm: Alarm) -> dict[str, Any]:
    return {
        "driver_code": alarm.key.rpartition(":")[2],
        "kind": alarm.kind,
        "severity": alarm.severity,
        "direction": alarm.direction,
        "start": alarm.start,
        "end": alarm.end,
        "size_c": alarm.size_c,
        "reading": alarm.reading,
    }
