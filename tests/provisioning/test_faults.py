"""A fault at every single call, in turn. Then the command runs again, and what stands is what a clean run makes.

By turns each call meets one of the ten faults; with `make test-full` all of them, and with each answer that only the
real service can decide one of them. How many cases that were stands at the end of the run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from provisioning.errors import ProvisioningError
from provisioning.standin import KINDS, Answers, Fault
from provisioning.standin.answers import in_turn
from tests.fakes.in_process_session import Killed, kill
from tests.fakes.laptop import NOTHING_STANDS, Laptop, desired_state, new_laptop

KILLS = ("kill_before", "kill_after")
FAULTS = (*KINDS, *KILLS)
PARTS = 2  # several shorter tests, for two cores
PIECES = 8  # of the long sweeps, which can then be run one after another
CONFIG = "# my own\nfeatures: {anomaly_detection: {enabled: true}}\n"


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A power cut is not among these faults, and syncing thousands of journals takes minutes."""
    monkeypatch.setattr("os.fsync", lambda handle: None)


def fault(kind: str, at: int) -> Fault:
    if kind in KILLS:
        return Fault("hook_before" if kind == "kill_before" else "hook_after", at=at, hook=kill)
    return Fault(kind, at=at)  # type: ignore[arg-type]


def one_of(call: int) -> tuple[str]:
    """Over the calls, every fault comes up equally often."""
    return (FAULTS[3 * call % 10],)


def interrupted(command: Callable[[], object]) -> None:
    """What a laptop sees as a failure, or nothing at all when the client got over it."""
    with suppress(ProvisioningError, Killed):
        command()


@dataclass(frozen=True, slots=True)
class Setting:
    """answer: what the stand-in answers where only the real service can decide."""

    engine: str
    answer: str = ""

    def laptop(self, folder: Path) -> AbstractContextManager[Laptop]:
        return new_laptop(folder, answers=Answers.parse(self.answer), engine=self.engine)


FLINK, EMBEDDED = Setting("flink"), Setting("embedded")


@cache
def clean(setting: Setting) -> tuple[dict[str, Any], int, int]:
    """What stands after a clean run, and how many calls provision and teardown take."""
    with TemporaryDirectory() as folder, setting.laptop(Path(folder)) as laptop:
        laptop.provision()
        picture, made = laptop.snapshot(), len(laptop.standin.calls)
        laptop.teardown()
        return picture, made, len(laptop.standin.calls) - made


def cases(calls: int, all_faults: bool) -> Iterator[tuple[int, str]]:
    for call in range(1, calls + 1):
        yield from ((call, kind) for kind in (FAULTS if all_faults else one_of(call)))


def provision_case(folder: Path, setting: Setting, call: int, kind: str) -> None:
    with setting.laptop(folder) as laptop:
        laptop.standin.faults.add(fault(kind, call))
        interrupted(laptop.provision)
        assert laptop.standin.faults.met == 1, "the fault never happened"
        laptop.provision()
        assert laptop.snapshot() == clean(setting)[0]
        assert laptop.journalled_keys() == laptop.living_keys(), "a secret was lost, or a key made twice"


def teardown_case(folder: Path, setting: Setting, call: int, kind: str) -> None:
    with setting.laptop(folder) as laptop:
        laptop.config.write_text(CONFIG)
        laptop.provision()
        laptop.standin.faults.add(fault(kind, len(laptop.standin.calls) + call))
        interrupted(laptop.teardown)
        assert laptop.standin.faults.met == 1, "the fault never happened"
        assert laptop.teardown() == []
        assert laptop.snapshot() == NOTHING_STANDS
        assert laptop.config.read_text() == CONFIG


def abandoned_case(folder: Path, setting: Setting, call: int, kind: str) -> None:
    """Provision is interrupted and never taken up again: teardown finds what it had made."""
    with setting.laptop(folder) as laptop:
        laptop.standin.faults.add(fault(kind, call))
        interrupted(laptop.provision)
        assert laptop.teardown() == []
        assert laptop.snapshot() == NOTHING_STANDS


OTHER = {FLINK: EMBEDDED, EMBEDDED: FLINK}


@cache
def switched(setting: Setting) -> tuple[dict[str, Any], int]:
    """What stands after a change to this engine, and how many calls the change takes."""
    with TemporaryDirectory() as folder, OTHER[setting].laptop(Path(folder)) as laptop:
        laptop.provision()
        before, laptop.desired = len(laptop.standin.calls), desired_state(engine=setting.engine)
        laptop.provision()
        return laptop.snapshot(), len(laptop.standin.calls) - before


def switch_case(folder: Path, setting: Setting, call: int, kind: str) -> None:
    with OTHER[setting].laptop(folder) as laptop:
        laptop.provision()
        laptop.standin.faults.add(fault(kind, len(laptop.standin.calls) + call))
        laptop.desired = desired_state(engine=setting.engine)
        interrupted(laptop.provision)
        assert laptop.standin.faults.met == 1, "the fault never happened"
        laptop.provision()
        assert laptop.snapshot() == switched(setting)[0]
        assert laptop.journalled_keys() == laptop.living_keys()


Case = Callable[[Path, Setting, int, str], None]


def sweep(case: Case, setting: Setting, folder: Path, all_of_them: list[tuple[int, str]]) -> None:
    for number, (call, kind) in enumerate(all_of_them):
        try:
            case(folder / f"{case.__name__}{number}", setting, call, kind)
        except BaseException as error:
            raise AssertionError(f"{kind} at call {call}: {type(error).__name__}: {error}") from error


@pytest.fixture
def folder() -> Iterator[Path]:
    """A temporary folder, in memory where the system has such a place."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


Count = Callable[[str, object], None]


def part_of(calls: int, part: int) -> list[tuple[int, str]]:
    return [case for case in cases(calls, all_faults=False) if case[0] % PARTS == part]


@pytest.mark.parametrize("part", range(PARTS))
def test_provision_with_a_fault_at_every_call(part: int, folder: Path, record_property: Count) -> None:
    """Provision recovers from a fault at every call."""
    calls = clean(FLINK)[1]
    chosen = part_of(calls, part)
    sweep(provision_case, FLINK, folder, chosen)
    record_property("cases", (f"provision, a fault at each of its {calls} calls", len(chosen)))


@pytest.mark.parametrize("part", range(PARTS))
def test_teardown_with_a_fault_at_every_call(part: int, folder: Path, record_property: Count) -> None:
    """Teardown recovers from a fault at every call."""
    calls = clean(FLINK)[2]
    chosen = part_of(calls, part)
    sweep(teardown_case, FLINK, folder, chosen)
    record_property("cases", (f"teardown, a fault at each of its {calls} calls", len(chosen)))


def test_teardown_after_a_kill_at_any_call(folder: Path, record_property: Count) -> None:
    """After the effect, before the journal: the worst moment. Every third call; all of them in the long sweep."""
    chosen = [(call, "kill_after") for call in range(1, clean(FLINK)[1] + 1, 3)]
    sweep(abandoned_case, FLINK, folder, chosen)
    record_property("cases", ("teardown after a killed provision", len(chosen)))


@pytest.mark.parametrize("setting", [FLINK, EMBEDDED], ids=lambda setting: setting.engine)
def test_killed_switch_is_taken_up(setting: Setting, folder: Path, record_property: Count) -> None:
    """Every sixth call from the first one that drops; all of them in the long sweep."""
    chosen = [(call, "kill_after") for call in range(30, switched(setting)[1] + 1, 6)]
    sweep(switch_case, setting, folder, chosen)
    record_property("cases", (f"a killed switch to {setting.engine}", len(chosen)))


def every_case(setting: Setting) -> Iterator[tuple[Case, int, str]]:
    """Every fault at every call: up, down, up and never again, and over to this engine."""
    _, up, down = clean(setting)
    yield from ((provision_case, call, kind) for call, kind in cases(up, all_faults=True))
    yield from ((teardown_case, call, kind) for call, kind in cases(down, all_faults=True))
    yield from ((abandoned_case, call, kind) for call in range(1, up + 1) for kind in KILLS)
    yield from ((switch_case, call, kind) for call, kind in cases(switched(setting)[1], all_faults=True))


@pytest.mark.full
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("piece", range(PIECES))
@pytest.mark.parametrize("setting", [FLINK, EMBEDDED], ids=lambda setting: setting.engine)
def test_every_fault_at_every_call(
    setting: Setting, piece: int, folder: Path, record_property: Count
) -> None:
    chosen = list(every_case(setting))[piece::PIECES]
    for number, (case, call, kind) in enumerate(chosen):
        sweep(case, setting, folder / str(number), [(call, kind)])
    record_property("cases", (f"every fault at every call, {setting.engine}", len(chosen)))


@pytest.mark.full
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("answer", list(in_turn()))
def test_a_fault_at_every_call_with_each_answer(answer: str, folder: Path, record_property: Count) -> None:
    """One of the ten faults for each call of provision and teardown, by turns."""
    setting = Setting("flink", answer)
    _, up, down = clean(setting)
    for case, calls in ((provision_case, up), (teardown_case, down)):
        sweep(case, setting, folder, [(call, FAULTS[call % 10]) for call in range(1, calls + 1)])
    record_property("cases", ("a fault at every call, with each answer in turn", up + down))
