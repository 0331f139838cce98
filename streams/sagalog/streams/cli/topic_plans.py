"""`sagalog topics plan|create|check`."""

import asyncio
import logging
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

import typer
from rich.text import Text

from sagalog.schemas.topics import Topics, TopicSpec
from sagalog.streams import topics as t
from sagalog.streams.cli import logs
from sagalog.streams.cli.documents import write_json
from sagalog.streams.cli.durations import seconds
from sagalog.streams.cli.loading import app_name
from sagalog.streams.cli.reporting import Code
from sagalog.streams.cli.screen import show, table
from sagalog.streams.cli.sessions import address, existing
from sagalog.streams.log import Log
from sagalog.streams.opening import log_at
from sagalog.streams.settings import Settings


class Retention(NamedTuple):
    """How long events and backups are kept, as somebody typed it."""

    events: str
    backups: str


def plan(
    target: str,
    partitions: int | None,
    retention: Retention,
    url: str | None,
    *,
    shell: bool,
    as_json: bool,
) -> None:
    """Show the topics that the app needs."""
    specs = _specs(app_name(target), partitions, retention)
    if as_json:
        write_json(specs)
    elif shell:
        show(*(Text(t.creation(spec, address(url))) for spec in specs))
    else:
        _show_specs(specs)


def _specs(app: str, partitions: int | None, retention: Retention) -> list[TopicSpec]:
    return Topics(app).specs(
        partitions or Settings().partitions,
        events_retention=_kept(retention.events, "--events-retention"),
        backups_retention=_kept(retention.backups, "--backups-retention"),
    )


def _kept(duration: str, option: str) -> int:
    return -1 if duration in ("forever", "-1") else round(seconds(duration, option) * 1000)


def _show_specs(specs: Sequence[TopicSpec]) -> None:
    rows = [
        (spec.name, str(spec.partitions), " ".join(f"{k}={v}" for k, v in spec.settings.items()))
        for spec in specs
    ]
    show(table("topic", "partitions", "settings", rows=rows))


def create(
    target: str, partitions: int | None, retention: Retention, url: str | None, *, as_json: bool
) -> None:
    """Create the topics that are missing."""
    logs.configure(logging.WARNING)
    raise typer.Exit(asyncio.run(_create(target, partitions, retention, url, as_json=as_json)))


async def _create(
    target: str, partitions: int | None, retention: Retention, url: str | None, *, as_json: bool
) -> Code:
    where, app = address(url), app_name(target)
    log = log_at(where)
    await log.open()
    try:
        found = await t.found_topics(log, app)
        specs = _specs(app, partitions or t.partitions_of(app, found), retention)
        created = await log.create(specs)
        differences = await _differences(log, app, specs)
    finally:
        await log.close()
    _tell_created(specs, created, as_json=as_json)
    if not as_json:
        _tell_differences(differences, app, where)
    return Code.NO if any(d.serious for d in differences) else Code.DONE


def _tell_created(specs: Sequence[TopicSpec], created: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        write_json([{"topic": spec.name, "created": spec.name in created} for spec in specs])
        return
    rows = [
        (
            spec.name,
            Text("created", "green") if spec.name in created else Text("was there", "dim"),
            f"{spec.partitions} partitions" if spec.name in created else "",
        )
        for spec in specs
    ]
    show(table("topic", "", "", rows=rows))


def check(
    target: str, partitions: int | None, retention: Retention, url: str | None, *, as_json: bool
) -> None:
    """Compare the topics with what they must be."""
    logs.configure(logging.WARNING)
    raise typer.Exit(asyncio.run(_check(target, partitions, retention, url, as_json=as_json)))


async def _check(
    target: str, partitions: int | None, retention: Retention, url: str | None, *, as_json: bool
) -> Code:
    where, app = address(url), app_name(target)
    async with existing(where) as log:
        found = await t.found_topics(log, app)
        specs = _specs(app, partitions or t.partitions_of(app, found), retention)
        differences = await _differences(log, app, specs)
    if as_json:
        write_json([_document(one, app, where) for one in differences])
    else:
        _tell_differences(differences, app, where)
        if not any(d.serious for d in differences):
            count = specs[0].partitions
            show(
                Text(f"{app}: all {len(specs)} topics are right, {count} partitions each", "green")
            )
    return Code.NO if any(d.serious for d in differences) else Code.DONE


async def _differences(log: Log, app: str, specs: Sequence[TopicSpec]) -> list[t.Difference]:
    return t.differences(specs, await t.found_topics(log, app))


def _tell_differences(differences: Sequence[t.Difference], app: str, url: str) -> None:
    for remedy, group in groupby(differences, lambda one: t.remedy(one, app, url)):
        for one in group:
            word, colour = ("wrong", "red") if one.serious else ("note", "yellow")
            show(Text.assemble((f"{word:<7}", colour), one.sentence()))
        show(Text(f"       {remedy}", "dim"))


def _document(one: t.Difference, app: str, url: str) -> dict[str, object]:
    return {
        "topic": one.topic,
        "kind": one.kind,
        "name": one.name,
        "wanted": one.wanted,
        "found": one.found,
        "wrong": one.serious,
        "remedy": t.remedy(one, app, url),
    }
