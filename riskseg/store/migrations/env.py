"""Alembic's entry: the journal hands over its open connection and commits by itself."""

from alembic import context

attributes = context.config.attributes
context.configure(connection=attributes["connection"], version_table=attributes["version_table"])
context.run_migrations()
