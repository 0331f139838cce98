"""Durations and times as people type them."""

import re
from datetime import datetime

from sagalog.streams.cli.reporting import Complaint

_UNITS = {"ms": 0.001, "": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w|)")


def seconds(text: str, option: str) -> float:
    """`90`, `90s`, `1.5m`, `2h`, `7d` in seconds. Raises Complaint, which names the option."""
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise Complaint(f"{option}: {text!r} is no duration. Write 30s, 5m, 2h or 7d")
    return float(found[1]) * _UNITS[found[2]]


def optional_seconds(text: str | None, option: str) -> float | None:
    """A duration that may be left out."""
    return None if text is None else seconds(text, option)


def since(text: str, now: int) -> int:
    """A time in ms: so long ago (`2h`), or a date and time in ISO 8601, local without a zone."""
    if _DURATION.fullmatch(text.strip()):
        return now - round(seconds(text, "--since") * 1000)
    return round(_moment(text, "--since", "30m, 2h or 7d, or 2026-11-22T17:30").timestamp() * 1000)


def optional_moment(text: str | None, option: str) -> datetime | None:
    """A date and time that may be left out, in ISO 8601, local without a zone."""
    return None if text is None else _moment(text, option, "2026-11-22T17:30")


def _moment(text: str, option: str, example: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise Complaint(f"{option}: {text!r} is no time. Write {example}") from None


def spoken(milliseconds: int) -> str:
    """A duration for people: `12 ms`, `1.52 s`, `3 m 05 s`, `2 h 10 m`, `4 d 3 h`."""
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1000:.3g} s"
    whole = milliseconds // 1000
    if whole < 3600:
        return f"{whole // 60} m {whole % 60:02d} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} m"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"
