"""What is taken from aiokafka, in one place: connections, request layouts, the record codec.

aiokafka has no types of its own, so these names are `Any` and stay inside this package. Its
producer and consumer are not used: measured on two cores they take two to four times the
processor time for small batches, and their group member can neither keep its partitions
through a rebalance nor leave under a stable name.
"""
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false
# pyright: reportUnknownMemberType=false

import asyncio
from collections.abc import Awaitable
from ssl import SSLCertVerificationError, SSLContext
from typing import Any, Protocol

from aiokafka import conn, errors
from aiokafka.protocol import admin, commit, coordination, group, metadata, offset, transaction
from aiokafka.record import default_records, memory_records

from sagalog.streams.kafka.settings import KafkaSettings

AddPartitionsToTxn: Any = transaction.AddPartitionsToTxnRequest
CreateTopics: Any = admin.CreateTopicsRequest
DeleteRecords: Any = admin.DeleteRecordsRequest
DescribeConfigs: Any = admin.DescribeConfigsRequest
DescribeGroups: Any = admin.DescribeGroupsRequest
EndTxn: Any = transaction.EndTxnRequest
FindCoordinator: Any = coordination.FindCoordinatorRequest
InitProducerId: Any = transaction.InitProducerIdRequest
JoinGroup: Any = group.JoinGroupRequest
ListOffsets: Any = offset.OffsetRequest
Metadata: Any = metadata.MetadataRequest
OffsetCommit: Any = commit.OffsetCommitRequest
OffsetFetch: Any = commit.OffsetFetchRequest
SyncGroup: Any = group.SyncGroupRequest

BatchBuilder: Any = default_records.DefaultRecordBatchBuilder
MemoryRecords: Any = memory_records.MemoryRecords

IncompatibleBroker: type[Exception] = errors.IncompatibleBrokerVersion

BROKEN: tuple[type[Exception], ...] = (errors.KafkaError, OSError, TimeoutError)
"""What a connection raises when it cannot be made, breaks, or stays silent for too long."""

UNREADABLE: tuple[type[Exception], ...] = (
    errors.CorruptRecordException,
    errors.UnsupportedCodecError,
)
"""What the record codec raises over bytes that it cannot read."""

REFUSED: tuple[type[Exception], ...] = (
    NotImplementedError,  # the broker is too new for every version that aiokafka knows
    errors.IncompatibleBrokerVersion,
    errors.IllegalSaslStateError,
    errors.SaslAuthenticationFailed,
    errors.UnsupportedSaslMechanismError,
    SSLCertVerificationError,
)
"""What asking again will not change."""


_FAREWELL = 1.0


class Connection(Protocol):
    """One connection to one broker; answers come in the order of the requests."""

    def connected(self) -> bool:
        """Whether it can still be used."""
        ...

    def send(self, request: object) -> Awaitable[Any]:
        """Write the request now; the result is its answer."""
        ...

    def close(self) -> Awaitable[None] | None:
        """Close it now; the result, if any, tells when it is closed."""
        ...


async def connect(
    settings: KafkaSettings, context: SSLContext | None, host: str, port: int
) -> Connection:
    """Open a connection and authenticate. Raises what REFUSED and BROKEN name."""
    connection: Any = conn.AIOKafkaConnection(
        host,
        port,
        client_id=settings.client_id,
        request_timeout_ms=int(settings.request_timeout * 1000),
        ssl_context=context,
        security_protocol=settings.security_protocol,
        sasl_mechanism=settings.sasl_mechanism,
        sasl_plain_username=settings.sasl_username,
        sasl_plain_password=settings.sasl_password,
        **settings.connection_options,
    )
    try:
        await connection.connect()
    except REFUSED:
        # aiokafka has closed it; over TLS that takes a few turns of the loop.
        closed = connection.close()
        if closed is not None:
            await asyncio.wait([closed], timeout=_FAREWELL)
        raise
    opened: Connection = connection
    return opened
