"""Runs handlers: coroutines on the loop, plain functions in threads, each with its timeout.

Workers are tasks that live on from call to call. A handler that never waits costs no task
and no turn of the loop: the same worker goes on with the next call at once.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any

from sagalog.engine import Operation
from sagalog.engine.effects import Call, Invocation
from sagalog.engine.results import Result, Returned
from sagalog.schemas.facts import Failure
from sagalog.streams.explaining import failure_of
from sagalog.streams.logs import logger
from sagalog.streams.processes import Processes
from sagalog.streams.progress import Reporter

log = logger(__name__)

Finished = Callable[[Call, Result], None]
Progressed = Callable[[Call, int, float, str], None]
"""Called with a call, and what it reports: the how manieth, the fraction, and the message."""


def _nobody(call: Call, number: int, fraction: float, message: str) -> None:
    """Nobody listens to progress."""


class Executor:
    """Calls the handlers of an app. `threads` bounds the plain functions that run at once.

    `processes` bounds those that are declared for a process; with 0 they run in threads.
    """

    def __init__(
        self,
        operations: Mapping[str, Operation[..., Any]],
        finished: Finished,
        progressed: Progressed = _nobody,
        *,
        threads: int,
        processes: int = 0,
    ) -> None:
        self.progress_interval = 1.0
        self._progressed = progressed
        self._operations, self._finished = operations, finished
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="sagalog-handler")
        self._processes = Processes(operations, processes) if processes else None
        self._queue: deque[Invocation] = deque()
        self._idle: list[asyncio.Future[None]] = []
        self._workers: set[asyncio.Task[None]] = set()
        self._current: dict[asyncio.Task[None], Invocation] = {}
        self._began: dict[asyncio.Task[None], float] = {}
        self._overdue: set[asyncio.Task[None]] = set()
        self._waking = False
        self._closed = False
        self._context = copy_context()

    def submit(self, invocation: Invocation) -> None:
        """Call a handler soon; its end is told to `finished`."""
        self._queue.append(invocation)
        self._wake()

    def running(self) -> list[tuple[Invocation, float]]:
        """The handlers that run, and for how long (seconds): those that do the longest first."""
        now = asyncio.get_running_loop().time()
        running = [(i, now - self._began[worker]) for worker, i in self._current.items()]
        return sorted(running, key=lambda pair: -pair[1])

    def stop(self, partition: int) -> int:
        """The partition is lost: cancel its handlers, tell nobody how they ended; how many."""
        queued = len(self._queue)
        self._queue = deque(i for i in self._queue if i.call.partition != partition)
        stopped = queued - len(self._queue)
        for worker, invocation in list(self._current.items()):
            if invocation.call.partition == partition:
                del self._current[worker]
                worker.cancel()
                stopped += 1
        return stopped

    async def close(self) -> None:
        """Cancel what still runs. Threads cannot be: they are left to end by themselves."""
        self._closed = True
        running = [invocation.operation for invocation in self._current.values()]
        self._current.clear()
        for worker in self._workers:
            worker.cancel()
        if self._workers:
            _, stubborn = await asyncio.wait(self._workers, timeout=1.0)
            if stubborn:
                log.warning("handlers ignore their cancellation", operations=running)
        if self._processes is not None:
            await self._processes.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _wake(self) -> None:
        """One worker at a time is woken; it wakes the next while calls are left."""
        if self._waking or not self._queue:
            return
        self._waking = True
        while self._idle:
            idle = self._idle.pop()
            if not idle.done():
                idle.set_result(None)
                return
        # Not the context of whoever wakes it: that may be what a handler left behind.
        context = self._context.copy()
        worker = asyncio.create_task(self._work(), name="sagalog-worker", context=context)
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)
        worker.add_done_callback(lambda ended: self._began.pop(ended, None))

    async def _work(self) -> None:
        me = asyncio.current_task()
        assert me is not None, "a worker is a task"
        pristine = copy_context()
        while True:
            self._waking = False
            while self._queue:
                invocation = self._queue.popleft()
                self._wake()
                await self._serve(me, invocation)
                if me in self._overdue or copy_context() != pristine:
                    # A cancellation still to come, or context variables that the handler
                    # left behind, must not reach the next call: a fresh worker takes it.
                    self._overdue.discard(me)
                    return self._wake()
            if self._closed:
                return None
            idle = asyncio.get_running_loop().create_future()
            self._idle.append(idle)
            await idle

    async def _serve(self, me: "asyncio.Task[None]", invocation: Invocation) -> None:
        self._current[me] = invocation
        self._began[me] = asyncio.get_running_loop().time()
        try:
            result = await self._call(me, invocation)
        finally:
            lost = self._current.pop(me, None) is None
        if not lost:
            self._finished(invocation.call, result)

    async def _call(self, me: "asyncio.Task[None]", invocation: Invocation) -> Result:
        operation = self._operations.get(invocation.operation)
        if operation is None:
            message = f"this pod has no operation {invocation.operation!r}: deploy one that has"
            return Failure("unavailable", "UnknownOperation", message)
        try:
            if operation.pool == "process" and self._processes is not None:
                return await self._in_process(me, invocation, self._processes)
            return Returned(operation.dump(await self._value(me, operation, invocation)))
        except BaseException as error:
            if me in self._overdue:
                return self._timeout(me, invocation, error)
            if me not in self._current or isinstance(error, KeyboardInterrupt):
                raise  # ours: the partition is lost, or the process is to end
            return failure_of(operation, error)

    def _timeout(
        self, me: "asyncio.Task[None]", invocation: Invocation, error: BaseException
    ) -> Failure:
        """Whatever the handler made of being cut off, it was."""
        if isinstance(error, asyncio.CancelledError):
            self._overdue.discard(me)
            me.uncancel()
        return Failure("timeout", "Timeout", f"took longer than {invocation.timeout} ms")

    async def _value(
        self, me: "asyncio.Task[None]", operation: Operation[..., Any], invocation: Invocation
    ) -> Any:
        if not operation.takes_context:
            return await self._handled(me, operation, invocation)
        told = partial(self._progressed, invocation.call)
        reporter = Reporter(asyncio.get_running_loop(), told, self.progress_interval)
        invocation.context.reporter = reporter
        try:
            return await self._handled(me, operation, invocation)
        finally:
            reporter.close()

    async def _handled(
        self, me: "asyncio.Task[None]", operation: Operation[..., Any], invocation: Invocation
    ) -> Any:
        arguments = operation.arguments(invocation.input, invocation.context)
        if not operation.is_async:
            return await self._in_thread(me, operation, invocation, arguments)
        timer = self._timer(me, invocation)
        try:
            return await operation.handler(*arguments)
        finally:
            if timer is not None:
                timer.cancel()

    async def _in_process(
        self, me: "asyncio.Task[None]", invocation: Invocation, processes: Processes
    ) -> Result:
        """Call a plain function in a process; its time counts from when there is one for it."""
        timers: list[asyncio.TimerHandle | None] = []
        try:
            return await processes.call(
                invocation, lambda: timers.append(self._timer(me, invocation))
            )
        finally:
            for timer in timers:
                if timer is not None:
                    timer.cancel()

    async def _in_thread(
        self,
        me: "asyncio.Task[None]",
        operation: Operation[..., Any],
        invocation: Invocation,
        arguments: tuple[Any, ...],
    ) -> Any:
        """Call a plain function; its time counts from when there is a thread for it."""
        loop = asyncio.get_running_loop()
        timers: list[asyncio.TimerHandle | None] = []

        def call() -> tuple[Any, BaseException | None]:
            if invocation.timeout:
                loop.call_soon_threadsafe(lambda: timers.append(self._timer(me, invocation)))
            try:
                return operation.handler(*arguments), None
            except BaseException as error:  # noqa: BLE001 (a future cannot hold every kind)
                return None, error

        try:
            value, error = await loop.run_in_executor(self._threads, copy_context().run, call)
        finally:
            for timer in timers:
                if timer is not None:
                    timer.cancel()
        if error is not None:
            raise error if not isinstance(error, StopIteration) else RuntimeError(repr(error))
        return value

    def _timer(
        self, me: "asyncio.Task[None]", invocation: Invocation
    ) -> asyncio.TimerHandle | None:
        if not invocation.timeout:
            return None
        loop = asyncio.get_running_loop()
        return loop.call_later(invocation.timeout / 1000, self._cut, me, invocation)

    def _cut(self, worker: "asyncio.Task[None]", invocation: Invocation) -> None:
        if self._current.get(worker) is invocation:
            self._overdue.add(worker)
            worker.cancel()
