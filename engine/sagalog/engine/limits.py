"""How much of an operation may go on at once, as a user says it."""

import math
from dataclasses import dataclass
from typing import cast

import orjson

from sagalog.engine.errors import DeclarationError
from sagalog.engine.retry import Duration, milliseconds
from sagalog.schemas.definition import Json
from sagalog.schemas.limits import LimitSpec

TENANT = "tenant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """At most `concurrency` calls at once, and at most `rate` begun in `per` seconds.

    `burst` is how many may begin at once after a pause: a tenth of a second's worth unless
    given. `by` says what is limited: "" all calls together, "tenant" those of each tenant,
    else those of each value at a place of the input, as "customer.id". `lease` (seconds) is
    how long a pod may use permits without a word, and how long those of a dead one are gone.
    Without a bound nothing is limited until somebody sets a limit at run time.
    """

    concurrency: int | None = None
    rate: int | None = None
    per: Duration = 1.0
    burst: int | None = None
    by: str = ""
    lease: Duration = 10.0

    def __post_init__(self) -> None:
        """Refuse numbers that limit nothing sensible."""
        if self.concurrency is not None and self.concurrency < 0:
            raise DeclarationError("Limit.concurrency", "is below 0", "0 lets nothing begin.")
        if self.rate is not None and self.rate < 1:
            raise DeclarationError("Limit.rate", "is below 1", "Use a longer `per`.")
        if self.burst is not None and self.burst < 1:
            raise DeclarationError("Limit.burst", "is below 1", "1 spaces calls evenly.")
        if milliseconds(self.per, "Limit.per") < 1:
            raise DeclarationError("Limit.per", "is below a millisecond", "1.0 is usual.")
        if milliseconds(self.lease, "Limit.lease") < 100:
            raise DeclarationError("Limit.lease", "is below 0.1 seconds", "10 is usual.")

    def spec(self) -> LimitSpec:
        """The part that travels."""
        per = milliseconds(self.per, "Limit.per")
        tenth = math.ceil((self.rate or 0) * 100 / per)
        return LimitSpec(
            concurrency=self.concurrency,
            rate=self.rate,
            per=per,
            burst=self.burst or max(1, min(tenth, self.rate or 1)),
            lease=milliseconds(self.lease, "Limit.lease"),
        )


def key_of(by: str, tenant: str, payload: Json) -> str:
    """The key under which a call counts; empty where its input has nothing at that place.

    `payload` is plain data, or JSON as bytes.
    """
    if not by:
        return ""
    if by == TENANT:
        return tenant
    value: Json = orjson.loads(payload) if isinstance(payload, bytes) else payload
    for part in by.split("."):
        value = cast("dict[str, Json]", value).get(part) if isinstance(value, dict) else None
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()
