"""Which logs are sealed no more, and why: what the sealer found has to be seen from outside its process."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "sealing_stopped",
        sa.Column("topic", sa.Text(collation="C"), nullable=False),
        sa.Column("partition", sa.SmallInteger, nullable=False),
        sa.Column("reason", sa.Text(collation="C"), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition"),
    )
