"""Drives a world: a storm of faults, the calm behind it, and what must hold then."""

from collections.abc import Sequence

from sagalog.engine.instance import PARKED, Instance
from tests.simulation import faults, tomorrow
from tests.simulation.chance import Chance, Trace
from tests.simulation.counters import sightings
from tests.simulation.world import World

MOST_TURNS = 6000
"""Turns of the loop that a storm may take."""

NAPS = (0.3, 0.7, 1.0, 1.0, 2.0, 3.0, 5.0, 5.0, 10.0, 10.0, 20.0, 30.0, 60.0, 300.0)
NIGHTS = (3600.0, 3600.0, 3.0, 10.0, 60.0)
"""Seconds of made-up time between two looks whether all is at rest. Nights are for what was put
off by a clock that was ahead."""

AWAKE, DOZING = 3.0, 0.6
"""Seconds of a nap that are run through; for the rest of it all machines stand still."""


class Broken(Exception):
    """A world has broken a promise; `trace` replays it."""

    def __init__(self, violations: Sequence[str], trace: Trace) -> None:
        super().__init__(violations[0])
        self.violations, self.trace = list(violations), trace


def run(chance: Chance, *, story: list[str] | None = None) -> World:
    """Run one world to its end. Raises Broken."""
    world = World(chance)
    world.around.story = story
    with world.loop.running():
        try:
            blow(world)
            calm(world)
        finally:
            world.close()
            tomorrow.downgrade()
    return world


def look(world: World) -> None:
    """What has been broken until now. Raises Broken."""
    violations = world.judge.violations
    if world.loop.errors:
        error = world.loop.errors[0]
        violations.append(f"an error that nobody heard: {error}")
    if violations:
        raise Broken(violations, world.around.chance.trace)


def blow(world: World) -> None:
    """The storm."""
    loop, mix = world.loop, world.mix
    chance = world.around.chance.of("storm")
    turn = loop.turns + mix.pace - chance.choose(mix.pace)
    until, last = loop.time() + mix.seconds, loop.turns + MOST_TURNS
    most = until + mix.seconds
    while loop.turns < last and loop.time() < (most if world.asking() else until):
        loop.step()
        if world.judge.violations or loop.errors:
            look(world)
        if loop.turns >= turn and mix.faults:
            turn = loop.turns + mix.pace - chance.choose(mix.pace)
            faults.strike(world, chance.pick(mix.faults))


def calm(world: World) -> None:
    """No more faults; then everything comes to rest, and what is parked is freed by a person."""
    if world.tomorrow:
        world.shut_down()
        rest(world, 2 * world.mix.session + 5.0)  # until all that was sent has arrived
        tomorrow.upgrade(world)
    world.heal()
    most = AWAKE if world.mix.awake else DOZING
    for nap in NAPS + NIGHTS:
        if nap > most:
            world.around.doze(nap - most)
        rest(world, min(nap, most))
        free(world)
        if not busy(world):
            break
    ends = {place: world.end(place) for place in world.lanes}
    world.judge.at_rest(ends)
    look(world)
    world.around.seen.update(sightings(world.judge))


def rest(world: World, seconds: float) -> None:
    """Let it run."""
    until = world.loop.time() + seconds
    while world.loop.time() < until:
        world.loop.step()
        if world.judge.violations or world.loop.errors:
            look(world)


def busy(world: World) -> bool:
    """Whether anything is still to come."""
    if any(not person.process.alive or person.deeds for person in world.people):
        return True
    if world.judge.waiting() or world.judge.busy():
        return True
    if not world.checkpointed():
        return True
    committed = world.committed()
    return any(committed.get(place, 0) != world.end(place) for place in world.lanes)


def free(world: World) -> None:
    """A person moves on what is parked."""
    for (app, _), name, state in list(world.judge.states()):
        if state.status in PARKED:
            clerk = world.clerk(app)
            if clerk.client is not None:
                for step, how in parked_steps(state):
                    clerk.process.task(clerk.release(name, step, how))


def parked_steps(state: Instance) -> list[tuple[str, str]]:
    """The steps at which it is parked, and how each can go on."""
    steps = zip(state.steps, state.definition.steps, strict=True)
    if state.cause:
        spec, step = next((s, t) for n, (t, s) in enumerate(steps) if n == state.undoing[-1])
        gone = spec.there and step.undo_attempt > 2  # a child that is forgotten cannot be undone
        return [(spec.name, "resolve" if gone else "retry")]
    failed = [spec for step, spec in steps if step.status == "failed"]
    return [(spec.name, "resolve" if spec.there else "retry") for spec in failed]
