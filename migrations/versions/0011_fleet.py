"""Node processes, and the clients that they train for."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "fleet_host",
        _text("stream"),
        sa.Column("version", sa.Integer, nullable=False),
        _text("last_id"),
        sa.Column("partition", sa.SmallInteger, nullable=False),
        sa.Column("first_offset", sa.BigInteger, nullable=False),
        sa.Column("last_offset", sa.BigInteger, nullable=False),
        _text("host"),
        _text("region"),
        sa.Column("clients", sa.Integer, nullable=False),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("stream"),
        postgresql_with={"fillfactor": 50},
    )
    op.create_index("fleet_host_region", "fleet_host", ["region"])


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(collation="C"), nullable=False)
