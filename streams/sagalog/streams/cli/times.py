"""Points in time, for people in their own zone."""

from datetime import datetime

from sagalog.streams.cli.durations import spoken


def clock(milliseconds: int) -> str:
    """The time of day, to the millisecond."""
    return _local(milliseconds).strftime("%H:%M:%S.") + f"{milliseconds % 1000:03d}"


def date_and_clock(milliseconds: int) -> str:
    """Date and time of day."""
    return _local(milliseconds).strftime("%Y-%m-%d %H:%M:%S")


def short_time(milliseconds: int, now: int) -> str:
    """The time of day, with the date where that is not today."""
    then, today = _local(milliseconds), _local(now).date()
    return then.strftime("%H:%M:%S" if then.date() == today else "%Y-%m-%d %H:%M:%S")


def due(milliseconds: int, now: int) -> str:
    """A time to come, and how far away it is."""
    if milliseconds <= now:
        return "now"
    return f"at {clock(milliseconds)}, in {spoken(milliseconds - now)}"


def zone(milliseconds: int) -> str:
    """The zone of the times that are shown."""
    return _local(milliseconds).strftime("%Z (UTC%z)")


def _local(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000).astimezone()
