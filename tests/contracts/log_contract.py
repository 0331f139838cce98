"""What every `Log` must hold, whichever log it is.

A subclass provides one async fixture, `log`: an opened log with nothing else using it.
The fixtures `topic` and `tables` make fresh topics of two partitions in it.
"""

import pytest

from sagalog.schemas.topics import TopicSpec
from sagalog.streams.log import Log
from tests.contracts.appending import AppendingContract
from tests.contracts.membership import MembershipContract
from tests.contracts.offsets import OffsetsContract
from tests.contracts.probes import STAMPED, fresh
from tests.contracts.reading import ReadingContract
from tests.contracts.tables import TablesContract
from tests.contracts.topics import TopicsContract


class LogContract(
    AppendingContract,
    ReadingContract,
    OffsetsContract,
    TablesContract,
    MembershipContract,
    TopicsContract,
):
    """The promises of the port, one test each."""

    @pytest.fixture
    async def topic(self, log: Log) -> str:
        name = fresh()
        await log.create([TopicSpec(name, 2, STAMPED)])
        return name

    @pytest.fixture
    async def tables(self, log: Log) -> str:
        name = fresh("tables")
        await log.create([TopicSpec(name, 2, {"cleanup.policy": "compact"})])
        return name
