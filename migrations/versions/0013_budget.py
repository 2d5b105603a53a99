"""Privacy ledgers, and what their subjects have spent."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "budget_ledger",
        _text("stream"),
        sa.Column("version", sa.Integer, nullable=False),
        _text("last_id"),
        sa.Column("partition", sa.SmallInteger, nullable=False),
        sa.Column("first_offset", sa.BigInteger, nullable=False),
        sa.Column("last_offset", sa.BigInteger, nullable=False),
        _text("ledger"),
        *(sa.Column(name, sa.Float, nullable=False) for name in ("budget", "delta")),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("charges", "refusals")),
        sa.Column("largest", sa.Float, nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("charged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("stream"),
    )
    op.create_table(
        "budget_subject",
        *(_text(name) for name in ("ledger", "subject")),
        sa.Column("spent", sa.Numeric, nullable=False),
        sa.Column("releases", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("ledger", "subject"),
        postgresql_with={"fillfactor": 50},
    )


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(collation="C"), nullable=False)
