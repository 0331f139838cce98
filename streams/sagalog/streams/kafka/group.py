"""The group protocol: what members say to their coordinator, and to each other through it.

Heartbeat and LeaveGroup are encoded here in version 3, the first that knows static members;
aiokafka's versions can neither notice a namesake nor leave under a name.
"""

import struct
from collections.abc import Mapping, Sequence
from io import BytesIO
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

import orjson

from sagalog.streams.errors import LogUnavailable
from sagalog.streams.kafka.assignment import Claim, Partitions, Plan
from sagalog.streams.kafka.coordinator import Coordinator
from sagalog.streams.kafka.library import DescribeGroups, JoinGroup, SyncGroup
from sagalog.streams.kafka.wire import INT, SHORT, Encoded, read_text, text

PROTOCOL_TYPE = "consumer"
PROTOCOL = "sagalog-cooperative"
NO_CLAIMS: Mapping[str, Claim] = MappingProxyType({})
_THROTTLE = 4
_VERSION = b"\0\0"
_AT_REST = frozenset({"Stable", "Empty", "Dead"})


class Answered:
    """An answer that is a code only."""

    @classmethod
    def decode(cls, data: BytesIO) -> int:
        """The error code, which stands after the throttle time."""
        return int(SHORT.unpack_from(data.getvalue(), 4 + _THROTTLE)[0])


class Heartbeat(Encoded):
    """A member is alive."""

    __slots__ = ()
    API_KEY: ClassVar[int] = 12
    API_VERSION: ClassVar[int] = 3
    RESPONSE_TYPE: ClassVar = Answered


class LeaveGroup(Encoded):
    """A member leaves."""

    __slots__ = ()
    API_KEY: ClassVar[int] = 13
    API_VERSION: ClassVar[int] = 3
    RESPONSE_TYPE: ClassVar = Answered


class Member(NamedTuple):
    """How the coordinator knows a member; `name` is None for one without a stable name.

    `process` is random, and tells this member from a namesake.
    """

    group: str
    name: str | None
    process: str
    id: str = ""
    generation: int = -1


class Joined(NamedTuple):
    """The answer to a join. The leader, and nobody else, learns what every member claims."""

    code: int
    member: Member
    claims: dict[str, Claim] | None


class Share(NamedTuple):
    """The answer to a sync: what this member owns; `complete` as in Plan.

    `heard` are the words of all claims of this generation. `absent` was who did not join it.
    """

    code: int
    partitions: Partitions = frozenset()
    complete: bool = True
    heard: frozenset[str] = frozenset()
    absent: bool = False


async def join(
    coordinator: Coordinator, member: Member, topic: str, claim: Claim, session: float, wait: float
) -> Joined:
    """Take part in the next generation. Waits until all members do, `wait` seconds at most."""
    subscription = _subscription(topic, claim, member)
    answer = await coordinator.ask(
        JoinGroup(
            member.group,
            int(session * 1000),
            int(wait * 1000),
            member.id,
            member.name,
            PROTOCOL_TYPE,
            [(PROTOCOL, subscription)],
        )
    )
    leads = answer.error_code == 0 and answer.leader_id == answer.member_id
    claims = {member_id: _claim(data) for member_id, _, data in answer.members} if leads else None
    joined = member._replace(id=answer.member_id, generation=answer.generation_id)
    return Joined(answer.error_code, joined, claims)


async def sync(
    coordinator: Coordinator,
    member: Member,
    topic: str,
    plan: Plan | None = None,
    claims: Mapping[str, Claim] = NO_CLAIMS,
) -> Share:
    """Learn what this member owns; the leader brings the plan, and all claims."""
    encoded: list[tuple[str, bytes]] = []
    if plan is not None:
        heard = [claim.word for claim in claims.values()]
        for id, share in plan.shares.items():
            said = _assignment(topic, share, complete=plan.complete, heard=heard)
            encoded.append((id, said))
    answer = await coordinator.ask(
        SyncGroup(member.group, member.generation, member.id, member.name, encoded)
    )
    if answer.error_code or not answer.member_assignment:
        return Share(answer.error_code, complete=False, absent=True)
    return _share(answer.member_assignment)


async def heartbeat(coordinator: Coordinator, member: Member, timeout: float) -> int:
    """Say that this member is alive; the answer is a code."""
    place = text(member.group) + INT.pack(member.generation) + text(member.id) + text(member.name)
    return int(await coordinator.ask(Heartbeat(place), timeout))


async def processes(coordinator: Coordinator, group: str) -> dict[str, str]:
    """The process behind each name. Raises LogUnavailable while members join."""
    answer = await coordinator.ask(DescribeGroups([group]))
    code, _, state, _, _, members, *_ = answer.groups[0]
    coordinator.check(code, "looking at group")
    if state not in _AT_REST:
        raise LogUnavailable(f"group {group} is {state}")
    said = [_said(metadata) for _, _, _, metadata, _ in members]
    return {ours["name"]: ours["process"] for ours in said if "process" in ours}


async def leave(coordinator: Coordinator, member: Member) -> int:
    """Leave at once, also under a stable name; the answer is a code."""
    leaver = INT.pack(1) + text(member.id) + text(member.name)
    return int(await coordinator.ask(LeaveGroup(text(member.group) + leaver)))


# What follows is the layout that all Kafka clients share, so that their tools can show it.


def _subscription(topic: str, claim: Claim, member: Member) -> bytes:
    ours = orjson.dumps(
        {
            "owned": sorted(claim.owned),
            "generation": claim.generation,
            "word": claim.word,
            "name": member.name,
            "process": member.process,
        }
    )
    return _VERSION + INT.pack(1) + text(topic) + INT.pack(len(ours)) + ours


def _claim(data: bytes) -> Claim:
    ours = _said(data)
    return Claim(frozenset(ours["owned"]), ours["generation"], ours.get("word", ""))


def _said(data: bytes) -> dict[str, Any]:
    """What a member says beside the topics that it wants."""
    (topics,), at = INT.unpack_from(data, 2), 2 + INT.size
    for _ in range(topics):
        _, at = read_text(data, at)
    ours: dict[str, Any] = orjson.loads(data[at + INT.size :])
    return ours


def _assignment(
    topic: str, partitions: Partitions, *, complete: bool, heard: Sequence[str]
) -> bytes:
    packed = struct.pack(f">i{len(partitions)}i", len(partitions), *sorted(partitions))
    ours = orjson.dumps({"complete": complete, "heard": heard})
    return _VERSION + INT.pack(1) + text(topic) + packed + INT.pack(len(ours)) + ours


def _share(data: bytes) -> Share:
    _, at = read_text(data, 2 + INT.size)
    (count,) = INT.unpack_from(data, at)
    partitions = struct.unpack_from(f">{count}i", data, at + INT.size)
    ours = orjson.loads(data[at + INT.size * (count + 2) :])
    heard = frozenset(word for word in ours.get("heard", ()) if word)
    return Share(0, frozenset(partitions), ours["complete"], heard)
