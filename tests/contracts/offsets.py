"""What ends, starts, trims and commits promise."""

from sagalog.streams.log import Log
from tests.contracts.probes import entries, fresh, read, reading, values


class OffsetsContract:
    async def test_ends_and_starts(self, log: Log, topic: str) -> None:
        places = [(topic, 0), (topic, 1)]
        assert await log.ends(places) == {(topic, 0): 0, (topic, 1): 0}
        await log.append(topic, 1, entries("a", "b"))
        assert await log.ends(places) == {(topic, 0): 0, (topic, 1): 2}
        assert await log.starts(places) == {(topic, 0): 0, (topic, 1): 0}
        assert await log.ends([]) == {}

    async def test_trim_moves_the_start(self, log: Log, topic: str) -> None:
        await log.append(topic, 0, entries("a", "b", "c"))
        await log.trim({(topic, 0): 2, (topic, 1): 0})
        assert await log.starts([(topic, 0), (topic, 1)]) == {(topic, 0): 2, (topic, 1): 0}
        assert await log.ends([(topic, 0)]) == {(topic, 0): 3}
        async with reading(log, ((topic, 0), 2)) as reader:
            assert values(await read(reader, 1)) == ["c"]

    async def test_commits_are_kept_by_group_and_place(self, log: Log, topic: str) -> None:
        group, other = fresh("lanes"), fresh("lanes")
        places = [(topic, 0), (topic, 1)]
        assert await log.committed(group, places) == {}
        await log.commit(group, {(topic, 0): 3})
        assert await log.committed(group, places) == {(topic, 0): 3}
        await log.commit(group, {(topic, 0): 5, (topic, 1): 1})
        await log.commit(other, {(topic, 0): 9})
        assert await log.committed(group, places) == {(topic, 0): 5, (topic, 1): 1}
        assert await log.committed(other, places) == {(topic, 0): 9}
