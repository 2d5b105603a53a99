"""What the sealer keeps: the offsets of a tile's records, a checkpoint's number and if it is published."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    for name in ("first_offset", "last_offset"):
        op.add_column("merkle_tile", sa.Column(name, sa.BigInteger, nullable=True))
    # Hashes do not compress: Postgres would only try.
    op.execute("ALTER TABLE merkle_tile ALTER COLUMN hashes SET STORAGE EXTERNAL")
    op.add_column("checkpoint", sa.Column("version", sa.Integer, nullable=False))
    op.add_column("checkpoint", sa.Column("published", sa.Boolean, nullable=False))
