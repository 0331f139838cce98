"""Every topic of an app: its name, its partitions, its settings. The one home of them."""

from dataclasses import dataclass, field

from sagalog.schemas.definition import PRIORITIES

HOUR = 3_600_000
DAY = 24 * HOUR
ROOMY = 16 * 1024 * 1024

COMPENSATIONS = "compensations"
LANES: tuple[str, ...] = (*PRIORITIES, COMPENSATIONS)
"""The four lanes, by the short name that facts carry."""


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic as it must be. `settings` are Kafka's topic configuration, as strings."""

    name: str
    partitions: int
    settings: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of the app named `app`."""

    app: str

    @property
    def events(self) -> str:
        """Where the facts stand."""
        return f"{self.app}.events"

    @property
    def tables(self) -> str:
        """Where the folded state is kept."""
        return f"{self.app}.tables"

    @property
    def deadletters(self) -> str:
        """Where final failures and poison go."""
        return f"{self.app}.deadletters"

    @property
    def backups(self) -> str:
        """Where critical backups go."""
        return f"{self.app}.backups"

    @property
    def replies(self) -> str:
        """Where clients listen."""
        return f"{self.app}.replies"

    @property
    def workers(self) -> str:
        """Where pods tell that they are there."""
        return f"{self.app}.workers"

    @property
    def lanes(self) -> tuple[str, ...]:
        """The topics that are taken in, in the order of LANES."""
        return tuple(f"{self.app}.{lane}" for lane in LANES)

    def lane(self, lane: str) -> str:
        """The topic of one lane."""
        return f"{self.app}.{lane}"

    def specs(
        self,
        partitions: int,
        *,
        events_retention: int = 30 * DAY,
        backups_retention: int = 7 * DAY,
    ) -> list[TopicSpec]:
        """All topics with their settings; retentions in milliseconds, -1 for ever."""
        stamped = {"message.timestamp.type": "LogAppendTime"}
        kept = {"cleanup.policy": "delete", "retention.ms": "-1", **stamped}
        lanes = [TopicSpec(name, partitions, dict(kept)) for name in self.lanes]
        # A state holds an input and several results, a dead letter an input and a traceback.
        roomy = {"max.message.bytes": str(ROOMY)}
        delete = {"cleanup.policy": "delete", **stamped}
        both = {"cleanup.policy": "compact,delete"}
        return [
            *lanes,
            TopicSpec(self.events, partitions, delete | {"retention.ms": str(events_retention)}),
            TopicSpec(self.tables, partitions, {"cleanup.policy": "compact", **roomy}),
            TopicSpec(
                self.deadletters, partitions, delete | roomy | {"retention.ms": str(30 * DAY)}
            ),
            TopicSpec(
                self.backups, partitions, both | roomy | {"retention.ms": f"{backups_retention}"}
            ),
            TopicSpec(self.replies, partitions, delete | {"retention.ms": str(HOUR)}),
            TopicSpec(
                self.workers,
                partitions,
                both
                | {
                    "retention.ms": str(HOUR),
                    "segment.ms": str(HOUR),  # what is written to all the time is not cut else
                    **stamped,
                },
            ),
        ]
