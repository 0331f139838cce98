"""`sagalog run`: a pod from its start to its end, told in clear lines."""

import asyncio
import gc
import os
import signal
import sys
import threading
from collections.abc import Awaitable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import TypeVar

from sagalog.engine import App
from sagalog.streams.cli.partitions import PartitionNews
from sagalog.streams.cli.reporting import Code, Complaint
from sagalog.streams.cli.topics_unready import unready
from sagalog.streams.connection import pod_settings
from sagalog.streams.errors import LogError, LogOwned, LogUnavailable
from sagalog.streams.log import Log
from sagalog.streams.logs import logger
from sagalog.streams.opening import embedded, log_at, opened
from sagalog.streams.pod import Pod
from sagalog.streams.settings import Settings

log = logger("sagalog")

T = TypeVar("T")

ORDERLY = 10.0
"""Seconds that an orderly end may take."""

DOUBLE = 0.5
"""Seconds within which a second signal is the first one again: a terminal and a parent such
as `timeout` or `uv run` both send it.
"""

PAUSE = 1.0
"""Seconds between two tries to reach a log that is away."""

OWNED_PAUSE = 0.2
"""Seconds between two looks whether another process has let the file go."""


@dataclass(frozen=True, slots=True)
class Serving:
    """What `sagalog run` was told."""

    app: App
    url: str
    member: str
    settings: Settings
    wait: bool
    as_json: bool


class Stopped(Exception):
    """Ctrl-C or SIGTERM came."""


async def serve(serving: Serving) -> None:
    """Run a pod until a signal comes or it cannot go on."""
    stop, name = _signals(), serving.app.name
    news = PartitionNews(name, serving.member, serving.url, as_json=serving.as_json)
    try:
        async with AsyncExitStack() as stack:
            opened_log = await _or_stop(stop, _reached(stack, serving))
            pod = await _or_stop(stop, _started(serving, opened_log, news))
            _spare_collections()
            try:
                raise await _or_stop(stop, pod.failed())
            finally:
                news.close()
                await _end(pod)
    except Stopped:
        log.info("stopped", app=name, member=serving.member)


def _spare_collections() -> None:
    """Collect garbage less often: a pod makes much, and nearly none of it in circles."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _signals() -> asyncio.Event:
    """An event that the first signal sets; the second one ends the process at once."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    first = 0.0

    def received(name: str) -> None:
        nonlocal first
        if stop.is_set() and loop.time() - first < DOUBLE:
            return
        if stop.is_set():
            log.warning("stopped at once; what was running runs again elsewhere or later")
            _leave(Code.INTERRUPTED)
        log.info(f"{name}: ending in order, which takes up to {ORDERLY:.0f} s; again: at once")
        first = loop.time()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, received, number.name)
    return stop


async def _or_stop(stop: asyncio.Event, work: Awaitable[T]) -> T:
    """The work's result. Raises Stopped when a signal comes first."""
    doing, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            return doing.result()
        raise Stopped
    finally:
        for task in (doing, stopping):
            task.cancel()
        await asyncio.gather(doing, stopping, return_exceptions=True)


async def _reached(stack: AsyncExitStack, serving: Serving) -> Log:
    """The log, opened; a broker that is away is waited for."""
    log_at(serving.url)
    while True:
        try:
            return await stack.enter_async_context(
                opened(serving.url, serving.app.name, partitions=serving.settings.partitions)
            )
        except LogUnavailable as error:
            if embedded(serving.url):
                raise
            log.warning("the log is away, trying again", reason=str(error))
            await asyncio.sleep(PAUSE)


async def _started(serving: Serving, opened_log: Log, news: PartitionNews) -> Pod:
    """A pod that has joined; with `wait`, one that waited for the file's owner to end."""
    told = False
    while True:
        pod = Pod(
            serving.app,
            opened_log,
            member=serving.member,
            settings=pod_settings(serving.settings),
            on_change=news.changed,
        )
        try:
            await pod.start()
        except LogOwned as error:
            if not serving.wait:
                raise Complaint(f"{error}, or wait for its end with --wait", Code.OWNED) from error
            if not told:
                log.info("waiting for the owner to end", reason=str(error))
                told = True
            await asyncio.sleep(OWNED_PAUSE)
        except LogUnavailable as error:
            log.warning("cannot start yet, trying again", reason=str(error))
            await asyncio.sleep(PAUSE)
        except LogError as error:
            raise await unready(opened_log, serving.app.name, serving.url, error) from error
        else:
            return pod


async def _end(pod: Pod) -> None:
    try:
        async with asyncio.timeout(ORDERLY):
            await pod.stop()
    except TimeoutError:
        log.warning(f"not ended in order within {ORDERLY:.0f} s; the next owner takes over")


def leave_threads() -> None:
    """End the process although handlers still run in threads, which nobody can stop."""
    running = [t for t in threading.enumerate() if t.name.startswith("sagalog-handler")]
    if running:
        log.warning("handlers still run in threads; they run again later", threads=len(running))
        _leave(Code.DONE)


def _leave(code: Code) -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
