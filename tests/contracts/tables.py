"""What checkpoints promise."""

import pytest

from sagalog.schemas.record import Entry
from sagalog.streams.errors import Fenced
from sagalog.streams.log import Log


class TablesContract:
    async def test_a_new_table_is_empty(self, log: Log, tables: str) -> None:
        table = await log.checkpoints(tables, 0)
        assert await table.restore() == {}
        await table.close()

    async def test_restore_gives_the_newest_value_of_each_key(self, log: Log, tables: str) -> None:
        table = await log.checkpoints(tables, 0)
        await table.write([Entry(b"a", b"1"), Entry(b"b", b"1")])
        await table.write([Entry(b"b", b"2"), Entry(b"c", b"1")])
        await table.close()
        table = await log.checkpoints(tables, 0)
        assert await table.restore() == {b"a": b"1", b"b": b"2", b"c": b"1"}
        await table.close()

    async def test_a_row_without_value_deletes(self, log: Log, tables: str) -> None:
        table = await log.checkpoints(tables, 0)
        await table.write([Entry(b"a", b"1"), Entry(b"b", b"1")])
        await table.write([Entry(b"a", None), Entry(b"never", None)])
        assert await table.restore() == {b"b": b"1"}
        await table.close()

    async def test_a_large_checkpoint_is_one_write(self, log: Log, tables: str) -> None:
        rows = [Entry(b"%d" % n, b"x" * 1000) for n in range(5000)]
        table = await log.checkpoints(tables, 0)
        await table.write(rows)
        assert await table.restore() == {row.key: row.value for row in rows}
        await table.close()

    async def test_an_empty_checkpoint_changes_nothing(self, log: Log, tables: str) -> None:
        table = await log.checkpoints(tables, 0)
        await table.write([])
        assert await table.restore() == {}
        await table.close()

    async def test_partitions_are_separate_tables(self, log: Log, tables: str) -> None:
        left, right = await log.checkpoints(tables, 0), await log.checkpoints(tables, 1)
        await left.write([Entry(b"a", b"left")])
        await right.write([Entry(b"a", b"right")])
        assert await left.restore() == {b"a": b"left"}
        assert await right.restore() == {b"a": b"right"}
        await left.close()
        await right.close()

    async def test_anybody_may_look_at_a_table_and_fences_nobody(
        self, log: Log, tables: str
    ) -> None:
        assert await log.table(tables, 0) == {}
        owner = await log.checkpoints(tables, 0)
        await owner.write([Entry(b"a", b"1"), Entry(b"b", b"1")])
        assert await log.table(tables, 0) == {b"a": b"1", b"b": b"1"}
        assert await log.table(tables, 1) == {}
        await owner.write([Entry(b"a", None)])
        assert await log.table(tables, 0) == {b"b": b"1"}
        await owner.close()

    async def test_a_newer_owner_fences_the_older(self, log: Log, tables: str) -> None:
        older = await log.checkpoints(tables, 0)
        await older.write([Entry(b"a", b"older")])
        newer = await log.checkpoints(tables, 0)
        with pytest.raises(Fenced, match=tables):
            await older.write([Entry(b"a", b"zombie"), Entry(b"b", b"zombie")])
        assert await newer.restore() == {b"a": b"older"}
        await newer.write([Entry(b"a", b"newer")])
        with pytest.raises(Fenced):
            await older.write([Entry(b"a", b"zombie")])
        assert await newer.restore() == {b"a": b"newer"}
        await older.close()
        await newer.close()
