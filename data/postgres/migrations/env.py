"""Run by Alembic: hands it the connection that ``data.postgres.server.migrate`` opened."""

from __future__ import annotations

from alembic import context
from geoalchemy2 import alembic_helpers

from data.postgres.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_object=alembic_helpers.include_object,
    process_revision_directives=alembic_helpers.writer,
    render_item=alembic_helpers.render_item,
    compare_server_default=True,
)

with context.begin_transaction():
    context.run_migrations()
