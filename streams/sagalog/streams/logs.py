"""The library's log lines: through the standard library's logging, so that whoever uses it decides.

A program that configures no logging sees warnings and errors on stderr, and nothing else.
"""

import logging
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

EVENT, FIELDS = "sagalog_event", "sagalog_fields"
"""The attributes of a LogRecord that hold the line's words and its fields apart."""


def logger(name: str) -> Any:
    """A structlog logger that ends in `logging.getLogger(name)`."""
    return structlog.wrap_logger(
        logging.getLogger(name),
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            _to_record,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def _to_record(
    _logger: Any, _method: str, fields: MutableMapping[str, Any]
) -> tuple[tuple[str], Mapping[str, Any]]:
    event, error = str(fields.pop("event")), fields.pop("exc_info", None)
    said = " ".join(f"{name}={value!r}" for name, value in fields.items())
    line = f"{event}: {said}" if said else event
    extra = {EVENT: event, FIELDS: dict(fields)}
    return (line,), {"extra": extra, "exc_info": error}


def unfolded(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> Any:
    """A structlog processor that takes a record's words and fields apart again."""
    record = fields.get("_record")
    if record is not None and hasattr(record, FIELDS):
        fields["event"] = getattr(record, EVENT)
        fields.update(getattr(record, FIELDS))
    return fields
