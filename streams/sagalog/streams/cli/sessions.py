"""The log, opened for a command: for looking into what is there, or with a client for asking."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sagalog.engine import App
from sagalog.schemas.topics import Topics
from sagalog.streams.cli.loading import app_name, app_or_name
from sagalog.streams.cli.reporting import Code, Complaint
from sagalog.streams.client import Client
from sagalog.streams.errors import TopicMissing
from sagalog.streams.log import Log
from sagalog.streams.opening import embedded, log_at, opened
from sagalog.streams.settings import Settings


@dataclass(frozen=True, slots=True)
class Session:
    """An app's log, and a client of it where the command asks the app for something."""

    app: str
    url: str
    log: Log


@dataclass(frozen=True, slots=True)
class Asking(Session):
    """A session with a client."""

    client: Client


def address(url: str | None) -> str:
    """The log's address: as given, else as set, else an embedded log in `sagalog.db`."""
    return url or Settings().url


@asynccontextmanager
async def looking(url: str | None, target: str) -> AsyncGenerator[Session]:
    """The log for reading. Nothing is made, so a mistyped address or app is told."""
    where, name = address(url), app_name(target)
    async with existing(where) as log:
        await _known(log, name, where)
        yield Session(name, where, log)


@asynccontextmanager
async def asking(url: str | None, target: str) -> AsyncGenerator[Asking]:
    """A client of an app. By its name alone, the app must be there; its code makes it be."""
    where, app = address(url), app_or_name(target)
    name = app.name if isinstance(app, App) else app
    if isinstance(app, App):
        _refuse_memory(where)
        log_open = opened(where, name, partitions=Settings().partitions)
    else:
        log_open = existing(where)
    async with log_open as log:
        await _known(log, name, where)
        settings = Settings()
        limit = settings.backlog_limit
        client = Client(log, app, tenant=settings.tenant, backlog_limit=limit)
        await client.open(publishes=False)  # what the app's own clients left is theirs
        try:
            yield Asking(name, where, log, client)
        finally:
            await client.close()


@asynccontextmanager
async def existing(url: str) -> AsyncGenerator[Log]:
    """The log of an address; an embedded one must be there already."""
    _refuse_memory(url)
    if embedded(url) and url.startswith("sqlite:") and not (path := file_of(url)).exists():
        raise Complaint(
            f"there is no log {path}. `sagalog run MODULE:APP` makes it; "
            "is this the right directory, or --url missing?",
            Code.NOT_FOUND,
        )
    log = log_at(url)
    await log.open()
    try:
        yield log
    finally:
        await log.close()


def file_of(url: str) -> Path:
    """The file of an embedded log's address."""
    return Path(url.removeprefix("sqlite:").removeprefix("//")).absolute()


def _refuse_memory(url: str) -> None:
    if url.startswith("memory:"):
        raise Complaint(
            "memory: is gone with its process, so a command finds nothing in it. Use sqlite:FILE"
        )


async def _known(log: Log, app: str, url: str) -> None:
    topic = Topics(app).events
    if topic not in await log.describe([topic]):
        raise TopicMissing(
            f"{url} has no app {app!r}. Its topics are made by `sagalog topics create {app}`"
            + (", or by `sagalog run MODULE:APP`" if embedded(url) else "")
        )
