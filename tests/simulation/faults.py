"""What is done to a world while its storm lasts."""

from collections.abc import Callable

from tests.simulation import tomorrow
from tests.simulation.people import Person
from tests.simulation.pods import Berth, Running
from tests.simulation.world import World

HOUR = 3_600_000
DAY = 86_400.0
"""Seconds. Kafka keeps the offsets of a group without members for seven of them."""


def strike(world: World, fault: str) -> None:
    """One fault."""
    STRIKES[fault](world)


def _victim(world: World) -> Running | None:
    living = [process for berth in world.berths for process in berth.processes]
    return world.faults.pick(living) if living else None


def _kill(world: World) -> None:
    if (victim := _victim(world)) is not None:
        world.kill(victim)


def _freeze(world: World) -> None:
    victim = _victim(world)
    if victim is not None and not victim.process.frozen:
        seconds = world.faults.pick((0.3, 2.0, 1.5 * world.mix.session))
        world.freeze(victim, seconds)


def _stop(world: World) -> None:
    if (victim := _victim(world)) is not None and not victim.leaving:
        world.around.tell(f"{victim.name} is told to stop")
        victim.stop()


def _cut(world: World) -> None:
    if (victim := _victim(world)) is not None:
        seconds = world.faults.pick((0.5, 3.0, 1.5 * world.mix.session))
        world.around.tell(f"{victim.name} is cut off for {seconds} s")
        world.around.saw("cut off")
        victim.cut(seconds)


def _expel(world: World) -> None:
    if (victim := _victim(world)) is not None:
        victim.expel()


def _double(world: World) -> None:
    """Somebody takes a pod for dead, which is not, and starts another of its name."""
    berth = world.faults.pick(world.berths)
    if berth.running is not None and len(berth.ghosts) < 2:
        world.around.tell(f"{berth.name} is started although it runs")
        world.around.saw("two processes of one name")
        berth.double()


def _ghost(world: World) -> None:
    """A member comes, takes its share, does nothing with it, and goes."""
    group = world.faults.pick([*world.around.groups.values()])
    world.visit(group, world.faults.pick((0.5, 3.0, 8.0)))


def _jump(world: World) -> None:
    chance = world.faults
    machines: list[Berth | Person] = [*world.berths, *world.people]
    machine = chance.pick(machines)
    machine.skew = chance.pick((1000, -1000, 30_000, -30_000, HOUR, -HOUR))
    world.around.tell(f"the clock of {machine.name} is off by {machine.skew / 1000} s")
    world.around.saw("clock jump")


def _poison(world: World) -> None:
    app = world.faults.pick(world.apps)
    world.around.saw(
        f"poison: {world.poison.write(app.name, world.mix.partitions, world.instances)}"
    )


def _repeat(world: World) -> None:
    app = world.faults.pick(world.apps)
    if what := world.poison.repeat(app.name, world.mix.partitions):
        world.around.saw(f"{what} once more")


def _die(world: World) -> None:
    person = world.faults.pick(world.people)
    if person.process.alive:
        world.around.saw("a client died")
        world.dies(person, "is killed")


def _mark(world: World) -> None:
    """Another's transaction leaves its mark between the records."""
    world.around.broker.mark(world.faults.pick(world.places))
    world.around.saw("marker in a log")


def _tomorrow(world: World) -> None:
    tomorrow.write(world)


def _doze(world: World) -> None:
    """All machines stand still for a while, as those of a laptop that is closed."""
    seconds = world.faults.pick((5.0, 60.0, 3600.0, 9 * DAY))
    world.around.tell(f"everything stands still for {seconds} s")
    world.around.saw("time passed in which nothing ran")
    world.around.doze(seconds)
    if seconds > 7 * DAY:
        world.around.saw("commits forgotten by the broker")
        world.around.broker.commits.clear()


STRIKES: dict[str, Callable[[World], None]] = {
    "kill": _kill,
    "freeze": _freeze,
    "stop": _stop,
    "cut": _cut,
    "expel": _expel,
    "ghost": _ghost,
    "jump": _jump,
    "poison": _poison,
    "repeat": _repeat,
    "die": _die,
    "mark": _mark,
    "double": _double,
    "tomorrow": _tomorrow,
    "doze": _doze,
}
