"""Pods of a world: a stable name each, and the processes that run under it, one after the other."""

from collections.abc import Callable
from typing import Any, Protocol

from sagalog.engine import App
from sagalog.streams.errors import LogError
from sagalog.streams.pod import Pod
from sagalog.streams.pod_settings import PodSettings
from tests.simulation.journeys import Line
from tests.simulation.log import SimulatedLog
from tests.simulation.stage import Stage, enter
from tests.simulation.surroundings import Surroundings

ORDERLY = 10.0
"""Seconds within which a pod stops in order (L6)."""

BACK = (0.02, 0.5, 3.0, 12.0, 30.0)
"""Seconds until a supervisor has started a dead process again."""


class Runs(Protocol):
    """Hears of the end of a process, and of what its pod takes."""

    def ended(self, process: "Running") -> None:
        """It has ended by itself."""
        ...

    def late(self, process: "Running", seconds: float) -> None:
        """It took too long to stop in order."""
        ...


class Running:
    """One process that runs a pod."""

    def __init__(
        self, around: Surroundings, berth: "Berth", settings: PodSettings, runs: Runs
    ) -> None:
        self.pid = around.new_pid()
        self.berth = berth
        self.process = around.loop.process(f"{berth.name}#{self.pid}")
        self.pod: Pod | None = None
        self.leaving = self.hindered = False
        self.woken = -1.0
        self._around, self._settings, self._runs = around, settings, runs
        strike = around.striker(self)
        self.line = Line(
            around.loop,
            around.network,
            around.chance.of(f"ways of {berth.name}"),
            self.process,
            around.outside,
            strike,
            around.saw,
        )
        self.log = SimulatedLog(around.broker, self.line, around.groups, around.largest)
        stage = Stage(
            self.process,
            around.chance.of(f"handlers of {berth.name}"),
            around.watching(self),
            strike,
            around.moods,
        )
        self.process.run(enter, stage)
        self.process.task(self._serve())

    @property
    def name(self) -> str:
        """The process as a story tells it."""
        return self.process.name

    def clock(self) -> int:
        """The clock of the machine that it runs on."""
        return self._around.now() + self.berth.skew

    async def _serve(self) -> None:
        pod = self.pod = Pod(
            self.berth.app,
            self.log,
            member=self.berth.name,
            settings=self._settings,
            clock=self.clock,
            token=self._around.token,
        )
        try:
            await pod.start()
        except LogError as error:
            self._around.tell(f"{self.name} cannot start: {error}")
        else:
            reason = await pod.failed()
            if self.leaving:
                return
            self._around.tell(f"{self.name} fails: {reason!r}")
            await pod.stop()
        self._end()

    def stop(self) -> None:
        """As by SIGTERM."""
        if self.pod is not None:
            self.leaving = True
            self.process.task(self._stop(self.pod))

    async def _stop(self, pod: Pod) -> None:
        began, dozed = self._around.loop.time(), self._around.dozed
        await pod.stop()
        took = self._around.loop.time() - began - (self._around.dozed - dozed)
        self._around.saw("stopped in order")
        if took > ORDERLY and not self.hindered:
            self._runs.late(self, took)
        self._end()

    def _end(self) -> None:
        if self.process.alive:
            self._runs.ended(self)

    def kill(self) -> None:
        """As by SIGKILL."""
        self.process.kill()
        self.log.fall_silent()
        self._hush()

    def exit(self) -> None:
        """It has ended by itself; what it has left unclosed closes with it."""
        self.kill()

    def freeze(self) -> None:
        """As by SIGSTOP."""
        self.hindered = True
        self.process.freeze()
        self._hush()

    def thaw(self) -> None:
        """As by SIGCONT."""
        self.woken = self._around.loop.time()
        self.process.thaw()
        self._settle()

    def cut(self, seconds: float) -> None:
        """Nothing of it reaches the broker for a while, nor the other way round."""
        self.hindered = True
        self.line.cut_until = self._around.loop.time() + seconds
        self._hush()
        self._around.later(seconds, self._settle)

    def expel(self) -> None:
        """The group takes it for dead."""
        if (membership := self.log.membership) is not None:
            membership.group.expel(membership.name, membership)

    def _hush(self) -> None:
        if (membership := self.log.membership) is not None:
            membership.group.silent(membership.name, membership)

    def _settle(self) -> None:
        if (membership := self.log.membership) is not None:
            membership.group.settle()


class Berth:
    """A pod's name, its machine's clock, and who runs there now.

    `running` is the newest process; `ghosts` are former ones that live on although another
    was started under their name: then `doubled`. `skew` is how far the clock is off, in ms.
    """

    def __init__(self, app: App, name: str, launch: Callable[["Berth"], Running]) -> None:
        self.app, self.name = app, name
        self.skew = 0
        self.doubled = False
        self.running: Running | None = None
        self.ghosts: list[Running] = []
        self._launch = launch

    @property
    def processes(self) -> list[Running]:
        """All that live."""
        newest = [] if self.running is None else [self.running]
        return [*newest, *self.ghosts]

    def launch(self, *_: Any) -> None:
        """Start a process, unless there is one."""
        if self.running is None:
            self.running = self._launch(self)

    def double(self) -> None:
        """Start another one although there is one: whoever did so took the first for dead."""
        if self.running is not None:
            self.doubled = True
            self.ghosts.append(self.running)
            self.running = None
        self.launch()

    def gone(self, process: Running) -> bool:
        """It is dead; whether its place is empty now."""
        if process in self.ghosts:
            self.ghosts.remove(process)
            return False
        self.running = None
        return True
