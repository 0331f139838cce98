"""The dead letters of an app: read, judged by what their instance is now, and put back."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Literal

import orjson

from sagalog.engine.instance import PARKED, Instance
from sagalog.engine.turning import parked_at
from sagalog.schemas.codec import decode
from sagalog.schemas.deadletters import DeadLetter, FailedStep, PoisonRecord
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.record import Entry, Record
from sagalog.schemas.requests import Start
from sagalog.schemas.topics import DAY, Topics
from sagalog.streams.history import Progress, bounds, read_states, scan
from sagalog.streams.log import Log

REPLAYED = "sagalog-replayed"
"""The header under which a letter, appended again, says that it was replayed."""

How = Literal["released", "appended", "started anew"]

Standing = Literal["waits", "moved on", "ended", "gone", "replayed", "record"]
"""What has become of a letter.

waits: its instance is parked at it. moved on: a person released it. ended: the instance
turned back by itself, or has ended. gone: the log holds the instance no more. replayed: it
was put back. record: a record that could not be taken in, and was not put back yet.
"""


@dataclass(frozen=True, slots=True)
class Replay:
    """That a letter was put back: how, when (ms), by whom, and into which instance."""

    how: How
    at: int
    by: str
    instance: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter, however often it stands in the topic. `time` in ms, of its first."""

    id: str
    partition: int
    time: int
    data: DeadLetter
    entry: Entry
    tenant: str = ""
    replays: tuple[Replay, ...] = ()

    @property
    def short(self) -> str:
        """Eight letters that stand for the long id on a screen."""
        return short(self.id)


def short(letter: str) -> str:
    """The eight letters that stand for a letter's long id."""
    return blake2b(letter.encode(), digest_size=4).hexdigest()


async def read_letters(log: Log, app: str, progress: Progress | None = None) -> list[Letter]:
    """All letters of an app, the oldest first; those with the same id are one."""
    topic = Topics(app).deadletters
    places = [(topic, number) for number in range(await log.partitions(topic))]
    letters: dict[str, Letter] = {}
    async for record in scan(log, await bounds(log, places), progress):
        message = decode(record.value)
        if isinstance(message, Envelope) and isinstance(message.data, FailedStep | PoisonRecord):
            letters[message.id] = _merged(letters.get(message.id), message, record)
    return sorted(letters.values(), key=lambda letter: letter.time)


def _merged(before: Letter | None, message: Envelope, record: Record) -> Letter:
    replays = tuple(
        Replay(**orjson.loads(value)) for name, value in record.headers if name == REPLAYED
    )
    if before is not None:
        return replace(before, replays=before.replays + replays)
    entry = Entry(record.key, record.value)
    return Letter(
        message.id, record.partition, record.timestamp, message.data, entry, message.tenant, replays
    )


def matching(letters: Iterable[Letter], wanted: str) -> list[Letter]:
    """The letters that `wanted` may mean: a short id, an id or the beginning of one."""
    found = [letter for letter in letters if wanted in (letter.id, letter.short)]
    return found or [letter for letter in letters if letter.id.startswith(wanted)]


async def read_instances(
    log: Log, app: str, letters: Iterable[Letter], progress: Progress | None = None
) -> dict[str, Instance]:
    """The instances of these letters as they are now; those that are gone are absent."""
    wanted = {letter.data.instance for letter in letters if isinstance(letter.data, FailedStep)}
    found = await read_states(log, app, wanted, progress) if wanted else []
    return {listed.id: listed.state for listed in found}


def standing(letter: Letter, instance: Instance | None) -> Standing:
    """What has become of a letter, by its instance as it is now."""
    if isinstance(letter.data, PoisonRecord):
        return "replayed" if letter.replays else "record"
    if instance is not None and waits_at(instance, letter.data):
        return "waits"
    if letter.replays:
        return "replayed"
    if instance is None or instance.run != letter.data.run:
        return "gone"
    parked = letter.data.status in PARKED
    return "moved on" if parked and not instance.ended else "ended"


def waits_at(instance: Instance, failed: FailedStep) -> bool:
    """Whether the instance is parked at exactly this failure, so that a release moves it on."""
    at = parked_at(instance, failed.step, "resolve") if instance.run == failed.run else None
    return at == (failed.number, failed.attempts)


def too_old(record: PoisonRecord, now: int, retention: int | None = None) -> str:
    """Why an app would drop this record unread if it came again; empty where it would not.

    `retention` in ms is the app's, where it is known (rule 10).
    """
    message = decode(record.entry().value)
    if not isinstance(message, Envelope) or not isinstance(message.data, Start):
        return ""
    start = message.data
    kept = start.retention or retention or DAY
    if start.cause_time is None or now - start.cause_time <= kept:
        return ""
    return (
        f"it asks to start {start.name!r} and is older than the {kept // 1000} s for which "
        "the app tells a repeat from a new request, so it would be dropped"
    )


async def mark(log: Log, app: str, letter: Letter, replay: Replay) -> None:
    """Append the letter once more, with the note that it was replayed; readers see one."""
    headers = ((REPLAYED, orjson.dumps(replay)),)
    entry = Entry(letter.entry.key, letter.entry.value, headers)
    await log.append(Topics(app).deadletters, letter.partition, [entry])
