"""The backups of an app: read, judged by what their instance is now, tried again, resolved."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, Literal

from sagalog.engine.backups import Standing, results, standing
from sagalog.engine.errors import SagalogError
from sagalog.engine.instance import Instance
from sagalog.schemas.claims import Backup
from sagalog.schemas.definition import Json
from sagalog.schemas.facts import Failure
from sagalog.schemas.record import Record
from sagalog.schemas.topics import Topics
from sagalog.streams.history import Progress, bounds, read_states, scan
from sagalog.streams.log import Log
from sagalog.streams.posting import Post

Done = Literal["released", "told again", "by itself", "resolved", "refused"]
"""What was done about a backup. by itself: nothing, since it is under way already. refused:
nothing, since its instance has moved on meanwhile; the backup is kept."""


Release = Callable[..., Awaitable[Any]]
"""A client's `release`."""


class NoBackup(SagalogError):
    """There is no such backup (any longer), or several may be meant; the message says which."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A backup that nothing has taken away, and its instance as it is now.

    `time` is the stamp of its newest record (ms).
    """

    backup: Backup
    time: int
    state: Instance | None

    @property
    def id(self) -> str:
        """Its id."""
        return self.backup.id

    @property
    def short(self) -> str:
        """Eight letters that stand for the long id on a screen."""
        return blake2b(self.id.encode(), digest_size=4).hexdigest()

    @property
    def standing(self) -> Standing:
        """What it is worth."""
        return standing(self.backup, self.state)

    @property
    def error(self) -> Failure | None:
        """What went wrong last, if anything did."""
        steps = self.state.steps if self.state is not None else ()
        told = next((step.error for step in steps if step.error is not None), None)
        return told or (self.state.error if self.state else None) or self.backup.claim.failed

    @property
    def next_attempt(self) -> int | None:
        """When it is tried again by itself (ms); None where it is not, or nobody knows."""
        steps = self.state.steps if self.standing == "emergency" and self.state else ()
        return next((step.retry_at for step in steps if step.status == "ready"), None)


async def read_backups(log: Log, app: str, progress: Progress | None = None) -> list[Kept]:
    """All open backups of an app, the oldest first."""
    topic = Topics(app).backups
    places = [(topic, number) for number in range(await log.partitions(topic))]
    open_: dict[bytes, tuple[Backup, int]] = {}
    async for record in scan(log, await bounds(log, places), progress):
        _take(open_, record)
    wanted = {backup.instance for backup, _ in open_.values()}
    listed = await read_states(log, app, wanted, progress) if wanted else []
    states = {one.id: one.state for one in listed}
    kept = [Kept(backup, time, states.get(backup.instance)) for backup, time in open_.values()]
    return sorted(kept, key=lambda one: one.backup.at)


def _take(open_: dict[bytes, tuple[Backup, int]], record: Record) -> None:
    backup, key = Post.decoded(record.value), record.key or b""
    if backup is None:
        open_.pop(key, None)
    else:
        open_[key] = backup, record.timestamp


def one_of(backups: Iterable[Kept], wanted: str) -> Kept:
    """The backup that is meant: by its id, its short id, its instance, or how one begins."""
    every = list(backups)
    exact = [b for b in every if wanted in (b.id, b.short, b.backup.instance)]
    found = exact or [one for one in every if one.id.startswith(wanted)]
    if not found:
        raise NoBackup(f"there is no open backup {wanted}: it is resolved, or never was")
    if len(found) > 1:
        some = ", ".join(one.short for one in found[:5])
        raise NoBackup(f"{wanted} may be any of {len(found)} backups: {some}")
    return found[0]


async def retry(release: Release, post: Post, kept: Kept, by: str, now: int) -> Done:
    """Have it tried again; one that goes on by itself is left alone."""
    match kept.standing:
        case "waits":
            taken = await _released(release, kept, "retry", None, by)
            return "released" if taken else "refused"
        case "unrecorded":
            await post.tell(kept.backup, cause_time=now)
            return "told again"
        case "untold":
            await post.tell(kept.backup)
            return "told again"
        case _:
            return "by itself"


async def resolve(release: Release, post: Post, kept: Kept, result: Json, by: str) -> Done:
    """Take it as done by hand, with `result` for its last step, and take the backup away."""
    match kept.standing:
        case "waits":
            if not await _released(release, kept, "resolve", result, by):
                return "refused"
        case "emergency" | "untold":
            await post.tell(_by_hand(kept, result))
        case _:
            pass
    await post.tombstone(kept.backup)
    return "resolved"


async def _released(
    release: Release, kept: Kept, how: Literal["retry", "resolve"], result: Json, by: str
) -> bool:
    """Ask for the release of the step that waits; whether it is taken."""
    state = kept.state
    assert state is not None, "it waits for a person"
    pairs = zip(state.definition.steps, state.steps, strict=True)
    failed = next((spec.name for spec, step in pairs if step.status == "failed"), None)
    name = failed if not state.undoing else state.remaining()[0]
    assert name is not None, "it is parked at a step"
    return await release(kept.backup.instance, name, how, result, by=by) is None


def _by_hand(kept: Kept, result: Json) -> Backup:
    """The backup with a result for every step."""
    claim, state = kept.backup.claim, kept.state
    known = results(state) if state is not None else {}
    names = [claim.name, *([claim.then] if claim.then else [])]
    done = {name: known.get(name, claim.done.get(name)) for name in names}
    last = names[-1]
    if last not in known and last not in claim.done:
        done[last] = result
    return replace(kept.backup, claim=replace(claim, done=done))
