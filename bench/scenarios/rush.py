"""A room scans the code: 2,000 first pages of a running race, fifty at a time, from the embedded lab.

RUSH_PAGES shortens it. Each page is a connection of its own, as each phone's is, and takes gzip as browsers do; the
clients are one process on the other core.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from websockets.sync.client import connect

from bench.harness import LabProcess, all_cpu_seconds, lab, load_average, percentiles, setting

PAGES, AT_ONCE = 2000, 50


def open_page(base: str, path: str) -> tuple[float, int]:
    """(seconds, bytes as sent). Raises RuntimeError for any answer but 200."""
    began = time.monotonic()
    connection = http.client.HTTPConnection(base, timeout=60)
    connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    size = len(answer.read())
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"{path} answers {answer.status}")
    return time.monotonic() - began, size


def racing(process: LabProcess) -> str:
    """A race's id, once its cars are on their way."""
    race_id = process.start_race(seed=1, laps=40)
    while process.get(f"/api/races/{race_id}/").json()["tick"] < 60:
        time.sleep(0.2)
    return race_id


@contextmanager
def watched(process: LabProcess, race_id: str) -> Iterator[str]:
    """The page's path, while one spectator has it open already, as whoever shows the code does."""
    url, origin = process.socket(race_id)
    with connect(url, origin=origin, compression=None, max_size=None) as page:
        page.recv()
        yield f"/races/{race_id}/"


def run() -> dict[str, object]:
    count = int(setting("RUSH_PAGES", PAGES))
    with lab() as process, ThreadPoolExecutor(AT_ONCE) as phones, watched(process, racing(process)) as path:
        used, began = all_cpu_seconds(process.pid), time.monotonic()
        opened = list(phones.map(lambda _: open_page(process.base, path), range(count)))
        took, cpu = time.monotonic() - began, all_cpu_seconds(process.pid) - used
    delays = [seconds * 1000 for seconds, _ in opened]
    return {
        "pages": count,
        "pages_per_s": round(count / took),
        **percentiles(delays),
        "processor_ms_per_page": round(cpu / count * 1000, 1),
        "kb_per_page": round(opened[-1][1] / 1000, 1),
        **load_average(),
    }
