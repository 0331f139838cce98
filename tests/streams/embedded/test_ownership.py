"""One process at a time owns a group."""

import asyncio
import os
from pathlib import Path

import pytest

from sagalog.streams.embedded import EmbeddedLog, MemoryLog, MemoryStore
from sagalog.streams.embedded.ownership import OwnerLock
from sagalog.streams.errors import LogOwned
from tests.streams.embedded.children import nothing
from tests.streams.embedded.files import SOON, TOPIC, kill, open_log, other_process, says


async def test_the_error_says_who_owns(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    async with open_log(path) as log, other_process("own", path, "pod-7") as process:
        assert await says(process) == "owned"
        said = rf"log\.db .*owned by pid {process.pid} \(member pod-7, host .+\) since 20\d\d-"
        with pytest.raises(LogOwned, match=said):
            await log.join("g", TOPIC.name, "me", nothing, nothing)
        assert f"pid {process.pid} (member pod-7" in str(await log.owned_by("g"))


async def test_two_logs_of_one_process_exclude_each_other(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    async with open_log(path) as first, open_log(path) as second:
        membership = await first.join("g", TOPIC.name, "first", nothing, nothing)
        with pytest.raises(LogOwned, match=rf"pid {os.getpid()} \(member first"):
            await second.join("g", TOPIC.name, "second", nothing, nothing)
        await membership.leave()
        assert await second.owned_by("g") is None
        await second.join("g", TOPIC.name, "second", nothing, nothing)


async def test_apps_that_share_a_file_are_owned_apart(tmp_path: Path) -> None:
    async with open_log(tmp_path / "log.db") as log:
        await log.join("orders", TOPIC.name, "a", nothing, nothing)
        await log.join("pay/ments", TOPIC.name, "b", nothing, nothing)
        assert "member a" in str(await log.owned_by("orders"))
        assert "member b" in str(await log.owned_by("pay/ments"))


async def test_closing_the_log_frees_its_groups(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    async with open_log(path) as log:
        await log.join("g", TOPIC.name, "a", nothing, nothing)
    async with open_log(path) as log:
        assert await log.owned_by("g") is None


async def test_a_member_that_cannot_take_its_partitions_owns_nothing(tmp_path: Path) -> None:
    async def refuse(partitions: frozenset[int]) -> None:
        raise RuntimeError("no")

    async with open_log(tmp_path / "log.db") as log:
        with pytest.raises(RuntimeError):
            await log.join("g", TOPIC.name, "a", refuse, nothing)
        assert await log.owned_by("g") is None


async def test_asking_who_owns_hinders_nobody_who_joins(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    asker = OwnerLock(path, "g")
    async with open_log(path) as log:
        membership = await log.join("g", TOPIC.name, "a", nothing, nothing)
        await membership.leave()
        assert asker._lock(1)  # shared, as while asking
        joining = asyncio.ensure_future(log.join("g", TOPIC.name, "b", nothing, nothing))
        await asyncio.sleep(0)
        asker.forget()
        await joining


async def test_a_forked_child_does_not_keep_its_parents_lock(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    async with open_log(path) as log, other_process("own", path, "forks", "fork") as process:
        assert await says(process) == "owned"
        grandchild = int(await says(process))
        await kill(process)
        try:
            assert await log.owned_by("g") is None
        finally:
            os.kill(grandchild, 9)


async def test_a_lock_is_left_in_order(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    async with open_log(path) as log, other_process("own", path, "pod-7") as process:
        assert await says(process) == "owned"
        assert process.stdin
        process.stdin.write(b"\n")
        async with asyncio.timeout(SOON):
            assert await process.wait() == 0
        assert await log.owned_by("g") is None


async def test_logs_on_one_memory_exclude_each_other() -> None:
    store = MemoryStore()
    first, second = MemoryLog(store), MemoryLog(store)
    await first.create([TOPIC])
    await first.join("g", TOPIC.name, "first", nothing, nothing)
    with pytest.raises(LogOwned, match="member first"):
        await second.join("g", TOPIC.name, "second", nothing, nothing)
    await first.close()
    await second.join("g", TOPIC.name, "second", nothing, nothing)


def test_a_log_in_memory_has_its_own_class() -> None:
    with pytest.raises(ValueError, match="MemoryLog"):
        EmbeddedLog(":memory:")
