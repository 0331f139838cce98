"""True logs of steps that run in another app."""

from typing import Any

from sagalog.schemas import facts as f
from sagalog.schemas.requests import Cancel, Compensate
from tests.streams.audit.forgery import ABROAD, PARENT, RUN, TERMINAL, Forgery

HERE, THERE = "orders/0/owner1", "pay/0/there1"


def sent(log: Forgery) -> None:
    """A step is sent to the other app, where it begins a life."""
    log.definition = ABROAD
    log.start()
    log.done("a")
    given: dict[str, Any] = {"fingerprint": f"{RUN}/b", "retention": 1000, "parent": PARENT}
    ready = log.now
    with log.there():
        asked = log.ask(log.request(**given, cause_time=ready), source=HERE)
        log.fact(log.started(asked, **given))


def told(log: Forgery) -> None:
    """The child completes, and its parent hears of it."""
    sent(log)
    with log.there():
        log.done("bill", result={"receipt": 7})
        log.fact(f.Completed(log.run))
    log.fact(f.StepCompleted(RUN, "b", 1, {"receipt": 7}), source=THERE)
    with log.there():
        log.fact(f.OutcomeDelivered(log.run, "completed"))


def family(log: Forgery) -> None:
    told(log)
    log.done("c")
    log.fact(f.Completed(RUN))


def child_fails(log: Forgery) -> None:
    """The child fails for good and turns back, and so does its parent."""
    sent(log)
    with log.there():
        log.failed("bill")
        log.fact(f.Compensated(log.run))
    log.fact(f.StepFailed(RUN, "b", 1, TERMINAL, final=True), source=THERE)
    with log.there():
        log.fact(f.OutcomeDelivered(log.run, "failed"))
    log.undone("a")
    log.fact(f.Compensated(RUN))


def undo_there(log: Forgery, *, known: bool = True) -> None:
    """The parent has its step undone there."""
    with log.there():
        log.ask(Compensate(1, parent=PARENT, known=known), "compensations", source=HERE)
        log.fact(f.CompensationRequested(log.run, 1))
        log.undone("bill")
        log.fact(f.Compensated(log.run))
    log.fact(f.StepCompensated(RUN, "b", 1), source=THERE)
    with log.there():
        log.fact(f.OutcomeDelivered(log.run, "compensated", 1))


def child_undone(log: Forgery) -> None:
    """A child that completed is undone for its parent."""
    told(log)
    log.failed("c")
    undo_there(log)
    log.undone("a")
    log.fact(f.Compensated(RUN))


def child_refused(log: Forgery) -> None:
    """An undo that comes before its request leaves a refusal, which the request then finds."""
    log.definition = ABROAD
    log.start()
    log.done("a")
    ready = log.now
    log.ask(Cancel())
    log.fact(f.CancelRequested(RUN))
    with log.there():
        undo = log.ask(Compensate(1, parent=PARENT), "compensations", source=HERE)
        log.fact(f.Refused(log.run, 1000, "compensations", undo.offset, 1, PARENT))
    log.fact(f.StepCompensated(RUN, "b", 1), source=THERE)
    with log.there():
        log.fact(f.OutcomeDelivered(log.run, "compensated", 1))
        late = log.request(fingerprint=f"{RUN}/b", retention=1000, parent=PARENT, cause_time=ready)
        log.ask(late, source=HERE)
    log.undone("a")
    log.fact(f.Cancelled(RUN))


# -- requests
