"""A random world: requests, crashes, zombies, lost appends and outcomes of every kind, by seed."""

from collections.abc import Callable
from random import Random
from typing import Any

import orjson

from sagalog.engine.results import Result, Returned
from sagalog.schemas import Entry
from sagalog.schemas.facts import Started
from sagalog.schemas.requests import Cancel, Inquire, Release
from tests.engine.orders import orders, payments
from tests.engine.owner import Owner
from tests.engine.script import AWAY, ERROR, TERMINAL, TIMEOUT
from tests.engine.world import World, run, saga, to
from tests.properties.effects import Effects
from tests.properties.journal import Journal

TOMORROW = "sagalog.tomorrow.v1"
NAMES = ("order", "wide", "careful", "brief", "remote", "spread")


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
        self.chance = Random(seed)
        app = orders() if retention is None else orders(retention=retention)
        # A child is kept no longer than its parent asks: then there is nothing left to undo.
        self.names = NAMES if retention is None else NAMES[:4]
        self.world = make(app, payments(), partitions=self.chance.choice([1, 1, 2]))
        self.world.own_all()
        self.effects = Effects()
        self.journal = Journal(self.world)
        self.zombies: list[Owner] = []
        self.instances: dict[str, Any] = {}
        self.faults = self.chance.sample(
            ["crash", "zombie", "cancel", "repeat", "failures", "release", "checkpoint"],
            self.chance.randint(2, 7),
        )
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
        drawn = self.chance.random()
        if drawn < 0.03:
            self.ask()
        elif drawn < 0.045:
            self.world.now += self.chance.choice([1, 500, 3000, 12_000])
        elif drawn < 0.06:
            self.strike()
        else:
            owners = [*self.world.owners.values(), *self.zombies]
            self.turn(self.chance.choice(owners))

    def ask(self) -> None:
        """A client starts something, or asks again, or would have it cancelled."""
        again = self.instances and "repeat" in self.faults and self.chance.random() < 0.3
        if self.instances and "cancel" in self.faults and self.chance.random() < 0.3:
            self.world.ask(Cancel(), self.chance.choice([*self.instances]))
        elif again:
            name = self.chance.choice([*self.instances])
            lane = self.chance.choice(["high", "normal", "low"])
            self.world.ask(self.instances[name], name, lane=lane)
            self.world.ask(Inquire(to("again")), name)
        elif len(self.instances) < 6:
            name = f"i{len(self.instances)}"
            kind = self.chance.choice([*self.names, "charge"])
            request = run(kind) if kind == "charge" else saga(kind, reply_to=to(name))
            self.instances[name] = request
            self.world.ask(request, name)

    def strike(self) -> None:
        """A fault."""
        fault = self.chance.choice(self.faults)
        place = self.chance.choice([*self.world.owners])
        owner = self.world.owners[place]
        if fault == "crash":
            owner.crash(landed=self.chance.randint(0, 3))
            self.world.own(*place)
        elif fault == "zombie" and len(self.zombies) < 3:
            self.zombies.append(owner)
            self.world.own(*place)
        elif fault == "checkpoint":
            owner.checkpoint() if self.chance.random() < 0.7 else owner.commit()
        elif fault == "release" and self.instances:
            step = self.chance.choice(["audit", "charge", "reserve", "ship"])
            self.world.ask(Release(step), self.chance.choice([*self.instances]))
        elif fault == "tomorrow":
            self.write_of_tomorrow()

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
        happened = isinstance(result, Returned) or (
            result is TIMEOUT and self.chance.random() < 0.5
        )
        if happened:
            self.effects.happen(invocation)
        owner.end(call, invocation, result)

    def outcome(self) -> Result:
        """How a call ends."""
        if "failures" not in self.faults:
            return Returned(1)
        results: list[Result] = [Returned(1), ERROR, TERMINAL, TIMEOUT, AWAY]
        return self.chance.choices(results, [10, 4, 1, 2, 1])[0]

    # -- the calm after it

    def calm(self) -> None:
        """No more faults: zombies end what they run and go, all work is done, the stuck freed."""
        for zombie in self.zombies:
            self.begin(zombie)
            while zombie.running:
                self.finish(zombie)
            zombie.land()
        if "tomorrow" in self.faults:
            self.upgrade()
        self.faults = []
        for _ in range(60):
            while self.busy():
                pass
            self.world.now += 5000
            if not self.free():
                return
        raise AssertionError(f"no rest: {self.open()}")

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
