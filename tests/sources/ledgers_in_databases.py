"""A small ledger in a database, and a workspace that reads it there."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from tests.support.small import make

TABLES = (
    "create table {s}accounts (account_id varchar(10), region text, vip boolean, "
    "score numeric(6, 3), joined date)",
    "insert into {s}accounts values ('a', 'north', true, 1.25, '2020-01-31'), "
    "('b', 'south', false, null, null)",
    "create table {s}invoices (acc varchar(10), no integer, due date, total numeric(12, 2), "
    "note text)",
    "insert into {s}invoices values ('a', 1, '2025-11-01', 100.10, 'x'), "
    "('b', 2, '2025-11-01', 100, 'y')",
    "create table {s}receipts (account_id varchar(10), paid_on date, amount numeric(12, 2))",
    "insert into {s}receipts values ('b', '2025-11-01', 100), ('b', '2025-11-02', 0)",
)
TOML = """[workspace]
strategy = "rules/s"
[source]
url = "{url}"
[source.accounts]
from = "{s}accounts"
[source.bills]
from = "{s}invoices"
account_id = "acc"
bill_id = "no"
due_on = "due"
amount = "total"
[source.payments]
from = "select account_id, paid_on, amount from {s}receipts where amount > 0"
[source.events]
url = "files"
from = "data/events.csv"
"""


def fill(url: str, schema: str = "") -> None:
    """Make the tables of the ledger."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        if schema:
            connection.exec_driver_sql(f"create schema {schema}")
        for statement in TABLES:
            connection.exec_driver_sql(statement.format(s=f"{schema}." if schema else ""))


def run(url: str, *statements: str) -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def reading(root: Path, url: str, schema: str = "") -> Path:
    """A workspace whose accounts, bills and payments are in the database."""
    make(root)
    prefix = f"{schema}." if schema else ""
    (root / "riskseg.toml").write_text(TOML.format(url=url, s=prefix))
    return root


def edit(root: Path, old: str, new: str) -> None:
    text = (root / "riskseg.toml").read_text()
    assert old in text
    (root / "riskseg.toml").write_text(text.replace(old, new))
