"""What the reactor asks: keys that need a decision, and the cases of a key."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    for name in ("context_layer", "context_key", "dots"):
        op.add_column("conflict_case", sa.Column(name, sa.Text(collation="C"), nullable=True))
    op.create_index("conflict_case_context", "conflict_case", ["context_key", "context_layer"])
    op.create_index(
        "context_entry_undecided",
        "context_entry",
        ["region"],
        postgresql_where=sa.text("standing = 'undecided'"),
    )
