"""Any fact at all for a life, likely or not, from this run or another."""

from typing import Any

from hypothesis import strategies as st

from sagalog.schemas import facts as f
from sagalog.schemas import limits as l
from sagalog.schemas import pauses as p
from sagalog.schemas.requests import Plan
from tests.engine.lives import AWAY, ERROR, PARENT, TERMINAL, TIMEOUT

RUN = st.sampled_from(["run", "run", "run", "run", "stale"])
STEP = st.sampled_from(["a", "a", "b", "b", "c", "zzz"])
SMALL = st.integers(1, 3)
ERRORS = st.sampled_from([ERROR, TERMINAL, TIMEOUT, AWAY])
FLAG = st.booleans()
TIMES = st.sampled_from([0, 10, 20, 30, 40])

FACTS: st.SearchStrategy[Any] = st.one_of(
    st.builds(f.StepCompleted, RUN, STEP, SMALL, st.integers(0, 9)),
    st.builds(f.StepCompleted, st.just("run"), STEP, st.just(1)),
    st.builds(f.StepProgressed, RUN, STEP, SMALL, SMALL, st.just(0.5), st.just("")),
    st.builds(f.StepFailed, RUN, STEP, SMALL, ERRORS, FLAG, st.just(5), FLAG),
    st.builds(f.StepFailed, st.just("run"), STEP, st.just(1), ERRORS, st.just(True)),
    st.builds(f.StepCompensated, RUN, STEP, SMALL, SMALL),
    st.builds(f.StepCompensated, st.just("run"), STEP, st.just(1)),
    st.builds(f.CompensationFailed, RUN, STEP, SMALL, SMALL, ERRORS, FLAG, st.just(5), FLAG),
    st.builds(
        f.StepReleased,
        run=RUN,
        step=STEP,
        how=st.sampled_from(["retry", "resolve", "skip"]),
        attempt=SMALL,
        number=st.integers(0, 2),
    ),
    st.builds(f.ClaimReleased, RUN, st.integers(1, 2)),
    st.builds(f.ClaimExpired, RUN, st.integers(1, 2)),
    st.builds(f.CancelRequested, RUN),
    st.builds(f.CompensationRequested, RUN, SMALL),
    st.builds(f.DeadlinePassed, RUN, st.sampled_from([99, 5])),
    st.builds(f.Completed, RUN),
    st.builds(f.Compensated, RUN),
    st.builds(f.Cancelled, RUN),
    st.builds(f.DeadLettered, RUN, st.sampled_from(["0/0/1", "1/0/1", "0/1/1", "1/0/2"])),
    st.builds(f.OutcomeDelivered, RUN, st.sampled_from(["completed", "failed", "compensated"])),
    st.builds(f.OutcomeDelivered, RUN, st.just("compensated"), SMALL),
    st.builds(f.Refused, st.just("other"), st.just(0), st.just("low"), st.just(0), SMALL),
    st.builds(f.ScheduleFired, RUN, TIMES, TIMES, TIMES, st.just(5)),
    st.builds(f.ScheduleFired, st.just("run"), st.just(10), st.just(10), TIMES, st.integers(5, 9)),
    st.builds(
        f.ScheduleReplaced,
        run=RUN,
        life=st.sampled_from(["run2", "run3"]),
        plan=st.just(Plan("* * * * *")),
        input=SMALL,
        fingerprint=st.sampled_from(["f", "g"]),
        lane=st.just("low"),
        lane_offset=SMALL,
        retention=st.just(5),
        due=TIMES,
        asked=st.integers(0, 9),
    ),
    st.builds(f.Taken, st.just("somebody")),
    st.builds(l.PermitsExpired, RUN, SMALL),
    st.builds(l.LimitSet, RUN, STEP),
    st.builds(p.Paused, st.just("p"), STEP),
    st.builds(p.Resumed, st.just("p"), STEP),
    st.builds(p.BreakerOpened, STEP, SMALL, st.just(5)),
    st.builds(p.BreakerClosed, STEP, SMALL),
)
PARENTS = st.sampled_from([None, PARENT])
