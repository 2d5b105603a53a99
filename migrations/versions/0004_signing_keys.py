"""Which keys signed, one after another: a key that is not the last of them signs nothing."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "signing_key",
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("note", sa.Text(collation="C"), nullable=False),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
