"""A random world: requests, crashes, zombies, lost appends and outcomes of every kind, by seed."""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import orjson

from sagalog.engine.results import Result, Returned
from sagalog.schemas import Entry, Record, encode
from sagalog.schemas.facts import Started
from sagalog.schemas.partitioner import partition_of
from sagalog.schemas.requests import Cancel, Inquire, Release
from tests.engine.orders import orders, payments
from tests.engine.owner import Owner
from tests.engine.script import AWAY, ERROR, TERMINAL, TIMEOUT
from tests.engine.world import World, run, saga, to
from tests.properties.effects import Effects
from tests.properties.journal import Journal
from tests.properties.weather import ABROAD, SAGAS, Weather

TOMORROW = "sagalog.tomorrow.v1"


class Storm:
    """A world under faults. `effects` is what the handlers did to the world outside."""

    def __init__(
        self,
        seed: int,
        *,
        retention: int | None = None,
        tomorrow: bool = False,
        make: type[World] = World,
    ) -> None:
        self.chance, self.forgetful = Random(seed), retention is not None
        app = orders() if retention is None else orders(retention=retention)
        # A child is kept no longer than its parent asks: then there is nothing left to undo.
        kinds = (*SAGAS, *ABROAD, "charge") if retention is None else (*SAGAS, "charge")
        self.weather = Weather.drawn(self.chance, kinds)
        self.world = make(app, payments(), partitions=self.weather.partitions)
        self.world.own_all()
        self.effects = Effects()
        self.journal = Journal(self.world)
        self.zombies: list[Owner] = []
        self.instances: dict[str, Any] = {}
        self.poison: list[Record] = []
        self.strays = self.ended = self.woken = 0
        self.faults = list(self.weather.faults)
        self.failing = "failures" in self.faults
        if tomorrow:
            self.faults.append("tomorrow")

    # -- the storm

    def blow(self, steps: int) -> None:
        """So many random moves."""
        for _ in range(steps):
            self.move()

    def move(self) -> None:
        """One move: of a client, of time, of a fault, or of an owner."""
        self.take_again()
        drawn, weather = self.chance.random(), self.weather
        if drawn < weather.asks:
            self.ask()
        elif drawn < weather.asks + weather.hurry:
            self.world.now += self.chance.choice([1, 500, 3000, 12_000])
        elif drawn < weather.asks + weather.hurry + weather.strikes:
            self.strike()
        else:
            owners = [*self.world.owners.values(), *self.zombies]
            self.turn(self.chance.choice(owners))

    def ask(self) -> None:
        """A client starts something, or asks again, or would have it cancelled."""
        again = self.instances and "repeat" in self.faults and self.chance.random() < 0.3
        if self.instances and "cancel" in self.faults and self.chance.random() < 0.3:
            self.post(Cancel(), self.chance.choice([*self.instances]))
        elif again:
            name = self.chance.choice([*self.instances])
            lane = self.chance.choice(["high", "normal", "low"])
            rival = replace(self.instances[name], fingerprint="g", reply_to=to(f"rival {name}"))
            self.post(self.chance.choice([self.instances[name], rival]), name, lane)
            self.post(Inquire(to("again")), name)
        elif len(self.instances) < 6:
            name = f"i{len(self.instances)}"
            kind = self.chance.choice(self.weather.kinds)
            request = run(kind) if kind == "charge" else saga(kind, reply_to=to(name))
            self.instances[name] = request
            self.post(request, name)

    def post(self, request: Any, name: str, lane: str = "normal") -> None:
        """A request lands, where it belongs or (for the producer has another hash) elsewhere."""
        if "stray" in self.faults and self.chance.random() < 0.5:
            value = encode(request, id="r", source="client", subject=name, now=self.world.now)
            number = self.chance.randrange(self.world.partitions)
            self.strays += number != partition_of(name.encode(), self.world.partitions)
            self.world.append(f"orders.{lane}", number, Entry(name.encode(), value))
        else:
            self.world.ask(request, name, lane=lane)

    def strike(self) -> None:
        """A fault."""
        fault = self.chance.choice(self.faults)
        places = [*self.world.owners]
        if fault in ("crash", "zombie") and self.chance.random() < 0.7:  # in the middle of it
            places = [p for p in places if self.world.owners[p].outbox] or places
        place = self.chance.choice(places)
        owner = self.world.owners[place]
        if fault == "crash":
            if "checkpoint" in self.faults and self.chance.random() < 0.3:
                self.checkpoint(owner)
            owner.crash(landed=self.chance.randint(0, 3))
            self.world.own(*place)
        elif fault == "zombie" and len(self.zombies) < 3:
            self.zombies.append(owner)
            self.world.own(*place)
        elif fault == "checkpoint":
            self.checkpoint(owner) if self.chance.random() < 0.7 else owner.commit()
        elif fault == "release" and self.instances:
            step = self.chance.choice(["audit", "charge", "reserve", "ship"])
            self.post(Release(step), self.chance.choice([*self.instances]))
        elif fault == "poison":
            topic = self.chance.choice(["events", *LANES])
            number = self.chance.randrange(self.world.partitions)
            self.poison.append(self.world.append(f"orders.{topic}", number, GARBAGE))
        elif fault == "tomorrow":
            self.write_of_tomorrow()

    def checkpoint(self, owner: Owner) -> None:
        """A checkpoint, in which no row goes whose leaving is no fact (rule 3)."""
        table = self.world.tables[owner.app.name, owner.number]
        before = {key.decode() for key in table}
        owner.checkpoint()
        for gone in before - {key.decode() for key in table}:
            if not gone.startswith("~"):
                kinds = self.world.kinds(gone, app=owner.app.name)
                assert "Forgotten" in kinds, f"{gone} leaves the table without a fact"

    def write_of_tomorrow(self) -> None:
        """A newer pod writes what the pods of today cannot read: it cancels."""
        started = [m for m in self.world.read("orders.events") if isinstance(m.data, Started)]
        if started:
            first = self.chance.choice(started)
            value = {"type": TOMORROW, "subject": first.subject, "data": {"run": first.data.run}}
            key = first.subject.encode()
            self.world.append("orders.events", None, Entry(key, orjson.dumps(value)))

    def take_again(self) -> None:
        """Who is still assigned a partition takes it anew where a zombie's late Taken cost it."""
        for place, owner in list(self.world.owners.items()):
            if not owner.alive:
                owner.crash()
                self.world.own(*place)

    def turn(self, owner: Owner) -> None:
        """One small move of one owner."""
        moves: list[Callable[[], Any]] = [
            lambda: owner.fold(self.chance.choice([1, 3, 100])),
            lambda: owner.take_in(self.chance.choice(LANES), most=self.chance.choice([1, 9])),
            lambda: self.begin(owner, self.chance.choice([1, 9])),
            lambda: self.finish(owner),
            lambda: owner.land(self.chance.choice([1, 2, 100])),
            owner.tick,
            owner.poll,
        ]
        self.chance.choice(moves)()

    def begin(self, owner: Owner, most: int = 9) -> bool:
        """Handlers start."""
        before = len(self.world.calls)
        moved = owner.begin(most)
        for invocation in self.world.calls[before:]:
            self.journal.check(owner, invocation)
        return moved

    def finish(self, owner: Owner) -> None:
        """A call ends; what it did to the world is done, whether or not its result lands."""
        if not owner.running:
            return
        call, invocation = self.chance.choice(owner.running)
        result = self.outcome()
        if isinstance(result, Returned):
            self.ended += 1
            result = Returned(f"{invocation.context.step} {self.ended}")
        # Of what a former owner's call did that was cut off no fact will ever tell.
        current = owner in self.world.owners.values()
        cut_off = result is TIMEOUT and current and self.chance.random() < 0.5
        happened = isinstance(result, Returned) or cut_off
        if happened:
            self.effects.happen(invocation)
        owner.end(call, invocation, result)

    def outcome(self) -> Result:
        """How a call ends."""
        if not self.failing:
            return Returned(1)
        results: list[Result] = [Returned(1), ERROR, TERMINAL, TIMEOUT, AWAY]
        return self.chance.choices(results, self.weather.outcomes)[0]

    # -- the calm after it

    def calm(self) -> None:
        """No more faults: zombies end what they run and go, all work is done, the stuck freed."""
        zombies, self.zombies = self.zombies, []
        self.woken = len(zombies)
        if not self.weather.late:
            self.wake(zombies)
        if "tomorrow" in self.faults:
            self.upgrade()
        self.faults = []
        self.settle()
        if self.weather.late:
            self.forget()
            if self.forgetful and self.chance.random() < 0.7:
                self.begin_anew()
            self.wake(zombies)
            self.settle()
        self.ask_for_ends()
        for place in self.world.owners:
            self.journal.read(*place)

    def wake(self, zombies: list[Owner]) -> None:
        """Who was frozen does what it had in mind; who has read that it is replaced drops it."""
        failing, self.failing = self.failing, False
        for zombie in zombies:
            if not zombie.alive:
                zombie.crash()
            self.begin(zombie)
            while zombie.running:
                self.finish(zombie)
            zombie.land()
        self.failing = failing

    def forget(self) -> None:
        """All that has been kept long enough leaves."""
        self.world.now += 5000
        for owner in self.world.owners.values():
            owner.poll()
        self.rest()

    def begin_anew(self) -> None:
        """All pods restart, and all that was asked for is asked for again."""
        for place, owner in list(self.world.owners.items()):
            self.checkpoint(owner)
            owner.crash()
            self.world.own(*place)
        for name, request in self.instances.items():
            self.world.ask(request, name)
        for _ in range(30):
            self.turn(self.chance.choice([*self.world.owners.values()]))

    def settle(self) -> None:
        """All work is done, in the end without failures, and a person frees what is stuck."""
        for turn in range(60):
            self.failing &= turn < 6
            self.rest()
            self.world.now += 5000
            if not self.free():
                return
        raise AssertionError(f"no rest: {self.open()}")

    def ask_for_ends(self) -> None:
        """Every client asks how its own ended."""
        for name in self.instances:
            self.world.ask(Inquire(to(f"last {name}")), name)
        self.rest()

    def rest(self) -> None:
        """Turn everybody until nothing moves."""
        for _ in range(1000):
            if not self.busy():
                return
        raise AssertionError("no rest: something moves for ever")

    def upgrade(self) -> None:
        """Every pod is replaced by one of tomorrow; else nothing may need another owner."""
        for place, owner in list(self.world.owners.items()):
            owner.crash()
            self.world.own(*place)

    def busy(self) -> bool:
        """One turn of everybody; whether anything moved."""
        moved = False
        self.take_again()
        for owner in list(self.world.owners.values()):
            moved |= any([owner.land(), owner.fold(), owner.take_in(), owner.tick()])
            moved |= self.begin(owner)
            while owner.running:
                self.finish(owner)
                moved = True
        return moved

    def free(self) -> bool:
        """A person has what is parked tried again; whether anything is not at rest."""
        for app, name, state in self.open():
            for step, spec in zip(state.steps, state.definition.steps, strict=True):
                if state.status in ("stuck", "dead") and (state.cause or step.status == "failed"):
                    how = "resolve" if spec.there and not state.cause else "retry"
                    request = Release(spec.name, how)  # type: ignore[arg-type]
                    self.world.ask(request, name, app=app)
        return bool(self.open())

    def open(self) -> list[tuple[str, str, Any]]:
        """The instances that have not ended, or still want something undone."""
        found = []
        for (app, _), owner in self.world.owners.items():
            for name, state in owner.partition.table.live():
                if not state.ended or state.undoing:
                    found.append((app, name, state))
        return found


LANES = ("high", "normal", "low", "compensations")
GARBAGE = Entry(b"garbage", b"{")
