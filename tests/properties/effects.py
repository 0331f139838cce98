"""What handlers did to the world outside, by the keys that they were given."""

from sagalog.engine.effects import Invocation


class Effects:
    """An idempotent world outside: a key acts once, however often it is called (rule 15).

    An undo takes away its step's effect, and bears a step that never happened.
    """

    def __init__(self) -> None:
        self.there: dict[str, bool] = {}
        self._seen: set[str] = set()

    def happen(self, invocation: Invocation) -> None:
        """The call of a handler did what it is there for."""
        key = invocation.context.idempotency_key
        step = ":".join(key.split(":")[:3])
        if key not in self._seen:
            self._seen.add(key)
            self.there[step] = invocation.context.phase == "forward"

    def remaining(self, instance: str, run: str) -> list[str]:
        """The steps of one life whose effects are there."""
        start = f"{instance}:{run}:"
        return [
            key.removeprefix(start)
            for key, there in self.there.items()
            if there and key.startswith(start)
        ]
