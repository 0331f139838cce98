"""Who writes what where: the ids, keys and partitions of what owners write."""

import re
from collections.abc import Iterator
from functools import lru_cache

from sagalog.schemas.catalogue import NAMES
from sagalog.schemas.ids import fact_id
from sagalog.schemas.partitioner import partition_of
from sagalog.streams.audit.event import Event

_OURS = re.compile(r"[^/]+/\d+/[^/]+")


@lru_cache(maxsize=4096)
def home(instance: str, partitions: int) -> int:
    """The partition to which an instance belongs, of so many."""
    return partition_of(instance.encode(), partitions)


@lru_cache(maxsize=4096)
def ours(source: str) -> bool:
    """Whether an owner of a partition wrote it, as its name says."""
    return _OURS.fullmatch(source) is not None


def app_of(source: str) -> str:
    """The app of an owner."""
    return source.partition("/")[0]


def misplaced(instance: str, event: Event, partitions: int) -> Iterator[tuple[str, str]]:
    """A fact's id follows from its content (S11), its partition from its instance (S12).

    `partitions` is 0 where nobody knows how many there are.
    """
    if event.id != fact_id(instance, NAMES[type(event.fact)], event.fact):
        yield "S11", f"the id {event.id} does not follow from the fact"
    if partitions and home(instance, partitions) != event.partition:
        where = f"stands in partition {event.partition}"
        yield "S12", f"{event.kind} {where}, and belongs to {home(instance, partitions)}"
