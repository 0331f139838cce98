"""The simulation runs what users run: it has no fold, no scheduler and no client of its own.

Only the log, the clock, chance and the handlers are false. Whatever else a simulated pod or client
is made of is looked at object by object: its class stands in production code, as it is there.
"""

import asyncio
import inspect
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from sagalog.engine.partition import Partition
from sagalog.streams.client import Client
from sagalog.streams.pod import Pod
from sagalog.streams.testing import VirtualLoop
from tests.house.tree import ROOT, python_files, short
from tests.simulation.chance import Replayed
from tests.simulation.log import SimulatedLog
from tests.simulation.membership import SimulatedMembership
from tests.simulation.people import Person
from tests.simulation.pods import Running
from tests.simulation.reader import SimulatedReader
from tests.simulation.storm import blow
from tests.simulation.surroundings import Surroundings
from tests.simulation.tables import SimulatedCheckpoints
from tests.simulation.world import World

PORT = {SimulatedLog, SimulatedReader, SimulatedCheckpoints, SimulatedMembership}
"""The one seam that is false: the port `Log`, and what it hands out."""

GIVEN = {Running, Person, Surroundings}
"""Who gives a pod or client its clock and its names."""


def made_of(*roots: object) -> set[type]:
    """The classes of all objects of ours that hang together; what is false ends the walk."""
    seen: set[int] = set()
    classes: set[type] = set()
    stack = [*roots]
    while stack:
        thing = stack.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        kind = type(thing)
        if kind.__module__.startswith(("sagalog.", "tests.")):
            classes.add(kind)
        if not kind.__module__.startswith("tests."):
            stack += _parts(thing)
    return classes


def _parts(thing: object) -> Iterator[object]:
    if isinstance(thing, dict):
        yield from thing.values()
    elif isinstance(thing, list | tuple | set | frozenset):
        yield from thing
    elif inspect.ismethod(thing):
        yield thing.__self__
    elif type(thing).__module__.startswith("sagalog."):
        yield from getattr(thing, "__dict__", {}).values()
        for base in type(thing).__mro__:
            for name in getattr(base, "__slots__", ()):
                yield getattr(thing, name, None)


def busy_world() -> tuple[World, list[object]]:
    """A world in the midst of its work, and its pods and clients."""
    world = World(Replayed({}))
    with world.loop.running():
        blow(world)
    pods: list[object] = [p.pod for p in world.processes if p.pod is not None]
    clients: list[object] = [p.client for p in world.people if p.client is not None]
    return world, [*pods, *clients]


def test_pods_and_clients_are_production_s_own_through_and_through() -> None:
    world, roots = busy_world()
    try:
        assert {type(root) for root in roots} == {Pod, Client}
        classes = made_of(*roots)
        assert Partition in classes, "the walk has not reached what decides"
        false = {kind for kind in classes if kind.__module__.startswith("tests.")}
        assert false <= PORT | GIVEN
        assert len(classes - false) > 25
    finally:
        world.close()


def own(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """The functions and methods that a module of ours defines, as they are now."""
    for name, thing in vars(module).items():
        if inspect.isfunction(thing):
            yield f"{module.__name__}.{name}", thing
        elif inspect.isclass(thing) and thing.__module__ == module.__name__:
            for method, function in vars(thing).items():
                if inspect.isfunction(function):
                    yield f"{module.__name__}.{name}.{method}", function


def test_no_function_of_production_is_replaced() -> None:
    world, _ = busy_world()
    world.close()
    replaced = [
        where
        for name, module in list(sys.modules.items())
        if name.startswith("sagalog.")
        for where, function in own(module)
        if "tests" in function.__module__
    ]
    assert replaced == []


IMITABLE = 4
"""So many public methods of one production class make a class of the simulation an imitation."""


def imitations(module: ModuleType) -> Iterator[str]:
    """The classes of a module of the simulation that imitate, or extend, what decides."""
    for name, thing in vars(module).items():
        if not inspect.isclass(thing) or thing.__module__ != module.__name__ or thing in PORT:
            continue
        for model in deciders():
            public = {m for m in vars(model) if not m.startswith("_")}
            if issubclass(thing, model) or len(public & set(vars(thing))) >= IMITABLE:
                yield f"{module.__name__}.{name} is like {model.__name__}"


def deciders() -> Iterator[type]:
    """The classes of the engine and of the drivers, but for the port's."""
    drivers = ("pod", "client", "executor", "dispatcher", "holdings", "owner", "mailbox")
    names = [f"sagalog.streams.{name}" for name in drivers]
    names += [n for n in sys.modules if n.startswith("sagalog.engine.")]
    for name in names:
        for thing in vars(sys.modules[name]).values():
            if inspect.isclass(thing) and thing.__module__ == name:
                yield thing


def simulation() -> Iterator[ModuleType]:
    """The modules of the simulation, all of them."""
    for path in python_files("tests/simulation"):
        if path.name not in ("__main__.py", "conftest.py") and not path.name.startswith("test_"):
            __import__(name := short(path).removesuffix(".py").replace("/", "."))
            yield sys.modules[name]


def test_no_class_of_the_simulation_imitates_one_that_decides() -> None:
    modules = [*simulation()]
    assert len(modules) > 15, f"where is the simulation? {ROOT}"
    assert [said for module in modules for said in imitations(module)] == []


class Forged(Partition):
    """A processor that only tests have."""


class Likeness:
    """A scheduler that only tests have."""

    def offer(self) -> None: ...
    def arrived(self) -> None: ...
    def next(self) -> None: ...
    def freed(self) -> None: ...


def test_planted_imitations_are_found() -> None:
    found = [*imitations(sys.modules[__name__])]
    assert any("Forged is like Partition" in said for said in found)
    assert any("Likeness is like Scheduler" in said for said in found)


def test_a_planted_false_part_is_found() -> None:
    world, roots = busy_world()
    world.close()
    pod = next(root for root in roots if isinstance(root, Pod))
    pod._scheduler = Likeness()  # type: ignore[assignment]
    assert Likeness in made_of(pod)


@pytest.mark.parametrize("name", ["sleep", "gather", "Event"])
def test_asyncio_itself_is_not_replaced(name: str) -> None:
    assert getattr(asyncio, name).__module__.startswith("asyncio")
    assert issubclass(VirtualLoop, asyncio.BaseEventLoop)
