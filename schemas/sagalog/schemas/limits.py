"""Limits on the wire: how much may go on, and the facts of limiters."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LimitSpec:
    """At most `concurrency` calls at once, and `rate` begun in `per` ms. None for no bound.

    `burst` is how many may begin at once after a pause; `lease` (ms) how long permits are
    lent for, and so how long those of a dead owner are gone.
    """

    concurrency: int | None = None
    rate: int | None = None
    per: int = 1_000
    burst: int = 1
    lease: int = 10_000

    def __post_init__(self) -> None:
        """Refuse numbers that nobody can reckon with. Raises ValueError."""
        least = {"concurrency": 0, "rate": 1, "per": 1, "burst": 1, "lease": 100}
        for name, value in least.items():
            given = getattr(self, name)
            if given is not None and given < value:
                raise ValueError(f"{name} is below {value}")


UNLIMITED = LimitSpec()


@dataclass(frozen=True, slots=True)
class PermitsAsked:
    """The owner `run` of `partition` asks a limiter for permits; request `number` of its own.

    Until it is answered it uses no more than `keep`. It has use for `wanted` permits in all,
    and may begin `tokens` more calls. `limit` is what it goes by where none is set.
    """

    run: str
    number: int
    partition: int
    operation: str
    key: str
    keep: int
    wanted: int
    limit: LimitSpec
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class PermitsExpired:
    """What the owner `run` holds by its request `number` is over: it did not ask again."""

    run: str
    number: int


@dataclass(frozen=True, slots=True)
class PermitsRefilled:
    """Time has brought new tokens, by the log's stamp of this fact. `run` wrote it."""

    run: str
    number: int


@dataclass(frozen=True, slots=True)
class LimitSet:
    """Somebody has limited an operation, for one `key` or (None) for all in one partition.

    `limit` None takes back what was set: what the operation declares holds again. `run` is
    random: a client's word, which it writes itself.
    """

    run: str
    operation: str
    key: str | None = None
    limit: LimitSpec | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class PermitsGranted:
    """What a limiter lends to the owner `run`, told in that owner's partition.

    `number` is the latest request that is answered, `serial` the offset of the limiter's fact
    that changed it. `tokens` are those that this fact has given, where `metered` says that a
    call needs one. `pressure` is 0 while nobody else waits, 1 where what is idle should go back,
    2 where others have less than their share. `lease` in ms.
    """

    run: str
    number: int
    serial: int
    permits: int
    tokens: int = 0
    metered: bool = False
    pressure: int = 0
    lease: int = 10_000


LimiterFact = PermitsAsked | PermitsExpired | PermitsRefilled | LimitSet
"""The facts of a limiter, in the partition of its id."""
