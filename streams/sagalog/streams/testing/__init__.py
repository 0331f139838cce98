"""What tests of an app need: made-up time, processes that can be killed."""

from sagalog.streams.testing.loop import Process, Stalled, VirtualLoop

__all__ = ["Process", "Stalled", "VirtualLoop"]
