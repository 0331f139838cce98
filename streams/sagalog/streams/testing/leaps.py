"""Made-up time that leaps over what changes nothing, and says so where a test wants the network.

A pod and a client go round once a second for ever. In a month that is ten million turns. So when
no fact has come for a while, the clock leaps to the next timer that somebody set for a reason;
the rounds then come late, once, as they do on a machine that slept.
"""

import asyncio
import heapq
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from threading import Event, active_count, get_ident
from typing import Any, NoReturn

from sagalog.streams.pod import Pod
from sagalog.streams.surroundings import ROUND
from sagalog.streams.testing.loop import Stalled, Turn, VirtualLoop

CALM = 3.0
"""Seconds without a fact after which the clock leaps: a checkpoint or two are behind us."""

SLOW = 5.0
"""Seconds from which on a round is a slow one: pods look every 10 s for what may be forgotten."""

CALMER = 25.0
"""Seconds without a fact up to which the clock stops at slow rounds: a few are behind us then."""

STILL = 130.0
"""Seconds of rounds alone after which nothing can come: a client asks again within 60."""

GRACE = 0.05
"""Real seconds for which a new thread is listened to, before time passes."""

MOST_TURNS = 1_000_000
"""Turns of one wait: some seconds of real time, for what would take milliseconds."""

_BURIED: list[set["asyncio.Task[Any]"]] = []


class NoNetwork(Exception):
    """A handler asked the loop for a connection or a process: made-up time has none."""


class NoThreads(Exception):
    """A thread called back into made-up time, which does not wait for threads."""


class LeapingLoop(VirtualLoop):
    """A `VirtualLoop` that leaps. `trouble` holds what must end the test, and its next step raises.

    `caller` names the handler that is being called, for the sake of the sentence. While it
    is `closing` nothing is trouble any more.
    """

    def __init__(self, caller: Callable[[], str]) -> None:
        super().__init__()
        self.trouble: list[BaseException] = []
        self._caller = caller
        self._dues: list[tuple[float, int, Turn]] = []
        self._slow: list[tuple[float, int, Turn]] = []
        self._stirred: float = 0.0
        self._thread, self._threads = get_ident(), active_count()
        self._heard = Event()
        self.closing = False

    def stir(self) -> None:
        """A fact has come: what follows from it takes its usual course."""
        self._stirred = self._now

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> Any:
        """Run a callback at a time of this loop."""
        turn = super().call_at(when, callback, *args, context=context)
        row = (when, next(self._numbers), turn)
        if not self._is_round(callback):
            heapq.heappush(self._dues, row)
        elif when - self._now >= SLOW:
            heapq.heappush(self._slow, row)
        return turn

    def _is_round(self, callback: Callable[..., Any]) -> bool:
        """What a round waits for itself; the timer that a pod's round sets is none."""
        task = asyncio.current_task(self)
        if task is None or task.get_name() != ROUND:
            return False
        return not isinstance(getattr(callback, "__self__", None), Pod)

    def step(self) -> None:
        """Run one turn; see `VirtualLoop.step`. Raises the trouble, where there is any."""
        super().step()
        if self.trouble and not self.closing:
            raise self.trouble.pop()

    def _advance(self) -> None:
        if active_count() > self._threads:
            self._threads = active_count()
            self._heard.wait(GRACE)  # so that what a new thread says is heard of, as trouble
        if not self.ready:
            if not self._overdue():
                self._leap()
            super()._advance()

    def _leap(self) -> None:
        due, calm = self._first(self._dues), self._now - self._stirred
        if due is None and calm > STILL:
            raise Stalled("nothing is left that could ever happen")
        if due is not None and calm > CALM:
            slow = self._first(self._slow)
            self._now = due if slow is None or calm > CALMER else min(due, slow)

    def _first(self, timers: list[tuple[float, int, Turn]]) -> float | None:
        while timers and (timers[0][0] <= self._now or timers[0][2].cancelled()):
            heapq.heappop(timers)
        return timers[0][0] if timers else None

    def run_until_complete(self, future: Any) -> Any:
        """Run until it has ended; its result. Raises Stalled where it never will."""
        with self.running():
            task, most = asyncio.ensure_future(future, loop=self), self.turns + MOST_TURNS
            while not task.done():
                self.step()
                if self.turns > most:
                    raise Stalled(f"{MOST_TURNS:,} turns went by, up to {self._now:,.0f} s")
        return task.result()

    def rest(self) -> None:
        """Do all that can be done now, without a tick of the clock."""
        most = self.turns + MOST_TURNS
        with self.running():
            while self.ready or self._overdue():
                self.step()
                if self.turns > most:
                    raise Stalled(f"{MOST_TURNS:,} turns went by, and the clock stood still")

    def _overdue(self) -> bool:
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        return bool(self._timers) and self._timers[0][0] <= self._now

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> Any:
        """Run a callback in a turn of its own; of another thread it is trouble."""
        if get_ident() != self._thread:
            self.trouble.append(
                NoThreads(
                    "a thread that a handler uses called back, and made-up time does not wait "
                    "for threads: replace the handler on this stage, stage.replace(step, fake)"
                )
            )
        turn = self.call_soon(callback, *args, context=context)
        self._heard.set()
        return turn

    def close(self) -> None:
        """Cancel what lives, and forget everything that is still to happen.

        What was killed keeps its tasks until `unearth`, for one that is collected runs its
        `finally`.
        """
        self.closing = True
        for task in list(self.pending()):
            task.cancel()  # of the dead nothing runs
        with suppress(Exception):
            self.rest()
        super().close()
        _BURIED.append(set(self.pending()))

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        who = self._caller() or "this coroutine"
        trouble = NoNetwork(
            f"{who} wants the network, or a process, of its event loop: made-up time has neither. "
            "Replace the handler on this stage, stage.replace(step, fake), and test the real "
            "one alone"
        )
        self.trouble.append(trouble)
        raise trouble

    add_reader = add_writer = _refuse  # type: ignore[assignment]
    sock_accept = sock_connect = sock_recv = _refuse
    sock_recv_into = sock_recvfrom = sock_sendall = sock_sendto = _refuse
    create_connection = create_datagram_endpoint = create_server = _refuse
    create_unix_connection = create_unix_server = start_tls = _refuse
    getaddrinfo = getnameinfo = subprocess_exec = subprocess_shell = _refuse
    connect_read_pipe = connect_write_pipe = _refuse


def unearth() -> None:
    """Let go of what was killed in former loops; its `finally` blocks run now, unheard.

    Not before: a process that dies of SIGKILL runs none, and its test may still be looking.
    """
    while _BURIED:
        for task in _BURIED.pop():
            task._log_destroy_pending = False  # type: ignore[attr-defined] # noqa: SLF001 (as gather)
            coroutine = task.get_coro()
            with suppress(BaseException):
                coroutine.close()
