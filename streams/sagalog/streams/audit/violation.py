"""What an audit finds: a promise that the log does not keep."""

from dataclasses import dataclass
from typing import NamedTuple


class Spot(NamedTuple):
    """A place of one record."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True)
class Violation:
    """One promise broken. `letter` names the invariant, such as S3 (RELIABILITY, section 3).

    `instance` is empty where it is about none. `places` are the records that show it,
    `timeline` is what is known of the instance, a line each.
    """

    letter: str
    app: str
    instance: str
    sentence: str
    places: tuple[Spot, ...] = ()
    timeline: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = f" [{', '.join(map(str, self.places))}]" if self.places else ""
        whose = f"{self.app}: {self.instance}: " if self.instance else f"{self.app}: "
        return f"{self.letter} {whose}{self.sentence}{where}"

    def text(self) -> str:
        """The violation with the instance's timeline under it."""
        return "\n".join((str(self), *(f"    {line}" for line in self.timeline)))
