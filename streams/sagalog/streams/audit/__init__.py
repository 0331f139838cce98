"""Whether what is in the log is what was promised: one program that reads only topics."""

from sagalog.streams.audit.auditor import Auditor
from sagalog.streams.audit.evidence import Blow, Call, Journal, read_journal
from sagalog.streams.audit.reading import audit
from sagalog.streams.audit.report import Report
from sagalog.streams.audit.tally import Tally
from sagalog.streams.audit.violation import Spot, Violation

__all__ = [
    "Auditor",
    "Blow",
    "Call",
    "Journal",
    "Report",
    "Spot",
    "Tally",
    "Violation",
    "audit",
    "read_journal",
]
