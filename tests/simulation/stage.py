"""Where a handler runs: it finds its process, and there what it is to do this time."""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Protocol

from sagalog.engine import Context, Terminal, Unavailable
from sagalog.streams.testing.loop import Process
from tests.simulation.chance import Stream

SLOW = (0.05, 0.5, 3.0, 8.0)
MOODS = (
    "slow",
    "error",
    "terminal",
    "away",
    "hang",
    "error after the effect",
    "hang after the effect",
    "unstorable",
    "large",
    "stubborn",
    "slow after the effect",
)
"""How a call may go, other than well."""


class Outside(Protocol):
    """What handlers touch, and who watches them."""

    def begins(self, operation: str, context: Context) -> None:
        """A call begins."""
        ...

    def happens(self, operation: str, context: Context, *, denied: bool = False) -> None:
        """A call has had its effect; `denied` where it says that it failed all the same."""
        ...


class Stage:
    """The handlers' side of one process. `moods` are how calls may go besides well."""

    def __init__(
        self,
        process: Process,
        chance: Stream,
        outside: Outside,
        strike: Callable[[str], bool],
        moods: Callable[[], list[str]],
    ) -> None:
        self._process, self._chance, self._outside = process, chance, outside
        self._strike, self._moods = strike, moods

    async def perform(self, operation: str, ctx: Context) -> Any:
        """One call of a handler that may wait."""
        if not self._process.alive:
            return await _never()
        self._outside.begins(operation, ctx)
        if self._strike("handler-started"):
            return await _never()
        mood = self._mood()
        if mood.startswith(("slow", "hang", "stubborn")):
            await self._wait(operation, ctx, mood)
        return self._end(operation, ctx, mood)

    def perform_at_once(self, operation: str, ctx: Context) -> Any:
        """One call of a plain handler."""
        if not self._process.alive:
            return None
        self._outside.begins(operation, ctx)
        if self._strike("handler-started"):
            return None
        return self._end(operation, ctx, self._mood())

    def _mood(self) -> str:
        moods = self._moods()
        return self._chance.pick(["", "", *moods]) if moods else ""

    async def _wait(self, operation: str, ctx: Context, mood: str) -> None:
        if mood.endswith("after the effect"):
            self._outside.happens(operation, ctx)
        try:
            await asyncio.sleep(60.0 if mood.startswith("hang") else self._chance.pick(SLOW))
        except asyncio.CancelledError:
            if mood != "stubborn":
                raise
            await asyncio.sleep(0.5)

    def _end(self, operation: str, ctx: Context, mood: str) -> Any:
        if not self._process.alive:
            return None
        match mood:
            case "error":
                raise RuntimeError("planted")
            case "terminal":
                raise Terminal("planted")
            case "away":
                raise Unavailable("planted")
            case "error after the effect":
                self._outside.happens(operation, ctx, denied=True)
                raise RuntimeError("planted, after the effect")
            case _:
                self._outside.happens(operation, ctx)
        if self._strike("handler-done-result-unsent"):
            return None
        return {"unstorable": object(), "large": "x" * 20_000}.get(mood, f"{operation} done")


_STAGE: ContextVar[Stage] = ContextVar("simulated-stage")
enter = _STAGE.set
here = _STAGE.get


async def _never() -> Any:
    return await asyncio.get_running_loop().create_future()
