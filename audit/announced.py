"""Announced keys as events of the topic `checkpoints`; each carries its own signatures, like a checkpoint."""

from dataclasses import replace

from audit.key_chain import KeyChain
from audit.key_statement import KeyStatement
from domain.audit_events import KeyAnnounced
from domain.event import Event, event_id
from domain.refusal import Refusal
from eventlog.topics import kafka_name
from eventlog.writer import LogWriter
from projections import signing_keys
from projections.fence import Connection
from projections.signing_keys import KeyRow

STREAM = "checkpoints/keys"
_SOURCE = "sealer"


def chain_of(cluster: str, prefix: str) -> KeyChain:
    """The empty chain of a cluster; its name is that of no log."""
    return KeyChain(f"{cluster}/{kafka_name(prefix, 'checkpoints')}/keys")


async def load(connection: Connection, chain: KeyChain) -> KeyChain:
    """Fill `chain` with the announced keys that the database has.

    Raises:
        Refusal: one of them is not what was signed.
    """
    for row in await signing_keys.announced(connection):
        chain.add(row.note)
    return chain


def to_event(row: KeyRow) -> Event:
    """The event that publishes a statement; the same row gives the same event, however often it is sent."""
    statement = KeyStatement.of_note(row.note)
    replaces = statement.replaces
    return Event(
        id=event_id(row.announced_at, STREAM, row.number, row.note),
        stream=STREAM,
        version=row.number,
        time=row.announced_at,
        data=KeyAnnounced(str(statement.key), str(replaces) if replaces else None, statement.lost, row.note),
        source=_SOURCE,
    )


def from_event(event: Event) -> KeyRow:
    """The row of a published statement; its signatures are the chain's to check.

    Raises:
        Refusal: it is none, or says other than its statement.
    """
    if not isinstance(event.data, KeyAnnounced):
        raise Refusal("key", f"{event.type} announces none")
    row = KeyRow(event.version, event.data.statement, event.time, published=True)
    if to_event(row) != event or KeyStatement.of_note(row.note).number != row.number:
        raise Refusal("key", "the event's fields are not those of its statement")
    return row


async def publish(connection: Connection, writer: LogWriter) -> None:
    """Append what was announced and may not have reached the topic; a crash in here only sends it again."""
    rows = [row for row in await signing_keys.announced(connection) if not row.published]
    await writer.append("checkpoints", [to_event(row) for row in rows])
    for row in rows:
        await signing_keys.keep(connection, replace(row, published=True))
