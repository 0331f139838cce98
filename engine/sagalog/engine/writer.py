"""How one owner of one partition writes: its name, its clock reading, and the encoding."""

from dataclasses import replace
from typing import Any

from sagalog.engine.effects import Append, Effects, Then
from sagalog.engine.instance import Instance
from sagalog.schemas import codec
from sagalog.schemas.catalogue import NAMES
from sagalog.schemas.deadletters import PoisonRecord
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.facts import Fact, Failure
from sagalog.schemas.ids import poison_id
from sagalog.schemas.record import Entry, Record
from sagalog.schemas.replies import Further, Reply
from sagalog.schemas.requests import Parent, ReplyTo
from sagalog.schemas.topics import Topics

LARGEST = 950_000
"""Bytes of a fact or reply, unless the log takes less: below Kafka's default, with its frame."""


class Writer:
    """Encodes what an owner appends, and collects it as effects.

    `written` remembers the facts whose bytes have not come back yet, so that reading
    them need not decode them: equal bytes are an equal fact.

    `source` names this owner of this partition, and no other ever. `now` is the clock
    reading of the turn, in ms, set by the processor.
    """

    __slots__ = (
        "_events",
        "_runs",
        "effects",
        "largest",
        "now",
        "partition",
        "source",
        "topics",
        "written",
    )

    def __init__(self, app: str, partition: int, nonce: str, largest: int = LARGEST) -> None:
        self.largest = largest
        self.topics = Topics(app)
        self._events = self.topics.events
        self.partition = partition
        self.source = f"{app}/{partition}/{nonce}"
        self.now = 0
        self.effects = Effects()
        self.written: dict[bytes, Envelope] = {}
        self._runs = 0

    def run(self) -> str:
        """A new life's name: this owner's, and a number."""
        self._runs += 1
        return f"{self.source.rpartition('/')[2]}-{self._runs:x}"

    def fact(
        self, instance: str, fact: Fact, state: Instance | None, then: Then | None = None
    ) -> tuple[str, int]:
        """Append a fact to this partition's events; its id, and its size in bytes."""
        id_, value = codec.encode_fact(
            fact,
            source=self.source,
            subject=instance,
            now=self.now,
            tenant=state.tenant if state else "",
            traceparent=state.traceparent if state else None,
        )
        entry = Entry(instance.encode(), value)
        self.effects.appends.append(Append(self._events, self.partition, entry, then))
        self.written[value] = Envelope(id_, self.source, NAMES[type(fact)], instance, "", fact)
        return id_, len(value)

    def outcome(self, to: Parent, fact: Fact, then: Then | None) -> int:
        """Append a fact to a parent's events, in the app and partition where it lives.

        Its size in bytes.
        """
        _, value = codec.encode_fact(fact, source=self.source, subject=to.instance, now=self.now)
        entry = Entry(to.instance.encode(), value)
        self.effects.appends.append(Append(Topics(to.app).events, to.partition, entry, then))
        return len(value)

    def beside(self, instance: str, fact: Fact, partition: int | None) -> None:
        """Append a fact to another partition's events; None is the instance's own."""
        _, value = codec.encode_fact(fact, source=self.source, subject=instance, now=self.now)
        self.effects.appends.append(
            Append(self._events, partition, Entry(instance.encode(), value))
        )

    def request(
        self,
        topic: str,
        instance: str,
        data: Any,
        id: str,
        *,
        here: bool = False,
        then: Then | None = None,
    ) -> None:
        """Append a request to a lane; `here` where it is this partition's own."""
        value = codec.encode(data, id=id, source=self.source, subject=instance, now=self.now)
        partition = self.partition if here else None
        entry = Entry(instance.encode(), value)
        self.effects.appends.append(Append(topic, partition, entry, then))

    def reply(self, to: ReplyTo, reply: Reply) -> None:
        """Tell a client; a hint that nobody waits for."""
        value = self._encode_reply(to, reply)
        if len(value) > self.largest:
            message = "the results are too large for a reply: read them from the log"
            error = Failure("invalid", "ResultTooLarge", message)
            value = self._encode_reply(to, replace(reply, result=None, error=error))
        entry = Entry(to.client.encode(), value)
        self.effects.appends.append(Append(self.topics.replies, to.partition, entry))

    def further(self, to: ReplyTo, said: Further) -> None:
        """Tell a client how far a step is."""
        entry = Entry(to.client.encode(), self._encode_reply(to, said))
        self.effects.appends.append(Append(self.topics.replies, to.partition, entry))

    def _encode_reply(self, to: ReplyTo, reply: Reply | Further) -> bytes:
        return codec.encode(
            reply, id=to.request, source=self.source, subject=reply.instance, now=self.now
        )

    def withdraw(self) -> None:
        """Take back the fact that was appended last in this turn: it is too large."""
        append = self.effects.appends.pop()
        self.written.pop(append.entry.value or b"", None)

    def letter(self, instance: str, letter: Any, id: str, then: Then | None) -> None:
        """Append a dead letter."""
        value = codec.encode(letter, id=id, source=self.source, subject=instance, now=self.now)
        entry = Entry(instance.encode(), value)
        topic = self.topics.deadletters
        self.effects.appends.append(Append(topic, self.partition, entry, then))

    def poison(self, record: Record, reason: str, then: Then | None) -> None:
        """Append a record that cannot be taken in, whole, to the dead letters."""
        id_ = poison_id(record.topic, record.partition, record.offset)
        letter = PoisonRecord.of(record, reason)
        value = codec.encode(letter, id=id_, source=self.source, subject=id_, now=self.now)
        entry = Entry(record.key or id_.encode(), value)
        topic = self.topics.deadletters
        self.effects.appends.append(Append(topic, self.partition, entry, then))

    def forward(self, record: Record, instance: str, then: Then | None) -> None:
        """Append a request again as it is, to the partition that its instance belongs to."""
        entry = Entry(instance.encode(), record.value, record.headers)
        self.effects.appends.append(Append(record.topic, None, entry, then))
