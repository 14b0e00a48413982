"""Run by Alembic: migrate over the connection the catalog hands in."""

from alembic import context

from holotype.catalog.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
