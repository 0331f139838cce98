"""What touches the world: the two logs, the pod, the client, the command line.

Each name is imported when it is first asked for, so that the command line starts quickly.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sagalog.streams.blocking import BlockingClient, BlockingHandle, WouldBlock
    from sagalog.streams.client import Client
    from sagalog.streams.connection import connect
    from sagalog.streams.errors import (
        Fenced,
        LogError,
        LogOwned,
        LogUnavailable,
        OffsetLost,
        RecordTooLarge,
        TopicMissing,
    )
    from sagalog.streams.handle import Handle
    from sagalog.streams.outcomes import (
        Cancelled,
        Conflict,
        NotCompleted,
        NotFound,
        Outcome,
        Parked,
        Refused,
        TurnedBack,
    )
    from sagalog.streams.pausing import Hold
    from sagalog.streams.pod import Pod, PodSettings
    from sagalog.streams.progress import Progress

__all__ = [
    "BlockingClient",
    "BlockingHandle",
    "Cancelled",
    "Client",
    "Conflict",
    "Fenced",
    "Handle",
    "Hold",
    "LogError",
    "LogOwned",
    "LogUnavailable",
    "NotCompleted",
    "NotFound",
    "OffsetLost",
    "Outcome",
    "Parked",
    "Pod",
    "PodSettings",
    "Progress",
    "RecordTooLarge",
    "Refused",
    "TopicMissing",
    "TurnedBack",
    "WouldBlock",
    "connect",
]

_HOME = {
    "BlockingClient": "blocking",
    "BlockingHandle": "blocking",
    "Cancelled": "outcomes",
    "Client": "client",
    "Conflict": "outcomes",
    "Fenced": "errors",
    "Handle": "handle",
    "Hold": "pausing",
    "LogError": "errors",
    "LogOwned": "errors",
    "LogUnavailable": "errors",
    "NotCompleted": "outcomes",
    "NotFound": "outcomes",
    "OffsetLost": "errors",
    "Outcome": "outcomes",
    "Parked": "outcomes",
    "Pod": "pod",
    "PodSettings": "pod",
    "Progress": "progress",
    "RecordTooLarge": "errors",
    "Refused": "outcomes",
    "TopicMissing": "errors",
    "TurnedBack": "outcomes",
    "WouldBlock": "blocking",
    "connect": "connection",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
