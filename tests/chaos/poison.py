"""Records that nobody should have written, into every topic that people can write.

Not into the tables: they are written by the owners' transactions alone, and a row that is none
stops its partition on purpose (docs/guarantees.md, what is not promised).
"""

import random
from itertools import count
from typing import Any

from sagalog.schemas import codec
from sagalog.schemas import facts as f
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.record import Entry, Record
from sagalog.schemas.requests import Cancel, Compensate, StartSaga
from sagalog.streams.log import Log, Place
from tests.chaos.lines import Book
from tests.recovery.bad_input import NO_REQUESTS, message

HEADER = "poison"
"""The header whose value tells a bad record from all others, wherever it is forwarded to."""

LANES = ("high", "normal", "low", "compensations")
TOPICS = (*LANES, "events", "events", "deadletters", "replies", "backups")

REPEAT = "a repeat"
"""A copy of a record that stood in its place already."""

_VERSION = "another version"
_NO_REQUESTS: dict[str, bytes | None] = {
    **NO_REQUESTS,
    "an unknown saga": message(StartSaga(name="nothing", input=None, fingerprint="f"), "y"),
    "a cancel of nothing": message(Cancel()),
    "an undo of nothing": message(Compensate(1)),
    "a bad id": message(Cancel(), "~position"),
    "no id": message(Cancel(), ""),
    "half a megabyte": b"x" * 500_000,
}
_NO_FACTS: dict[str, bytes | None] = {
    **{name: value for name, value in NO_REQUESTS.items() if name not in ("a fact", _VERSION)},
    "a fact of nobody": message(f.Completed("nobody")),
    "a fact under another key": message(f.Completed("nobody"), "another"),
    # Their subject is nobody else's: requests for an instance that is parked so stay unread.
    _VERSION: (NO_REQUESTS[_VERSION] or b"").replace(b'"x"', b'"tomorrow-1"'),
    "a fact of tomorrow": message(f.Completed("r"), "tomorrow-2").replace(b".v1", b".v9"),
}


class Poisoner:
    """Writes bad records to the topics of some apps, each noted with what it is."""

    def __init__(
        self, log: Log, apps: tuple[str, ...], partitions: int, book: Book, seed: int
    ) -> None:
        self._log, self._apps, self._partitions, self._book = log, apps, partitions, book
        self._chance, self._marks = random.Random(seed), count(1)

    async def write(self) -> None:
        """Write one, drawn from the seed."""
        chance = self._chance
        kind = chance.choice(TOPICS)
        place = f"{chance.choice(self._apps)}.{kind}", chance.randrange(self._partitions)
        name, entry = await self._drawn(kind, place)
        mark = f"{next(self._marks)}"
        marked = entry._replace(headers=((HEADER, mark.encode()),))
        offset = await self._log.append(*place, [marked])
        self._book.note(name, topic=place[0], partition=place[1], offset=offset, mark=mark)

    async def _drawn(self, kind: str, place: Place) -> tuple[str, Entry]:
        if kind in (*LANES, "events") and self._chance.random() < 0.4:
            found = await self._record(place)
            if found is not None:
                return REPEAT, Entry(found.key, found.value)
        known = _NO_FACTS if kind == "events" else _NO_REQUESTS
        name = self._chance.choice(sorted(known))
        key = self._chance.choice((b"x", None, b"\xff\xfe"))
        if kind == "backups":
            key = b"x"  # brokers keep no record without a key in a compacted topic
        return name, Entry(key, known[name])

    async def _record(self, place: Place) -> Record | None:
        """Any record of a place that may be repeated: all but those that take a partition."""
        end = (await self._log.ends([place]))[place]
        if not end:
            return None
        reader = self._log.reader()
        reader.watch(place, self._chance.randrange(end))
        found = await reader.read(5.0)
        await reader.close()
        return found[0] if found and not _takes(found[0]) else None


def _takes(record: Record) -> bool:
    message: Any = codec.decode(record.value)
    return isinstance(message, Envelope) and isinstance(message.data, f.Taken)
