"""Clients of a world: processes with a real Client, who ask, repeat, cancel, die and come back."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from sagalog.engine import App
from sagalog.schemas.requests import StepData
from sagalog.streams.client import Client
from sagalog.streams.errors import LogError
from sagalog.streams.handle import Handle
from sagalog.streams.outcomes import NotCompleted, Outcome
from tests.simulation.journeys import Line
from tests.simulation.log import SimulatedLog
from tests.simulation.surroundings import Surroundings

PAUSES = (0.0, 0.0, 0.05, 0.5, 2.0)
LANES: tuple[Any, ...] = ("normal", "high", "low")


@dataclass(slots=True)
class Ask:
    """Something that a client wants to happen, and what it was told of it.

    `durable` once the log has acknowledged it. `told` is how it ended, or which word came
    instead; `person` waits for that, None when nobody does any more.
    """

    app: str
    name: str
    key: str | None
    payload: Any
    person: "Person | None"
    instance: str = ""
    durable: bool = False
    told: Outcome | str | None = None


class Asked(Protocol):
    """Keeps what clients ask for, and hears of what they are told."""

    asks: list[Ask]

    def told(self, ask: Ask) -> None:
        """Its client has an answer."""
        ...


class Person:
    """One user of an app. `deeds` is how often it does something; `names` what it may start."""

    def __init__(
        self,
        around: Surroundings,
        asked: Asked,
        app: App,
        name: str,
        names: tuple[str, ...],
        deeds: int,
    ) -> None:
        self.app, self.name, self.names, self.deeds = app, name, names, deeds
        self.skew = 0
        self._chance = around.chance.of(name)
        self._around, self._asked = around, asked
        self.start()

    def start(self) -> None:
        """A process with a client."""
        around = self._around
        self.pid = around.new_pid()
        self.process = around.loop.process(f"{self.name}#{self.pid}")
        strike = around.striker(self)
        self.line = Line(
            around.loop,
            around.network,
            self._chance,
            self.process,
            around.outside,
            strike,
            around.saw,
        )
        self.log = SimulatedLog(around.broker, self.line, around.groups, around.largest)
        self.client: Client | None = None
        self.process.task(self._live())

    def clock(self) -> int:
        """The clock of its machine."""
        return self._around.now() + self.skew

    async def _live(self) -> None:
        client = Client(
            self.log, self.app, source=self.name, clock=self.clock, token=self._around.token
        )
        while True:
            try:
                await client.open()
                break
            except LogError:
                await asyncio.sleep(1.0)
        self.client = client
        for ask in self._asked.asks:
            if ask.person is self and ask.told is None:
                await self._come_back(ask)
        while self.deeds > 0:
            self.deeds -= 1
            await self._patiently(self._deed(client))
            await asyncio.sleep(self._chance.pick(PAUSES))

    async def _patiently(self, deed: Awaitable[Any]) -> None:
        try:
            await deed
        except LogError as error:
            self._around.tell(f"{self.name} is told: {error}")
        except NotCompleted as error:
            self._around.tell(f"{self.name} is told: {error}")

    def _deed(self, client: Client) -> Awaitable[Any]:
        chance = self._chance
        mine = [ask for ask in self._asked.asks if ask.instance and ask.name != "look"]
        deeds: list[Callable[[], Awaitable[Any]]] = [lambda: self._begin(client)]
        if mine:
            deeds += [
                lambda: self._begin(client),
                lambda: self._repeat(client, chance.pick(mine)),
                lambda: client.cancel(chance.pick(mine).instance, lane=chance.pick(LANES)),
                lambda: self._look(client, chance.pick(mine)),
                lambda: self.release(chance.pick(mine).instance, chance.pick(STEPS)),
            ]
        return chance.pick(deeds)()

    async def _begin(self, client: Client) -> None:
        chance, number = self._chance, len(self._asked.asks)
        key = f"k{number}" if chance.choose(4) else None
        name = chance.pick((*self.names, "data", "nothing"))
        await self._ask(client, Ask(self.app.name, name, key, {"n": number}, self))

    async def _repeat(self, client: Client, ask: Ask) -> None:
        """The same key again; now and then with another payload."""
        payload = {"n": -1} if self._chance.choose(4) == 3 else ask.payload
        again = Ask(ask.app, ask.name, ask.key or "again", payload, self)
        await self._ask(client, again)

    async def _ask(self, client: Client, ask: Ask) -> None:
        chance = self._chance
        self._asked.asks.append(ask)
        lane, confirm = chance.pick(LANES), chance.choose(4) == 3
        try:
            self._listen(ask, await self._send(client, ask, lane, confirm=confirm))
        except NotCompleted as error:  # what `confirm` waits for
            ask.instance, ask.durable, ask.told = error.outcome.instance, True, _word(error)
            raise

    async def _send(self, client: Client, ask: Ask, lane: Any, *, confirm: bool) -> Handle[Any]:
        self._around.tell(f"{self.name} asks for {ask.name} {ask.key} {ask.payload} by {lane}")
        common: dict[str, Any] = {"key": ask.key, "priority": lane, "confirm": confirm}
        if ask.name == "data":
            handle = await client.start("data", ask.payload, steps=DATA, **common)
        elif ask.name in self.app.operations:
            handle = await client.submit(ask.name, ask.payload, **common)
        else:
            handle = await client.start(ask.name, ask.payload, **common)
        ask.durable, ask.instance = True, handle.id
        return handle

    def _listen(self, ask: Ask, handle: Handle[Any]) -> None:
        self.process.task(self._hear(ask, handle))

    async def _hear(self, ask: Ask, handle: Handle[Any]) -> None:
        try:
            told: Outcome | str = await handle.outcome()
        except NotCompleted as error:
            told = _word(error)
        if self.process.alive:
            ask.told = told
            self._around.tell(f"{self.name} hears of {ask.name} {ask.key}: {told}")
            self._asked.told(ask)

    async def _look(self, client: Client, ask: Ask) -> None:
        handle = await client.get(ask.instance, wait=bool(self._chance.choose(2)))
        look = Ask(ask.app, "look", None, None, self, instance=ask.instance)
        self._asked.asks.append(look)
        self._listen(look, handle)

    async def _come_back(self, ask: Ask) -> None:
        """Whoever has died asks again, by key or by id; without either it cannot."""
        client = self.client
        assert client is not None
        while ask.told is None:
            try:
                if ask.key is not None and ask.name != "look":
                    await self._ask_again(client, ask)
                elif ask.instance:
                    self._listen(ask, await client.get(ask.instance))
                else:
                    ask.person = None
            except LogError:
                await asyncio.sleep(1.0)
            else:
                return

    async def _ask_again(self, client: Client, ask: Ask) -> None:
        lane = self._chance.pick(LANES)
        self._listen(ask, await self._send(client, ask, lane, confirm=False))

    async def release(self, instance: str, step: str, how: Any = "retry") -> None:
        """Move a parked step on."""
        assert self.client is not None
        said = await self.client.release(instance, step, how)
        self._around.tell(f"{self.name} releases {instance[:8]} {step} ({how}): {said}")

    def kill(self) -> None:
        """As by SIGKILL."""
        self.process.kill()
        self.log.fall_silent()


def _word(error: NotCompleted) -> str:
    return type(error).__name__


STEPS = ("reserve", "charge", "ship", "audit", "note")
DATA = (
    StepData("reserve", name="a", compensation="release", max_retries=1),
    StepData("note", name="b", after=(), timeout=1000),
    StepData("charge", name="c", after=("a", "b"), compensation="refund"),
    StepData("ship", name="d", after=("a",), compensation="recall", parameters={"n": 7}),
)
