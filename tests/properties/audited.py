"""A storm whose every record, call, blow and checkpoint is audited as it comes."""

from typing import Any

from sagalog.engine.effects import Invocation
from sagalog.schemas.record import Entry, Record
from sagalog.streams.audit import Auditor, Blow, Call, Violation
from sagalog.streams.audit.evidence import What
from tests.engine.owner import Owner
from tests.engine.world import World
from tests.properties.effects import Effects
from tests.properties.storm import Storm


class AuditedWorld(World):
    """A world that tells an auditor what happens, in its order."""

    def __init__(self, *apps: Any, partitions: int = 1) -> None:
        super().__init__(*apps, partitions=partitions)
        counts = dict.fromkeys(self.apps, partitions)
        self.auditor = Auditor(counts, ordered=True, checkpoints=True)
        self.found: list[Violation] = []
        self.pids: dict[Owner, int] = {}

    def own(self, app: str = "orders", partition: int = 0) -> Owner:
        """A new owner takes the partition, and a former one does not know it yet."""
        former = self.owners.get((app, partition))
        if former is not None:
            self.auditor.blow(Blow("lose", self.pids[former], self.now, partition))
        self.takes += 1
        owner = AuditedOwner(self, self.apps[app], partition, f"owner{self.takes}")
        self.pids[owner] = self.takes
        self.owners[app, partition] = owner
        return owner

    def append(self, topic: str, partition: int | None, entry: Entry) -> Record:
        """A record lands."""
        record = super().append(topic, partition, entry)
        self.found += self.auditor.read(record)
        return record

    def told(self, what: What, owner: Owner, invocation: Invocation) -> None:
        """A call begins, or has its effect."""
        context = invocation.context
        call = Call(
            what,
            self.now,
            self.pids[owner],
            invocation.operation,
            context.instance,
            context.step,
            context.phase,
            context.attempt,
            context.idempotency_key,
            read=owner.events,
            seen=owner.events,
        )
        self.found += self.auditor.journal(call)


class AuditedOwner(Owner):
    """An owner whose checkpoints, commits and death are told."""

    world: AuditedWorld

    def write(self, rows: list[Entry]) -> None:
        """A checkpoint is durable."""
        super().write(rows)
        world = self.world
        world.found += world.auditor.checkpoint(self.app.name, self.number, rows)

    def commit(self) -> None:
        """Commit the lanes; a former owner's are not looked at, since only the last count."""
        super().commit()
        if self.world.owners.get((self.app.name, self.number)) is self:
            offsets = self.world.committed[self.app.name, self.number]
            places = {(f"{self.app.name}.{lane}", self.number): n for lane, n in offsets.items()}
            self.world.found += self.world.auditor.committed(places)

    def crash(self, landed: int = 0) -> None:
        """Stop for ever."""
        super().crash(landed)
        self.world.auditor.blow(Blow("kill", self.world.pids[self], self.world.now))


class AuditedStorm(Storm):
    """Random moves, each of which is audited."""

    world: AuditedWorld

    def __init__(self, seed: int, *, retention: int | None = None) -> None:
        super().__init__(seed, retention=retention, make=AuditedWorld)
        self.effects = _Told(self)

    def begin(self, owner: Owner, most: int = 9) -> bool:
        """Handlers start."""
        before = len(self.world.calls)
        moved = super().begin(owner, most)
        for invocation in self.world.calls[before:]:
            self.world.told("begin", owner, invocation)
        return moved

    def finish(self, owner: Owner) -> None:
        """A call ends."""
        self.finishing = owner
        super().finish(owner)

    def judge(self) -> list[Violation]:
        """Everything has come to rest: what has been found, and what is found now."""
        world = self.world
        for name in self.instances:
            world.auditor.acknowledged("orders", name)
        for owner in world.owners.values():
            owner.checkpoint()
        ends = {
            (f"{app}.{lane}", number): len(world.logs[f"{app}.{lane}", number])
            for (app, number), owner in world.owners.items()
            for lane in owner.partition.commits()
        }
        return world.found + world.auditor.at_rest(ends)


class _Told(Effects):
    """The world outside, whose every effect is told."""

    def __init__(self, storm: AuditedStorm) -> None:
        super().__init__()
        self._storm = storm

    def happen(self, invocation: Invocation) -> None:
        """The call of a handler did what it is there for."""
        super().happen(invocation)
        self._storm.world.told("effect", self._storm.finishing, invocation)
