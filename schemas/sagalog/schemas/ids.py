"""Deterministic ids: the same cause gives the same id, so that a repeat shows as a repeat."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from itertools import count
from typing import Any
from uuid import UUID, uuid5

from sagalog.schemas import facts as f
from sagalog.schemas import limits as l
from sagalog.schemas.partitioner import partition_of
from sagalog.schemas.pauses import Paused, PauseFact, Resumed

NAMESPACE = UUID("6f3b2a54-7d0c-5f0e-9a53-0d4f5a6a1c11")
SCHEDULES = uuid5(NAMESPACE, "schedules")


def instance_id(tenant: str, name: str, key: str) -> str:
    """The id of the instance that `key` stands for; one key, one instance (DESIGN, 4)."""
    return str(uuid5(NAMESPACE, f"{tenant}\x00{name}\x00{key}"))


def schedule_id(tenant: str, name: str, key: str) -> str:
    """The id of the schedule of this key: never that of an instance with the same key."""
    return str(uuid5(SCHEDULES, f"{tenant}\x00{name}\x00{key}"))


def firing_key(key: str, due: int) -> str:
    """The key of what the schedule `key` starts at `due` (ms); its id follows as any key's."""
    moment = datetime.fromtimestamp(due / 1000, UTC)
    return f"{key}@{moment:%Y-%m-%dT%H:%M:%SZ}"


def child_id(run: str, step: str) -> str:
    """The id of the instance that runs a parent's step elsewhere (rule 10)."""
    return str(uuid5(NAMESPACE, f"{run}\x00{step}"))


def limiter_id(app: str, operation: str, key: str) -> str:
    """The id of the limiter of an operation's calls under one key."""
    return str(uuid5(NAMESPACE, f"\x00limit\x00{app}\x00{operation}\x00{key}"))


@lru_cache(maxsize=4096)
def board_id(app: str, operation: str, partition: int, partitions: int) -> str:
    """The id under which a partition keeps the limit set for all keys of an operation."""
    for number in count():
        id_ = str(uuid5(NAMESPACE, f"\x00board\x00{app}\x00{operation}\x00{number}"))
        if partition_of(id_.encode(), partitions) == partition:
            return id_
    raise AssertionError("a count never ends")


def poison_id(topic: str, partition: int, offset: int) -> str:
    """The id of the dead letter of one record: a place in the log holds one record."""
    return f"{topic}/{partition}/{offset}"


def letter_id(instance: str, run: str, letter: str) -> str:
    """The id of the dead letter of one final failure; `letter` names it within its life."""
    return f"{instance}/{run}/{letter}"


def fact_id(instance: str, kind: str, fact: f.Fact) -> str:
    """Instance, run, kind, and what tells two facts of that kind in one life apart."""
    tell = _TELLS.get(type(fact))
    if tell is not None:
        return f"{instance}/{fact.run}/{kind}/{tell(fact)}"  # type: ignore[union-attr]
    if isinstance(fact, f.Taken):
        return f"{fact.owner}/{kind}"
    if isinstance(fact, PauseFact):
        return f"{instance}/{kind}/{_of_pause(fact)}"
    return f"{instance}/{fact.run}/{kind}"


def _attempt(fact: Any) -> str:
    return f"{fact.step}/{fact.attempt}"


def _undo(fact: Any) -> str:
    return f"{fact.step}/{fact.number}.{fact.attempt}"


def _of_pause(fact: PauseFact) -> str:
    if isinstance(fact, Paused | Resumed):
        return fact.name
    return f"{fact.operation}/{fact.number}"


_TELLS: dict[type[Any], Callable[[Any], str]] = {
    f.StepCompleted: _attempt,
    f.StepFailed: _attempt,
    f.StepProgressed: lambda fact: f"{fact.step}/{fact.attempt}.{fact.number}",
    f.StepReleased: _undo,
    f.StepCompensated: _undo,
    f.CompensationFailed: _undo,
    f.CompensationRequested: lambda fact: str(fact.number),
    f.OutcomeDelivered: lambda fact: f"{fact.outcome}/{fact.number}",
    f.DeadLettered: lambda fact: str(fact.letter),
    f.ClaimReleased: lambda fact: str(fact.number),
    f.ClaimExpired: lambda fact: str(fact.number),
    f.DeadlinePassed: lambda fact: str(fact.due),
    l.PermitsAsked: lambda fact: str(fact.number),
    l.PermitsExpired: lambda fact: str(fact.number),
    l.PermitsRefilled: lambda fact: str(fact.number),
    l.PermitsGranted: lambda fact: str(fact.serial),
    f.ScheduleFired: lambda fact: f"{fact.due}/{fact.asked}",
    f.ScheduleReplaced: lambda fact: f"{fact.lane}/{fact.lane_offset}",
}
