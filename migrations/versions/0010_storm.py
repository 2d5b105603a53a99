"""What the reactor asks twice a second, by index: the open cases, and what their keys hold."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_index(
        "conflict_case_open",
        "conflict_case",
        ["context_key", "context_layer"],
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.drop_index("context_entry_undecided", "context_entry")
    op.create_index(
        "context_entry_undecided",
        "context_entry",
        ["key", "layer"],
        postgresql_where=sa.text("standing = 'undecided'"),
    )
