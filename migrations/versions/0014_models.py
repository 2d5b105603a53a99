"""Models and their versions."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "model",
        _text("stream"),
        sa.Column("version", sa.Integer, nullable=False),
        _text("last_id"),
        sa.Column("partition", sa.SmallInteger, nullable=False),
        sa.Column("first_offset", sa.BigInteger, nullable=False),
        sa.Column("last_offset", sa.BigInteger, nullable=False),
        *(_text(name, required=False) for name in ("active", "canary")),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("versions", "drifts")),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("stream"),
    )


def _text(name: str, *, required: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.Text(collation="C"), nullable=not required)
