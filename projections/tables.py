"""Every table that is not one projection's own: where each projection stands, what is parked, the audit's."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
)

METADATA = MetaData()


def text(name: str, *, required: bool = True) -> Column[Any]:
    """A text column that sorts by its bytes: the same order in every database, and in `state_hash`."""
    return Column(name, Text(collation="C"), nullable=not required)


def moment(name: str, *, required: bool = True) -> Column[Any]:
    return Column(name, DateTime(timezone=True), nullable=not required)


def count(name: str) -> Column[Any]:
    return Column(name, Integer, nullable=False)


def position(name: str) -> Column[Any]:
    """A Kafka offset."""
    return Column(name, BigInteger, nullable=False)


def stamps() -> list[Column[Any]]:
    """The first columns of every home table: the stream, and how far the log is folded into its row."""
    return [
        text("stream"),
        count("version"),
        text("last_id"),
        Column("partition", SmallInteger, nullable=False),
        position("first_offset"),
        position("last_offset"),
    ]


STAMPS = 6

# The fence. `epoch` is raised by whoever changes a projection's rows beside its projector (a rebuild, a
# retry, a discard), so that the projector notices and reads its state again. `newest_at` is the last record's
# time. `last_leaf` is the leaf hash (RFC 6962) of the record before `next_offset`, by which the projector
# knows the log again; `refused` says why it goes no further, where the log is another one. `rules` is the
# projection's digest of what its rows depend on beside the log.
PROJECTION_OFFSET = Table(
    "projection_offset",
    METADATA,
    text("projection"),
    text("topic"),
    Column("partition", SmallInteger, nullable=False),
    position("next_offset"),
    Column("epoch", BigInteger, nullable=False, server_default="0"),
    moment("newest_at", required=False),
    Column("last_leaf", LargeBinary, nullable=True),
    text("refused", required=False),
    Column("rules", Text(collation="C"), nullable=False, server_default=""),
    PrimaryKeyConstraint("projection", "topic", "partition"),
    postgresql_with={"fillfactor": 50},  # updated in place once a batch
)

# Records that could not be applied, and those that wait behind them; never what they contain.
DEAD_LETTER = Table(
    "dead_letter",
    METADATA,
    text("id"),
    text("projection"),
    text("topic"),
    Column("partition", SmallInteger, nullable=False),
    position("log_offset"),
    text("stream", required=False),
    Column("version", Integer, nullable=True),
    text("event_id", required=False),
    text("kind"),
    text("reason"),
    moment("recorded_at"),
    PrimaryKeyConstraint("id"),
)
Index("dead_letter_stream", DEAD_LETTER.c.stream, DEAD_LETTER.c.log_offset)

# Full and partial tiles of 256 hashes of 32 bytes (C2SP tlog-tiles): `hashes` is their concatenation. A tile
# of level 0, whose hashes are those of records, also knows the offsets of its first and last record.
MERKLE_TILE = Table(
    "merkle_tile",
    METADATA,
    text("topic"),
    Column("partition", SmallInteger, nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("tile", BigInteger, nullable=False),
    Column("hashes", LargeBinary, nullable=False),
    Column("first_offset", BigInteger, nullable=True),
    Column("last_offset", BigInteger, nullable=True),
    PrimaryKeyConstraint("topic", "partition", "level", "tile"),
)

# Signed tree heads (C2SP tlog-checkpoint): `note` is the whole signed note, `root` its 32-byte hash,
# `version` its event's position in the stream on the topic `checkpoints`, `published` whether that event is
# known to be there.
CHECKPOINT = Table(
    "checkpoint",
    METADATA,
    text("topic"),
    Column("partition", SmallInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    text("note"),
    moment("sealed_at"),
    count("version"),
    Column("published", Boolean, nullable=False),
    PrimaryKeyConstraint("topic", "partition", "size"),
)

# Logs that are sealed no more since the sealer found another history in them; emptied when one starts anew.
SEALING_STOPPED = Table(
    "sealing_stopped",
    METADATA,
    text("topic"),
    Column("partition", SmallInteger, nullable=False),
    text("reason"),
    moment("stopped_at"),
    PrimaryKeyConstraint("topic", "partition"),
)

# The keys that were announced, in order: `note` is the signed statement, `published` whether its event is
# known to be on the topic `checkpoints`.
SIGNING_KEY = Table(
    "signing_key",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    text("note"),
    moment("announced_at"),
    Column("published", Boolean, nullable=False),
)
