"""What a world is made of: each draws its own sizes, faults and rates, so that rare ones meet."""

from dataclasses import dataclass

from sagalog.streams.pod_settings import PodSettings
from tests.simulation.chance import Stream
from tests.simulation.stage import MOODS

POINTS = (
    "after-read",
    "before-append",
    "append-sent",
    "append-landed-reply-lost",
    "after-acknowledge",
    "after-taken-before-acting",
    "checkpoint-unsent",
    "checkpoint-landed-reply-lost",
    "checkpoint-then-lanes-uncommitted",
    "during-restore",
    "during-revoke",
    "handler-started",
    "handler-done-result-unsent",
)
"""The named crash points. Each is switched on in a quarter of the worlds that crash, fires with a
chance of a quarter whenever it is passed, and once at most."""

FAULTS = (
    "kill",
    "freeze",
    "stop",
    "cut",
    "expel",
    "ghost",
    "jump",
    "poison",
    "repeat",
    "die",
    "mark",
    "double",
    "tomorrow",
    "doze",
)

SIZES = (1, 1, 1, 1, 2, 2, 3, 4)


@dataclass(slots=True)
class Mix:
    """How a world is. Times in seconds; `pace` is how many turns pass between two strikes."""

    partitions: int
    together: bool
    pods: int
    people: int
    deeds: int
    seconds: float
    pace: int
    session: float
    retention: float
    roomy: bool
    settings: PodSettings
    faults: list[str]
    moods: list[str]
    points: set[str]
    skewed: bool
    awake: bool
    warm: bool
    failing: float
    partial: float

    @classmethod
    def drawn(cls, chance: Stream) -> "Mix":
        """A mix by chance; the dullest is one pod, one partition, one client, no fault."""
        return cls(
            partitions=chance.pick(SIZES),
            together=chance.odds(35),
            pods=chance.pick((1, 1, 1, 2, 2, 3)),
            people=chance.pick((1, 1, 1, 2, 3)),
            deeds=chance.pick((1, 3, 4, 4, 5, 6, 8, 12)),
            seconds=chance.pick((1.0, 3.0, 3.0, 6.0, 12.0, 25.0)),
            pace=chance.pick((200, 100, 60, 30, 10)),
            session=chance.pick((6.0, 10.0, 2.0)),
            retention=chance.pick((86_400.0, 86_400.0, 2.0, 0.2)),
            roomy=not chance.odds(10),
            settings=PodSettings(
                slots=chance.pick((256, 4, 2, 1)),
                checkpoint_interval=chance.pick((1.0, 0.25, 3.0)),
                give_up_timeout=chance.pick((5.0, 1.0)),
                forget_interval=chance.pick((3.0, 0.7, 10.0)),
            ),
            faults=chance.some(FAULTS, 25),
            moods=chance.some(MOODS, 30) if chance.odds(80) else [],
            points=set(chance.some(POINTS, 25)) if chance.odds(60) else set(),
            skewed=chance.odds(15),
            awake=chance.odds(25),
            warm=not chance.odds(25),
            failing=chance.pick((0.0, 0.0, 0.0, 0.0, 1.0, 5.0)),
            partial=chance.pick((0.0, 0.0, 10.0, 50.0)),
        )
