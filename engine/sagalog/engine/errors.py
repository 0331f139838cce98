"""The errors that a user of sagalog raises, and those that a declaration can meet.

SagalogError
├── DeclarationError   an app, operation or saga is declared wrongly; raised when declared
├── InvalidInput       an input does not fit the operation's type
├── InvalidResult      a handler returned what its type, or JSON, cannot hold
├── Terminal           raised by a handler: final, do not try again, turn back
├── Unavailable        raised by a handler: something it needs is away; uses no attempt
└── Impossible         a position in the log that must never occur; stops its partition
"""


class SagalogError(Exception):
    """The root of sagalog's errors."""


class DeclarationError(SagalogError):
    """Something is declared wrongly: `field` says what, `reason` why, `remedy` what to do."""

    def __init__(self, field: str, reason: str, remedy: str) -> None:
        super().__init__(f"{field}: {reason}. {remedy}")
        self.field, self.reason, self.remedy = field, reason, remedy


class InvalidInput(SagalogError):
    """An input does not fit the operation's type."""


class InvalidResult(SagalogError):
    """A handler returned what its declared type, or JSON, cannot hold."""


class Terminal(SagalogError):
    """Final: the step failed and trying again cannot help. The saga turns back at once.

    `user_message` is what the end user may be told, where somebody waits for it.
    """

    def __init__(self, *args: object, user_message: str = "") -> None:
        super().__init__(*args)
        self.user_message = user_message


class Unavailable(SagalogError):
    """What the handler needs is away (a database, a service); the call uses up no attempt.

    Raise it only where nothing was done. Connection refusals are recognised without it.
    """


class Impossible(SagalogError):
    """A position that must never occur: the partition stops, loudly, rather than guess."""
