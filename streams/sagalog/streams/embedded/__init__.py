"""The embedded log: one SQLite file for the processes of a machine, or memory for tests."""

from sagalog.streams.embedded.log import EmbeddedLog
from sagalog.streams.embedded.memory import MemoryLog
from sagalog.streams.embedded.memory_store import MemoryStore

__all__ = ["EmbeddedLog", "MemoryLog", "MemoryStore"]
