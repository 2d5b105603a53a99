"""By what the projector knows the log again, and why it goes no further where the log is another one."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("projection_offset", sa.Column("last_leaf", sa.LargeBinary, nullable=True))
    op.add_column("projection_offset", sa.Column("refused", sa.Text(collation="C"), nullable=True))
