"""By which rules a projection's rows were made, where the log alone does not say it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.add_column(
        "projection_offset", sa.Column("rules", sa.Text(collation="C"), nullable=False, server_default="")
    )
