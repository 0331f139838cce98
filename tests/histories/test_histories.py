"""What every version recorded, today's code reads as that version did (C1).

Byte-equal states and the same pending actions, from zero and from every checkpoint; and who takes
a finished partition today wants nothing done that its recorded owner had not done.
"""

from typing import Any

import orjson
import pytest

from sagalog.engine.position import Position
from sagalog.engine.table import Table
from sagalog.schemas import codec
from sagalog.schemas.claims import Claim
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.facts import Fact, Taken
from sagalog.schemas.ids import fact_id
from sagalog.schemas.record import Record
from sagalog.schemas.requests import Schedule, Start
from sagalog.schemas.topics import LANES
from sagalog.streams.composer import claim_fingerprint, fingerprint, schedule_fingerprint
from sagalog.streams.history import Follower
from tests.histories.canonical import dumps, text
from tests.histories.history import Checkpoint, History, histories
from tests.histories.replay import Fold, Successor
from tests.histories.shop import APPS, Script
from tests.histories.tape import Tape

ALL = pytest.mark.parametrize("history", histories(), ids=lambda h: f"{h.version}-{h.name}")
FACTS = Fact.__args__


def _end(records: list[Record]) -> int:
    return records[-1].offset + 1 if records else 0


@ALL
def test_folded_from_zero_every_state_is_as_it_was(history: History) -> None:
    for app, number in history.partitions():
        fold = Fold(app, number, history.apps[app])
        thens = history.thens(app, number)
        for record in history.records(f"{app}.events", number):
            then = fold.then(record, history.layout)
            assert dumps(then) == dumps(thens[record.offset]), record


@ALL
def test_so_it_is_from_every_checkpoint(history: History) -> None:
    for at in history.checkpoints():
        events = history.records(f"{at.app}.events", at.partition)
        fold = Fold(at.app, at.partition, history.apps[at.app], at.rows, end=_end(events))
        thens = history.thens(at.app, at.partition)
        for record in events:
            if record.offset < fold.start:
                continue
            then = fold.then(record, history.layout)
            if record.offset >= fold.position:
                assert dumps(then) == dumps(thens[record.offset]), record
        for then in _last(thens):
            assert dumps(fold.how(then["instance"], history.layout)) == dumps(then)


def _last(thens: dict[int, dict[str, Any]]) -> list[dict[str, Any]]:
    """How each instance was in the end."""
    return list({then["instance"]: then for then in thens.values()}.values())


@ALL
def test_a_reader_that_owns_nothing_agrees(history: History) -> None:
    for app, number in history.partitions():
        follower = Follower()
        for record in history.records(f"{app}.events", number):
            follower.fold(record)
        for then in _last(history.thens(app, number)):
            state = follower.states.get(then["instance"])
            assert text(state, history.layout) == dumps(then["state"])


@ALL
def test_a_row_is_the_state_that_the_events_make(history: History) -> None:
    for at in history.checkpoints():
        table = Table()
        table.restore(at.rows)
        fold = Fold(at.app, at.partition, history.apps[at.app])
        end = Position.of(at.rows).mark.offset
        for record in history.records(f"{at.app}.events", at.partition):
            if record.offset < end:
                fold.then(record, history.layout)
        names = {key.decode() for key in at.rows if not key.startswith(b"~")}
        for name in names:
            assert table.get(name) == fold.partition.table.get(name)
        assert len(table) == len(fold.partition.table) == len(names)


@ALL
def test_a_table_that_is_written_again_says_the_same(history: History) -> None:
    for at in history.checkpoints():
        table, again = Table(), Table()
        table.restore(at.rows)
        for key in at.rows:
            if not key.startswith(b"~") and (state := table.get(key.decode())) is not None:
                again.put(key.decode(), state, new=True)
        rows = {e.key: e.value for e in again.changes() if e.key and e.value}
        third = Table()
        third.restore(rows)
        for key in rows:
            assert third.get(key.decode()) == table.get(key.decode())


def _messages(history: History) -> list[tuple[Record, dict[str, Any], Envelope]]:
    """The messages that the code of that version wrote itself."""
    found: list[tuple[Record, dict[str, Any], Envelope]] = []
    for record in history.records():
        message = codec.decode(record.value)
        if isinstance(message, Envelope) and message.source.partition("/")[0] in history.apps:
            found.append((record, orjson.loads(record.value or b""), message))
    return found


@ALL
def test_the_id_of_every_fact_follows_from_its_content(history: History) -> None:
    for _, said, message in _messages(history):
        if isinstance(message.data, FACTS) and message.type == said["type"]:
            assert fact_id(message.subject, message.type, message.data) == message.id
        if isinstance(message.data, Taken):
            assert message.data.owner == message.subject == message.source


@ALL
def test_a_client_that_asks_again_is_no_conflict(history: History) -> None:
    for _, _, message in _messages(history):
        data = message.data
        if isinstance(data, Schedule):
            told = schedule_fingerprint(data.name, data.plan, data.priority, data.retention)
            assert told == data.fingerprint
            assert fingerprint(data.name, data.input, data.plan.steps) == data.plan.fingerprint
        elif isinstance(data, Start) and "/client/" in message.source:
            assert _fingerprint(data) == data.fingerprint


def _fingerprint(request: Start) -> str:
    if isinstance(request, Claim):
        return claim_fingerprint(request.name, request.then, request.input)
    return fingerprint(request.name, request.input, getattr(request, "steps", None))


@ALL
def test_a_message_that_is_written_again_says_the_same(history: History) -> None:
    """The very same bytes, but for fields that are new since."""
    for record, said, message in _messages(history):
        if message.type != said["type"]:
            continue  # an old version of a type, brought up to date
        now = codec.encode(
            message.data,
            id=message.id,
            source=message.source,
            subject=message.subject,
            now=0,
            tenant=message.tenant,
            traceparent=message.traceparent,
        )
        again = orjson.loads(now) | {"time": said["time"]}
        if orjson.dumps(again) != record.value:
            assert without_news(again, said) == said
            assert again != said, "the same, in another order"


def without_news(today: Any, then: Any) -> Any:
    """What is said today, without the keys that nobody knew then."""
    if isinstance(today, dict) and isinstance(then, dict):
        return {key: without_news(today[key], then[key]) for key in today if key in then}
    if isinstance(today, list) and isinstance(then, list) and len(today) == len(then):
        return [without_news(*pair) for pair in zip(today, then, strict=True)]
    return today


def _known(history: History) -> set[tuple[str, int, str]]:
    """Every message that is in the log: its place and its id."""
    known: set[tuple[str, int, str]] = set()
    for record in history.records():
        message = codec.decode(record.value)
        if isinstance(message, Envelope):
            known.add((record.topic, record.partition, message.id))
    return known


def _owned(history: History, at: Checkpoint) -> bool:
    messages = map(codec.decode, (r.value for r in history.records(f"{at.app}.events")))
    return any(isinstance(m, Envelope) and isinstance(m.data, Taken) for m in messages)


@ALL
def test_who_takes_it_today_wants_nothing_that_was_not_done(history: History) -> None:
    """Whatever the last checkpoint was that the dead owner had written."""
    known = _known(history)
    now = max(record.timestamp for record in history.records())
    for at in history.checkpoints():
        if not _owned(history, at):
            continue  # an app that runs without sagalog
        app, count = APPS[at.app](Script(Tape())), history.apps[at.app]
        successor = Successor(app, at.partition, count, at.rows)
        starts = successor.take(
            history.records(f"{at.app}.events", at.partition), at.committed, now
        )
        for lane in LANES:
            records = history.records(f"{at.app}.{lane}", at.partition)
            successor.read((r for r in records if r.offset >= starts[lane]), now)
        asked = successor.asked()
        assert asked.calls == []
        for append in asked.appends:
            assert append.partition is not None
            said = orjson.loads(append.entry.value or b"")
            assert (append.topic, append.partition, said.get("id", "")) in known, said
