"""What is under way for each instance of a partition: volatile, made anew by whoever takes it."""

from typing import Literal

from sagalog.engine.anteroom import Anteroom
from sagalog.engine.instance import Instance
from sagalog.engine.pending import (
    Action,
    Deadline,
    End,
    Expire,
    Fire,
    Lapse,
    Run,
    Send,
    Undo,
    pending,
)
from sagalog.engine.timers import Timer, Timers

Phase = Literal["due", "held", "asked", "told", "running", "sent"]
"""due: waits for its time or a slot; held: its operation is paused; asked: its `Compensate`
is on its way through the lane; told: somebody else has been told, and the next fact comes from
there; running: its handler runs; sent: its append is under way, which ends only when it is read
back (rule 6)."""

_IDLE = ("due", "held", "asked", "told")


class Agenda:
    """The actions in flight. An action is planned once, however often its state is seen."""

    __slots__ = ("_awaited", "_marks", "anteroom", "timers")

    def __init__(self) -> None:
        self._marks: dict[str, dict[Action, Phase]] = {}
        self._awaited: dict[str, tuple[str, Action]] = {}
        self.timers = Timers()
        self.anteroom = Anteroom()

    def plan(self, instance: str, state: Instance, now: int) -> list[Action]:
        """The actions to start now, marked as due; those for later are set as timers."""
        wanted = pending(state)
        marks = self._marks.get(instance)
        if marks:
            self._drop_unwanted(instance, marks, wanted)
        elif not wanted:
            return []
        else:
            marks = self._marks.setdefault(instance, {})
        todo: list[Action] = []
        for action in wanted:
            if action in marks or _blocked(action, marks):
                continue
            marks[action] = "due"
            if (due := _due(action, now)) > now:
                self.timers.set(instance, action, due)
            else:
                todo.append(action)
        if not marks:
            del self._marks[instance]
        return todo

    def _drop_unwanted(
        self, instance: str, marks: dict[Action, Phase], wanted: list[Action]
    ) -> None:
        idle = [a for a, phase in marks.items() if phase in _IDLE]
        gone = [action for action in idle if action not in wanted]
        for action in gone:
            self._left(instance, action, marks.pop(action))
            if _due(action):
                self.timers.revoke(instance, action)

    def fired(self, now: int) -> list[Timer]:
        """The timers due at `now` whose actions are still wanted."""
        return [t for t in self.timers.due(now) if self.phase(t.instance, t.action) == "due"]

    def phase(self, instance: str, action: Action) -> Phase | None:
        """How far an action is, or None where it is not in flight."""
        marks = self._marks.get(instance)
        return marks.get(action) if marks else None

    def mark(self, instance: str, action: Action, phase: Phase) -> None:
        """Say how far an action is."""
        self._marks.setdefault(instance, {})[action] = phase

    def hold(self, instance: str, action: Run | Undo, operation: str, lane: str) -> None:
        """The action waits until its operation is held no longer; `lane` brought its instance."""
        self.mark(instance, action, "held")
        self.anteroom.enter((instance, action), operation, lane)

    def let_in(self, instance: str, action: Run | Undo) -> None:
        """The action that was held is due."""
        self.anteroom.leave((instance, action))
        self.mark(instance, action, "due")

    def _left(self, instance: str, action: Action, phase: Phase) -> None:
        if phase == "held" and isinstance(action, Run | Undo):
            self.anteroom.leave((instance, action))

    def told(self, instance: str, action: Action) -> None:
        """Somebody else has been told; told again only by the next owner."""
        self.mark(instance, action, "told")

    def sent(self, instance: str, action: Action, fact: str) -> None:
        """The action's append is under way; `fact` is the id that ends it when read back."""
        self.mark(instance, action, "sent")
        self._awaited[fact] = (instance, action)

    def read_back(self, fact: str) -> None:
        """This owner's fact has been read, accepted or not: its action is over."""
        done = self._awaited.pop(fact, None)
        if done is not None:
            self.clear(*done)

    def clear(self, instance: str, action: Action) -> None:
        """The action is not in flight any more."""
        marks = self._marks.get(instance)
        if not marks or action not in marks:
            return
        self._left(instance, action, marks.pop(action))
        if not marks:
            del self._marks[instance]

    def busy(self) -> bool:
        """Whether a handler runs, or a fact that ends an action is not read back yet."""
        phases = (phase for marks in self._marks.values() for phase in marks.values())
        return bool(self._awaited) or any(phase == "running" for phase in phases)

    def forget(self, instance: str) -> None:
        """The instance wants nothing any more."""
        for action, phase in self._marks.pop(instance, {}).items():
            self._left(instance, action, phase)
            if _due(action):
                self.timers.revoke(instance, action)


def _due(action: Action, now: int = 0) -> int:
    """When the action may start (ms); 0 for at once. A lease counts from `now`."""
    if isinstance(action, Lapse):
        return now + action.lease
    if isinstance(action, Run | Undo | Send):
        return action.not_before
    return action.due if isinstance(action, Deadline | Expire | Fire) else 0


def _blocked(action: Action, marks: dict[Action, Phase]) -> bool:
    """One handler per step at a time (rule 9); undos and ends wait until all have settled."""
    if not isinstance(action, Run | Undo | End):
        return False
    for other, phase in marks.items():
        if phase in _IDLE or not isinstance(other, Run | Undo):
            continue
        if not isinstance(action, Run) or other.step == action.step:
            return True
    return False
