"""A breaker: what is away holds its operation, one probe tries, and nothing is given up."""

import pytest

from sagalog.engine import App, Breaker, DeclarationError, Retry, step
from sagalog.engine.pauses import Held
from sagalog.schemas.pauses import BreakerClosed, BreakerOpened, Paused, Resumed
from sagalog.schemas.requests import Cancel
from tests.engine.orders import declare, handler
from tests.engine.owner import Owner
from tests.engine.script import AWAY, ERROR, TERMINAL, TIMEOUT
from tests.engine.world import World, run, saga

PATIENT = Retry(max_attempts=3, first=1, factor=1, jitter=0, give_up_after=60)
BREAKER = Breaker(failures=3, within=30, probe_after=10, longest=40)


def orders() -> App:
    """`charge` has a breaker; its undo has one, too."""
    app = App("orders")
    (release,) = declare(app, "release")
    refund = app.operation(retry=PATIENT, breaker=BREAKER)(handler("refund"))
    charge = app.operation(retry=PATIENT, breaker=BREAKER, undo=refund)(handler("charge"))
    (reserve,) = declare(app, "reserve", undo=release)
    (ship,) = declare(app, "ship")
    app.saga("order", step(reserve), step(charge), step(ship))
    return app


@pytest.fixture
def world() -> World:
    world = World(orders())
    world.own()
    world.settle()
    return world


def owner(world: World) -> Owner:
    return world.owners["orders", 0]


def held(world: World, operation: str = "charge") -> Held:
    return owner(world).partition.pauses.of(operation)


def charges(world: World) -> int:
    return world.called().count("charge")


def opened(world: World, *, waiting: int = 3) -> None:
    """So many instances wait for `charge`, whose breaker has opened at their first calls."""
    world.script.on("charge", *[AWAY] * 3)
    for n in range(3):
        world.ask(run("charge"), f"i{n}")
    world.settle()
    for n in range(3, waiting):
        world.ask(run("charge"), f"i{n}")
    world.settle()
    assert held(world).until == world.now + 10_000
    assert charges(world) == 3


def test_it_opens_when_so_many_calls_in_a_row_find_it_away(world: World) -> None:
    opened(world, waiting=5)
    world.later(9.9)
    assert charges(world) == 3
    assert {world.status(f"i{n}") for n in range(5)} == {"running"}


@pytest.mark.parametrize("other", [ERROR, TERMINAL, None])
def test_any_other_end_between_them_says_that_it_is_there(world: World, other: object) -> None:
    between = [] if other is None else [other]
    world.script.on("charge", AWAY, AWAY, *between)  # type: ignore[arg-type]
    for n in range(3):
        world.ask(run("charge"), f"i{n}")
    world.settle()
    world.script.on("charge", AWAY, AWAY)
    world.ask(run("charge"), "j")
    world.ask(run("charge"), "k")
    world.settle()
    assert not held(world).holds


def test_a_timeout_says_neither(world: World) -> None:
    world.script.on("charge", AWAY, TIMEOUT, AWAY, AWAY)
    for n in range(4):
        world.ask(run("charge"), f"i{n}")
    world.settle()
    assert held(world).holds


def test_what_happened_long_ago_does_not_count(world: World) -> None:
    for n in range(3):
        world.script.on("charge", AWAY)
        world.ask(run("charge", not_before=0), f"i{n}")
        world.settle()
        world.script.hold("charge")
        world.now += 16_000
        world.script.let_go("charge")
    assert not held(world).holds


def test_without_a_breaker_nothing_is_held(world: World) -> None:
    world.script.on("ship", *[AWAY] * 9)
    for n in range(9):
        world.ask(run("ship"), f"i{n}")
    world.settle()
    assert not held(world, "ship").holds


def test_one_probe_tries_and_all_go_on_when_it_works(world: World) -> None:
    opened(world, waiting=5)
    world.script.hold("charge")
    world.later(10)
    assert charges(world) == 4
    world.script.let_go("charge")
    world.settle()
    assert not held(world).holds
    assert {world.status(f"i{n}") for n in range(5)} == {"completed"}
    facts = [fact for fact in world.facts() if isinstance(fact, BreakerOpened | BreakerClosed)]
    assert [type(fact).__name__ for fact in facts] == ["BreakerOpened", "BreakerClosed"]


def test_a_probe_that_fails_doubles_the_wait_up_to_the_longest(world: World) -> None:
    opened(world)
    waits = []
    for _ in range(4):
        world.script.on("charge", AWAY)
        world.now = held(world).until
        world.settle()
        waits.append((held(world).until - world.now) // 1000)
    assert waits == [20, 40, 40, 40]
    assert charges(world) == 7


def test_there_is_one_probe_until_what_it_found_is_read_back(world: World) -> None:
    opened(world, waiting=9)
    world.script.hold("charge")
    turn = owner(world)
    world.now = held(world).until
    for _ in range(5):
        turn.tick()
        turn.begin()
        for call, invocation in list(turn.running):
            turn.end(call, invocation, AWAY)
    assert charges(world) == 4
    turn.land()
    turn.fold(1)
    turn.tick()
    turn.begin()
    world.settle()
    assert charges(world) == 4
    assert (held(world).times, held(world).until - world.now) == (2, 20_000)


def test_a_probe_that_is_cut_off_is_none_that_worked(world: World) -> None:
    opened(world)
    world.script.on("charge", TIMEOUT)
    world.later(10)
    assert held(world).until == world.now + 20_000


@pytest.mark.parametrize("end", [ERROR, TERMINAL])
def test_a_probe_that_fails_otherwise_says_that_it_is_there(world: World, end: object) -> None:
    opened(world)
    world.script.on("charge", end)  # type: ignore[arg-type]
    world.later(10)
    assert not held(world).holds


def test_the_next_that_comes_is_the_probe_where_nobody_waits(world: World) -> None:
    opened(world)
    for n in range(3):
        world.ask(Cancel(), f"i{n}")
    world.settle()
    world.later(20)
    assert charges(world) == 3
    world.ask(run("charge"), "j")
    world.settle()
    assert world.status("j") == "completed"
    assert not held(world).holds


def test_a_probe_that_is_cancelled_before_it_begins_is_replaced(world: World) -> None:
    opened(world)
    turn = owner(world)
    world.now += 10_000
    turn.tick()
    (probe,) = turn.ready
    world.ask(Cancel(), probe.instance)
    turn.take_in()
    turn.land()
    turn.fold()
    turn.begin()
    assert charges(world) == 3
    world.settle()
    assert not held(world).holds
    assert charges(world) == 5


def test_a_pause_holds_the_probe_too(world: World) -> None:
    opened(world)
    world.hold(Paused("p", "charge"))
    world.later(100)
    assert charges(world) == 3
    world.hold(Resumed("r", "charge"))
    world.settle()
    assert {world.status(f"i{n}") for n in range(3)} == {"completed"}


def test_a_person_lifts_it(world: World) -> None:
    opened(world)
    world.hold(Resumed("r", "charge"))
    world.later(1)
    assert {world.status(f"i{n}") for n in range(3)} == {"completed"}


def test_a_probe_from_before_a_person_lifted_it_says_nothing(world: World) -> None:
    opened(world)
    world.script.hold("charge")
    world.later(10)
    world.hold(Resumed("r", "charge"))
    owner(world).fold()
    owner(world).finish("charge", AWAY)
    world.settle()
    assert not held(world).holds


def test_nothing_is_given_up_while_it_is_open_nor_at_once_behind_it(world: World) -> None:
    """`give_up_after` is a minute; the outage lasts ten."""
    opened(world)
    while world.now < 1_600_000:
        world.script.on("charge", AWAY)
        world.now = held(world).until
        world.settle()
    assert {world.status(f"i{n}") for n in range(3)} == {"running"}
    assert world.letters() == []
    world.now = held(world).until
    world.script.on("charge", ERROR, AWAY)
    world.settle()
    assert not held(world).holds
    world.later(2)
    assert {world.status(f"i{n}") for n in range(3)} == {"completed"}


def test_it_gives_up_when_it_is_away_for_long_while_nothing_holds_it() -> None:
    app = App("orders")
    app.operation(retry=PATIENT, breaker=Breaker(failures=99))(handler("charge"))
    world = World(app)
    world.own()
    world.script.on("charge", *[AWAY] * 90)
    world.ask(run("charge"), "i")
    world.settle()
    for _ in range(70):
        world.later(1)
    assert world.status("i") == "dead"


def test_undos_have_breakers_as_well(world: World) -> None:
    world.script.on("ship", *[TERMINAL] * 3)
    world.script.on("refund", AWAY, AWAY, AWAY)
    for n in range(3):
        world.ask(saga(), f"i{n}")
    world.settle()
    assert held(world, "refund").holds
    world.later(9)
    assert world.called().count("refund") == 3
    world.later(1)
    assert {world.status(f"i{n}") for n in range(3)} == {"compensated"}


def test_it_survives_its_owner_and_the_next_one_probes(world: World) -> None:
    opened(world)
    owner(world).checkpoint()
    owner(world).crash()
    world.own()
    world.settle()
    assert charges(world) == 3
    world.script.hold("charge")
    world.later(10)
    assert charges(world) == 4
    owner(world).crash()
    world.own()
    world.settle()
    assert charges(world) == 5
    world.script.let_go("charge")
    world.settle()
    assert {world.status(f"i{n}") for n in range(3)} == {"completed"}


def test_a_former_owner_s_opening_is_passed_over(world: World) -> None:
    world.script.on("charge", *[AWAY] * 2)
    for n in range(2):
        world.ask(run("charge"), f"i{n}")
    world.settle()
    world.hold(BreakerOpened("charge", 2, 10**9))
    world.settle()
    assert not held(world).holds


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"failures": 0}, "Breaker.failures: must be at least 1"),
        ({"within": 0}, "Breaker.within: must be above 0"),
        ({"probe_after": 0}, "Breaker.probe_after: must be above 0"),
        ({"probe_after": 10, "longest": 9}, "Breaker.longest: is below probe_after"),
    ],
)
def test_numbers_that_make_no_breaker_are_refused(fields: dict[str, int], sentence: str) -> None:
    with pytest.raises(DeclarationError, match=sentence):
        Breaker(**fields)
