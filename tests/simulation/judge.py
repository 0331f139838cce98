"""Says which promises a world breaks: at once, whenever something lands, is called or is written."""

from collections import Counter
from collections.abc import Mapping, Sequence

import orjson

from sagalog.engine import App
from sagalog.engine.instance import ENDED
from sagalog.schemas import codec
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.record import Record
from sagalog.schemas.topics import Topics
from sagalog.streams.log import Place
from sagalog.streams.outcomes import Outcome
from tests.simulation.broker import Broker
from tests.simulation.journal import Journal
from tests.simulation.people import Ask
from tests.simulation.shadow import POSITION, Shadow
from tests.simulation.surroundings import Surroundings


class Judge:
    """`violations` are sentences that begin with the letter of an invariant (RELIABILITY, 3)."""

    def __init__(self, around: Surroundings, apps: Sequence[App], partitions: int) -> None:
        self.violations: list[str] = []
        self.asks: list[Ask] = []
        self.journal = Journal(self.violations.append)
        self.shadows = {
            (Topics(app.name).events, number): Shadow(app, number, partitions)
            for app in apps
            for number in range(partitions)
        }
        self._yesterday: dict[Place, Shadow] = {}
        self._around = around
        self._letters: Counter[str] = Counter()
        self._statuses: dict[tuple[str, str], set[str]] = {}
        self._results: dict[tuple[str, str], list[bytes]] = {}

    # -- while it happens

    def landed(self, records: list[Record]) -> None:
        """Records are in the log."""
        for record in records:
            message = codec.decode(record.value)
            shadow = self.shadows.get((record.topic, record.partition))
            if shadow is not None:
                self._fact(record, message, shadow)
            elif record.topic.endswith(".deadletters") and isinstance(message, Envelope):
                self._letters[message.id] += 1

    def _fact(self, record: Record, message: object, shadow: Shadow) -> None:
        if isinstance(message, Envelope):
            self.journal.landed(record, message)
        self._fold(record, message, shadow)

    def _fold(self, record: Record, message: object, shadow: Shadow) -> None:
        shadow.fold(record)
        if not isinstance(message, Envelope):
            return
        state = shadow.state(message.subject)
        if state is not None:
            key = (record.topic.partition(".")[0], message.subject)
            self._statuses.setdefault(key, set()).add(state.status)
            if state.status == "completed":
                self._results.setdefault(key, []).append(orjson.dumps(state.result))

    def written(self, place: Place, table: Mapping[bytes, bytes]) -> None:
        """A checkpoint is committed: it is what every reader has come to at its position."""
        app, number = place[0].partition(".")[0], place[1]
        mark, *_ = orjson.loads(table[POSITION])
        shadow = self.shadows[Topics(app).events, number]
        rows = shadow.rows(mark[0])
        if without_days(rows) == without_days(table):
            return
        before = self._yesterday.get((Topics(app).events, number))
        if before is None or without_days(before.rows(mark[0])) != without_days(table):
            told = differing(rows, table)
            self.violations.append(f"S10 the table of {place} at {mark[0]} is not its fold: {told}")

    def durable(self, ask: Ask) -> None:
        """The log has acknowledged a request."""

    def told(self, ask: Ask) -> None:
        """A client was told how its request has ended: the log says so too."""
        if not isinstance(ask.told, Outcome):
            return
        key = (ask.app, ask.told.instance)
        if ask.told.status not in self._statuses.get(key, ()):
            self.violations.append(f"C {ask.told.instance} was told as {ask.told.status}")
        if ask.told.status == "completed":
            result = orjson.dumps(ask.told.value)
            if result not in self._results.get(key, ()):
                self.violations.append(f"C {ask.told.instance} was told with {result!r}")

    def begin_anew(self, broker: Broker) -> None:
        """Fold everything once more, with code that can read more.

        What pods of yesterday have sent may still arrive.
        """
        self._yesterday = self.shadows
        self.shadows = {place: shadow.anew() for place, shadow in self.shadows.items()}
        for place, shadow in self.shadows.items():
            for record in broker.shelf(place).between(0, broker.shelf(place).end):
                self._fold(record, codec.decode(record.value), shadow)

    # -- when all is at rest

    def waiting(self) -> list[Ask]:
        """Who has no answer yet."""
        return [a for a in self.asks if a.durable and a.person is not None and a.told is None]

    def at_rest(self, ends: Mapping[Place, int], committed: Mapping[Place, int]) -> None:
        """What must hold in the end."""
        self._requests_ended()
        for place, shadow in self.shadows.items():
            for name in shadow.busy():
                self.violations.append(f"L1 {name} of {place} has not ended")
            self._effects(shadow)
        for place, end in ends.items():
            if committed.get(place, 0) != end:
                self.violations.append(f"L2 {place} is committed to {committed.get(place)} of {end}")

    def _requests_ended(self) -> None:
        for ask in self.waiting():
            self.violations.append(f"L1 {ask.name} {ask.key} ({ask.instance}): no answer")
        for ask in self.asks:
            known = self._statuses.get((ask.app, ask.instance))
            if ask.durable and not known and ask.told not in ("Refused", "NotFound"):
                self.violations.append(f"O5 {ask.name} {ask.key} ({ask.instance}) is lost")

    def _effects(self, shadow: Shadow) -> None:
        for name, state in shadow.states():
            if state.status in ENDED and state.status != "completed":
                undoable = {s.name for s in state.definition.steps if s.undo}
                left = undoable & set(self.journal.remaining(name, state.run))
                if left:
                    self.violations.append(f"S3 {name} {state.status} leaves {sorted(left)}")


def without_days(rows: Mapping[bytes, bytes]) -> dict[bytes, object]:
    """Rows as they must be equal: when the lanes were last sampled is each owner's own."""
    said: dict[bytes, object] = dict(rows)
    said[POSITION] = orjson.loads(rows[POSITION])[:2]
    return said


def differing(rows: Mapping[bytes, bytes], table: Mapping[bytes, bytes]) -> str:
    """The first difference, in words."""
    for key in sorted(rows.keys() | table.keys()):
        if rows.get(key) != table.get(key):
            return f"{key!r} is {table.get(key)!r}, not {rows.get(key)!r}"
    return "nothing but the days"

