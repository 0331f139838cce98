"""From an exception of a handler to a `Failure`: what it means, and how it came about."""

import linecache
from collections.abc import Iterator
from typing import Any

from sagalog.engine import InvalidInput, InvalidResult, Operation, Terminal, Unavailable
from sagalog.schemas.facts import Failure, FailureKind

LONGEST = 8_000
"""Characters of a traceback that are kept: the end, which is nearest to the error."""


def failure_of(operation: Operation[..., Any], error: BaseException) -> Failure:
    """What an exception means: final, one attempt used up, or none."""
    told = "".join(_told(e) for e in reversed(list(causes(error))))
    message = _clean(said(error))[:LONGEST]
    kind, name = _kind(operation, error), type(error).__name__
    return Failure(kind, name, message, _clean(told)[-LONGEST:], _for_users(error))


def _for_users(error: BaseException) -> str:
    """What a handler's exception has to say to the end user, if anything."""
    message = getattr(error, "user_message", "")
    return _clean(message)[:LONGEST] if isinstance(message, str) else ""


def _kind(operation: Operation[..., Any], error: BaseException) -> FailureKind:
    if isinstance(error, InvalidResult):
        return "invalid"
    if isinstance(error, InvalidInput | Terminal):
        return "terminal"
    if any(isinstance(e, Unavailable | ConnectionRefusedError) for e in _declared(error)):
        return "unavailable"
    # What is no Exception (a cancellation of the handler's own, say) speaks of no policy.
    odd = not isinstance(error, Exception)
    return "error" if odd or operation.retry.retryable(error) else "terminal"


def causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and what it was raised from, each once: a chain may be a circle."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)


def _clean(text: str) -> str:
    """Without lone surrogates, which stand in file names and which JSON cannot hold."""
    return text.encode("utf-8", "replace").decode()


def _declared(error: BaseException) -> Iterator[BaseException]:
    """An exception and what it was raised `from`: what was merely being handled says less."""
    for cause in causes(error):
        yield cause
        if cause.__cause__ is None:
            return


def said(error: BaseException) -> str:
    """The exception's message, even where that raises one itself."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 (a handler's exception may do anything)
        return f"<{type(error).__name__} without a message>"


def _told(error: BaseException) -> str:
    """A traceback as Python prints it. Its own way of doing so takes 25 times as long."""
    lines = ["Traceback (most recent call last):\n"]
    step = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        source = linecache.getline(code.co_filename, step.tb_lineno).strip()
        place = f'  File "{code.co_filename}", line {step.tb_lineno}, in {code.co_name}\n'
        lines.append(f"{place}    {source}\n" if source else place)
        step = step.tb_next
    return "".join([*lines, f"{type(error).__name__}: {said(error)}\n"])
