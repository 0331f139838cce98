"""What the logs say is done, read apart from the engine, to judge every call as it begins."""

from collections import defaultdict

from sagalog.engine.effects import Invocation
from sagalog.schemas import codec
from sagalog.schemas import facts as f
from sagalog.schemas.definition import Json
from sagalog.schemas.envelope import Envelope
from tests.engine.owner import Owner
from tests.engine.world import World

Life = tuple[str, str]
"""Instance, run."""

Key = tuple[str, str, str]
"""Instance, run, step."""


class Journal:
    """The first completion of each step, by the offset at which it stands, and its result.

    `undone` are the last undos of each step; `by_hand` the lives that a person moved on;
    `waits` says until when (ms) the attempt behind a failed one has to wait.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._read: dict[tuple[str, int], int] = {}
        self._takes: defaultdict[tuple[str, int], list[tuple[int, str]]] = defaultdict(list)
        self.done: dict[Key, int] = {}
        self.results: defaultdict[Life, dict[str, tuple[int, Json]]] = defaultdict(dict)
        self.undone: dict[Key, int] = {}
        self.by_hand: set[Life] = set()
        self.waits: dict[tuple[Key, int], int] = {}

    def check(self, owner: Owner, invocation: Invocation) -> None:
        """A call begins: nothing is computed again, too early, beside another, or untold."""
        self.read(owner.app.name, owner.number)
        self._in_charge(owner)
        self._alone(owner, invocation)
        self._told(owner, invocation)
        if invocation.context.phase == "forward":
            self._first(owner, invocation)
            self._patient(invocation)
        else:
            self._in_turn(owner, invocation)

    def _in_charge(self, owner: Owner) -> None:
        """Its owner has read its own `Taken`, and nobody else's behind it (rule 1)."""
        place = f"{owner.app.name}.events", owner.number
        read = [source for at, source in self._takes[place] if at < owner.events]
        mine = owner.partition.source
        assert read[-1:] == [mine], f"{mine} acts, and the partition is {read[-1:]}'s"

    def _first(self, owner: Owner, invocation: Invocation) -> None:
        """What it waits for is done, and its owner has read no result of it."""
        instance, step = invocation.call.instance, invocation.context.step
        run = invocation.call.run
        done = self.done.get((instance, run, step))
        assert done is None or done >= owner.events, f"{instance} computes {step} again (S7)"
        state = owner.partition.table.get(instance)
        assert state is not None
        for spec in state.definition.steps:
            for before in spec.after if spec.name == step else ():
                assert (instance, run, before) in self.done, f"{instance} {step} too early (S2)"

    def _patient(self, invocation: Invocation) -> None:
        """Another attempt waits as long as the failure of the one before says."""
        call, context = invocation.call, invocation.context
        key = (call.instance, call.run, context.step)
        until = self.waits.get((key, context.attempt - 1), 0)
        assert self._world.now >= until, f"{call.instance} does not wait for {context.step}"

    def _alone(self, owner: Owner, invocation: Invocation) -> None:
        """One handler per step at a time, and beside an undo none at all (rules 8, 9)."""
        call, context = invocation.call, invocation.context
        for other, running in owner.running:
            if running is invocation or (other.instance, other.run) != (call.instance, call.run):
                continue
            phases = {running.context.phase, context.phase}
            assert phases == {"forward"}, f"{call.instance}: an undo beside another call (rule 8)"
            assert running.context.step != context.step, f"{context.step} runs twice (rule 9)"

    def _told(self, owner: Owner, invocation: Invocation) -> None:
        """It is told the results of the log, all that its owner has read and no other."""
        life = invocation.call.instance, invocation.call.run
        if life not in self.by_hand:
            said = {s: value for s, (at, value) in self.results[life].items() if at < owner.events}
            assert invocation.context.results == said, f"{life[0]} is told other results"

    def _in_turn(self, owner: Owner, invocation: Invocation) -> None:
        """Nothing that was completed later is still to be undone (S4)."""
        instance, run = invocation.call.instance, invocation.call.run
        step = invocation.context.step
        state = owner.partition.table.get(instance)
        assert state is not None
        mine = self._completed(owner, (instance, run, step))
        for spec in state.definition.steps:
            key = (instance, run, spec.name)
            theirs = self._completed(owner, key)
            later = spec.name != step and mine is not None and theirs is not None and theirs > mine
            undoable = spec.undo is not None or spec.there
            if later and undoable and (instance, run) not in self.by_hand:
                undone = self.undone.get(key, -1)
                assert theirs is not None
                assert undone > theirs, f"{instance} undoes {step} before {spec.name} (S4)"

    def _completed(self, owner: Owner, key: Key) -> int | None:
        done = self.done.get(key)
        return done if done is not None and done < owner.events else None

    def read(self, app: str, number: int) -> None:
        """Read a partition to its end."""
        place = f"{app}.events", number
        for record in self._world.logs[place][self._read.get(place, 0) :]:
            message = codec.decode(record.value)
            if isinstance(message, Envelope) and isinstance(message.data, f.Taken):
                self._takes[place].append((record.offset, message.data.owner))
            elif isinstance(message, Envelope):
                self._note(message.subject, message.data, record.offset)
            self._read[place] = record.offset + 1

    def _note(self, instance: str, fact: f.Fact, offset: int) -> None:
        match fact:
            case f.StepCompleted():
                self.done.setdefault((instance, fact.run, fact.step), offset)
                results = self.results[instance, fact.run]
                results.setdefault(fact.step, (offset, fact.result))
            case f.StepReleased():
                self.by_hand.add((instance, fact.run))
                if fact.how != "retry":
                    self.done.setdefault((instance, fact.run, fact.step), offset)
            case f.StepCompensated():
                self.undone[instance, fact.run, fact.step] = offset
            case f.StepFailed() if not fact.final:
                key = (instance, fact.run, fact.step)
                self.waits.setdefault((key, fact.attempt), fact.retry_at)
            case _:
                pass
