"""Outside SQLite, which does so itself: the number of the last entry ever added to each table."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

TABLES = (
    "runs",
    "models",
    "promotions",
    "strategies",
    "activations",
    "erasures",
    "event_batches",
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        return
    last_numbers = op.create_table(
        "last_numbers",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("seq", sa.Integer, nullable=False),
    )
    for name in TABLES:
        number: sa.ColumnElement[int] = sa.column("number", sa.Integer)
        last = sa.select(sa.literal(name), sa.func.max(number)).select_from(sa.table(name))
        op.execute(
            last_numbers.insert().from_select(
                ["name", "seq"], last.having(sa.func.max(number).is_not(None))
            )
        )
