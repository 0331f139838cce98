"""`connect`: a client of an app, on whichever log the settings name."""

import os
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from sagalog.engine import App
from sagalog.streams.client import Client
from sagalog.streams.errors import LogOwned
from sagalog.streams.log import Log
from sagalog.streams.logs import logger
from sagalog.streams.opening import embedded, opened
from sagalog.streams.pod import Pod
from sagalog.streams.pod_settings import PodSettings
from sagalog.streams.processes import cores
from sagalog.streams.settings import Settings

log = logger(__name__)


@asynccontextmanager
async def connect(
    app: App | str,
    url: str | None = None,
    *,
    pod: bool | None = None,
    tenant: str | None = None,
    backlog_limit: int | None = None,
) -> AsyncGenerator[Client]:
    """A client of `app`, for as long as the block lasts.

    `url` defaults to SAGALOG_URL, and that to an embedded log in `sagalog.db`.
    `pod` says whether this process runs the handlers too. By default it does so on an
    embedded log that no other process works on, and never on Kafka: there, run
    `sagalog run MODULE:APP`. `backlog_limit` is how many requests a lane may hold before this
    client sends it no more and raises Backpressure; 0 for any number.
    Raises LogUnavailable or TopicMissing.
    """
    settings = Settings()
    address = url or settings.url
    name = app.name if isinstance(app, App) else app
    async with opened(address, name, partitions=settings.partitions) as opened_log:
        here = embedded(address) if pod is None else pod
        working = await _start_pod(app, opened_log, must=bool(pod)) if here else None
        client = Client(
            opened_log,
            app,
            tenant=settings.tenant if tenant is None else tenant,
            backlog_limit=settings.backlog_limit if backlog_limit is None else backlog_limit,
        )
        try:
            await client.open()
            yield client
        finally:
            await client.close()
            if working is not None:
                await working.stop()


async def _start_pod(app: App | str, opened_log: Log, *, must: bool) -> Pod | None:
    if not isinstance(app, App):
        return None
    pod = Pod(app, opened_log, member=member_name(), settings=pod_settings(Settings()))
    try:
        await pod.start()
    except LogOwned as error:
        if must:
            raise
        log.info("another process runs the handlers", reason=str(error))
        return None
    return pod


def member_name() -> str:
    """This pod's stable name: SAGALOG_MEMBER, or the host's name.

    A pod of a Kubernetes StatefulSet keeps its host name over restarts. Two pods on one
    host need names of their own.
    """
    return Settings().member or os.environ.get("HOSTNAME") or socket.gethostname()


def pod_settings(settings: Settings) -> PodSettings:
    """The part of the settings that a pod goes by."""
    return PodSettings(
        slots=settings.slots,
        threads=settings.threads,
        processes=cores() if settings.processes is None else settings.processes,
        checkpoint_interval=settings.checkpoint_interval,
        give_up_timeout=settings.give_up_timeout,
        beat_interval=settings.beat_interval,
    )
