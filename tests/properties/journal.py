"""What the logs say is done, read apart from the engine, to judge every call as it begins."""

from sagalog.engine.effects import Invocation
from sagalog.schemas import codec
from sagalog.schemas import facts as f
from sagalog.schemas.envelope import Envelope
from tests.engine.owner import Owner
from tests.engine.world import World

Key = tuple[str, str, str]
"""Instance, run, step."""


class Journal:
    """The first completion of each step, by the offset at which it stands."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._read: dict[tuple[str, int], int] = {}
        self._done: dict[Key, int] = {}

    def check(self, owner: Owner, invocation: Invocation) -> None:
        """A forward call begins: what it waits for is done, and its owner has read no result."""
        if invocation.context.phase != "forward":
            return
        self._catch_up(owner)
        instance, step = invocation.call.instance, invocation.context.step
        run = invocation.call.run
        done = self._done.get((instance, run, step))
        assert done is None or done >= owner.events, f"{instance} computes {step} again (S7)"
        state = owner.partition.table.get(instance)
        assert state is not None
        for spec in state.definition.steps:
            for before in spec.after if spec.name == step else ():
                assert (instance, run, before) in self._done, f"{instance} {step} too early (S2)"

    def _catch_up(self, owner: Owner) -> None:
        place = f"{owner.app.name}.events", owner.number
        for record in self._world.logs[place][self._read.get(place, 0) :]:
            message = codec.decode(record.value)
            if isinstance(message, Envelope) and isinstance(
                message.data, f.StepCompleted | f.StepReleased
            ):
                fact = message.data
                if not isinstance(fact, f.StepReleased) or fact.how != "retry":
                    self._done.setdefault((message.subject, fact.run, fact.step), record.offset)
            self._read[place] = record.offset + 1
