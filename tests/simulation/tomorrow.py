"""A rolling upgrade: pods of tomorrow write what those of today cannot read, then all are new."""

from typing import Any

from sagalog.schemas.record import Entry
from sagalog.schemas.upcasting import UPCASTERS
from tests.simulation.poison import TOMORROW
from tests.simulation.world import World


def _same(data: Any) -> Any:
    return data


def write(world: World) -> None:
    """Cancel an instance in words that nobody knows yet."""
    live = [
        (place, name, state.run)
        for place, shadow in world.judge.shadows.items()
        for name, state in shadow.states()
        if state.run
    ]
    if live:
        place, name, run = world.around.chance.pick(live)
        entry: Entry = world.poison.of_tomorrow(name, run)
        world.around.saw("a fact of tomorrow")
        world.around.tell(f"tomorrow's pod writes to {name}")
        world.around.broker.append(place, [entry])
        world.tomorrow = True


def upgrade(world: World) -> None:
    """Every pod is one of tomorrow from here on; so is whoever judges."""
    if world.tomorrow:
        world.around.tell("-- everything is upgraded --")
        UPCASTERS[TOMORROW] = ("sagalog.cancel.requested.v1", _same)
        for process in world.processes:
            process.kill()
            process.berth.gone(process)
        world.judge.begin_anew(world.around.broker)


def downgrade() -> None:
    """The next world begins with the code of today."""
    UPCASTERS.pop(TOMORROW, None)
