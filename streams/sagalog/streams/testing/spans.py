"""Spans of time as tests write them."""

from datetime import timedelta

from sagalog.engine.retry import Duration, milliseconds
from sagalog.streams.cli.durations import seconds

Span = Duration | str
"""Seconds, a timedelta, or words: "90s", "2h", "30d"."""


def in_seconds(span: Span, field: str) -> float:
    """A span in seconds. Raises Complaint or DeclarationError, which name `field`."""
    if isinstance(span, str):
        return seconds(span, field)
    return milliseconds(span, field) / 1000


def as_duration(span: Span | None, field: str) -> timedelta | None:
    """A span as the client takes it."""
    return None if span is None else timedelta(seconds=in_seconds(span, field))
