"""Whether enough has struck, so that a run without violations says something."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from sagalog.schemas import codec
from sagalog.schemas import facts as f
from sagalog.schemas.envelope import Envelope
from sagalog.streams.audit import read_journal
from tests.chaos.evidence import Evidence
from tests.chaos.gate import strikes
from tests.chaos.ledger import Ledger
from tests.chaos.lines import read
from tests.chaos.plan import Plan
from tests.chaos.timetable import STRUCK, counts, timetable
from tests.recovery.journal import duplicates

SHARE = 0.6
"""Of what was planned, this much at least must have been done."""

FULL = 60.0
"""Seconds from which on each request must have lost an answer."""

SEEN = ("partition lost to another owner", "the group went on without this member")
"""What a pod says that reads of another's take, or hears of it; either may come first."""


def voids(plan: Plan) -> list[str]:
    """What was too little; a run with any of these proves nothing."""
    return [*_deeds(plan), *_struck(plan), *_happened(plan)]


def _deeds(plan: Plan) -> Iterator[str]:
    done = Counter(line["deed"] for line in read(plan.deeds) if line["what"] == "deed")
    planned = counts(timetable(plan.seed, plan.seconds, pace=plan.pace, soak=plan.soak))
    for what, many in planned.items():
        if done[what] < many * SHARE:
            yield f"{what}: {done[what]} of {many} were done"
    idle = [x["deed"] for x in read(plan.deeds) if x["what"] == "deed" and not x["open"]]
    if len(idle) > sum(done.values()) * (1 - SHARE):
        yield f"{len(idle)} of {sum(done.values())} deeds found no work to disturb"


def _struck(plan: Plan) -> Iterator[str]:
    found = Counter((line["api"], line["how"]) for line in read(strikes(plan.folder)))
    hows = Counter(how for _, how in found.elements())
    for how in ("lost", "late", "cut", "delay"):
        if hows[how] < plan.seconds * plan.pace / 10:
            yield f"the proxy has struck {how} {hows[how]} times"
    for api in STRUCK if plan.seconds * plan.pace >= FULL else ():
        if not found[api.name, "lost"]:
            yield f"no answer to {api.name} was lost"


def _happened(plan: Plan) -> Iterator[str]:
    """What the faults must have brought about somewhere."""
    ledger = Ledger(plan.calls).read()
    if len(ledger.acknowledged) < plan.seconds * plan.rate / 2:
        yield f"only {len(ledger.acknowledged)} orders were acknowledged"
    seen = _kinds(Evidence(plan.folder))
    for fact in (f.StepFailed, f.StepCompensated, f.CancelRequested, f.Forgotten, f.DeadLettered):
        if not seen[fact.__name__] and plan.seconds >= FULL:
            yield f"the log has no {fact.__name__}"
    if not seen["late"]:
        yield "no fact came late, behind another owner's take"
    if not duplicates(read_journal(plan.journal)):
        yield "no call was cut short"
    said = [file.read_text(errors="replace") for file in pods_logs(plan.folder)]
    if not any(sentence in text for text in said for sentence in SEEN):
        yield "no owner was overtaken by another"
    if plan.seconds >= FULL and not any(x["what"] == "refused again" for x in ledger.again):
        yield "no key was used twice with another payload"


def _kinds(evidence: Evidence) -> Counter[str]:
    """How often each fact stands in the log, and how many were written by a former owner."""
    seen: Counter[str] = Counter()
    last: dict[tuple[str, int], str] = {}
    for record in evidence.records():
        if not record.topic.endswith(".events"):
            continue
        message = codec.decode(record.value)
        if not isinstance(message, Envelope):
            continue
        seen[type(message.data).__name__] += 1
        app, place = record.topic.rpartition(".")[0], (record.topic, record.partition)
        if isinstance(message.data, f.Taken):
            last[place] = message.source
        elif message.source.startswith(f"{app}/{record.partition}/"):
            seen["late"] += message.source != last.get(place)
    return seen


def pods_logs(folder: Path) -> list[Path]:
    """What the pods have said."""
    return sorted((folder / "pods").glob("*.log"))
