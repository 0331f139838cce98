"""What a backup is worth beside its instance: pure, the same for a pod and for who looks."""

from typing import Literal

from sagalog.engine.instance import ENDED, PARKED, Instance
from sagalog.schemas.claims import Backup
from sagalog.schemas.definition import Json

Standing = Literal["unrecorded", "untold", "running", "emergency", "waits", "conflict", "done"]
"""How the work behind a backup stands.

unrecorded: its instance is not in the log (yet, or any more). untold: the backup has a result
that its instance has not. running: the caller has it, or the pods run the effect. emergency:
the effect is done, what follows is tried again. waits: for a person. conflict: the same key
was used for something else, or gave another result, or was turned back. done: nothing is left.
"""


def standing(backup: Backup, state: Instance | None) -> Standing:
    """How the work behind a backup stands, by its instance as it is now."""
    if state is None:
        return "unrecorded"
    if state.fingerprint != backup.claim.fingerprint or _contradicted(backup, state):
        return "conflict"
    if state.status in ENDED:
        return "done"
    known = results(state)
    if any(name not in known for name in backup.claim.done):
        return "untold"
    if state.status in PARKED:
        return "waits"
    held = state.claim is not None or not known
    return "running" if held else "emergency"


def _contradicted(backup: Backup, state: Instance) -> bool:
    """Whether the log has another result, or took back what the caller was told of."""
    known, done = results(state), backup.claim.done
    if done and state.cause:
        return True
    return any(name in known and known[name] != value for name, value in done.items())


def results(state: Instance) -> dict[str, Json]:
    """The results that an instance of the critical path has, by step."""
    if state.status == "completed":
        return dict(state.result or {})
    pairs = zip(state.definition.steps, state.steps, strict=False)
    return {spec.name: step.result for spec, step in pairs if step.status == "completed"}
