"""Who works on an app, read from the log by anybody; and telling one of them to stop."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sagalog.schemas.codec import decode, encode, rfc3339
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.partitioner import partition_of
from sagalog.schemas.record import Entry, Record
from sagalog.schemas.topics import HOUR, Topics
from sagalog.schemas.workers import DrainWorker, WorkerSeen, WorkerState
from sagalog.streams.history import bounds, scan
from sagalog.streams.log import Log
from sagalog.streams.surroundings import Clock, random_token, wall_clock

MISSED = 3
"""So many beats that did not come make a worker gone."""

RECENT = 5000
"""The records of each partition that are looked at: the last ones."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A pod as it was last seen, at `seen_at` (ms, by the log's stamp)."""

    name: str
    state: WorkerState | Literal["gone"]
    seen_at: int
    said: WorkerSeen

    def document(self) -> dict[str, Any]:
        """As plain data, for scripts."""
        said = asdict(self.said)
        said["started_at"] = rfc3339(self.said.started_at)
        for running in said["running"]:
            running["since"] = rfc3339(running["since"])
        here = {"name": self.name, "state": self.state, "seen_at": rfc3339(self.seen_at)}
        return here | {key: value for key, value in said.items() if key != "state"}


async def read_workers(log: Log, app: str, clock: Clock = wall_clock) -> list[Worker]:
    """The workers by name: those that beat, and those gone within the last hour.

    One that ended in order is not among them. Raises TopicMissing.
    """
    topic = Topics(app).workers
    places = [(topic, number) for number in range(await log.partitions(topic))]
    spans = await bounds(log, places)
    ranges = {place: (max(start, end - RECENT), end) for place, (start, end) in spans.items()}
    seen: dict[str, tuple[Record, WorkerSeen]] = {}
    async for record in scan(log, ranges):
        name = (record.key or b"").decode(errors="replace")
        if record.value is None:
            seen.pop(name, None)
            continue
        message = decode(record.value)
        if isinstance(message, Envelope) and isinstance(message.data, WorkerSeen):
            seen[name] = record, message.data
    return list(_judged(seen, clock()))


def _judged(seen: dict[str, tuple[Record, WorkerSeen]], now: int) -> Iterator[Worker]:
    for name, (record, said) in sorted(seen.items()):
        silent = now - record.timestamp
        if silent <= HOUR:
            state = "gone" if silent > MISSED * said.interval else said.state
            yield Worker(name, state, record.timestamp, said)


async def drain_worker(log: Log, app: str, name: str, *, by: str = "", reason: str = "") -> None:
    """Tell a worker to stop taking work; returns when the order is durable.

    It finishes what runs, within the pod's `give_up_timeout`, and leaves the group: others take
    its partitions. It stays idle until it is ended or started anew.
    """
    topic, key = Topics(app).workers, name.encode()
    id_, order = f"{name}/drain/{random_token(8)}", DrainWorker(by, reason)
    value = encode(order, id=id_, source=by or "sagalog", subject=name, now=wall_clock())
    await log.append(topic, partition_of(key, await log.partitions(topic)), [Entry(key, value)])
