"""The door: each request of a lane is answered from the table, or becomes a fact."""

from collections.abc import Mapping

from sagalog.engine import beating
from sagalog.engine.app import App
from sagalog.engine.aside import Aside, Door, Held
from sagalog.engine.asking import Asking
from sagalog.engine.claiming import Claiming
from sagalog.engine.desk import Desk
from sagalog.engine.effects import LaneDone
from sagalog.engine.instance import Instance
from sagalog.engine.permits import Permits
from sagalog.engine.starting import Starting
from sagalog.engine.undoing import Undoing
from sagalog.engine.waiting import Waiting
from sagalog.schemas import codec
from sagalog.schemas.claims import Claim
from sagalog.schemas.envelope import Envelope, Poison
from sagalog.schemas.partitioner import partition_of
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


class Intake:
    """Takes the requests of one partition in.

    While an instance's first fact, or its `Forgotten`, is on its way, nobody knows yet
    whether there is such an instance: requests for it are held until that is read back.
    A request whose fact the fold did not take, since another came first, is taken in again:
    so none is done before its fact is read back.
    """

    __slots__ = (
        "_claiming",
        "_desk",
        "_held",
        "_pledged",
        "_starting",
        "_undoing",
        "aside",
        "asking",
        "starting",
        "waiting",
    )

    def __init__(self, app: App, desk: Desk, permits: Permits) -> None:
        self.waiting = Waiting(desk.writer)
        self.asking = Asking(desk, self.waiting)
        self.starting: set[str] = set()
        self._desk = desk
        self._claiming = Claiming(desk, self.waiting)
        self._starting, self._undoing = Starting(app, desk), Undoing(app, desk, permits)
        self.aside = Aside(app, permits)
        self._held: dict[str, list[Held]] = {}
        self._pledged: dict[str, Held] = {}

    def take(self, lane: str, record: Record) -> bool:
        """Take one request in; whether it started an instance."""
        self._desk.offsets[lane].take(record.offset)
        done = LaneDone(lane, record.offset)
        message = codec.decode(record.value)
        if not isinstance(message, Envelope):
            reason = message.reason if isinstance(message, Poison) else f"unknown {message.type}"
            self._desk.poison(record, reason, done)
        elif not message.subject or message.subject.startswith("~"):
            self._desk.poison(record, f"{message.subject!r} is no instance's id", done)
        elif self._elsewhere(message.subject):
            self._desk.writer.forward(record, message.subject, done)
        else:
            return self._route(lane, record, message)
        return False

    def _elsewhere(self, instance: str) -> bool:
        number = partition_of(instance.encode(), self._desk.partitions)
        return number != self._desk.writer.partition

    def _route(self, lane: str, record: Record, message: Envelope) -> bool:
        instance, done = message.subject, LaneDone(lane, record.offset)
        held = self._held.get(instance)
        if held is not None:
            held.append((lane, record, message))
            return False
        state = self._desk.table.get(instance)
        match message.data:
            case Schedule() as request if state is not None:
                self._repeat(instance, request, state, record, done)
            case StartSaga() | RunOperation() as request if state is not None:
                self.asking.repeat(instance, request, state)
                self._desk.done(done)
            case Claim() as request if state is not None:
                self._claiming.repeat(instance, request, state, done)
            case StartSaga() | RunOperation() as request:
                return self._start(instance, request, (lane, record, message))
            case Schedule() | Claim() as request:
                return self._begin(instance, request, (lane, record, message), [])
            case Inquire() as request:
                self.asking.inquire(instance, request, state, done)
            case _:
                self._change(lane, record, message, state)
        return False

    def _start(self, instance: str, request: Start, held: Held) -> bool:
        """Begin a life, unless too many wait already for what it needs: then it is set aside."""
        doors = self.aside.doors(request)
        crowded = self.aside.crowded(doors) if doors else None
        if crowded is not None:
            self.aside.put(crowded, held)
            self.hold(instance)
            return False
        return self._begin(instance, request, held, doors)

    def _begin(self, instance: str, request: Start, held: Held, doors: list[Door]) -> bool:
        lane, record, _ = held
        first = self._starting.start(instance, request, record, LaneDone(lane, record.offset))
        if first is None:
            return False
        self._pledged[first] = held
        self.starting.add(instance)
        self.hold(instance)
        self.aside.comes(instance, doors)
        return True

    def readmit(self) -> None:
        """Let in what was set aside, now that fewer wait."""
        while (held := self.aside.take()) is not None:
            message = held[2]
            behind = self._held.pop(message.subject, [])
            self._begin(message.subject, message.data, held, self.aside.doors(message.data))
            for lane, record, other in behind:
                self._route(lane, record, other)

    def _repeat(
        self, instance: str, request: Schedule, state: Instance, record: Record, done: LaneDone
    ) -> None:
        """A schedule is asked for that there is: it is found, or goes by this plan from now on."""
        if state.unreadable >= 0:
            return  # kept unread in the lane, as in `_change`
        if not beating.gives_way(state, request):
            self.asking.repeat(instance, request, state)
            self._desk.done(done)
            return
        fact = self._starting.replace(instance, request, state, record, done)
        if fact is not None:
            self.asking.wish(request.reply_to, instance, fact, state, done)

    def _change(self, lane: str, record: Record, message: Envelope, state: Instance | None) -> None:
        instance, done = message.subject, LaneDone(lane, record.offset)
        match message.data:
            case Compensate() | Cancel() | Release() if state and state.unreadable >= 0:
                pass  # kept unread in the lane: code that can read the instance takes it in
            case Compensate() as request:
                fact = self._undoing.undo(instance, request, state, done)
                if fact is not None:
                    self._pledged[fact] = (lane, record, message)
                    self.hold(instance)
            case Cancel() as request:
                self.asking.cancel(instance, request, state, done)
            case Release() as request:
                self.asking.release(instance, request, state, done)
            case Purge() as request if request.lane in self._desk.offsets:
                self._desk.purges.take(request, done)
            case _:
                self._desk.poison(record, f"{message.type} is no request", done)

    def hold(self, instance: str) -> None:
        """Hold the requests for an instance until the fact under way is `read_back`."""
        self._held.setdefault(instance, [])

    def read_back(
        self, fact: str, instance: str, low: Mapping[str, int], *, accepted: bool
    ) -> None:
        """It is known again how the instance stands: take in what waited for that.

        What stands below the `low` water has had its life already (rule 5).
        """
        self.starting.discard(instance)
        if not accepted:
            self.aside.came(instance)
        held = self._held.pop(instance, [])
        request = self._pledged.pop(fact, None)
        if request is not None:
            lane, record, _ = request
            if accepted and _tells(request):
                self._route(*request)
            elif accepted or record.offset < low.get(lane, 0):
                self._desk.done(LaneDone(lane, record.offset))
            else:
                self._route(*request)
        for lane, record, message in held:
            self._route(lane, record, message)


def _tells(held: Held) -> bool:
    """Whether the request has more to say once its instance has started."""
    return isinstance(held[2].data, Claim) and not held[2].data.lease
