"""Replies: clients are told what the log says, and a key's second payload is refused (S7)."""

from hashlib import blake2b
from typing import NamedTuple

import orjson

from sagalog.engine.instance import SETTLED
from sagalog.schemas import codec
from sagalog.schemas.definition import Json
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.record import Record
from sagalog.schemas.replies import Reply
from sagalog.schemas.requests import Schedule, Start
from sagalog.streams.audit.findings import Findings
from sagalog.streams.audit.lane import Ask
from sagalog.streams.audit.letters import BookOf
from sagalog.streams.audit.life import Life
from sagalog.streams.audit.verdicts import Finished
from sagalog.streams.audit.violation import Spot


class Said(NamedTuple):
    """A reply and where it stands."""

    app: str
    spot: Spot
    reply: Reply


class Replies:
    """Compares replies with the lives that they are about.

    `ordered` says that no reply can be read before what it tells of.
    """

    def __init__(self, book_of: BookOf, findings: Findings, *, ordered: bool) -> None:
        self._book_of, self._findings, self._ordered = book_of, findings, ordered
        self._conflicts: dict[str, set[tuple[str, str]]] = {}
        self._doubtful: list[Said] = []

    def asked(self, ask: Ask, known: Life | Finished | None) -> None:
        """A client asks to start what may be there already, perhaps with another payload."""
        request = ask.request
        if known is None or not isinstance(request, Start) or request.reply_to is None:
            return
        if isinstance(request, Schedule):  # another one may take its place, or begin it anew
            return
        key = request.reply_to.client, request.reply_to.request
        if request.fingerprint != known.fingerprint and not request.any_payload:
            self._conflicts.setdefault(ask.instance, set()).add(key)
        else:
            self._conflicts.get(ask.instance, set()).discard(key)

    def left(self, instance: str) -> None:
        """An instance was forgotten: what was in conflict with it may begin the next life."""
        self._conflicts.pop(instance, None)

    def read(self, record: Record) -> None:
        """A reply."""
        message = codec.decode(record.value)
        if not isinstance(message, Envelope) or not isinstance(message.data, Reply):
            return
        if record.key != message.data.client.encode():
            return  # clients look at what stands under their own key
        self._findings.tally.replies += 1
        app = record.topic.rpartition(".")[0]
        spot = Spot(record.topic, record.partition, record.offset)
        said = Said(app, spot, message.data)
        why = self._wrong(said)
        if why and self._ordered:
            self._say(said, why)
        elif why:
            self._doubtful.append(said)

    def judge_doubtful(self) -> None:
        """Judge again what did not fit when it was read."""
        for said in self._doubtful:
            if why := self._wrong(said):
                self._say(said, why)
        self._doubtful = []

    def _say(self, said: Said, why: str) -> None:
        self._findings.add("S7", said.app, said.reply.instance, why, [said.spot])

    def _wrong(self, said: Said) -> str:
        """What is wrong with a reply; empty where nothing is, or nobody knows."""
        app, _, reply = said
        if reply.kind not in ("outcome", "started"):
            return ""
        if (reply.client, reply.request) in self._conflicts.get(reply.instance, ()):
            return f"a request with another payload was answered with {reply.kind} {reply.status}"
        book = self._book_of(app, reply.instance)
        if book is None or book.truncated or book.forgot(reply.instance):
            return ""
        known = book.lives.get(reply.instance)
        if known is None:
            parked = reply.instance in book.fold.states
            return "" if parked else f"a client was told {reply.kind}, and there is no instance"
        if isinstance(known, Life) and known.lost:
            return ""
        return "" if reply.kind == "started" else _outcome(known, reply)


def _outcome(known: Life | Finished, reply: Reply) -> str:
    if reply.status in SETTLED and reply.status not in known.reached:
        return f"a client was told {reply.status}, and it was {', '.join(sorted(known.reached))}"
    if reply.status != "completed" or reply.error is not None:
        return ""
    result = digest(known.result) if isinstance(known, Life) else known.result
    if digest(reply.result) != result:
        return "a client was told another result than the log has"
    return ""


def digest(result: Json) -> bytes:
    """A few bytes that stand for a result."""
    return blake2b(orjson.dumps(result, option=orjson.OPT_SORT_KEYS), digest_size=8).digest()
