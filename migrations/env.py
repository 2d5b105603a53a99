"""Alembic's entrance: the connection is handed over by `projections.schema`, never configured in a file."""

from alembic import context

from projections.schema import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
