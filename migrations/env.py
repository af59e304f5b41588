"""Alembic's environment: it works on the connection that `app/store/migrate.py` opened."""

from alembic import context

from app.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    # A migration may leave its transaction, to build an index beside the work; those before it
    # are committed then. Within a transaction of the caller's there is only that one.
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
