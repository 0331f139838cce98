"""How a command ends: errors as a sentence on stderr, and the exit code that scripts go by."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from pydantic import ValidationError

    from sagalog.streams.outcomes import NotCompleted


class Code(IntEnum):
    """The exit codes. `sagalog --help` lists them."""

    DONE = 0
    NO = 1  # it did not complete, or a check found something wrong
    USAGE = 2  # the command line, an input or a file is wrong
    NOT_FOUND = 3  # no such instance, dead letter or app
    TOPICS = 4  # topics are missing, or not as the app needs them
    UNAVAILABLE = 5  # the broker or the file cannot be reached
    OWNED = 6  # another process owns the embedded log
    FULL = 7  # a lane holds more than SAGALOG_BACKLOG_LIMIT
    BUG = 70  # an error of sagalog itself
    INTERRUPTED = 130  # Ctrl-C


CODES = """\
   0  done
   1  it did not complete, or a check found something wrong
   2  the command line, an input or a file is wrong
   3  there is no such instance, letter or log
   4  topics are missing, or not as the app needs them
   5  the broker or the file cannot be reached
   6  another process owns the embedded log
   7  a lane holds more than SAGALOG_BACKLOG_LIMIT: try again later
  70  a bug of sagalog
 130  interrupted"""


class Complaint(Exception):
    """What a command cannot do: `sentence` says what, why and what to do."""

    def __init__(self, sentence: str, code: Code = Code.USAGE) -> None:
        super().__init__(sentence)
        self.sentence, self.code = sentence, code


@contextmanager
def reporting() -> Generator[None]:
    """Let a command's errors end it with a sentence and an exit code."""
    try:
        yield
    except (typer.Exit, typer.Abort, typer.BadParameter, BrokenPipeError):
        raise
    except KeyboardInterrupt:
        raise typer.Exit(Code.INTERRUPTED) from None
    except Exception as error:
        if os.environ.get("SAGALOG_TRACEBACK"):
            raise
        sentence, code = explained(error)
        complain(sentence)
        raise typer.Exit(code) from None


def complain(sentence: str) -> None:
    """An error's sentence on stderr."""
    typer.secho("Error: ", fg="red", bold=True, err=True, nl=False)
    typer.echo(_ended(sentence), err=True)


def note(sentence: str) -> None:
    """A word beside the answer, on stderr."""
    typer.secho(_ended(sentence), fg="yellow", err=True)


def explained(error: Exception) -> tuple[str, Code]:
    """An error as a sentence and an exit code."""
    from pydantic import ValidationError  # noqa: PLC0415 (only when something went wrong)

    from sagalog.engine import DeclarationError, InvalidInput  # noqa: PLC0415
    from sagalog.streams import errors  # noqa: PLC0415
    from sagalog.streams.backpressure import Backpressure  # noqa: PLC0415
    from sagalog.streams.outcomes import NotCompleted  # noqa: PLC0415

    match error:
        case Complaint():
            return error.sentence, error.code
        case NotCompleted():
            return _not_completed(error)
        case errors.TopicMissing():
            return str(error), Code.TOPICS
        case errors.LogOwned():
            return str(error), Code.OWNED
        case Backpressure():
            return str(error), Code.FULL
        case errors.RecordTooLarge() | DeclarationError() | InvalidInput():
            return str(error), Code.USAGE
        case errors.LogError():
            return str(error), Code.UNAVAILABLE
        case ValidationError():
            return _settings(error), Code.USAGE
        case _:
            bug = f"unexpected {type(error).__name__}: {error}"
            return f"{bug}. Set SAGALOG_TRACEBACK=1 to see where", Code.BUG


def _not_completed(error: "NotCompleted") -> tuple[str, Code]:
    from sagalog.streams.outcomes import Conflict, NotFound, Refused  # noqa: PLC0415

    instance, failure = error.outcome.instance, error.outcome.error
    match error:
        case Conflict():
            said = f"the key is in use: {instance} was started with it and another input"
            return f"{said}. Send the same input, or use another key", Code.NO
        case Refused() if failure is not None:
            return f"refused: {failure.message}", Code.NO
        case NotFound():
            said = f"there is no instance {instance}, or it has been forgotten"
            return f"{said} after its retention", Code.NOT_FOUND
        case _:
            return str(error), Code.NO


def _settings(error: "ValidationError") -> str:
    first = error.errors(include_url=False)[0]
    name = "SAGALOG_" + "_".join(str(part) for part in first["loc"]).upper()
    return f"{name}={first['input']}: {first['msg']}"


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "?", "!", "`")) else f"{sentence}."
