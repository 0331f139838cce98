"""One instance on the stage, as a test sees it."""

from collections.abc import Callable, Coroutine
from typing import Any

from sagalog.engine.instance import PARKED
from sagalog.engine.turning import parked_at
from sagalog.schemas.definition import Json
from sagalog.streams.client import Client, How
from sagalog.streams.handle import Handle
from sagalog.streams.outcomes import Outcome
from sagalog.streams.testing.chronicle import Chronicle

Drive = Callable[[Coroutine[Any, Any, Any], str], Any]
"""Run a coroutine to its end; the instance that it waits for, if any, is named."""


class StageHandle:
    """An instance that was started, or found. Nothing here needs an `await`."""

    def __init__(
        self, handle: Handle[Any], client: Client, drive: Drive, chronicle: Chronicle
    ) -> None:
        self.id = handle.id
        self._handle, self._client, self._drive = handle, client, drive
        self._chronicle = chronicle
        self._outcome: Outcome | None = None

    @property
    def status(self) -> str:
        """How it stands now, by the log: `running`, `stuck` ...; "unknown" before its first fact.

        "forgotten" once it has left.
        """
        return self._chronicle.status(self.id)

    def outcome(self) -> Outcome:
        """Let time pass until it has settled, however that may be.

        Raises Conflict, Refused or NotFound as the client does, and Stalled where it never
        will settle.
        """
        if self._outcome is not None and self._outcome.status in PARKED:
            self._handle = self._drive(self._client.get(self.id), self.id)
        outcome: Outcome = self._drive(self._handle.outcome(), self.id)
        self._outcome = outcome
        return outcome

    def cancel(self, reason: str = "") -> None:
        """Ask it to turn back; `outcome` says how it ended."""
        self._drive(self._handle.cancel(reason), "")

    def release(self, step: str, how: How = "retry", result: Json = None) -> None:
        """Move a parked step on, as a person would. Raises ValueError where it is not parked."""
        state = self._chronicle.state(self.id)
        if state is None or parked_at(state, step, how) is None:
            raise ValueError(
                f"{step} of {self.id} is not parked so that {how!r} could move it on: "
                f"the instance is {self.status}"
            )
        self._drive(self._client.release(self.id, step, how, result, by="test"), self.id)
