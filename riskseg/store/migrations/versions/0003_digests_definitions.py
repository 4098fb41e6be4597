"""Digests of entries, and the definitions of the facts that were read and proved of."""

import sqlalchemy as sa
from alembic import op

from riskseg.store.chain import seal

revision = "0003"
down_revision = "0002"

TABLES = ("runs", "models", "promotions", "strategies", "activations", "erasures")


def upgrade() -> None:
    op.add_column("runs", sa.Column("definitions", sa.JSON))
    op.add_column("activations", sa.Column("definitions", sa.JSON))
    op.add_column("activations", sa.Column("riskseg_version", sa.Text))
    connection = op.get_bind()
    for table in TABLES:
        op.add_column(table, sa.Column("digest", sa.Text))
        columns = sa.inspect(connection).get_columns(table)
        seal(connection, sa.table(table, *(sa.column(c["name"], c["type"]) for c in columns)))
