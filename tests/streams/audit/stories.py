"""True logs: what happens to an instance, as it should."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sagalog.schemas import facts as f
from sagalog.schemas.requests import Cancel, Inquire, Plan, Purge, Release
from sagalog.streams.audit.writing import home
from tests.streams.audit.beats import (
    FIRST,
    MINUTE,
    PLAN,
    asking,
    begin,
    fire,
    firing,
    schedule,
    send,
)
from tests.streams.audit.families import child_fails, child_refused, child_undone, family
from tests.streams.audit.forgery import (
    ALONE,
    AWAY,
    CAREFUL,
    CUT,
    ERROR,
    TERMINAL,
    WIDE,
    Forgery,
    to,
)


def complete(log: Forgery) -> None:
    log.start()
    log.done("a", result=1)
    log.done("b", result=2)
    log.fact(f.Completed(log.run))


def compensate(log: Forgery) -> None:
    log.start()
    log.done("a")
    log.failed("b", CUT, final=False)
    log.failed("b", TERMINAL, 2)
    log.undone("b")
    log.undone("a")
    log.fact(f.Compensated(log.run))


def tries_again(log: Forgery) -> None:
    log.start()
    log.failed("a", ERROR, final=False)
    log.failed("a", AWAY, 2, final=False)
    log.failed("a", ERROR, 3, final=False)
    log.done("a", 4)
    log.done("b")
    log.fact(f.Completed(log.run))


def gives_up(log: Forgery) -> None:
    log.start()
    for attempt in (1, 2, 3):
        log.failed("a", ERROR, attempt, final=attempt == 3)
    log.fact(f.Compensated(log.run))


def purged(log: Forgery) -> None:
    asked = log.ask(log.request())
    log.ask(Purge("normal", asked.offset + 1, "too many", "ann"), "high", subject="order")
    log.fact(log.started(asked, purged="its lane was purged by ann: too many"))


def cancelled(log: Forgery) -> None:
    log.start()
    log.done("a")
    log.call("b", pid=1)
    log.ask(Cancel())
    log.fact(f.CancelRequested(log.run))
    log.fact(f.StepCompleted(log.run, "b", 1))
    log.undone("b", 2)
    log.undone("a")
    log.fact(f.Cancelled(log.run))


def too_slow(log: Forgery) -> None:
    log.start(deadline=1_000_500)
    log.done("a")
    log.fact(f.DeadlinePassed(log.run, 1_000_500))
    log.undone("b")
    log.undone("a")
    log.fact(f.Compensated(log.run))


def killed(log: Forgery) -> None:
    """A call that a kill cut short is made again."""
    log.start()
    log.call("a", pid=1, effect=False)
    log.blow("kill", 1)
    log.take("owner2")
    log.call("a", pid=2)
    log.fact(f.StepCompleted(log.run, "a", 1))
    log.done("b")
    log.fact(f.Completed(log.run))


def lost_without_a_blow(log: Forgery) -> None:
    """A partition that moves explains as much as a kill."""
    log.start()
    log.call("a", pid=1, effect=False)
    log.take("owner2")
    log.call("a", pid=2)
    log.fact(f.StepCompleted(log.run, "a", 1))
    log.done("b")
    log.fact(f.Completed(log.run))


def zombie(log: Forgery) -> None:
    """A frozen owner wakes: its late facts are repeats, or undone."""
    log.start()
    log.call("a", pid=1, effect=False)
    log.blow("freeze", 1)
    log.take("owner2")
    log.call("a", pid=2)
    log.fact(f.StepCompleted(log.run, "a", 1, "second"))
    log.failed("b", pid=2)
    log.blow("thaw", 1)
    log.fact(f.StepCompleted(log.run, "a", 1, "first"), source="orders/0/owner1")
    log.fact(f.StepFailed(log.run, "b", 1, ERROR, final=False), source="orders/0/owner1")
    log.undone("a")
    log.fact(f.Compensated(log.run))
    log.fact(f.StepCompensated(log.run, "a", 1), source="orders/0/owner1")
    log.fact(f.Compensated(log.run), source="orders/0/owner1")


def failed_behind_a_take(log: Forgery) -> None:
    """What was ready before the take perhaps happened."""
    log.start()
    log.done("a")
    log.take("owner2")
    log.failed("b")
    log.undone("b")
    log.undone("a")
    log.fact(f.Compensated(log.run))


def orphan(log: Forgery) -> None:
    """A completion behind the end: the end stays, and the orphan is undone."""
    log.start()
    log.call("a", pid=1, effect=False)
    log.blow("freeze", 1)
    log.take("owner2")
    log.fact(f.CancelRequested(log.run))
    log.call("a", undo=1, pid=2)
    log.fact(f.StepCompensated(log.run, "a", 1))
    log.fact(f.Cancelled(log.run))
    log.blow("thaw", 1)
    log.fact(f.StepCompleted(log.run, "a", 1), source="orders/0/owner1")
    log.call("a", undo=2, pid=2)
    log.fact(f.StepCompensated(log.run, "a", 2))


def two_lives(log: Forgery) -> None:
    complete(log)
    log.now += 2000
    log.ask(Inquire(to()))
    log.fact(f.Forgotten(log.run, {"normal": 2, "high": 0, "low": 0, "compensations": 0}))
    log.run = "owner1-2"
    log.start()
    log.fact(f.StepCompleted("owner1-1", "a", 1, "former"))
    log.done("a")
    log.done("b")
    log.fact(f.Completed(log.run))


def stuck_and_released(log: Forgery) -> None:
    log.definition = CAREFUL
    log.start()
    log.done("a")
    for attempt in (1, 2, 3):
        log.failed("b", ERROR, attempt, final=attempt == 3)
    log.ask(Release("b"), "high")
    log.fact(f.StepReleased(log.run, "b", "retry", 3))
    log.failed("b", ERROR, 4, final=False)
    log.failed("b", AWAY, 5, final=False)
    log.done("b", 6)
    log.fact(f.Completed(log.run))


def resolved(log: Forgery) -> None:
    log.definition = CAREFUL
    log.start()
    log.done("a")
    for attempt in (1, 2, 3):
        log.failed("b", ERROR, attempt, final=attempt == 3)
    log.fact(f.StepReleased(log.run, "b", "resolve", 3, result="by hand"))
    log.fact(f.Completed(log.run))


def told_late(log: Forgery) -> None:
    """A reply tells how it was; meanwhile a person has moved it on, and it has completed."""
    log.definition = ALONE
    log.start()
    log.failed("a")
    log.fact(f.StepReleased(log.run, "a", "resolve", 1, result=1))
    log.fact(f.Completed(log.run))
    log.reply("outcome", "dead")
    log.reply("outcome", "completed", 1)


def undo_stuck(log: Forgery) -> None:
    log.start()
    log.done("a")
    log.failed("b")
    log.not_undone("a", 1, ERROR, final=False)
    log.not_undone("a", 2)
    log.fact(f.StepReleased(log.run, "a", "retry", 2, number=1))
    log.not_undone("a", 3)
    log.fact(f.StepReleased(log.run, "a", "skip", 3, number=1))
    log.fact(f.Compensated(log.run))


def parked(log: Forgery) -> None:
    """It waits for a person, and that is an arrival."""
    log.definition = ALONE
    log.start()
    log.failed("a")


def given_up_on(log: Forgery) -> None:
    """What stays unavailable is given up, and parks."""
    log.start()
    log.failed("a", AWAY, 1, final=False)
    log.now += 1000
    log.failed("a", AWAY, 2)


def parallel(log: Forgery) -> None:
    """Two branches; one parks, and the other fails for good."""
    steps = (replace(WIDE.steps[0], exhausted="park"), WIDE.steps[1])
    log.definition = replace(WIDE, steps=steps)
    log.start()
    for attempt in (1, 2, 3):
        log.failed("a", ERROR, attempt, final=attempt == 3)
    log.failed("b")
    log.fact(f.Compensated(log.run))


# -- requests


def forwarded(log: Forgery) -> None:
    """A request in the wrong partition is found again in its own."""
    log.partitions["orders"] = 2
    log.partition = home("x", 2)
    log.take("owner1")
    other = 1 - log.partition
    wrong = log.ask(log.request(), partition=other)
    right = log.put("normal", wrong.value, b"x")
    log.committed(1, partition=other)
    log.fact(log.started(right))
    log.done("a")
    log.done("b")
    log.fact(f.Completed(log.run))


def repeated(log: Forgery) -> None:
    """A repeat finds its first, another payload is a conflict, and each is told so."""
    log.start(reply_to=to("first"))
    log.ask(log.request(reply_to=to("again")))
    log.ask(log.request(reply_to=to("other"), fingerprint="g"))
    log.reply("conflict", to="other")
    log.done("a", result=1)
    log.done("b", result=2)
    log.fact(f.Completed(log.run))
    log.reply("outcome", "completed", {"a": 1, "b": 2}, to="first")
    log.reply("outcome", "completed", {"a": 1, "b": 2}, to="again")
    log.committed(3)


def rival(log: Forgery) -> None:
    """Another payload is a conflict, until the instance is forgotten: then it is the next life."""
    complete(log)
    log.now += 2000
    rival = log.ask(log.request(fingerprint="g", reply_to=to("rival")))
    log.fact(f.Forgotten(log.run, {"normal": 1, "high": 0, "low": 0, "compensations": 0}))
    log.run = "owner1-2"
    log.fact(log.started(rival, fingerprint="g", reply_to=to("rival")))
    log.done("a")
    log.done("b")
    log.fact(f.Completed(log.run))
    log.reply("outcome", "completed", {"a": None, "b": None}, to="rival")


def poison(log: Forgery) -> None:
    """What nobody can take in is in the dead letters, whole."""
    log.poisoned(log.put("normal", b"no json", b"k"))
    log.poisoned(log.put("normal", None, None))
    log.poisoned(log.ask(f.Completed("no request")))
    log.poisoned(log.put("events", b"{}", b"x"))
    refused = log.ask(log.request(name="nope"), subject="y")
    log.committed(3)
    log.poisoned(refused, "orders has no saga of this name")
    log.committed(4)
    complete(log)
    log.committed(5)


def unreadable(log: Forgery) -> None:
    """A fact of tomorrow parks its instance, and nothing else."""
    log.start()
    log.put("events", b'{"type": "sagalog.tomorrow.v1", "subject": "x", "data": {}}', b"x")
    log.fact(f.StepCompleted(log.run, "a", 1))
    log.instance, log.run = "y", "owner1-2"
    complete(log)


def beats(log: Forgery) -> None:
    """A schedule fires, dies in between, misses some, is replaced, cancelled, and comes back."""
    schedule(log)
    firing(log, FIRST)
    send(log, FIRST + MINUTE)
    log.take("owner2")
    asked = send(log, FIRST + MINUTE)
    fire(log, FIRST + MINUTE)
    begin(log, asked, FIRST + MINUTE)
    late = FIRST + 9 * MINUTE
    log.now = late
    asked = send(log, late)
    fire(log, FIRST + 2 * MINUTE, late)
    begin(log, asked, late)
    hourly = Plan("0 * * * *", fingerprint="f")
    asked = log.ask(asking(hourly, replaces=True, cause_time=1_000_001))
    due = 3_600_000
    said: dict[str, Any] = {
        "lane": "normal",
        "lane_offset": asked.offset,
        "retention": 1000,
        "due": due,
    }
    log.fact(
        f.ScheduleReplaced(log.run, "owner2-1", hourly, {"n": 1}, "hourly", **said, asked=1_000_001)
    )
    log.now = due + 59 * MINUTE
    fire(log, due, 0, 2 * due, 1_000_001)
    log.ask(Cancel("enough"))
    log.fact(f.CancelRequested(log.run, "enough"))
    log.fact(f.Cancelled(log.run))
    asked = log.ask(asking(cause_time=1_000_002))
    said["lane_offset"], said["due"] = asked.offset, 121 * MINUTE
    log.fact(f.ScheduleReplaced(log.run, "owner2-2", PLAN, {"n": 1}, "m", **said, asked=1_000_002))
    log.fact(f.ScheduleFired(log.run, FIRST, FIRST, FIRST + MINUTE))
    log.fact(f.CancelRequested(log.run, "enough"))  # of a former owner, and of its former life
    log.run = "owner2-2"
    log.fact(f.ScheduleFired(log.run, FIRST, FIRST, FIRST + MINUTE))
    log.fact(f.StepCompleted(log.run, "a", 1))


def further(log: Forgery) -> None:
    """A call says how far it is; what a former attempt, or a former owner, says is ignored."""
    log.start()
    log.fact(f.StepProgressed(log.run, "a", 1, 1, 0.1, "some"))
    log.fact(f.StepProgressed(log.run, "a", 1, 3, 0.3))
    log.fact(f.StepProgressed(log.run, "a", 1, 2, 0.2))
    log.failed("a", ERROR, final=False)
    log.fact(f.StepProgressed(log.run, "a", 1, 4, 0.4))
    log.fact(f.StepProgressed(log.run, "a", 2, 1, 0.1))
    log.done("a", 2)
    log.fact(f.StepProgressed(log.run, "a", 2, 2, 0.9))
    log.done("b")
    log.fact(f.Completed(log.run))


TRUE: list[Callable[[Forgery], None]] = [
    *(
        complete,
        compensate,
        tries_again,
        gives_up,
        purged,
        cancelled,
        too_slow,
        killed,
        zombie,
        orphan,
    ),
    *(
        lost_without_a_blow,
        failed_behind_a_take,
        two_lives,
        stuck_and_released,
        resolved,
        told_late,
    ),
    *(undo_stuck, parked, given_up_on, parallel, family, child_fails, child_undone, child_refused),
    *(forwarded, repeated, rival, poison, unreadable, beats, further),
]
"""Every story that passes."""
