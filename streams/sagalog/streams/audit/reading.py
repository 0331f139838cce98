"""An audit of a log: all topics of an app, and of the apps in which its children live."""

from collections.abc import Iterable, Mapping

from sagalog.schemas.topics import Topics
from sagalog.streams.audit.auditor import Auditor
from sagalog.streams.audit.evidence import Blow, Call
from sagalog.streams.audit.merge import Merge
from sagalog.streams.audit.report import Report
from sagalog.streams.history import Progress, bounds
from sagalog.streams.log import Log, Place
from sagalog.streams.owner import lanes_group


async def audit(
    log: Log,
    app: str,
    *,
    journal: Iterable[Call] = (),
    blows: Iterable[Blow] = (),
    acknowledged: Mapping[str, str] | None = None,
    at_rest: bool = True,
    progress: Progress | None = None,
) -> Report:
    """Read all topics of an app to their present ends, and check every invariant.

    `journal` is what the handlers did, `blows` what was done to their processes.
    `acknowledged` are the ids of instances that must be there, and the status that each
    must have come to, empty for any. With `at_rest` nothing may be under way any more.
    Raises TopicMissing where the log has no such app, and LogUnavailable.
    """
    reading = Reading(log, app, progress)
    await reading.add(app)
    for blow in blows:
        reading.auditor.blow(blow)
    for call in journal:
        reading.report.add(reading.auditor.journal(call))
    for instance, status in (acknowledged or {}).items():
        reading.auditor.acknowledged(app, instance, status)
    return await reading.read(at_rest=at_rest)


class Reading:
    """Feeds an auditor from a log."""

    def __init__(self, log: Log, app: str, progress: Progress | None) -> None:
        self.auditor = Auditor({})
        self.report = Report(app, [], at_rest=False, tally=self.auditor.tally)
        self._log, self._merge = log, Merge(log, progress)
        self._committed: dict[Place, int] = {}
        self._ends: dict[Place, int] = {}
        self._asked: set[str] = set()

    async def add(self, app: str) -> None:
        """Audit this app too.

        What tells of facts is bounded before the facts are, and what they answer behind
        them: so whatever is told of or answered within the bounds stands within them too.
        """
        topics = Topics(app)
        count = await self._log.partitions(topics.events)
        numbers = range(count)
        self.auditor.partitions[app] = count
        lanes = [(lane, number) for lane in topics.lanes for number in numbers]
        self._committed |= await self._log.committed(lanes_group(app), lanes)
        for number in numbers:
            rows = await self._log.table(topics.tables, number)
            self.auditor.table(app, number, rows)
        replies = [(topics.replies, n) for n in range(await self._log.partitions(topics.replies))]
        told = [(topics.deadletters, number) for number in numbers]
        ranges = await bounds(self._log, [*told, *replies])
        ranges |= await bounds(self._log, [(topics.events, number) for number in numbers])
        asked = await bounds(self._log, lanes)
        self._ends |= {place: end for place, (_, end) in asked.items()}
        ranges |= asked
        for place, (start, _) in ranges.items():
            self.auditor.begins(place, start)
        self.report.apps.append(app)
        self._merge.add(ranges)

    async def read(self, *, at_rest: bool) -> Report:
        """Read everything, and judge it."""
        self._asked.update(self.report.apps)
        async for record in self._merge.records():
            self.report.add(self.auditor.read(record))
            await self._follow()
        self.report.add(self.auditor.committed(self._committed))
        judge = self.auditor.at_rest(self._ends) if at_rest else self.auditor.so_far()
        self.report.add(judge)
        self.report.at_rest = at_rest
        return self.report

    async def _follow(self) -> None:
        """Add the apps in which children live, where this log has them."""
        for app in self.auditor.elsewhere - self._asked:
            self._asked.add(app)
            topics = Topics(app)
            names = (topics.events, topics.tables, topics.deadletters, topics.replies)
            if len(await self._log.describe([*names, *topics.lanes])) == 4 + len(topics.lanes):
                await self.add(app)
