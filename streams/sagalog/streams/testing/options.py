"""The options of a start as tests write them: spans may be words."""

from datetime import datetime
from typing import Any, TypedDict, cast

from sagalog.schemas.definition import Priority
from sagalog.streams.options import OnRepeat, Options
from sagalog.streams.testing.spans import Span, as_duration

_SPANS = ("delay", "deadline", "queue_limit", "keep")


class StageOptions(TypedDict, total=False):
    """As the client's `Options`; each span of time may also be words, as in "30d"."""

    key: str | None
    on_repeat: OnRepeat
    priority: Priority
    delay: Span | None
    at: datetime | None
    deadline: Span | None
    queue_limit: Span | None
    keep: Span | None


def as_options(options: StageOptions) -> Options:
    """The options as the client takes them. Raises as `as_duration` does."""
    taken: dict[str, Any] = {**options}
    for name in _SPANS:
        if name in taken:
            taken[name] = as_duration(taken[name], name)
    return cast("Options", taken)
