"""Alembic runs this. The transaction and its lock belong to the caller, `workbench.casebook.opening`."""

from alembic import context

from workbench.casebook.tables import metadata

context.configure(
    connection=context.config.attributes.get("connection"),
    dialect_name=context.config.attributes.get("dialect_name"),  # to print SQL without a database
    literal_binds="connection" not in context.config.attributes,
    target_metadata=metadata,
    version_table=context.config.attributes["version_table"],
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
