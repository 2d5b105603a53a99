"""Learning cycles, with their rounds."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "learning_cycle",
        _text("stream"),
        sa.Column("version", sa.Integer, nullable=False),
        _text("last_id"),
        sa.Column("partition", sa.SmallInteger, nullable=False),
        sa.Column("first_offset", sa.BigInteger, nullable=False),
        sa.Column("last_offset", sa.BigInteger, nullable=False),
        *(_text(name) for name in ("status", "model", "trainer", "strategy", "privacy")),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("rounds", sa.Integer, nullable=False),
        *(sa.Column(name, sa.Float, nullable=True) for name in ("loss", "accuracy", "epsilon")),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("sent_bytes", "raw_bytes")),
        *(_text(name, required=False) for name in ("published", "digest", "privacy_level")),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("stream"),
    )
    op.create_index("learning_cycle_opened_at", "learning_cycle", ["opened_at"])
    op.create_index("learning_cycle_model", "learning_cycle", ["model"])


def _text(name: str, *, required: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.Text(collation="C"), nullable=not required)
