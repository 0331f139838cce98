"""What the processes of sagalog log: on stderr, for eyes on a terminal or as JSON lines."""

import logging
import sys
from typing import Any

import structlog

from sagalog.streams.logs import unfolded


class _Stderr(logging.StreamHandler[Any]):
    """Where a command logs; there is one of them."""


def configure(level: int, *, as_json: bool = False) -> None:
    """Log what sagalog says from `level` on, and warnings of everything else, to stderr."""
    root, handler = logging.getLogger(), _Stderr(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                unfolded,
                structlog.stdlib.add_log_level,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                *_rendered(as_json=as_json),
            ]
        )
    )
    for former in [former for former in root.handlers if isinstance(former, _Stderr)]:
        root.removeHandler(former)
    root.addHandler(handler)
    logging.getLogger("sagalog").setLevel(level)


def _rendered(*, as_json: bool) -> list[Any]:
    if as_json:
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    return [
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            pad_event_to=0,
            sort_keys=False,
            # Not the pretty one: it shows the values of variables, and so perhaps secrets.
            exception_formatter=structlog.dev.plain_traceback,
        )
    ]
