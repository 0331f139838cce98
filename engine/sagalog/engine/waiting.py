"""Who waits for an instance's outcome: hints, in memory only, since a client asks again."""

from sagalog.engine.instance import Instance
from sagalog.engine.replying import further, outcome, so_far
from sagalog.engine.writer import Writer
from sagalog.schemas.requests import ReplyTo


class Waiting:
    """The clients that asked, each once for each of its requests."""

    __slots__ = ("_by_instance", "_callers", "_following", "_writer")

    def __init__(self, writer: Writer) -> None:
        self._by_instance: dict[str, dict[tuple[str, str], ReplyTo]] = {}
        self._callers: dict[str, dict[tuple[str, str], ReplyTo]] = {}
        self._following: dict[str, dict[tuple[str, str], ReplyTo]] = {}
        self._writer = writer

    def add(self, instance: str, to: ReplyTo) -> None:
        """Tell `to` when the instance settles."""
        self._by_instance.setdefault(instance, {})[to.client, to.request] = to

    def follow(self, instance: str, to: ReplyTo, state: Instance) -> None:
        """Tell `to` how far the instance is, now and until it settles."""
        self._following.setdefault(instance, {})[to.client, to.request] = to
        for index, step in enumerate(state.steps):
            if step.progress is not None:
                self._writer.further(to, further(to, instance, state, index))

    def progressed(self, instance: str, state: Instance, step: str) -> None:
        """A step of it is further: tell all that follow it."""
        for to in self._following.get(instance, {}).values():
            self._writer.further(to, further(to, instance, state, state.step_index(step)))

    def add_caller(self, instance: str, to: ReplyTo) -> None:
        """Tell `to` when the instance settles, or its claim ends before."""
        self._callers.setdefault(instance, {})[to.client, to.request] = to

    def tell_callers(self, instance: str, state: Instance) -> None:
        """The claim has ended, and the instance goes on: tell how far it is."""
        for to in self._callers.pop(instance, {}).values():
            self._writer.reply(to, so_far(to, instance, state))

    def tell(self, instance: str, state: Instance, first: ReplyTo | None) -> None:
        """The instance has settled: tell whoever started it, and all that asked."""
        asked = self._by_instance.pop(instance, {}) | self._callers.pop(instance, {})
        self._following.pop(instance, None)
        if first is not None:
            asked.setdefault((first.client, first.request), first)
        for to in asked.values():
            self._writer.reply(to, outcome(to, instance, state))
