"""The door: each request of a lane is answered from the table, or becomes a fact."""

from collections.abc import Mapping

from sagalog.engine import beating
from sagalog.engine.app import App
from sagalog.engine.asking import Asking
from sagalog.engine.desk import Desk
from sagalog.engine.effects import LaneDone
from sagalog.engine.instance import Instance
from sagalog.engine.starting import Starting
from sagalog.engine.undoing import Undoing
from sagalog.engine.waiting import Waiting
from sagalog.schemas import codec
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
    StartSaga,
)

Held = tuple[str, Record, Envelope]


class Intake:
    """Takes the requests of one partition in.

    While an instance's first fact, or its `Forgotten`, is on its way, nobody knows yet
    whether there is such an instance: requests for it are held until that is read back.
    A request whose fact the fold did not take, since another came first, is taken in again:
    so none is done before its fact is read back.
    """

    __slots__ = (
        "_desk",
        "_held",
        "_pledged",
        "_starting",
        "_undoing",
        "asking",
        "starting",
        "waiting",
    )

    def __init__(self, app: App, desk: Desk) -> None:
        self.waiting = Waiting(desk.writer)
        self.asking = Asking(desk, self.waiting)
        self.starting: set[str] = set()
        self._desk = desk
        self._starting, self._undoing = Starting(app, desk), Undoing(app, desk)
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
            case StartSaga() | RunOperation() | Schedule() as request:
                first = self._starting.start(instance, request, record, done)
                if first is not None:
                    self._pledged[first] = (lane, record, message)
                    self.starting.add(instance)
                    self.hold(instance)
                    return True
            case Inquire() as request:
                self.asking.inquire(instance, request, state, done)
            case _:
                self._change(lane, record, message, state)
        return False

    def _repeat(
        self, instance: str, request: Schedule, state: Instance, record: Record, done: LaneDone
    ) -> None:
        """A schedule is asked for that there is: it is found, or goes by this plan from now on."""
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
        held = self._held.pop(instance, [])
        request = self._pledged.pop(fact, None)
        if request is not None:
            lane, record, _ = request
            if accepted or record.offset < low.get(lane, 0):
                self._desk.done(LaneDone(lane, record.offset))
            else:
                self._route(*request)
        for lane, record, message in held:
            self._route(lane, record, message)
