"""Conflict cases, and what their outcomes say of voters."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    _cases()
    op.create_index("conflict_case_opened_at", "conflict_case", ["opened_at"])
    op.create_table(
        "case_reputation",
        *(_text(name) for name in ("topic", "voter")),
        *(
            sa.Column(name, sa.Numeric, nullable=False)
            for name in ("right_weight", "wrong_weight", "brier", "stated")
        ),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("rulings", "equivocations")),
        sa.PrimaryKeyConstraint("topic", "voter"),
        postgresql_with={"fillfactor": 50},
    )


def _cases() -> None:
    op.create_table(
        "conflict_case",
        _text("stream"),
        sa.Column("version", sa.Integer, nullable=False),
        _text("last_id"),
        sa.Column("partition", sa.SmallInteger, nullable=False),
        sa.Column("first_offset", sa.BigInteger, nullable=False),
        sa.Column("last_offset", sa.BigInteger, nullable=False),
        *(_text(name) for name in ("status", "question", "kind", "layer", "region", "topic")),
        sa.Column("severity", sa.Float, nullable=False),
        sa.Column("critical", sa.Boolean, nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("initial_level", sa.Integer, nullable=False),
        *(_text(name, required=False) for name in ("choice", "resolution")),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("stream"),
    )


def _text(name: str, *, required: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.Text(collation="C"), nullable=not required)
