"""One owner of one partition in the little world: what a driver does, one small move at a time."""

from collections import deque
from typing import TYPE_CHECKING, Any

from sagalog.engine import App
from sagalog.engine.effects import Append, Call, Invocation
from sagalog.engine.partition import Partition
from sagalog.engine.results import Result
from sagalog.schemas import codec
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.facts import StepCompleted, StepFailed
from sagalog.schemas.record import Entry
from sagalog.schemas.topics import LANES, Topics

if TYPE_CHECKING:
    from tests.engine.world import World

EVERYTHING = 10**9


class Owner:
    """Moves records between the logs and its `Partition`.

    `outbox` holds appends that are on their way, `ready` calls that wait for a slot,
    `running` those that are under way: a crash loses all three.
    """

    def __init__(self, world: "World", app: App, number: int, nonce: str) -> None:
        self.world, self.app, self.number = world, app, number
        self.topics = Topics(app.name)
        self.partition = Partition(app, number, world.partitions, nonce)
        self.outbox: deque[Append] = deque()
        self.ready: list[Call] = []
        self.running: list[tuple[Call, Invocation]] = []
        self.lanes: dict[str, int] | None = None
        end = len(self._log("events"))
        self.events = self.partition.restore(dict(world.tables[self._place]), 0, end)
        self.partition.take(world.now)
        self._collect()

    @property
    def _place(self) -> tuple[str, int]:
        return self.app.name, self.number

    def _log(self, name: str) -> list[Any]:
        return self.world.logs[f"{self.app.name}.{name}", self.number]

    @property
    def alive(self) -> bool:
        """Whether the partition still acts for this owner, or is about to."""
        return self.partition.phase != "lost"

    # -- one turn, as a driver does it

    def turn(self) -> bool:
        """Read, act, run handlers and append all that is at hand; whether anything moved."""
        moved = [self.land(), self.fold(), self.take_in(), self.tick(), self.begin(), self.finish()]
        return any(moved)

    def fold(self, most: int = EVERYTHING) -> bool:
        """Fold the facts at hand."""
        records = self._log("events")[self.events : self.events + most]
        self.events += len(records)
        self.partition.fold(records, self.world.now)
        if self.lanes is None and self.partition.phase == "acting":
            self.lanes = self.partition.lanes(self.world.committed[self._place])
        return self._collect() or bool(records)

    def take_in(self, *lanes: str, most: int = EVERYTHING) -> bool:
        """Take in the requests at hand, of these lanes or of all."""
        taken = 0
        if self.partition.phase == "acting" and self.lanes is not None:
            for lane in lanes or LANES:
                for record in self._log(lane)[self.lanes[lane] : self.lanes[lane] + most]:
                    self.partition.intake(lane, record, self.world.now)
                    self.lanes[lane] = record.offset + 1
                    taken += 1
        return self._collect() or taken > 0

    def tick(self) -> bool:
        """Let what is due happen."""
        self.partition.tick(self.world.now)
        return self._collect()

    def begin(self, most: int = EVERYTHING) -> bool:
        """Start handlers that are ready."""
        calls, self.ready = self.ready[:most], self.ready[most:]
        for call in calls:
            invocation = self.partition.start(call, self.world.now)
            if invocation is not None:
                self.world.calls.append(invocation)
                self.running.append((call, invocation))
        return self._collect() or bool(calls)

    def finish(self, operation: str | None = None, result: Result | None = None) -> bool:
        """End the running calls that are not held, or the oldest of one operation with a result."""
        script = self.world.script
        if operation is None:
            ending = [pair for pair in self.running if not script.holds(pair[1])]
        else:
            ending = [pair for pair in self.running if pair[1].operation == operation][:1]
            assert ending, f"no {operation} is running"
        for call, invocation in ending:
            self.end(call, invocation, script.outcome(invocation) if result is None else result)
        return bool(ending)

    def end(self, call: Call, invocation: Invocation, result: Result) -> None:
        """One running call ends with this result."""
        self.running.remove((call, invocation))
        before = len(self.outbox)
        self.partition.finished(call, result, self.world.now)
        self._collect()
        if len(self.outbox) == before:
            self.world.lost[call.instance, invocation.context.step] += 1

    def land(self, most: int = EVERYTHING) -> bool:
        """Let appends land, in order, each with its acknowledgement."""
        landed = 0
        while self.outbox and landed < most:
            append = self.outbox.popleft()
            self.world.append(append.topic, append.partition, append.entry)
            landed += 1
            if append.then is not None:
                self.partition.acknowledged(append.then, self.world.now)
                self._collect()
        return landed > 0

    def _collect(self) -> bool:
        effects = self.partition.effects()
        self.outbox.extend(effects.appends)
        self.ready.extend(effects.calls)
        return bool(effects.appends or effects.calls)

    # -- leaving

    def checkpoint(self) -> bool:
        """Write a checkpoint and commit the lanes, if this owner acts; a former one's is fenced."""
        if self.partition.phase != "acting" or self.partition.unlettered:
            return False
        rows = self.partition.checkpoint()
        if self.world.owners.get(self._place) is not self:
            return False
        self.write(rows)
        self.commit()
        return True

    def write(self, rows: list[Entry]) -> None:
        """A checkpoint is durable."""
        table = self.world.tables[self._place]
        for entry in rows:
            assert entry.key is not None
            if entry.value is None:
                table.pop(entry.key, None)
            else:
                table[entry.key] = entry.value

    def commit(self) -> None:
        """Commit the lanes alone, as any owner may, a former one too."""
        self.world.committed[self._place].update(self.partition.commits())

    def crash(self, landed: int = 0) -> None:
        """Stop for ever: of the appends on their way the first `landed` make it."""
        self.land(landed)
        for call, invocation in self.running:
            self.world.lost[call.instance, invocation.context.step] += 1
        for append in self.outbox:
            self._count_lost(append)
        self.outbox.clear()
        self.running.clear()
        self.ready.clear()
        if self.world.owners.get(self._place) is self:
            del self.world.owners[self._place]

    def _count_lost(self, append: Append) -> None:
        message = codec.decode(append.entry.value)
        if isinstance(message, Envelope) and isinstance(message.data, StepCompleted | StepFailed):
            self.world.lost[message.subject, message.data.step] += 1

    def poll(self) -> None:
        """Ask where the lanes end now, for the horizon of forgetting."""
        ends = {lane: len(self._log(lane)) for lane in LANES}
        self.partition.horizon.polled(ends, self.world.now)
