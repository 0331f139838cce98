"""Backups that a person looks after: what the instance does not take leaves them as they are."""

from typing import Any

import pytest

from sagalog.schemas.claims import Backup, Claim
from sagalog.schemas.topics import Topics
from sagalog.streams.backups import Kept, read_backups, resolve, retry
from sagalog.streams.embedded import MemoryLog
from sagalog.streams.outcomes import Outcome
from sagalog.streams.posting import Post
from tests.engine.lives import CRITICAL, Life, done, failed

WAITING = Life(CRITICAL).then(done("a"), failed("b")).state
CLAIM = Claim(name="a", then="b", input={"n": 1}, fingerprint="f", by="ann", lease=0)
REFUSED = Outcome("i", "running", None, None, ())


async def acted(act: str, answer: Outcome | None) -> tuple[str, int]:
    """Retry or resolve what waits, where its release has this answer; how, and what is kept."""
    log = MemoryLog()
    await log.create(Topics("shop").specs(1))
    post = Post(log, Topics("shop"), None, "test", lambda: 1)
    post.partitions = 1
    backup = Backup("i", CLAIM, 0)
    await post.backup(backup)
    kept = Kept(backup, 0, WAITING)
    assert kept.standing == "waits"

    async def release(*_: Any, **__: Any) -> Outcome | None:
        return answer

    if act == "retry":
        how = await retry(release, post, kept, "ann", 0)
    else:
        how = await resolve(release, post, kept, "by hand", "ann")
    return how, len(await read_backups(log, "shop"))


@pytest.mark.parametrize(
    ("act", "answer", "expected"),
    [
        ("retry", None, ("released", 1)),
        ("retry", REFUSED, ("refused", 1)),
        ("resolve", None, ("resolved", 0)),
        ("resolve", REFUSED, ("refused", 1)),
    ],
)
async def test_a_release_that_is_refused_is_no_success(
    act: str, answer: Outcome | None, expected: tuple[str, int]
) -> None:
    assert await acted(act, answer) == expected
