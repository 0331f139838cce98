"""What a client hears on `<app>.replies`: hints, told from folded state (rule 13)."""

from dataclasses import dataclass
from typing import Literal

from sagalog.schemas.definition import Json
from sagalog.schemas.facts import Failure

ReplyKind = Literal["outcome", "started", "accepted", "conflict", "refused", "unknown"]


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one request of one client.

    `kind` outcome: the instance has ended or is parked, as `status` says; started: its
    first fact is in the log; accepted: a cancel or release is; conflict: the id lives
    with another payload; refused: the request cannot be served, `error` says why;
    unknown: no such instance. `run` is the life whose steps the client may now run itself,
    since its claim is granted; empty where it is not.
    """

    client: str
    request: str
    kind: ReplyKind
    instance: str
    status: str = ""
    result: Json = None
    error: Failure | None = None
    remaining: tuple[str, ...] = ()
    run: str = ""


@dataclass(frozen=True, slots=True)
class Further:
    """How far a step is, to one who follows its instance; `time` is its fact's stamp in ms."""

    client: str
    request: str
    instance: str
    step: str
    attempt: int
    number: int
    fraction: float
    message: str
    time: int
