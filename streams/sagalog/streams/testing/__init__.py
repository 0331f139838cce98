"""What tests of an app need: a stage with made-up time, and crashes at every boundary."""

from sagalog.streams.testing.calls import Call, Calls
from sagalog.streams.testing.crashing import CrashFound, crash_everywhere
from sagalog.streams.testing.handles import StageHandle
from sagalog.streams.testing.leaps import NoNetwork, NoThreads
from sagalog.streams.testing.loop import Process, Stalled, VirtualLoop
from sagalog.streams.testing.stage import Stage

__all__ = [
    "Call",
    "Calls",
    "CrashFound",
    "NoNetwork",
    "NoThreads",
    "Process",
    "Stage",
    "StageHandle",
    "Stalled",
    "VirtualLoop",
    "crash_everywhere",
]
