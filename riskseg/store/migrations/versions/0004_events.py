"""Events of accounts, and the batches that they were recorded in."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

NEEDED = ("event_id", "account_id", "kind", "happened_on", "recorded_on")
OTHERS = (
    "path",
    "step",
    "action",
    "channel",
    "template",
    "due_on",
    "episode",
    "outcome",
    "amount",
    "until",
    "ref",
    "reason",
    "made_by",
    "contact",
)


def upgrade() -> None:
    op.create_table(
        "event_batches",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("batch_id", sa.Text, nullable=False),
        sa.Column("command", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("recorded_on", sa.Date, nullable=False),
        sa.Column("riskseg_version", sa.Text, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("digest", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "events",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("batch_id", sa.Text, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False, unique=name == "event_id") for name in NEEDED),
        *(sa.Column(name, sa.Text) for name in OTHERS),
        sa.Column("digest", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_batch_id", "events", ["batch_id"])
