"""From what a caller says to one call of the critical path, ready to run."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypedDict

import orjson

from sagalog.engine import App, DeclarationError, InvalidInput, Operation, SagalogError
from sagalog.engine.retry import Duration, milliseconds
from sagalog.schemas.claims import Backup
from sagalog.schemas.definition import Definition, Json, Priority
from sagalog.schemas.requests import ReplyTo
from sagalog.schemas.topics import DAY
from sagalog.streams.composer import Composer

LARGEST_INPUT = 400_000
LARGEST_RESULT = 200_000
"""Bytes as JSON."""

LIFE = 7 * DAY
"""How long (ms) a backup lives, and its instance answers repeats, unless the caller says so."""

LEASE = 30.0
"""The shortest lease in seconds; longer where the handlers' timeouts are."""


class CriticalOptions(TypedDict, total=False):
    """The options of `critical`. Durations in seconds or timedeltas.

    then: the operation that follows the effect. key: the idempotency key.
    tags, user: said of the backup, for whoever looks at it.
    keep: how long the backup lives, and the key answers repeats; 7 days.
    lease: how long the call may take before the pods do its work; 30 s, or more where the
    handlers' timeouts are longer.
    """

    then: Operation[..., Any] | str | None
    key: str | None
    tags: Sequence[str]
    user: str
    keep: Duration | None
    lease: Duration | None
    priority: Priority


class Order(NamedTuple):
    """One call: what runs, with what, and until when by the loop's clock."""

    effect: Operation[..., Any]
    then: Operation[..., Any] | None
    definition: Definition
    backup: Backup
    until: float


def order(
    app: App | None,
    composer: Composer,
    to: ReplyTo,
    operation: Operation[..., Any] | str,
    input: Any,
    options: CriticalOptions,
) -> Order:
    """A call, ready to run: its time counts from here. Raises InvalidInput, DeclarationError."""
    if app is None:
        raise DeclarationError(
            "critical", "needs the app itself, not its name", "Use connect(app), with an App."
        )
    keep = options.get("keep")
    life = LIFE if keep is None else milliseconds(keep, "keep")
    name, after = _name(operation), options.get("then")
    then = None if after is None else _name(after)
    definition = app.claimed(name, then, life)
    effect, follows = app.operations[name], app.operations[then] if then else None
    lease = _lease([effect, follows], options.get("lease"))
    claim = composer.claim(effect, input, then, options.get("key"), to)
    priority = options.get("priority", "high")
    refuse_large(claim.input, f"the input of {name}", LARGEST_INPUT, InvalidInput)
    claim = replace(claim, lease=lease, retention=life, priority=priority)
    instance, now = composer.instance(claim), claim.cause_time or 0
    tags, user = tuple(options.get("tags", ())), options.get("user", "")
    until = asyncio.get_running_loop().time() + lease / 1000
    return Order(effect, follows, definition, Backup(instance, claim, now, tags, user), until)


def refuse_large(value: Json, what: str, limit: int, error: type[SagalogError]) -> None:
    """A claim and its backup hold input and results together: raise what else would not fit."""
    size = len(orjson.dumps(value))
    if size > limit:
        said = f"{what} has {size} bytes as JSON, over the limit of {limit} on the critical path"
        raise error(f"{said}: store it elsewhere and pass where it is")


def _name(operation: Operation[..., Any] | str) -> str:
    return operation if isinstance(operation, str) else operation.name


def _lease(handlers: Iterable[Operation[..., Any] | None], asked: Duration | None) -> int:
    """The lease in ms: as asked, else long enough for the handlers."""
    if asked is not None:
        return max(1, milliseconds(asked, "lease"))
    needed = sum(handler.timeout for handler in handlers if handler is not None)
    return max(round(LEASE * 1000), needed + 10_000)
