"""What touches the world: the two logs, the pod, the client, the command line.

Each name is imported when it is first asked for, so that the command line starts quickly.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sagalog.streams.backpressure import Backpressure
    from sagalog.streams.blocking import BlockingClient, BlockingHandle, WouldBlock
    from sagalog.streams.client import Client
    from sagalog.streams.connection import connect
    from sagalog.streams.critical import Critical, CriticalFailed
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
    from sagalog.streams.pod import Pod
    from sagalog.streams.pod_settings import PodSettings
    from sagalog.streams.progress import Progress
    from sagalog.streams.stats import PodStats
    from sagalog.streams.status import LaneStatus, Observer, Status
    from sagalog.streams.workers import Worker, drain_worker, read_workers

__all__ = [
    "Backpressure",
    "BlockingClient",
    "BlockingHandle",
    "Cancelled",
    "Client",
    "Conflict",
    "Critical",
    "CriticalFailed",
    "Fenced",
    "Handle",
    "Hold",
    "LaneStatus",
    "LogError",
    "LogOwned",
    "LogUnavailable",
    "NotCompleted",
    "NotFound",
    "Observer",
    "OffsetLost",
    "Outcome",
    "Parked",
    "Pod",
    "PodSettings",
    "PodStats",
    "Progress",
    "RecordTooLarge",
    "Refused",
    "Status",
    "TopicMissing",
    "TurnedBack",
    "Worker",
    "WouldBlock",
    "connect",
    "drain_worker",
    "read_workers",
]

_HOME = {
    "Backpressure": "backpressure",
    "BlockingClient": "blocking",
    "BlockingHandle": "blocking",
    "Cancelled": "outcomes",
    "Client": "client",
    "Conflict": "outcomes",
    "Critical": "critical",
    "CriticalFailed": "critical",
    "Fenced": "errors",
    "Handle": "handle",
    "Hold": "pausing",
    "LaneStatus": "status",
    "LogError": "errors",
    "LogOwned": "errors",
    "LogUnavailable": "errors",
    "NotCompleted": "outcomes",
    "NotFound": "outcomes",
    "Observer": "status",
    "OffsetLost": "errors",
    "Outcome": "outcomes",
    "Parked": "outcomes",
    "Pod": "pod",
    "PodSettings": "pod_settings",
    "PodStats": "stats",
    "Progress": "progress",
    "RecordTooLarge": "errors",
    "Refused": "outcomes",
    "Status": "status",
    "TopicMissing": "errors",
    "TurnedBack": "outcomes",
    "Worker": "workers",
    "WouldBlock": "blocking",
    "connect": "connection",
    "drain_worker": "workers",
    "read_workers": "workers",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
