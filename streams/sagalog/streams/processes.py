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


def cores() -> int:
    """How many of the machine's cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Died(Exception):
    """A process has ended, and said nothing more."""


class Unready(Exception):
    """A process cannot import what it is to call."""


class Child:
    """One process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._killed = False

    @classmethod
    async def start(cls, addresses: Iterable[Address]) -> "Child":
        """One that has imported what it is to call. Raises Unready or Died."""
        command = (sys.executable, "-m", PROGRAM)
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
        child = cls(process)
        try:
            said = await child.ask({"path": sys.path, "addresses": list(addresses)})
        except BaseException:
            child.kill()
            raise
        if "error" in said:
            child.kill()
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
            raise Died(ended(await self._process.wait())) from error
        answer: dict[str, Any] = orjson.loads(body)
        return answer

    def kill(self) -> None:
        """End it at once, whatever it does."""
        if self.alive:
            self._killed = True
            # Not by Popen, which would take how it ended away from the loop.
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    async def wait(self) -> None:
        """Wait until it has ended."""
        await self._process.wait()


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
        self._burials: set[asyncio.Task[None]] = set()

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
