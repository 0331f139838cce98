"""Records that nobody of ours has written, for every topic; and repeats of what is there."""

import re
from collections.abc import Callable

import orjson

from sagalog.schemas import codec
from sagalog.schemas import facts as f
from sagalog.schemas.partitioner import partition_of
from sagalog.schemas.record import Entry
from sagalog.schemas.requests import Cancel, Compensate, Inquire, Release, ReplyTo, StartSaga
from sagalog.schemas.topics import Topics
from sagalog.streams.log import Place
from tests.simulation.broker import Broker
from tests.simulation.chance import Stream

TOMORROW = "sagalog.tomorrow.v1"
"""The type of a fact that only tomorrow's code can read."""

STRANGER = "00000000-0000-4000-8000-000000000000"
FAILURE = f.Failure("terminal", "Foreign", "foreign")


class Poison:
    """Writes foreign records. `instances` are the ids that a world has asked for."""

    def __init__(
        self, chance: Stream, broker: Broker, now: Callable[[], int], tell: Callable[[str], None]
    ) -> None:
        self._chance, self._broker, self._now, self._tell = chance, broker, now, tell

    def write(self, app: str, partitions: int, instances: list[str]) -> str:
        """One of them somewhere; what it is."""
        topics, chance = Topics(app), self._chance
        instance = chance.pick([STRANGER, *instances])
        topic = chance.pick([*topics.lanes, topics.events, topics.replies, topics.deadletters])
        number = chance.choose(partitions)
        if chance.choose(2):
            number = partition_of(instance.encode(), partitions)
        what, entry = chance.pick(self._records(instance, topic, facts=topic == topics.events))
        self._append((topic, number), entry, what)
        return what

    def _append(self, place: Place, entry: Entry, what: str) -> None:
        self._tell(f"a stranger writes {what} to {place[0]}/{place[1]}")
        self._broker.append(place, [entry])

    def _records(self, instance: str, topic: str, *, facts: bool) -> list[tuple[str, Entry]]:
        key = instance.encode()
        found = [
            ("bytes that are no JSON", Entry(key, b"\xff{")),
            ("a tombstone", Entry(key, None)),
            ("nothing under no key", Entry(None, b"")),
            ("another's CloudEvent", Entry(None, orjson.dumps({"type": "a.b", "subject": "x"}))),
            ("a subject that is no instance", Entry(b"~x", self._said(Inquire(_TO), "~x"))),
        ]
        if facts:
            found += [(f"a foreign {type(x).__name__}", self._fact(x, key)) for x in _facts()]
            found.append(("a fact under another's key", self._fact(f.Completed("run"), b"other")))
            found.append(("a request among facts", Entry(key, self._said(Cancel(), instance))))
        else:
            found += [(f"a foreign {type(x).__name__}", self._request(x, key)) for x in _REQUESTS]
            found.append(("a fact among requests", self._fact(f.Completed("run"), key)))
            found.append(("a request of tomorrow", self.of_tomorrow(instance, "")))
        return found

    def repeat(self, app: str, partitions: int) -> str:
        """A record once more; empty where there is none. A fact is told again by a stranger."""
        topics, chance = Topics(app), self._chance
        place = (chance.pick([topics.events, *topics.lanes]), chance.choose(partitions))
        records = self._broker.shelf(place).between(0, 1_000_000)
        if not records:
            return ""
        record = chance.pick(records)
        value, facts = record.value, place[0] == topics.events
        if value and facts:
            value = _SOURCE.sub(b'"source":"foreign"', value)
        entry = Entry(record.key, value, record.headers)
        self._append(place, entry, f"{place[0]}/{place[1]}/{record.offset} once more")
        return "a fact" if facts else "a request"

    def of_tomorrow(self, instance: str, run: str) -> Entry:
        """A message that the code of today cannot read: tomorrow it is a cancel."""
        value = {"type": TOMORROW, "subject": instance, "data": {"run": run}}
        return Entry(instance.encode(), orjson.dumps(value))

    def _said(self, data: object, subject: str) -> bytes:
        return codec.encode(data, id="foreign", source="foreign", subject=subject, now=self._now())

    def _request(self, data: object, key: bytes) -> Entry:
        return Entry(key, self._said(data, key.decode()), (("foreign", b"header"),))

    def _fact(self, fact: f.Fact, key: bytes) -> Entry:
        subject = STRANGER if key == b"other" else key.decode()
        _, value = codec.encode_fact(fact, source="foreign", subject=subject, now=self._now())
        return Entry(key, value)


def _facts() -> list[f.Fact]:
    """Facts of a life that never was: whoever folds them changes nothing."""
    return [
        f.StepCompleted("run", "reserve", 1, 1),
        f.StepFailed("run", "reserve", 1, FAILURE, final=True),
        f.Completed("run"),
        f.CancelRequested("run"),
        f.Forgotten("run"),
    ]


_SOURCE = re.compile(rb'"source":"[^"]*"')
_TO = ReplyTo(0, "nobody", "r")
_REQUESTS = (
    Cancel("foreign", run="run"),
    Compensate(1, run="run", step="reserve"),
    Compensate(1),
    Release("reserve"),
    Inquire(_TO),
    StartSaga("nothing", {"n": 1}, "f"),
)
