"""Calls of limited operations wait here until their owner holds a permit for them."""

from sagalog.engine.alarms import Alarms
from sagalog.engine.app import App
from sagalog.engine.calls import input_of, operation_of
from sagalog.engine.desk import Desk
from sagalog.engine.effects import Call
from sagalog.engine.instance import Instance
from sagalog.engine.lending import Lending
from sagalog.engine.limits import Limit, key_of
from sagalog.engine.purse import NOTHING, Purse, Wish
from sagalog.schemas.definition import Json
from sagalog.schemas.ids import board_id, limiter_id
from sagalog.schemas.limits import LimitSpec, PermitsAsked, PermitsGranted


class Permits:
    """The purses of the owner of one partition, and which call is paid from which.

    A call that waits holds no slot. One that has its permit keeps it until it has ended.
    `moved` are the limiters for which fewer wait since somebody last looked.
    """

    __slots__ = (
        "_alarms",
        "_app",
        "_closing",
        "_desk",
        "_lending",
        "_limits",
        "_number",
        "_paid",
        "_purses",
        "moved",
    )

    def __init__(self, app: App, desk: Desk, lending: Lending) -> None:
        self._app, self._desk, self._lending = app.name, desk, lending
        self._limits: dict[str, Limit] = {
            name: operation.limit
            for name, operation in app.operations.items()
            if operation.limit is not None
        }
        self._alarms = Alarms()
        self._purses: dict[str, Purse] = {}
        self._paid: dict[Call, Purse] = {}
        self._number = 0
        self._closing = False
        self.moved: set[str] = set()

    @property
    def limited(self) -> bool:
        """Whether any operation of the app declares a limit."""
        return bool(self._limits)

    def limits(self, operation: str) -> bool:
        """Whether the operation declares a limit."""
        return operation in self._limits

    def limiter(self, operation: str, tenant: str, payload: Json) -> str | None:
        """The limiter of a call of an operation; None where nothing limits it."""
        limit = self._limits.get(operation)
        if limit is None:
            return None
        return limiter_id(self._app, operation, key_of(limit.by, tenant, payload))

    def waiting(self, limiter: str, lane: str, tenant: str) -> int:
        """How many calls of a tenant wait in a lane for the permits of a limiter."""
        purse = self._purses.get(limiter)
        return purse.waiting.of(lane, tenant) if purse else 0

    # -- calls

    def ready(self, call: Call, state: Instance) -> None:
        """A call could begin: at once where nothing limits it, else when it has a permit."""
        effects = self._desk.writer.effects
        if not self._limits:
            effects.calls.append(call)
            return
        operation = operation_of(state, call.action)
        limit = self._limits.get(operation)
        if limit is None:
            effects.calls.append(call)
            return
        given = input_of(state, call.action)
        key = key_of(limit.by, state.tenant, state.input if given is None else given)
        purse = self._purse(operation, key, limit)
        purse.waiting.add(call, state.tenant)
        self._serve(purse)

    def _purse(self, operation: str, key: str, limit: Limit) -> Purse:
        name = limiter_id(self._app, operation, key)
        purse = self._purses.get(name)
        if purse is None:
            purse = self._purses[name] = Purse(name, operation, key, self._spec(operation, limit))
        return purse

    def _spec(self, operation: str, limit: Limit) -> LimitSpec:
        """What is set for all keys here, or else what is declared."""
        desk = self._desk
        board = board_id(self._app, operation, desk.writer.partition, desk.partitions)
        return self._lending.set_for(board) or limit.spec()

    def begins(self, call: Call) -> bool:
        """Whether a call may still begin, now that it has a slot; else it waits again."""
        purse = self._paid.get(call) if self._paid else None
        if purse is None or self._desk.writer.now < purse.ends:
            return True
        del self._paid[call]
        purse.freed(self._desk.writer.now)
        state = self._desk.table.get(call.instance)
        purse.waiting.add(call, state.tenant if state else "", first=True)
        self._serve(purse)
        return False

    def ended(self, call: Call) -> None:
        """A call has ended, or will not begin."""
        purse = self._paid.pop(call, None) if self._paid else None
        if purse is not None:
            purse.freed(self._desk.writer.now)
            self._serve(purse)

    def _serve(self, purse: Purse) -> None:
        """Begin what may begin, and ask for what is missing."""
        now = self._desk.writer.now
        while purse.waiting and purse.free(now):
            self.moved.add(purse.name)
            call = purse.waiting.pop()
            if self._wanted(call):
                purse.use()
                self._paid[call] = purse
                self._desk.writer.effects.calls.append(call)
            else:
                self._desk.done(call.request)
        wish = purse.wish(now)
        if self._closing and not purse.used:
            wish = NOTHING
        if wish is not None:
            self._ask(purse, wish)
        if purse.name in self._purses:
            self._alarms.set(purse.name, purse.due(now))

    def _wanted(self, call: Call) -> bool:
        state = self._desk.table.get(call.instance)
        if state is None or state.run != call.run or call in self._paid:
            return False
        return self._desk.agenda.phase(call.instance, call.action) == "due"

    # -- asking

    def _ask(self, purse: Purse, wish: Wish) -> None:
        self._number += 1
        writer = self._desk.writer
        fact = PermitsAsked(
            run=writer.source,
            number=self._number,
            partition=writer.partition,
            operation=purse.operation,
            key=purse.key,
            keep=wish.keep,
            wanted=wish.wanted,
            limit=purse.spec,
            tokens=wish.tokens,
        )
        writer.beside(purse.name, fact, None)
        purse.asked(wish, self._number, writer.now)
        if wish == NOTHING:
            del self._purses[purse.name]
            self._alarms.set(purse.name, None)

    def granted(self, name: str, fact: PermitsGranted) -> None:
        """The limiter has told an owner what it holds; if it is this one, go on with it."""
        purse = self._purses.get(name)
        if purse is not None and fact.run == self._desk.writer.source:
            purse.granted(fact, self._desk.writer.now)
            self._serve(purse)

    def changed(self, operation: str) -> None:
        """The limit for all keys has changed here: every limiter is to hear of it."""
        for purse in [x for x in self._purses.values() if x.operation == operation]:
            spec = self._spec(operation, self._limits[operation])
            if spec != purse.spec:
                purse.spec = spec
                self._ask(purse, purse.anew())

    # -- time

    def next_due(self) -> int | None:
        """When a purse is to be looked at next (ms)."""
        return self._alarms.next_due()

    def tick(self) -> None:
        """Renew what is in use, give back what is not."""
        for name in self._alarms.due(self._desk.writer.now):
            self._serve(self._purses[name])

    def close(self) -> None:
        """Begin nothing more, and give back what is not in use."""
        self._closing = True
        for purse in list(self._purses.values()):
            purse.waiting.clear()
            self._serve(purse)
