"""Strategies, which of them was in force from when, and accounts erased from kept inputs."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "strategies",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("files", sa.JSON, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.UniqueConstraint("fingerprint", "text", name="one_record_a_text"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "activations",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("effective_from", sa.Date, nullable=False),
        sa.Column("proof", sa.JSON, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(
            ["fingerprint", "text"],
            ["strategies.fingerprint", "strategies.text"],
            name="activated_text",
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "erasures",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("runs", sa.JSON, nullable=False),
        sqlite_autoincrement=True,
    )
