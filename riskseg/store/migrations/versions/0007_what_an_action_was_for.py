"""The segment and the strategy version that an issued action was for."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("events", sa.Column("segment", sa.Text))
    op.add_column("events", sa.Column("strategy", sa.Text))
