"""Processes that call CPU-heavy handlers: one call at a time each, over pipes.

A call that is cut off has its process killed, and the next one gets a new process; the others
do not notice. That is why this is no ProcessPoolExecutor, which loses all its work with one
process, and cannot stop a call.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

import orjson

from sagalog.engine import Operation
from sagalog.engine.effects import Invocation
from sagalog.engine.results import Result
from sagalog.schemas.facts import Failure
from sagalog.streams.addresses import Address, address_of
from sagalog.streams.frames import HEAD, frame, result_of, told
from sagalog.streams.logs import logger

log = logger(__name__)

PROGRAM = "sagalog.streams.child"

READY_WITHIN = 30.0
"""Seconds for a process to import what it is to call; one that takes longer is a failure."""

GRACE = 1.0
"""Seconds for what a process that has ended left in its pipe."""

BUFFER = 2**16
"""Bytes of a pipe that are read ahead."""


def cores() -> int:
    """How many of the machine's cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Died(Exception):
    """A process has ended, and said nothing more."""


class Unready(Exception):
    """A process cannot import what it is to call."""


class _Ears(asyncio.subprocess.SubprocessStreamProtocol):
    """Hears that a process has ended, be its pipes open or not."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(limit=BUFFER, loop=loop)
        self.exited: asyncio.Future[None] = loop.create_future()

    def process_exited(self) -> None:
        """What asyncio calls."""
        super().process_exited()
        self.exited.set_result(None)


class Child:
    """One process, and what its handlers fork: they end together."""

    def __init__(self, transport: asyncio.SubprocessTransport, ears: _Ears) -> None:
        loop = asyncio.get_running_loop()
        self._process = asyncio.subprocess.Process(transport, ears, loop)
        self._transport, self._exited = transport, ears.exited
        self._exited.add_done_callback(self._left)
        self._killed = False

    @classmethod
    async def start(cls, addresses: Iterable[Address]) -> "Child":
        """One that has imported what it is to call. Raises Unready or Died."""
        loop = asyncio.get_running_loop()
        command = (sys.executable, "-m", PROGRAM)
        made = await loop.subprocess_exec(
            lambda: _Ears(loop), *command, stderr=None, start_new_session=True
        )
        child = cls(*made)
        try:
            async with asyncio.timeout(READY_WITHIN):
                said = await child.ask({"path": sys.path, "addresses": list(addresses)})
        except TimeoutError:
            said = {"error": f"its imports take longer than {READY_WITHIN:g} s"}
        except BaseException:
            await child._end()
            raise
        if "error" in said:
            await child._end()
            raise Unready(said["error"])
        return child

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it has not ended, as far as this process knows."""
        return not self._killed and self._process.returncode is None

    async def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """Its answer. Raises Died."""
        given, taken = self._process.stdin, self._process.stdout
        assert given is not None, "a process without a pipe"
        assert taken is not None, "a process without a pipe"
        try:
            given.write(frame(message))
            await given.drain()
            head = await taken.readexactly(HEAD)
            body = await taken.readexactly(int.from_bytes(head, "big"))
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            self.kill()
            raise Died(ended(await self.wait())) from error
        answer: dict[str, Any] = orjson.loads(body)
        return answer

    def kill(self) -> None:
        """End it at once, whatever it does, with all that its handlers have forked."""
        if self.alive:
            self._killed = True
            self._strike()
            self._cut()

    async def wait(self) -> int:
        """Wait until it has ended; with which code."""
        await asyncio.shield(self._exited)
        self._cut()
        return await self._process.wait()

    async def _end(self) -> None:
        self.kill()
        await self.wait()

    def _left(self, _: "asyncio.Future[None]") -> None:
        """It has ended: what it forked would keep the pipe open, and whoever waits, waiting."""
        if not self._killed:
            self._strike()
        # Not at once: an answer may still be in the pipe.
        asyncio.get_running_loop().call_later(GRACE, self._cut)

    def _strike(self) -> None:
        # Not by Popen, which would take how it ended away from the loop. PermissionError is
        # what macOS says where all of them have ended already.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def _cut(self) -> None:
        """Let go of the pipes, which what has left the process group may hold open."""
        given, taken = self._process.stdin, self._transport.get_pipe_transport(1)
        if given is not None and not given.transport.is_closing():
            given.transport.abort()
        if taken is not None:
            taken.close()


def ended(code: int) -> str:
    """How a process ended, in words."""
    if code >= 0:
        return f"it ended by itself, with code {code}"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    return f"it was killed by {name}" + (": out of memory?" if name == "SIGKILL" else "")


class Processes:
    """As many as `most`, each started when there is a call for it.

    Raises DeclarationError where another process could not find one of the `operations`.
    """

    def __init__(self, operations: Mapping[str, Operation[..., Any]], most: int) -> None:
        heavy = [operation for operation in operations.values() if operation.pool == "process"]
        self._addresses = {operation.name: address_of(operation) for operation in heavy}
        self._free = asyncio.Semaphore(most)
        self._idle: list[Child] = []
        self._all: set[Child] = set()
        self._burials: set[asyncio.Task[int]] = set()

    @property
    def pids(self) -> list[int]:
        """The processes that live now."""
        return [child.pid for child in self._all]

    async def call(self, invocation: Invocation, begins: Callable[[], None]) -> Result:
        """How a call ends; `begins` hears that a process is there for it.

        When this is cancelled the process is killed.
        """
        async with self._free:
            try:
                child = await self._child()
            except (Unready, Died) as error:
                message = f"no process can be started for {invocation.operation}: {error}"
                return Failure("unavailable", "ProcessNotReady", message)
            message_ = {
                "address": self._addresses[invocation.operation],
                "input": invocation.input,
                "context": told(invocation.context),
            }
            begins()
            try:
                answer = await child.ask(message_)
            except Died as error:
                # Nobody knows how far it got: as where it was cut off by its timeout.
                return Failure("timeout", "ProcessDied", f"the process of the call died: {error}")
            except BaseException:
                child.kill()
                raise
            finally:
                self._back(child)
            return result_of(answer)

    async def _child(self) -> Child:
        while self._idle:
            child = self._idle.pop()
            if child.alive:
                return child
            self._bury(child)
        child = await Child.start(self._addresses.values())
        self._all.add(child)
        return child

    def _back(self, child: Child) -> None:
        """It is free again, if it lives."""
        if child.alive:
            self._idle.append(child)
        else:
            self._bury(child)

    def _bury(self, child: Child) -> None:
        task = asyncio.create_task(child.wait())
        self._burials.add(task)
        task.add_done_callback(self._burials.discard)
        task.add_done_callback(lambda _: self._all.discard(child))

    async def close(self) -> None:
        """Kill all."""
        children = list(self._all)
        for child in children:
            child.kill()
        await asyncio.gather(*(child.wait() for child in children))
        await asyncio.gather(*self._burials)
