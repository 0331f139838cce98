"""What handlers did to the world outside, by the keys that they were given."""

from sagalog.engine.effects import Invocation


class Effects:
    """An idempotent world outside: a key's effect is there or not, however often it is called.

    An undo takes away its step's effect, and bears a step that never happened. Called again
    with its key it does nothing (rule 15).
    """

    def __init__(self) -> None:
        self.there: dict[str, bool] = {}
        self._undos: set[str] = set()

    def happen(self, invocation: Invocation) -> None:
        """The call of a handler did what it is there for."""
        key = invocation.context.idempotency_key
        step = ":".join(key.split(":")[:3])
        if invocation.context.phase == "forward":
            self.there[step] = True
        elif key not in self._undos:
            self._undos.add(key)
            self.there[step] = False

    def remaining(self, instance: str, run: str) -> list[str]:
        """The steps of one life whose effects are there."""
        start = f"{instance}:{run}:"
        return [
            key.removeprefix(start)
            for key, there in self.there.items()
            if there and key.startswith(start)
        ]
