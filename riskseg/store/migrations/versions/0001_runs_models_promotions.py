"""Runs, models and promotions."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "runs",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("command", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("riskseg_version", sa.Text, nullable=False),
        sa.Column("as_of", sa.Date),
        sa.Column("arguments", sa.JSON, nullable=False),
        sa.Column("output", sa.Text),
        sa.Column("output_sha256", sa.Text),
        sa.Column("rows", sa.Integer),
        sa.Column("strategy", sa.Text),
        sa.Column("models", sa.JSON, nullable=False),
        sa.Column("sources", sa.JSON, nullable=False),
        sa.Column("activated", sa.Boolean, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_runs_run_id", "runs", ["run_id"])
    op.create_table(
        "models",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("metrics", sa.JSON, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.UniqueConstraint("model", "version", name="one_record_a_version"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "promotions",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(
            ["model", "version"], ["models.model", "models.version"], name="promoted_version"
        ),
        sqlite_autoincrement=True,
    )
