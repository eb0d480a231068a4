"""Consumer groups for the embedded Kafka's clients: Kafka's classic protocol, in the proxy itself.

The mock cluster has a coordinator as well, which asserts what clients do: two members of one group with different
assignors, or one that joins twice, would end its process. So these four requests never reach it. Committed offsets are
kept by the cluster.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from struct import pack

NONE, ILLEGAL_GENERATION, INCONSISTENT_PROTOCOL, UNKNOWN_MEMBER = 0, 22, 23, 25
REBALANCE_IN_PROGRESS, GROUP_FULL = 27, 81
FIRST_JOIN_S = 0.3  # for others to come before the first generation begins
LONGEST_REBALANCE_S = 60.0
LOOK_S = 1.0
GROUPS, MEMBERS, MEMBERS_OF_ALL = 200, 100, 1000
Protocols = Sequence[tuple[str, bytes]]
Answer = asyncio.Future[bytes]


@dataclass(frozen=True, slots=True)
class Join:
    """A JoinGroup request. protocols: assignors in the member's order, with its metadata for each."""

    group: str
    member: str
    session_s: float
    rebalance_s: float
    instance: str | None
    protocols: Protocols


@dataclass(frozen=True, slots=True)
class Sync:
    """A SyncGroup request. assignments: by member, from the leader only."""

    group: str
    generation: int
    member: str
    assignments: Sequence[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Heartbeat:
    group: str
    generation: int
    member: str


@dataclass(frozen=True, slots=True)
class Leave:
    group: str
    member: str


GroupRequest = Join | Sync | Heartbeat | Leave


@dataclass(slots=True)
class _Member:
    joined: Join
    seen: float
    version: int = 0
    joining: Answer | None = None
    syncing: Answer | None = None
    assignment: bytes = b""

    @property
    def waits(self) -> bool:
        """Says whether it has joined the rebalance that is on, and its connection is still there."""
        return self.joining is not None and not self.joining.done()


@dataclass(slots=True)
class _Group:
    """state: joining (members come), syncing (the leader assigns) or stable."""

    members: dict[str, _Member] = field(default_factory=dict)
    state: str = "stable"
    generation: int = 0
    leader: str = ""
    deadline: asyncio.TimerHandle | None = None


def _resolve(answer: Answer | None, body: bytes) -> None:
    if answer is not None and not answer.done():
        answer.set_result(body)


def _throttled(since: int, version: int, body: bytes) -> bytes:
    return (pack(">i", 0) if version >= since else b"") + body


def _text(value: str | None) -> bytes:
    return pack(">h", -1) if value is None else pack(">h", len(value.encode())) + value.encode()


def _packed(value: bytes) -> bytes:
    return pack(">i", len(value)) + value


def join_answer(
    version: int, error: int, generation: int = -1, protocol: str = "", leader: str = "", member: str = "",
    members: Sequence[tuple[str, str | None, bytes]] = (),
) -> bytes:  # fmt: skip
    """members: id, static name and metadata of each, for the leader."""
    rows = [
        _text(name) + (_text(static) if version >= 5 else b"") + _packed(data)
        for name, static, data in members
    ]
    head = pack(">hi", error, generation) + _text(protocol) + _text(leader) + _text(member)
    return _throttled(2, version, head + pack(">i", len(rows)) + b"".join(rows))


def sync_answer(error: int, version: int, assignment: bytes = b"") -> bytes:
    return _throttled(1, version, pack(">h", error) + _packed(assignment))


class Groups:
    """All groups of one proxy. Everything happens in its event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._groups: dict[str, _Group] = {}

    def answer(self, request: GroupRequest, version: int) -> Answer:
        """Returns the body of the answer, which for who joins or syncs comes when the others have done so too."""
        answer: Answer = self._loop.create_future()
        group = self._groups.get(request.group)
        if isinstance(request, Join):
            self._join(request, version, answer)
            return answer
        error = self._error(group, request)
        if error or group is None:
            body = sync_answer(error, version) if isinstance(request, Sync) else self._short(error, version)
            answer.set_result(body)
        elif isinstance(request, Sync):
            self._sync(group, request, version, answer)
        else:
            if isinstance(request, Leave):
                self._drop(request.group, group, [request.member])
            answer.set_result(self._short(NONE, version))
        return answer

    @staticmethod
    def _short(error: int, version: int) -> bytes:
        return _throttled(1, version, pack(">h", error))

    def _error(self, group: _Group | None, request: Sync | Heartbeat | Leave) -> int:
        """Says why a member's request cannot be taken; 0 where it can. The member counts as alive."""
        member = group.members.get(request.member) if group else None
        if group is None or member is None:
            return UNKNOWN_MEMBER
        member.seen = self._loop.time()
        if isinstance(request, Leave):
            return NONE
        if request.generation != group.generation:
            return ILLEGAL_GENERATION
        return REBALANCE_IN_PROGRESS if group.state == "joining" else NONE

    def _join(self, request: Join, version: int, answer: Answer) -> None:
        group = self._groups.get(request.group) or _Group()
        others = [one.joined for name, one in group.members.items() if name != request.member]
        full = len(group.members) >= MEMBERS or (not group.members and len(self._groups) >= GROUPS)
        everybody = sum(len(one.members) for one in self._groups.values())
        error = NONE
        if request.member and request.member not in group.members:
            error = UNKNOWN_MEMBER
        elif full or (not request.member and everybody >= MEMBERS_OF_ALL):
            error = GROUP_FULL
        elif not common([*others, request]):
            error = INCONSISTENT_PROTOCOL
        if error:
            answer.set_result(join_answer(version, error, member=request.member))
            return
        name = request.member or uuid.uuid4().hex
        member = group.members.setdefault(name, _Member(request, 0.0))
        _resolve(
            member.joining, join_answer(version, UNKNOWN_MEMBER)
        )  # another connection says that it is this member
        member.joined, member.version, member.joining = request, version, answer
        member.seen = self._loop.time()
        if request.group not in self._groups:
            self._groups[request.group] = group
            self._loop.call_later(LOOK_S, self._look, request.group)
        self._rebalance(group)

    def _rebalance(self, group: _Group) -> None:
        """Begins a rebalance, or ends the one that is on once every member has joined."""
        if group.state != "joining":
            first = group.generation == 0
            group.state = "joining"
            for member in group.members.values():
                _resolve(member.syncing, sync_answer(REBALANCE_IN_PROGRESS, member.version))
            wait_s = max((one.joined.rebalance_s for one in group.members.values()), default=0.0)
            wait_s = FIRST_JOIN_S if first else min(wait_s, LONGEST_REBALANCE_S)
            group.deadline = self._loop.call_later(wait_s, self._complete, group)
        if group.generation and all(member.waits for member in group.members.values()):
            self._complete(group)

    def _complete(self, group: _Group) -> None:
        """Begins a generation of those who have joined. Everybody else has to join anew."""
        if group.deadline is not None:
            group.deadline.cancel()
        group.members = {name: member for name, member in group.members.items() if member.waits}
        group.generation += 1
        group.state = "syncing" if group.members else "stable"
        if group.leader not in group.members:
            group.leader = next(iter(group.members), "")
        protocol = common([member.joined for member in group.members.values()])
        everybody = [
            (name, member.joined.instance, dict(member.joined.protocols)[protocol])
            for name, member in group.members.items()
        ]
        for name, member in group.members.items():
            members = everybody if name == group.leader else []
            body = join_answer(member.version, NONE, group.generation, protocol, group.leader, name, members)
            member.assignment, member.seen = b"", self._loop.time()
            _resolve(member.joining, body)

    def _sync(self, group: _Group, request: Sync, version: int, answer: Answer) -> None:
        member = group.members[request.member]
        member.version, member.syncing = version, answer
        if request.member == group.leader and group.state == "syncing":
            group.state = "stable"
            for name, assignment in request.assignments:
                if name in group.members:
                    group.members[name].assignment = assignment
        if group.state == "stable":
            for one in group.members.values():
                _resolve(one.syncing, sync_answer(NONE, one.version, one.assignment))

    def _drop(self, name: str, group: _Group, gone: Sequence[str]) -> None:
        for member in gone:
            del group.members[member]
        if group.members:
            self._rebalance(group)
        elif self._groups.get(name) is group:
            del self._groups[name]
            if group.deadline is not None:
                group.deadline.cancel()

    def _look(self, name: str) -> None:
        """Drops members that were not heard of for the time that they named."""
        group = self._groups.get(name)
        if group is None:
            return
        now = self._loop.time()
        silent = [
            member
            for member, one in group.members.items()
            if not one.waits and now - one.seen > one.joined.session_s
        ]
        if silent or not group.members:
            self._drop(name, group, silent)
        if name in self._groups:
            self._loop.call_later(LOOK_S, self._look, name)


def common(members: Sequence[Join]) -> str:
    """Returns the first member's first protocol that every member knows; empty where there is none."""
    if not members:
        return ""
    known = set.intersection(*({name for name, _ in member.protocols} for member in members))
    return next((name for name, _ in members[0].protocols if name in known), "")
