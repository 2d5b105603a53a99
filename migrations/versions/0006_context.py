"""Shared context: what each region has of each key."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    texts = ("region", "layer", "key", "standing", "dots")
    op.create_table(
        "context_entry",
        sa.Column("stream", sa.Text(collation="C"), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("last_id", sa.Text(collation="C"), nullable=False),
        sa.Column("partition", sa.SmallInteger, nullable=False),
        sa.Column("first_offset", sa.BigInteger, nullable=False),
        sa.Column("last_offset", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text(collation="C"), nullable=False) for name in texts),
        sa.Column("siblings", sa.JSON, nullable=False),
        sa.Column("resolution", sa.JSON, nullable=True),
        sa.Column("causality", sa.JSON, nullable=False),
        sa.Column("ancestors", sa.JSON, nullable=False),
        sa.Column("newest_wall", sa.BigInteger, nullable=False),
        sa.Column("newest_logical", sa.BigInteger, nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger, nullable=True),
        sa.PrimaryKeyConstraint("stream"),
        postgresql_with={"fillfactor": 80},
    )
