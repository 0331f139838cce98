"""What a run has shown: the promises that were broken, from its evidence alone."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import chain
from typing import Any

from sagalog.schemas import codec
from sagalog.schemas import facts as f
from sagalog.schemas.deadletters import PoisonRecord
from sagalog.schemas.envelope import Envelope
from sagalog.streams.audit import Auditor, Blow, Spot, read_journal
from tests.chaos.evidence import Evidence
from tests.chaos.ledger import Ledger
from tests.chaos.lines import read
from tests.chaos.plan import PARTITIONS, RETENTION, Plan
from tests.chaos.poison import HEADER, LANES, REPEAT
from tests.chaos.rest import STOP
from tests.chaos.torn import torn

REFUSED = "Refused"
"""The error of a step whose request was refused elsewhere."""


def violations(plan: Plan) -> list[str]:
    """Every promise that was broken, each as text."""
    evidence = Evidence(plan.folder)
    ledger = Ledger(plan.calls).read()
    told = _Log(evidence)
    return [
        *audited(plan, evidence, ledger, told.late),
        *_torn(evidence),
        *_told(ledger, told),
        *_letters(plan, told),
        *_ends(plan),
    ]


def audited(
    plan: Plan, evidence: Evidence, ledger: Ledger, late: set[str] | frozenset[str] = frozenset()
) -> list[str]:
    """What the product's auditor says, fed as `sagalog audit` feeds it.

    Nobody knows how those end that were `late`.
    """
    auditor = Auditor({plan.app: PARTITIONS, f"{plan.app}-there": PARTITIONS})
    for line in read(plan.deeds):
        if line["what"] == "blow":
            auditor.blow(Blow(line["blow"], line["pid"], line["struck"]))
    found = [auditor.journal(call) for call in read_journal(plan.journal)]
    found += [auditor.table(app, number, rows) for app, number, rows, _ in evidence.tables()]
    found += [auditor.read(record) for record in evidence.records()]
    offsets = evidence.offsets()
    found.append(auditor.committed({place: at for place, (at, _) in offsets.items()}))
    for line in ledger.acknowledged.values():
        auditor.acknowledged(plan.app, line["id"], "" if line["id"] in late else line["end"])
    found.append(auditor.at_rest({place: end for place, (_, end) in offsets.items()}))
    repeats = _repeats(plan)
    return [
        violation.text()
        for violation in chain.from_iterable(found)
        if violation.letter != "S8" or not repeats.intersection(violation.places)
    ]


def _repeats(plan: Plan) -> set[Spot]:
    """Where facts stand that the harness has copied: their owners wrote them once."""
    return {
        Spot(line["topic"], line["partition"], line["offset"])
        for line in read(plan.poison)
        if line["what"] == REPEAT
    }


class _Log:
    """What the log says, as far as it is compared with what was told."""

    def __init__(self, evidence: Evidence) -> None:
        self.results: defaultdict[str, dict[str, Any]] = defaultdict(dict)
        self.ends: defaultdict[str, set[str]] = defaultdict(set)
        self.forgotten: set[str] = set()
        self.letters: set[str] = set()
        self.late: set[str] = set()
        """Whose step elsewhere was refused, since its request came a retention later (rule 10)."""
        self._ready: dict[str, int] = {}
        for record in evidence.records():
            message = codec.decode(record.value)
            if isinstance(message, Envelope):
                self._time(record.timestamp, message)
                self._take(message)

    def _time(self, at: int, message: Envelope) -> None:
        data, subject = message.data, message.subject
        if isinstance(data, f.Started | f.StepCompleted):
            self._ready[subject] = at
        waited = at - self._ready.get(subject, at)
        refused = isinstance(data, f.StepFailed) and data.error.type == REFUSED
        if refused and waited >= RETENTION * 1000:
            self.late.add(subject)

    def _take(self, message: Envelope) -> None:
        data, subject = message.data, message.subject
        if isinstance(data, f.StepCompleted):
            self.results[subject].setdefault(data.step, data.result)
        elif isinstance(data, f.Completed | f.Compensated | f.Cancelled):
            self.ends[subject].add(type(data).__name__.lower())
        elif isinstance(data, f.Forgotten):
            self.forgotten.add(subject)
        elif isinstance(data, PoisonRecord):
            for name, value in data.entry().headers:
                if name == HEADER:
                    self.letters.add(value.decode())


def _told(ledger: Ledger, log: _Log) -> Iterator[str]:
    """Every acknowledged start is told its end, and what is told is what stands in the log."""
    for number, line in ledger.acknowledged.items():
        told = ledger.told.get(number)
        if told is None:
            yield f"L1 {line['id']} was acknowledged, and its end was told to nobody"
        else:
            yield from _same(line["id"], told, log)
    for line in ledger.again:
        yield from _again(line, ledger, log)
    for line in ledger.failed:
        yield f"O5 a start failed: {line['error']}"


def _same(instance: str, told: dict[str, Any], log: _Log) -> Iterator[str]:
    if told["kind"] != "outcome":
        if told["kind"] != "NotFound" or instance not in log.forgotten:
            yield f"S7 {instance} was told {told['kind']}"
        return
    if told["status"] not in log.ends[instance]:
        yield f"S7 {instance} was told {told['status']}, and the log says {log.ends[instance]}"
    if told["status"] == "completed" and told["value"] not in _values(log.results[instance]):
        said = f"{told['value']}, and the log says {log.results[instance]}"
        yield f"S7 {instance} was told the result {said}"


def _values(results: dict[str, Any]) -> list[Any]:
    """The result of a saga, and those of an operation alone."""
    return [results, *results.values()]


def _again(line: dict[str, Any], ledger: Ledger, log: _Log) -> Iterator[str]:
    first = ledger.acknowledged.get(line["number"])
    if first is None:
        return
    if line["what"] == "told again" and line["status"] != "stuck":
        yield from _same(first["id"], line, log)
    if line["what"] == "refused again" and line["kind"] != "Conflict":
        yield f"S7 the second start of {first['id']} was told {line['kind']}"


def _letters(plan: Plan, log: _Log) -> Iterator[str]:
    """S9: each bad record in a lane has its dead letter, wherever it was forwarded to."""
    for line in read(plan.poison):
        lane = line["topic"].rpartition(".")[2]
        if lane in LANES and line["what"] not in NO_LETTER and line["mark"] not in log.letters:
            place = f"{line['topic']}/{line['partition']}/{line['offset']}"
            yield f"S9 {line['what']} at {place} has no dead letter"


NO_LETTER = frozenset({REPEAT, "a cancel of nothing", "an undo of nothing"})


def _torn(evidence: Evidence) -> Iterator[str]:
    """Rule 2 over the whole history of each table."""
    for app, number, _, found in evidence.tables():
        for said in torn(found):
            yield f"O3 {app}.tables/{number}: {said}"


def _ends(plan: Plan) -> Iterator[str]:
    """L6: pods that are asked to end do, in time; none ends by itself."""
    for line in read(plan.deeds):
        if line["what"] == "died":
            yield f"L5 {line['who']} ended by itself with {line['code']}"
        elif line["what"] == "stopped" and (line["code"] or line["seconds"] > STOP):
            yield f"L6 {line['who']} took {line['seconds']:.1f} s to end with {line['code']}"
        elif line["what"] == "restless":
            yield f"L1 {line['why']}"
