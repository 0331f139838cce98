"""One specimen of every type of the catalogue, with no field left as usual."""

from typing import Any

from sagalog.schemas import deadletters as d
from sagalog.schemas import facts as f
from sagalog.schemas import limits as l
from sagalog.schemas import pauses as p
from sagalog.schemas import replies, requests
from sagalog.schemas import workers as w
from sagalog.schemas.claims import Backup, Claim
from sagalog.schemas.definition import Definition, RetrySpec, StepSpec

RETRY = RetrySpec(max_attempts=7, first=10, factor=1.5, longest=900, jitter=0.5, give_up_after=99)
STEP = StepSpec(
    name="charge",
    operation="payments/charge",
    undo="refund",
    after=("reserve", "check"),
    retry=RETRY,
    undo_retry=RETRY,
    timeout=10,
    undo_timeout=20,
    spread=True,
    exhausted="park",
    input={"a": [1, 2.5, None, True, "ü"]},
    undo_input=[{"deep": {"er": []}}],
    claimed=True,
)
FIRST = (StepSpec("reserve", "reserve"), StepSpec("check", "check"))
DEFINITION = Definition("saga", "order", (*FIRST, STEP))
REPLY_TO = requests.ReplyTo(3, "client-1", "request-1")
PARENT = requests.Parent("orders", 2, "parent-1", "run-1", "charge")
FAILURE = f.Failure(
    "unavailable", "ConnectionError", "no route", "Traceback ...", "Please try later."
)
JSON = {"list": [1, -2, 3.5], "text": "é\n", "none": None, "flag": False}
STEP_DATA = requests.StepData(
    operation="charge",
    name="pay",
    parameters=JSON,
    compensation="refund",
    compensation_parameters=[1],
    max_retries=2,
    timeout=500,
    after=("reserve",),
    spread=True,
)
START: dict[str, Any] = {
    "name": "order",
    "input": JSON,
    "fingerprint": "abc",
    "key": "order-4711",
    "priority": "high",
    "deadline": 5000,
    "retention": 60,
    "tenant": "acme",
    "traceparent": "00-ab-cd-01",
    "reply_to": REPLY_TO,
    "confirm": True,
    "parent": PARENT,
    "cause_time": 17,
    "not_before": 18,
    "queue_limit": 19,
    "any_payload": True,
    "occasion": requests.Occasion("schedule-1", "run-0", 300_000),
}
PLAN = requests.Plan(
    every="0 2 * * *",
    zone="Europe/Berlin",
    kind="saga",
    fingerprint="abc",
    catch_up="all",
    lasting=1,
    queue_limit=2,
    steps=(STEP_DATA,),
)

LIMIT = l.LimitSpec(concurrency=3, rate=50, per=2000, burst=4, lease=9000)
CLAIM = Claim(
    **START,
    by="ann-1",
    lease=30_000,
    then="save",
    done={"order": JSON},
    failed=FAILURE,
    unsure=True,
)

REQUESTS: list[Any] = [
    requests.StartSaga(**START, steps=(STEP_DATA,)),
    requests.RunOperation(**START, step=STEP),
    requests.Schedule(**START, plan=PLAN, replaces=True),
    CLAIM,
    requests.Cancel("changed my mind", "ann", "run-1", REPLY_TO),
    requests.Compensate(2, "run-1", "charge", 3, PARENT, known=True),
    requests.Release("charge", "resolve", JSON, "ann", REPLY_TO, number=2, attempt=3),
    requests.Inquire(REPLY_TO, wait=False, follow=True),
    requests.Inquire(REPLY_TO, wait=False),
    requests.Purge("low", 17, "too many", "ann"),
]

FACTS: list[Any] = [
    f.Started(
        run="run-1",
        definition=DEFINITION,
        input=JSON,
        fingerprint="abc",
        lane="high",
        lane_offset=12,
        retention=60,
        key="order-4711",
        priority="low",
        deadline=5000,
        tenant="acme",
        traceparent="00-ab-cd-01",
        reply_to=REPLY_TO,
        confirm=True,
        parent=PARENT,
        not_before=18,
        expired=True,
        occasion=requests.Occasion("schedule-1", "run-0", 300_000),
        claim=requests.Claimed("ann-1", 30_000),
    ),
    f.Refused("run-1", 60, "compensations", 4, 2, PARENT),
    f.ScheduleStarted(
        run="run-1",
        name="order",
        plan=PLAN,
        input=JSON,
        fingerprint="abc",
        lane="high",
        lane_offset=12,
        retention=60,
        due=300_000,
        asked=17,
        key="nightly",
        priority="low",
        tenant="acme",
        traceparent="00-ab-cd-01",
        reply_to=REPLY_TO,
        confirm=True,
    ),
    f.ScheduleFired("run-1", 300_000, 600_000, 900_000, 17),
    f.ScheduleReplaced("run-1", "run-2", PLAN, JSON, "abc", "high", 12, 60, 300_000, 18, "low"),
    f.StepCompleted("run-1", "charge", 2, JSON),
    f.StepProgressed("run-1", "charge", 2, 3, 0.5, "half of the rows"),
    f.StepFailed("run-1", "charge", 2, FAILURE, final=True, retry_at=99, counted=False),
    f.StepCompensated("run-1", "charge", 2, 3),
    f.CompensationFailed("run-1", "charge", 2, 3, FAILURE, True, 99, False),
    f.CancelRequested("run-1", "changed my mind", "ann"),
    f.CompensationRequested("run-1", 2),
    f.DeadlinePassed("run-1", 5000),
    f.StepReleased("run-1", "charge", "skip", 2, number=3, result=JSON, by="ann"),
    f.ClaimReleased("run-1", 2),
    f.ClaimExpired("run-1", 2),
    f.Completed("run-1"),
    f.Compensated("run-1"),
    f.Cancelled("run-1"),
    f.DeadLettered("run-1", "1/0/2"),
    f.OutcomeDelivered("run-1", "compensated", 2),
    f.Forgotten("run-1", {"high": 3, "compensations": 9}),
    l.PermitsAsked("orders/1/nonce", 7, 1, "charge", "acme", 2, 5, LIMIT, 4),
    l.PermitsExpired("orders/1/nonce", 7),
    l.PermitsRefilled("orders/0/nonce", 12),
    l.PermitsGranted("orders/1/nonce", 7, 13, 3, 2, True, 2, 9000),
    l.LimitSet("client-1-4", "charge", "acme", LIMIT, "ann"),
    f.Taken("orders/0/nonce"),
    p.Paused("p1", "charge", reason="the bank is down", by="ann"),
    p.Resumed("p2", lane="low", reason="it is up", by="ann"),
    p.BreakerOpened("charge", 3, 5000, "ConnectionError: refused"),
    p.BreakerClosed("charge", 3),
]

OTHERS: list[Any] = [
    replies.Reply(
        "client-1", "r", "outcome", "i", "stuck", JSON, FAILURE, ("charge", "reserve"), "run-1"
    ),
    replies.Further("client-1", "r", "i", "charge", 2, 3, 0.5, "half of the rows", 17),
    d.FailedStep(
        instance="i",
        run="run-1",
        name="order",
        step="charge",
        phase="undo",
        number=2,
        attempts=3,
        error=FAILURE,
        input=JSON,
        status="stuck",
        remaining=("charge",),
    ),
    Backup("i", CLAIM, 17, ("payment", "vip"), "ann"),
    w.WorkerSeen(
        life="a1",
        host="h",
        pid=7,
        started_at=5,
        version="0.1",
        interval=5000,
        state="draining",
        partitions=(0, 3),
        slots=9,
        busy=1,
        running=(w.Running("i", "charge", 6, "undo"),),
    ),
    w.DrainWorker("ann", "a new kernel"),
    d.PoisonRecord("orders.normal", 1, 2, 3, "a2V5", "dmFsdWU=", (("h", "eA=="),), "not JSON"),
]

ALL = [*REQUESTS, *FACTS, *OTHERS]


def named(specimen: object) -> str:
    """The name of a specimen's type."""
    return type(specimen).__name__
