"""The client for code that is not asynchronous: Flask, Django, scripts; the same verbs.

    from sagalog.streams import BlockingClient

    client = BlockingClient(app)                 # connects at its first use
    order = client.start(place_order, "lamp", key="order-4711")
    outcome = order.result(timeout=30)

One serves all threads of a process. After a fork the child connects anew by itself, so that a
server that loads the program before it forks its workers can make one at import.
"""

import asyncio
import atexit
import os
import threading
import weakref
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, Generic, Self, TypeVar, Unpack, overload

from sagalog.engine import App, Operation, Saga, SagalogError
from sagalog.schemas.definition import Json
from sagalog.schemas.requests import StepData
from sagalog.streams.blocking_verbs import BlockingVerbs
from sagalog.streams.client import Client, How
from sagalog.streams.connection import connect
from sagalog.streams.critical import Critical
from sagalog.streams.critical_orders import CriticalOptions
from sagalog.streams.handle import Handle
from sagalog.streams.options import Options
from sagalog.streams.outcomes import Outcome
from sagalog.streams.progress import Progress

T = TypeVar("T")
U = TypeVar("U")


LONGEST_HOLD = 1.0
"""Seconds for which a fork waits for a session's thread, and that thread for the fork."""


class WouldBlock(SagalogError):
    """A blocking call was made on the thread of an event loop, which would stand still."""


class Session:
    """A connected client on an event loop of its own, in a thread of its own."""

    def __init__(
        self,
        app: App | str,
        url: str | None,
        *,
        pod: bool | None,
        tenant: str | None,
        backlog_limit: int | None,
    ) -> None:
        self.pid = os.getpid()
        self._connected: Future[Client] = Future()
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()
        self._going = threading.Event()
        self._thread = threading.Thread(
            target=self._run,
            args=(connect(app, url, pod=pod, tenant=tenant, backlog_limit=backlog_limit),),
            name="sagalog-blocking",
            daemon=True,
        )
        self._thread.start()
        self.client = self._connected.result()

    def _run(self, connecting: AbstractAsyncContextManager[Client]) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._connect(connecting))

    async def _connect(self, connecting: AbstractAsyncContextManager[Client]) -> None:
        try:
            async with connecting as client:
                self._connected.set_result(client)
                await self._ended.wait()
        except BaseException as error:
            if self._connected.done():
                raise
            self._connected.set_exception(error)

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Do it there, and wait for it here."""
        doing = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return doing.result()
        finally:
            doing.cancel()  # where Ctrl-C has ended the waiting; else nothing

    def hold(self) -> None:
        """Stand still, at most a second later, until `go_on`: before a fork.

        What the thread has in hand, such as a lock of SQLite, would be in the child's hand too,
        and nobody there would put it down.
        """
        if threading.current_thread() is self._thread or not self._thread.is_alive():
            return
        standing, self._going = threading.Event(), threading.Event()
        going = self._going
        self._loop.call_soon_threadsafe(_stand, standing, going)
        standing.wait(LONGEST_HOLD)

    def go_on(self) -> None:
        """Go on after `hold`."""
        self._going.set()

    def close(self) -> None:
        """Disconnect, and wait for the end of the thread."""
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()


class BlockingClient(BlockingVerbs):
    """See the module. The arguments are those of `connect`."""

    def __init__(
        self,
        app: App | str,
        url: str | None = None,
        *,
        pod: bool | None = None,
        tenant: str | None = None,
        backlog_limit: int | None = None,
    ) -> None:
        self._connect = partial(
            Session, app, url, pod=pod, tenant=tenant, backlog_limit=backlog_limit
        )
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._held: Session | None = None
        _EVERY.add(self)

    def __enter__(self) -> Self:
        self.session()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Disconnect. Instances go on; the next call connects again."""
        with self._lock:
            session, self._session = self._session, None
        if session is not None and session.pid == os.getpid():
            atexit.unregister(self.close)
            session.close()

    def start(
        self,
        saga: Saga | str,
        input: Any = None,
        *,
        steps: Sequence[StepData] | None = None,
        **options: Unpack[Options],
    ) -> "BlockingHandle[Outcome]":
        """Start a saga; see `Client.start`."""
        return self._handle(lambda c: c.start(saga, input, steps=steps, **options))

    @overload
    def submit(
        self,
        operation: Operation[..., Awaitable[T]],
        input: Any = None,
        **options: Unpack[Options],
    ) -> "BlockingHandle[T]": ...
    @overload
    def submit(
        self, operation: Operation[..., T], input: Any = None, **options: Unpack[Options]
    ) -> "BlockingHandle[T]": ...
    @overload
    def submit(
        self, operation: str, input: Any = None, **options: Unpack[Options]
    ) -> "BlockingHandle[Any]": ...
    def submit(
        self, operation: Operation[..., Any] | str, input: Any = None, **options: Unpack[Options]
    ) -> "BlockingHandle[Any]":
        """Run one operation without a saga; see `Client.submit`."""
        return self._handle(lambda c: c.submit(operation, input, **options))

    def submit_many(
        self,
        operation: Operation[..., Any] | str,
        inputs: Iterable[Any],
        *,
        keys: Iterable[str] | None = None,
        **options: Unpack[Options],
    ) -> "list[BlockingHandle[Any]]":
        """Run one operation for each input; see `Client.submit_many`."""
        session = self.session()
        work = session.client.submit_many(operation, inputs, keys=keys, **options)
        return [BlockingHandle(self, session, handle) for handle in session.call(work)]

    @overload
    def critical(
        self,
        operation: Operation[..., Awaitable[T]],
        input: Any = None,
        **options: Unpack[CriticalOptions],
    ) -> Critical[T]: ...
    @overload
    def critical(
        self, operation: Operation[..., T], input: Any = None, **options: Unpack[CriticalOptions]
    ) -> Critical[T]: ...
    @overload
    def critical(
        self, operation: str, input: Any = None, **options: Unpack[CriticalOptions]
    ) -> Critical[Any]: ...
    def critical(
        self,
        operation: Operation[..., Any] | str,
        input: Any = None,
        **options: Unpack[CriticalOptions],
    ) -> Critical[Any]:
        """Run an operation in this process, now, with a backup; see `Client.critical`."""
        session = self.session()
        return session.call(session.client.critical(operation, input, **options))

    def get(self, instance: str, *, wait: bool = True) -> "BlockingHandle[Outcome]":
        """A handle on an instance by its id; see `Client.get`."""
        return self._handle(lambda c: c.get(instance, wait=wait))

    def cancel(self, instance: str, reason: str = "", *, by: str = "", lane: str = "high") -> None:
        """Ask an instance to turn back; see `Client.cancel`."""
        self._call(lambda c: c.cancel(instance, reason, by=by, lane=lane))

    def release(
        self,
        instance: str,
        step: str,
        how: How = "retry",
        result: Json = None,
        *,
        by: str = "",
        number: int = 0,
        attempt: int = 0,
    ) -> Outcome | None:
        """Move a parked step on; see `Client.release`."""
        return self._call(
            lambda c: c.release(instance, step, how, result, by=by, number=number, attempt=attempt)
        )

    def session(self) -> Session:
        """The connection of this process, made at its first use. Raises as `connect` does."""
        _refuse_on_a_loop()
        with self._lock:
            if self._session is None or self._session.pid != os.getpid():
                self._session = self._connect()
                atexit.register(self.close)
            return self._session

    def hold(self) -> None:
        """A fork is about to come."""
        self._held = self._session
        if self._held is not None:
            self._held.hold()

    def go_on(self) -> None:
        """The fork is over, and this is the parent."""
        if self._held is not None:
            self._held.go_on()

    def forked(self) -> None:
        """In a child nothing of the parent's connection is of use, nor a lock that it held."""
        _GRAVES.append(self._session)  # closing it would end what the parent still uses
        self._lock, self._session = threading.Lock(), None

    def _call(self, ask: Callable[[Client], Coroutine[Any, Any, U]]) -> U:
        session = self.session()
        return session.call(ask(session.client))

    def _handle(
        self, ask: Callable[[Client], Coroutine[Any, Any, Handle[T]]]
    ) -> "BlockingHandle[T]":
        session = self.session()
        return BlockingHandle(self, session, session.call(ask(session.client)))


class BlockingHandle(Generic[T]):
    """One instance; the same verbs as `Handle`. In a child of a fork it asks anew."""

    def __init__(self, client: BlockingClient, session: Session, handle: Handle[T]) -> None:
        self.id = handle.id
        self._client = client
        self._session: Session = session
        self._handle: Handle[T] = handle

    def started(self, timeout: float | None = None) -> None:
        """Wait until the first fact is in the log; see `Handle.started`."""
        self._call(lambda handle: handle.started(timeout))

    def outcome(self, timeout: float | None = None) -> Outcome:
        """Wait until it has settled; see `Handle.outcome`."""
        return self._call(lambda handle: handle.outcome(timeout))

    def result(self, timeout: float | None = None) -> T:
        """Wait for completion; see `Handle.result`."""
        return self._call(lambda handle: handle.result(timeout))

    def progress(self) -> Iterator[Progress]:
        """What its handlers say of their progress, until it has settled; see `Handle.progress`."""
        session = self._client.session()
        handle = self._handle.moved(session.client)
        told = handle.progress()
        try:
            while (said := session.call(anext(told, None))) is not None:
                yield said
        finally:
            session.call(told.aclose())

    def cancel(self, reason: str = "") -> None:
        """Ask it to turn back; see `Handle.cancel`."""
        self._call(lambda handle: handle.cancel(reason))

    def _call(self, ask: Callable[[Handle[T]], Coroutine[Any, Any, U]]) -> U:
        session = self._client.session()
        if session is not self._session:
            self._session, self._handle = session, self._handle.moved(session.client)
        return session.call(ask(self._handle))


def _refuse_on_a_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise WouldBlock("this call would stop the event loop: use `async with connect(app)` here")


_GRAVES: list[Session | None] = []
_EVERY: "weakref.WeakSet[BlockingClient]" = weakref.WeakSet()


def _stand(standing: threading.Event, going: threading.Event) -> None:
    standing.set()
    going.wait(LONGEST_HOLD)


def _each(verb: Callable[[BlockingClient], None]) -> Callable[[], None]:
    def said() -> None:
        for client in list(_EVERY):
            verb(client)

    return said


os.register_at_fork(
    before=_each(BlockingClient.hold),
    after_in_parent=_each(BlockingClient.go_on),
    after_in_child=_each(BlockingClient.forked),
)
