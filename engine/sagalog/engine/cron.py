"""When a cron expression is due, in the time of a zone: what writers reckon, never the fold."""

from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from sagalog.engine.errors import DeclarationError

LONGEST = 200
"""Characters of an expression."""

_REFUSALS = (CronSimError, ValueError, TypeError, AssertionError, StopIteration)


def check(every: str, zone: str) -> None:
    """Raises DeclarationError, which names `every` or `zone`, for what is never due."""
    try:
        _zone(zone)
    except (KeyError, ValueError, OSError) as error:
        raise DeclarationError(
            "zone", f"{zone!r} is no time zone", "Use a name of IANA's, such as Europe/Berlin."
        ) from error
    remedy = 'Use minute, hour, day, month and weekday, such as "*/5 * * * *".'
    try:
        if len(every) > LONGEST:
            raise ValueError(f"longer than {LONGEST} characters")
        due = following(every, zone, 0)
    except _REFUSALS as error:
        reason = str(error).lower() or "it cannot be read"
        raise DeclarationError("every", f"{every!r} is no cron expression: {reason}", remedy) from (
            error
        )
    if not due:
        raise DeclarationError("every", f"{every!r} is never due", remedy)


def following(every: str, zone: str, after: int) -> int:
    """The first time that is due after `after` (ms); 0 where there is none in 50 years.

    Raises one of several errors for what `check` refuses.
    """
    times = CronSim(every, datetime.fromtimestamp(after // 1000, _zone(zone)))
    try:
        due = _milliseconds(next(times))
        while due <= after:  # the hour that comes twice, in its second turn
            due = _milliseconds(next(times))
    except StopIteration:
        return 0
    return due


def newest(every: str, zone: str, due: int, now: int) -> int:
    """The last time that is due and not after `now` (ms); `due`, which is, where there is none."""
    span = 60_000
    while now - span > due:
        found = following(every, zone, now - span)
        if 0 < found <= now:
            return _last(every, zone, found, now)
        span *= 2
    return _last(every, zone, due, now)


def _last(every: str, zone: str, found: int, now: int) -> int:
    while 0 < (later := following(every, zone, found)) <= now:
        found = later
    return found


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


@lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo:
    return UTC if name == "UTC" else ZoneInfo(name)
