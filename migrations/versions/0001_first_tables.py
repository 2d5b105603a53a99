"""Deliberations, dockets, reputations, discards, parked records, the fence, Merkle tiles and checkpoints."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    _projections()
    _progress()
    _audit()


def _text(name: str, *, required: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(collation="C"), nullable=not required)


def _moment(name: str, *, required: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=not required)


def _big(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _small(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.SmallInteger, nullable=False)


def _count(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer, nullable=False)


def _stamps() -> list[sa.Column[Any]]:
    return [
        _text("stream"),
        _count("version"),
        _text("last_id"),
        _small("partition"),
        _big("first_offset"),
        _big("last_offset"),
    ]


def _projections() -> None:
    op.create_table(
        "deliberation",
        *_stamps(),
        _text("status"),
        _text("question"),
        _text("topic"),
        *(_text(name, required=False) for name in ("region", "docket", "item", "consensus")),
        sa.Column("agreement", sa.Float, nullable=True),
        _count("rounds"),
        _moment("opened_at"),
        _moment("decided_at", required=False),
        sa.Column("state", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("stream"),
        postgresql_with={"fillfactor": 80},
    )
    op.create_index("deliberation_opened_at", "deliberation", ["opened_at"])
    op.create_table(
        "reputation",
        _text("topic"),
        _text("voter"),
        *(
            sa.Column(name, sa.Numeric, nullable=False)
            for name in ("right_weight", "wrong_weight", "brier", "stated")
        ),
        _count("rulings"),
        _count("equivocations"),
        sa.PrimaryKeyConstraint("topic", "voter"),
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "docket",
        *_stamps(),
        _text("status"),
        _text("question"),
        _text("topic"),
        _big("items"),
        _big("decided"),
        _moment("opened_at"),
        _moment("closed_at", required=False),
        sa.Column("state", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("stream"),
    )


def _progress() -> None:
    op.create_table(
        "discard",
        *_stamps(),
        _text("dead_letter"),
        _text("discarded_topic"),
        _big("discarded_partition"),
        _big("discarded_offset"),
        _text("discarded_stream", required=False),
        _text("who"),
        _text("why"),
        _moment("discarded_at"),
        sa.PrimaryKeyConstraint("stream"),
    )
    op.create_table(
        "dead_letter",
        *(_text(name) for name in ("id", "projection", "topic")),
        _small("partition"),
        _big("log_offset"),
        _text("stream", required=False),
        sa.Column("version", sa.Integer, nullable=True),
        _text("event_id", required=False),
        _text("kind"),
        _text("reason"),
        _moment("recorded_at"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("dead_letter_stream", "dead_letter", ["stream", "log_offset"])
    op.create_table(
        "projection_offset",
        _text("projection"),
        _text("topic"),
        _small("partition"),
        _big("next_offset"),
        sa.Column("epoch", sa.BigInteger, nullable=False, server_default="0"),
        _moment("newest_at", required=False),
        sa.PrimaryKeyConstraint("projection", "topic", "partition"),
        postgresql_with={"fillfactor": 50},
    )


def _audit() -> None:
    op.create_table(
        "merkle_tile",
        _text("topic"),
        _small("partition"),
        _small("level"),
        _big("tile"),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition", "level", "tile"),
    )
    op.create_table(
        "checkpoint",
        _text("topic"),
        _small("partition"),
        _big("size"),
        sa.Column("root", sa.LargeBinary, nullable=False),
        _text("note"),
        _moment("sealed_at"),
        sa.PrimaryKeyConstraint("topic", "partition", "size"),
    )
