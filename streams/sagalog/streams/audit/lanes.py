"""The requests of all lanes: each lands before it may be passed (O1), and is heard (L1)."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from sagalog.schemas import claims, codec
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.record import Record
from sagalog.schemas.requests import (
    Cancel,
    Compensate,
    Inquire,
    Purge,
    Release,
    RunOperation,
    Schedule,
    Start,
    StartSaga,
)
from sagalog.schemas.topics import LANES
from sagalog.streams.audit.book import Book
from sagalog.streams.audit.event import Event
from sagalog.streams.audit.findings import Findings
from sagalog.streams.audit.landing import Landing
from sagalog.streams.audit.lane import Ask, Lane
from sagalog.streams.audit.letters import Letters
from sagalog.streams.audit.life import Life
from sagalog.streams.audit.violation import Spot
from sagalog.streams.audit.writing import home
from sagalog.streams.log import Place

Books = Callable[[str, int], Book]
Key = tuple[str, int, str]
"""App, partition, instance."""

REQUESTS = (
    *(StartSaga, RunOperation, Schedule, claims.Claim),
    *(Cancel, Compensate, Release, Inquire, Purge),
)


class Claim(NamedTuple):
    """Somebody says that nothing below `offset` needs to be read again."""

    offset: int
    what: str
    spots: tuple[Spot, ...]


class Lanes:
    """All lanes of all apps."""

    def __init__(
        self,
        partitions: Mapping[str, int],
        books: Books,
        letters: Letters,
        findings: Findings,
        *,
        ordered: bool,
        retentions: Mapping[str, int],
    ) -> None:
        self.landing = Landing(retentions)
        self._partitions, self._books = partitions, books
        self._letters, self._findings, self._ordered = letters, findings, ordered
        self._lanes: dict[Place, Lane] = {}
        self._waiting: dict[Key, list[tuple[Place, int]]] = {}
        self._claims: dict[Place, Claim] = {}
        self._cited: dict[tuple[str, int, int], tuple[Life, Event]] = {}
        self._orders: dict[tuple[str, int, str], int] = {}
        self._purged: list[tuple[Life, Event]] = []
        self._copies: dict[tuple[str, bytes | None], list[tuple[Place, int]]] = {}

    def lane(self, place: Place) -> Lane:
        """One lane."""
        lane = self._lanes.get(place)
        if lane is None:
            app, _, name = place[0].rpartition(".")
            lane = self._lanes[place] = Lane(app, name, *place)
        return lane

    def truncated(self, app: str) -> bool:
        """Whether a lane of an app does not reach back to its beginning, or was not fed."""
        lanes = [lane for lane in self._lanes.values() if lane.app == app]
        return not self._fed(app) or any(lane.begins for lane in lanes)

    # -- what is read

    def read(self, record: Record) -> Ask | None:
        """A request; what it asks, where it can be taken in here."""
        place = record.topic, record.partition
        lane = self.lane(place)
        lane.came(record)
        self._cited.pop((*place, record.offset), None)
        self._findings.tally.requests += 1
        message = codec.decode(record.value)
        if not isinstance(message, Envelope) or not _named_well(message.subject):
            self._unreadable(lane, record)
            return None
        instance = message.subject
        elsewhere = self._elsewhere(lane, instance)
        ask = Ask(record, instance, message.source, message.data, elsewhere)
        if ask.elsewhere:  # forwarded by whoever reads it, whatever it is
            lane.open[record.offset] = ask
            copies = self._copies.setdefault((record.topic, record.value), [])
            copies.append((place, record.offset))
            return None
        self._arrived(record)
        if not isinstance(message.data, REQUESTS):
            self._unreadable(lane, record)
            return None
        self._open(lane, ask)
        if isinstance(message.data, Purge):
            order = lane.app, lane.partition, message.data.lane
            self._orders[order] = max(message.data.below, self._orders.get(order, 0))
        return ask

    def _unreadable(self, lane: Lane, record: Record) -> None:
        lane.open[record.offset] = Ask(record, "", "", None)
        self._letters.poison(record)

    def _elsewhere(self, lane: Lane, instance: str) -> bool:
        count = self._partitions.get(lane.app, 0)
        return count > 0 and home(instance, count) != lane.partition

    def _arrived(self, record: Record) -> None:
        """A copy of a request that stood in another partition is where it belongs."""
        sent = self._copies.get((record.topic, record.value)) if self._copies else None
        if sent:
            place, offset = sent.pop(0)
            self._lanes[place].open.pop(offset, None)
            if not sent:
                del self._copies[record.topic, record.value]

    def _open(self, lane: Lane, ask: Ask) -> None:
        if isinstance(ask.request, Inquire | Release | Purge) or _not_a_parent_s(ask):
            return  # a hint, a wish that is answered, an undo that is asked for again
        exists = ask.instance in self._books(lane.app, lane.partition).fold.states
        if isinstance(ask.request, Start) and exists:
            return
        lane.open[ask.record.offset] = ask
        if not exists and not isinstance(ask.request, Cancel):
            key = lane.app, lane.partition, ask.instance
            self._waiting.setdefault(key, []).append(
                ((lane.topic, lane.partition), ask.record.offset)
            )

    def born(self, life: Life, event: Event) -> tuple[Ask | None, list[Ask]]:
        """A life began: the request that it says it answers, and all who asked for it."""
        self.landing.learn(life)
        if getattr(event.fact, "purged", ""):
            self._purged.append((life, event))
        lane = self.lane((f"{life.app}.{event.fact.lane}", life.partition))
        answered, heard = lane.open.get(event.fact.lane_offset), list[Ask]()
        if answered is not None and answered.instance != life.instance:
            self._another(life, lane, event)
            answered = None
        elif answered is None:
            self._nowhere(life, lane, event)
        for place, offset in self._waiting.pop((life.app, life.partition, life.instance), ()):
            ask = self._lanes[place].open.get(offset)
            if ask is not None and isinstance(ask.request, Start):
                del self._lanes[place].open[offset]
                heard.append(ask)
        return answered, heard

    def _another(self, life: Life, lane: Lane, event: Event) -> None:
        offset = event.fact.lane_offset
        spot = Spot(lane.topic, lane.partition, offset)
        said = f"it answers the request {spot}, which is about another instance"
        self._findings.about(life, "S12", said, event)

    def _nowhere(self, life: Life, lane: Lane, event: Event) -> None:
        """No such request is open: it was not read yet, or there is none."""
        offset = event.fact.lane_offset
        if offset >= lane.next and self._fed(life.app):
            self._cited[lane.topic, lane.partition, offset] = life, event
            if self._ordered:
                self.judge_cited()

    def _fed(self, app: str) -> bool:
        return any(lane.fed for lane in self._lanes.values() if lane.app == app)

    def judge_cited(self) -> None:
        """What a life says it answers must be in its lane."""
        for place, (life, event) in self._cited.items():
            said = f"it answers the request {Spot(*place)}, which is not in the log"
            self._findings.about(life, "S12", said, event)
        self._cited.clear()

    def judge_purged(self) -> None:
        """What was purged must have been ordered to be, of this lane and beyond this request."""
        for life, event in self._purged:
            order = life.app, life.partition, event.fact.lane
            if any(lane.trimmed for lane in self._lanes.values() if lane.app == life.app):
                self._findings.unjudged("purges whose orders may have been trimmed")
            elif self._fed(life.app) and event.fact.lane_offset >= self._orders.get(order, 0):
                said = f"it was purged from {event.fact.lane}, and nobody ordered that"
                self._findings.about(life, "S12", said, event)
        self._purged.clear()

    def lettered(self, spot: Spot) -> None:
        """A record has its dead letter."""
        lane = self._lanes.get((spot.topic, spot.partition))
        ask = lane.open.pop(spot.offset, None) if lane is not None else None
        if ask is not None and ask.request is not None:
            self._letters.record(ask.record)

    # -- what may be passed

    def claim(self, place: Place, offset: int, what: str, *spots: Spot) -> None:
        """`what` says that nothing below `offset` of the lane needs to be read again."""
        claim = Claim(offset, what, spots)
        if self._ordered:
            self._judge(place, claim)
        elif offset > self._claims.get(place, claim).offset or place not in self._claims:
            self._claims[place] = claim

    def committed(self, offsets: Mapping[Place, int]) -> None:
        """What somebody saw as committed."""
        for place, offset in offsets.items():
            lane = self.lane(place)
            if offset < lane.committed:
                self._back(lane, offset)
            lane.committed = offset
            self.claim(place, offset, "the committed offset")

    def _back(self, lane: Lane, offset: int) -> None:
        """A broker takes a commit from anybody: only where nobody else was is it the owner's."""
        if len(self._books(lane.app, lane.partition).takes) > 1:
            self._findings.unjudged("committed offsets that a former owner may have moved back")
            return
        said = f"the committed offset of {lane.topic}/{lane.partition} went from {lane.committed}"
        self._findings.add("O2", lane.app, "", f"{said} back to {offset}")

    def lowered(self, book: Book, event: Event) -> None:
        """`Forgotten` says how far each lane was done."""
        for name, offset in event.fact.low.items():
            if name in LANES:
                place = f"{book.app}.{name}", book.partition
                spot = Spot(event.topic, event.partition, event.offset)
                self.claim(place, offset, "the low water of a Forgotten", spot)
                self.lane(place).lowered(offset)

    def left(self, book: Book, until: int, event: Event) -> None:
        """An instance was forgotten: whatever was stamped up to `until` (ms) has been read."""
        for name, offset in event.fact.low.items():
            stamp = self.lane((f"{book.app}.{name}", book.partition)).stamp_from(offset)
            if stamp is not None and stamp <= until:
                spots = [Spot(f"{book.app}.{name}", book.partition, offset)]
                said = (
                    f"an instance is forgotten, and a request of its time is not read: {spots[0]}"
                )
                self._findings.add("S7", book.app, "", said, spots)

    def judge_claims(self) -> None:
        """Judge what was claimed, when all has been fed."""
        for place, claim in self._claims.items():
            self._judge(place, claim)
        self._claims.clear()

    def _judge(self, place: Place, claim: Claim) -> None:
        lane = self.lane(place)
        for ask in lane.below(claim.offset):
            if not self._landed(lane, ask):
                spot = Spot(*place, ask.record.offset)
                what = _named(ask)
                said = f"{claim.what}, {claim.offset}, passes {spot}, and {what} has not landed"
                self._findings.add("O1", lane.app, ask.instance, said, [spot, *claim.spots])
            del lane.open[ask.record.offset]

    def _landed(self, lane: Lane, ask: Ask) -> bool:
        book = self._books(lane.app, lane.partition)
        if book.before(ask.record.timestamp):
            self._findings.unjudged("requests older than the facts that the log still holds")
            return True
        if ask.request is None or ask.elsewhere:
            return False
        return self.landing.landed(book, lane, ask)

    # -- at rest

    def rest(self, ends: Mapping[Place, int]) -> None:
        """Nobody waits: every request was heard (L1), and all is committed (L2)."""
        for place, lane in self._lanes.items():
            for ask in list(lane.open.values()):
                if not self._landed(lane, ask):
                    spot = Spot(*place, ask.record.offset)
                    said = f"{_named(ask)} at {spot} was never heard"
                    self._findings.add("L1", lane.app, ask.instance, said, [spot])
        for place, end in ends.items():
            lane = self.lane(place)
            committed = max(lane.committed, 0)
            if committed != end:
                said = f"{place[0]}/{place[1]} ends at {end}, and {committed} is committed"
                self._findings.add("L2", lane.app, "", said)

    def asked_for(self, app: str, instance: str) -> bool:
        """Whether a request for an instance stands in a lane and has not landed."""
        lanes = (lane for lane in self._lanes.values() if lane.app == app)
        return any(ask.instance == instance for lane in lanes for ask in lane.open.values())


def _named_well(instance: str) -> bool:
    return bool(instance) and not instance.startswith("~")


def _not_a_parent_s(ask: Ask) -> bool:
    """Whether it is an instance's own undo, or one of nobody's, which is dropped."""
    return isinstance(ask.request, Compensate) and ask.request.parent is None


def _named(ask: Ask) -> str:
    if ask.request is None:
        return "a record that nobody can take in"
    if ask.elsewhere:
        return f"a {type(ask.request).__name__} for another partition"
    return f"a {type(ask.request).__name__}"
