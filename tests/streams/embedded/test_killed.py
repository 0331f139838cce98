"""kill -9 at any moment loses no acknowledged append, and frees the lock."""

import asyncio
import random
from asyncio.subprocess import Process
from pathlib import Path

import pytest

from tests.streams.embedded.children import nothing
from tests.streams.embedded.files import (
    PLACE,
    TOPIC,
    entries,
    kill,
    open_log,
    other_process,
    read_all,
    says,
    values,
)


async def killed_after(process: Process, acknowledgements: int) -> int:
    """Kill after so many acknowledgements; the last number that was acknowledged."""
    assert await says(process) == "open"
    last = "-1"
    for _ in range(acknowledgements):
        last = await says(process)
    await kill(process)
    assert process.stdout
    rest = (await process.stdout.read()).decode().split("\n")
    # A line without its end was cut off by the kill.
    return int(rest[-2] if len(rest) > 1 else last)


@pytest.mark.parametrize("seed", range(4))
async def test_a_killed_writer_loses_nothing_acknowledged(tmp_path: Path, seed: int) -> None:
    path, chance = tmp_path / "log.db", random.Random(seed)
    acknowledged: dict[str, int] = {}
    for writer in "abc":
        async with other_process("append", path, writer) as process:
            acknowledged[writer] = await killed_after(process, chance.randrange(1, 120))
    async with open_log(path) as log:
        records = await read_all(log)
        await log.append(*PLACE, entries("after"))
        assert values(await read_all(log))[-1] == "after"
    assert [record.offset for record in records] == list(range(len(records)))
    for writer, last in acknowledged.items():
        numbers = [int(v.split(":")[1]) for v in values(records) if v.startswith(writer)]
        assert numbers == list(range(len(numbers)))
        assert len(numbers) > last


async def test_killing_one_of_two_writers_harms_the_other_not(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    async with open_log(path) as log, other_process("append", path, "a") as process:
        killing = asyncio.ensure_future(killed_after(process, 40))
        offsets: list[int] = []
        while not killing.done():
            offsets.append(await log.append(*PLACE, entries(f"b:{len(offsets)}")))
            await asyncio.sleep(0)
        last = await killing
        offsets.append(await log.append(*PLACE, entries(f"b:{len(offsets)}")))
        records = await read_all(log)
    mine = [record for record in records if values([record])[0].startswith("b")]
    assert values(mine) == [f"b:{n}" for n in range(len(offsets))]
    assert [record.offset for record in mine] == offsets
    assert f"a:{last}" in values(records)
    assert [record.offset for record in records] == list(range(len(records)))


async def test_a_killed_owner_frees_its_group(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    async with open_log(path) as log:
        for _ in range(3):
            async with other_process("own", path, "pod-7") as process:
                assert await says(process) == "owned"
                assert await log.owned_by("g")
                await kill(process)
            assert await log.owned_by("g") is None
            membership = await log.join("g", TOPIC.name, "me", nothing, nothing)
            await membership.leave()
