"""A pod on the stage: a process that can be killed, and comes back."""

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import replace
from functools import partial

from sagalog.engine import App
from sagalog.streams.log import Log
from sagalog.streams.pod import Pod
from sagalog.streams.pod_settings import PodSettings
from sagalog.streams.surroundings import Clock, Token
from sagalog.streams.testing.leaps import LeapingLoop
from sagalog.streams.testing.loop import Process

Logs = Callable[[Process, Callable[[], None]], Log]
"""The log as a process sees it, which may call the function to die of what it writes."""


class StagePod:
    """The pod of one app, one process after the other.

    `tokens` gives each process its chance, by its name; `killed` hears of the app whose
    pod is dead.
    """

    def __init__(
        self,
        app: App,
        loop: LeapingLoop,
        clock: Clock,
        *,
        settings: PodSettings | None,
        tokens: Callable[[str], Token],
        logs: Logs,
        killed: Callable[[str], None],
    ) -> None:
        self.app = app
        self._loop, self._clock = loop, clock
        # No other process lives in made-up time: what is for one runs as in a thread.
        self._settings = replace(settings or PodSettings(), processes=0)
        self._tokens, self._logs, self._killed = tokens, logs, killed
        self._context = copy_context()
        self._process: Process | None = None
        self._pod: Pod | None = None
        self._watching: asyncio.Task[None] | None = None
        self._lives = 0

    @property
    def alive(self) -> bool:
        """Whether a process lives."""
        return self._process is not None

    @property
    def name(self) -> str:
        """Its process, the last one."""
        return f"{self.app.name}-{self._lives}"

    def position(self, partition: int) -> int:
        """The offset of the fact that it folds next; -1 where it holds no such partition."""
        owner = self._pod.owners.get(partition) if self._pod else None
        return owner.processor.position if owner else -1

    def start(self) -> None:
        """Start a process, unless one lives."""
        if self._process is not None:
            return
        self._lives += 1
        self._process = process = self._loop.process(self.name)
        log = self._logs(process, partial(self._die, process))
        self._pod = pod = process.run(self._make, log, self._tokens(self.name))
        starting = process.task(pod.start())
        self._watching = self._loop.create_task(self._watch(process, starting, pod))

    def _make(self, log: Log, token: Token) -> Pod:
        return Pod(
            self.app,
            log,
            member=f"{self.app.name}-0",
            settings=self._settings,
            clock=self._clock,
            token=token,
        )

    async def _watch(self, process: Process, starting: "asyncio.Task[None]", pod: Pod) -> None:
        """A pod that ends by itself ends the test."""
        try:
            await starting
            error = await pod.failed()
        except Exception as raised:  # noqa: BLE001 (whatever it was, the test is told)
            error = raised
        if process.alive:
            self._loop.trouble.append(error)

    def kill(self) -> None:
        """As by SIGKILL."""
        if self._process is None:
            return
        self._process.kill()
        self._process = self._pod = None
        self._killed(self.app.name)

    async def stop(self) -> None:
        """End it in order, but wait for no handler: those are cancelled, and say nothing."""
        if self._process is None or self._pod is None:
            return
        if self._watching is not None:
            self._watching.cancel()
        self._pod.settings = replace(self._pod.settings, give_up_timeout=0.0)
        await self._process.task(self._pod.stop())

    def crash(self) -> None:
        """Killed, and started anew."""
        if self._process is not None:
            self._die(self._process)

    def _die(self, process: Process) -> None:
        """Killed by what it did, and started anew."""
        if self._process is process:
            self.kill()
            self._loop.call_soon(self.start, context=self._context)
