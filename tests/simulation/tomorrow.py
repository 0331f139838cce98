"""A rolling upgrade: pods of tomorrow write what those of today cannot read, then all are new."""

from typing import Any

from sagalog.schemas.record import Entry
from sagalog.schemas.topics import Topics
from sagalog.schemas.upcasting import UPCASTERS
from tests.simulation.poison import TOMORROW
from tests.simulation.world import World


def _same(data: Any) -> Any:
    return data


def write(world: World) -> None:
    """Cancel an instance in words that nobody knows yet."""
    live = [(at, name, state.run) for at, name, state in world.judge.states() if state.run]
    if live:
        (app, number), name, run = world.faults.pick(live)
        world.around.saw("a fact of tomorrow")
        world.around.tell(f"tomorrow's pod writes to {name}")
        entry = world.poison.of_tomorrow(name, run)
        world.around.broker.append((Topics(app).events, number), [entry])
        world.tomorrow = True


def upgrade(world: World) -> None:
    """Every pod is one of tomorrow from here on; so is whoever judges."""
    world.around.tell("-- everything is upgraded --")
    UPCASTERS[TOMORROW] = ("sagalog.cancel.requested.v1", _same)
    shelves = world.around.broker.shelves.items()
    world.judge.begin_anew(
        {
            place: [Entry(key, value) for key, value in shelf.table.items()]
            for place, shelf in shelves
            if place[0].endswith(".tables")
        },
        world.committed(),
    )


def downgrade() -> None:
    """The next world begins with the code of today."""
    UPCASTERS.pop(TOMORROW, None)
