"""Whether what is in the log is what was promised: one program that reads only topics."""

from sagalog.streams.audit.auditor import Auditor
from sagalog.streams.audit.evidence import Blow, Call, Journal, read_journal
from sagalog.streams.audit.violation import Spot, Violation

__all__ = ["Auditor", "Blow", "Call", "Journal", "Spot", "Violation", "read_journal"]
