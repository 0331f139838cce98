"""An event loop whose time is made up: what waits costs nothing, and every run is the same.

It runs ready callbacks first in, first out, as asyncio does; when none is ready it moves its
clock to the next timer at once. Plain functions that production code would give to a thread run
in place. It has no sockets: whoever asks it for one gets NotImplementedError.

It knows **processes**: what is started within one can be killed as by SIGKILL (nothing of it runs
ever again, not even a `finally`) or frozen and thawed as by SIGSTOP and SIGCONT.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context
from itertools import count
from typing import Any, TypeVar, cast

T = TypeVar("T")


class Stalled(RuntimeError):
    """Nothing is left that could ever happen, and what was to be run has not ended."""


class Process:
    """What runs together and dies together. Make one with `VirtualLoop.process`."""

    def __init__(self, loop: "VirtualLoop", name: str) -> None:
        self.name = name
        self.alive = True
        self.frozen = False
        self._loop = loop
        self._held: list[Turn] = []
        self._context = copy_context()
        self._context.run(_PROCESS.set, self)

    def run(self, function: Callable[..., T], *args: Any) -> T:
        """Call a function within the process; what it starts belongs to it."""
        return self._context.run(function, *args)

    def task(self, coroutine: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Run a coroutine within the process. Of one that is killed the task never ends."""
        return self._loop.create_task(coroutine, context=self._context.copy())

    def kill(self) -> None:
        """Run nothing of it any more. Twice is once."""
        self.alive = False
        self._held.clear()

    def freeze(self) -> None:
        """Hold what it would do, until `thaw`."""
        self.frozen = True

    def thaw(self) -> None:
        """Let it do what was held, in its order; its timers are late."""
        self.frozen = False
        held, self._held = self._held, []
        self._loop.ready.extend(held)

    def hold(self, turn: "Turn") -> None:
        """Keep a turn until `thaw`."""
        self._held.append(turn)


_PROCESS: ContextVar[Process | None] = ContextVar("sagalog-process", default=None)


def current_process() -> Process | None:
    """The process within which this code runs, if any."""
    return _PROCESS.get()


class Turn:
    """A callback that is to run once, perhaps at a time: asyncio's Handle and TimerHandle."""

    __slots__ = ("_args", "_at", "_callback", "_cancelled", "_context")

    def __init__(
        self, callback: Callable[..., Any], args: tuple[Any, ...], context: Context, at: float
    ) -> None:
        self._callback, self._args, self._context, self._at = callback, args, context, at
        self._cancelled = False

    def cancel(self) -> None:
        """Let it not run."""
        self._cancelled = True

    def cancelled(self) -> bool:
        """Whether it is not to run."""
        return self._cancelled

    def when(self) -> float:
        """The loop's time at which it is to run (s)."""
        return self._at

    def take(self, loop: "VirtualLoop") -> None:
        """Run it, unless it is cancelled or its process is dead or frozen."""
        if self._cancelled:
            return
        process = self._context.get(_PROCESS)
        if process is not None:
            if not process.alive:
                return
            if process.frozen:
                process.hold(self)
                return
        try:
            self._context.run(self._callback, *self._args)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001 (as asyncio: told, and the loop goes on)
            loop.call_exception_handler({"message": "a callback raised", "exception": error})


class VirtualLoop(asyncio.BaseEventLoop):
    """See the module. `errors` collects what callbacks and lost tasks raised."""

    def __init__(self) -> None:
        self._running = False
        super().__init__()
        self.ready: deque[Turn] = deque()
        self.errors: list[dict[str, Any]] = []
        self.turns = 0
        self._timers: list[tuple[float, int, Turn]] = []
        self._numbers = count()
        self._now = 0.0
        # Held, since a killed one that is collected runs its `finally`.
        self._tasks: list[asyncio.Task[Any]] = []
        self._many = 1000
        self._closed = self._stopping = False

    # -- running

    def process(self, name: str) -> Process:
        """A new process, alive."""
        return Process(self, name)

    def pending(self) -> list["asyncio.Task[Any]"]:
        """The tasks that have not ended, those of the dead too."""
        self._tasks = [task for task in self._tasks if not task.done()]
        return self._tasks

    def step(self) -> None:
        """Run one turn, or move the clock to the next. Raises Stalled where there is none."""
        if not self.ready:
            self._advance()
        self.turns += 1
        self.ready.popleft().take(self)

    def _advance(self) -> None:
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        if not self._timers:
            raise Stalled("nothing is left that could ever happen")
        at, _, turn = heapq.heappop(self._timers)
        self._now = max(self._now, at)
        self.ready.append(turn)

    def pass_time(self, seconds: float) -> None:
        """Let time pass in which nothing runs, as on a machine that sleeps: its timers are late."""
        self._now += seconds

    def run_until_complete(self, future: Any) -> Any:
        """Run until it has ended; its result. Raises Stalled where it never will."""
        with self.running():
            task = asyncio.ensure_future(future, loop=self)
            while not task.done():
                self.step()
        return task.result()

    def run_forever(self) -> None:
        """Run until `stop`."""
        with self.running():
            while not self._stopping:
                self.step()
            self._stopping = False

    @contextmanager
    def running(self) -> Generator[None]:
        """Be the running loop, for whoever drives it by `step`."""
        if self._running:
            raise RuntimeError("this loop runs already")
        before = asyncio._get_running_loop()  # noqa: SLF001 (asyncio has no other way)
        asyncio._set_running_loop(self)  # noqa: SLF001
        self._running = True
        try:
            yield
        finally:
            self._running = False
            asyncio._set_running_loop(before)  # noqa: SLF001

    def stop(self) -> None:
        """End `run_forever` behind this turn."""
        self._stopping = True

    def is_running(self) -> bool:
        """Whether it runs now."""
        return self._running

    def is_closed(self) -> bool:
        """Whether it is closed."""
        return self._closed

    def close(self) -> None:
        """Forget everything that is still to happen."""
        self._closed = True
        self.ready.clear()
        self._timers.clear()

    async def shutdown_asyncgens(self) -> None:
        """Nothing is to be done."""

    async def shutdown_default_executor(self) -> None:
        """There is none."""

    # -- what is to happen

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self._now

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> Any:
        """Run a callback in a turn of its own, behind those that are ready."""
        turn = Turn(callback, args, copy_context() if context is None else context, self._now)
        if not self._closed:
            self.ready.append(turn)
        return turn

    call_soon_threadsafe = call_soon  # type: ignore[assignment]

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> Any:
        """Run a callback in `delay` seconds."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> Any:
        """Run a callback at a time of this loop."""
        turn = Turn(callback, args, copy_context() if context is None else context, when)
        heapq.heappush(self._timers, (when, next(self._numbers), turn))
        return turn

    def create_future(self) -> "asyncio.Future[Any]":
        """A future of this loop."""
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, **kwargs: Any) -> "asyncio.Task[Any]":
        """A task of this loop."""
        task = asyncio.Task[Any](coro, loop=self, **kwargs)
        self._tasks.append(task)
        if len(self._tasks) > self._many:
            self._many = 1000 + 2 * len(self.pending())
        return task

    def run_in_executor(  # type: ignore[override]
        self,
        executor: Any,  # noqa: ARG002 (in place)
        func: Callable[..., T],
        *args: Any,
    ) -> "asyncio.Future[T]":
        """Call a plain function in place, in the next turn."""
        future = self.create_future()
        self.call_soon(_settle, future, func, args)
        return future

    # -- trouble

    def get_debug(self) -> bool:
        """Never: asyncio's own checks look at the machine's clock."""
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Keep what nobody else would hear of."""
        self.errors.append(context)

    default_exception_handler = call_exception_handler


def _settle(future: "asyncio.Future[Any]", func: Callable[..., Any], args: tuple[Any, ...]) -> None:
    if future.cancelled():
        return
    try:
        future.set_result(func(*args))
    except BaseException as error:  # noqa: BLE001 (as a thread pool does)
        future.set_exception(cast("Exception", error))
