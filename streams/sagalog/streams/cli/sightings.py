"""Whether an operation that was typed is known to the log, or may be a slip of the pen."""

from sagalog.schemas.codec import decode
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.facts import Started
from sagalog.schemas.topics import Topics
from sagalog.streams.cli.reporting import note
from sagalog.streams.cli.sessions import Session
from sagalog.streams.history import bounds, scan

RECENT = 5000
"""The records of each partition that are looked at: the last ones."""


async def note_unseen(session: Session, target: str, operation: str) -> None:
    """Say that nothing vouches for the operation, where neither code nor log does."""
    if ":" in target or await _seen(session, operation):
        return
    note(
        f"not checked: no recent instance of {session.app} has an operation {operation!r}. "
        "If that is a slip, nothing heeds it; --app MODULE:APP checks the name"
    )


async def _seen(session: Session, operation: str) -> bool:
    topic, name = Topics(session.app).events, operation.encode()
    places = [(topic, number) for number in range(await session.log.partitions(topic))]
    spans = await bounds(session.log, places)
    ranges = {place: (max(start, end - RECENT), end) for place, (start, end) in spans.items()}
    async for record in scan(session.log, ranges):
        message = decode(record.value) if name in (record.value or b"") else None
        if isinstance(message, Envelope) and isinstance(message.data, Started):
            steps = message.data.definition.steps
            if any(operation in (step.operation, step.undo) for step in steps):
                return True
    return False
