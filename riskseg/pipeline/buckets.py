"""Buckets: the rows of a range of accounts, and of those that share a party or a premise with one
of them, as Arrow tables, for another process or another machine.

What is done with a bucket (:mod:`riskseg.pipeline.work_on_buckets`) reads no file, clock, network,
journal or other bucket.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pyarrow as pa

from riskseg.domain.relations import quoted
from riskseg.engine import DuckDB, Engine
from riskseg.features.accounts_together import SHARED
from riskseg.features.catalogue import Catalogue
from riskseg.pipeline.load import Ledger
from riskseg.pipeline.session import LedgerInEngine, Session

# What each table of a bucket is called for while its rows are put into the engine.
_GIVEN = "given_rows"
_RELATED = "related_accounts"
# What facts are worked out from: the views of the sound rows of each source, some of which go by
# the places of rows in the whole table, and these tables beside them.
_LEDGER = "ledger_"
_BESIDE = ("account_ids", "first_known", "journal_events", "quarantined_accounts")


@dataclass(frozen=True)
class BucketLedger:
    """What the ledger of every bucket has in common, and nothing of any account: what it contains,
    what features there are, and the types of its tables' columns."""

    ledger: Ledger
    catalogue: Catalogue
    scale: int
    tables: Mapping[str, Mapping[str, str]]
    timezone: str
    memory: str


@dataclass(frozen=True)
class Bucket:
    """The accounts numbered `first` to `last`, with the rows of each table that they need."""

    first: int
    last: int
    rows: Mapping[str, pa.Table]


def bucket_ledger(loaded: Session) -> BucketLedger:
    """What the buckets of a workspace have in common."""
    settings = loaded.workspace.settings
    timezone, memory = settings.timezone or "UTC", settings.memory
    return in_common(loaded, timezone=timezone, memory=memory)


def in_common(
    loaded: Session | LedgerInEngine, *, timezone: str = "UTC", memory: str = "1GB"
) -> BucketLedger:
    """What the buckets of a ledger that was loaded have in common."""
    engine = loaded.engine
    tables = {
        name: column_types(engine, name)
        for name in engine.tables()
        if name.startswith(_LEDGER) or name in _BESIDE
    }
    # Where the sources are stays here, and so does what reads them: a connection to a database.
    sources = {name: replace(m, locate=None) for name, m in loaded.ledger.sources.items()}
    overlaid = loaded.ledger.overlaid
    if overlaid is not None:
        overlaid = replace(overlaid, accounts=replace(overlaid.accounts, locate=None))
    ledger = replace(loaded.ledger, sources=sources, overlaid=overlaid, authored={}, stamps={})
    return BucketLedger(ledger, loaded.catalogue, loaded.scale, tables, timezone, memory)


def bucket(engine: Engine, tables: Iterable[str], first: int, last: int) -> Bucket:
    """The rows of tables that a range of accounts needs: their own, and those of accounts that ever
    had the same party or premise."""
    others = " union ".join(
        f"""
        select other.account_no
        from ledger_accounts mine
        join ledger_accounts other on other.{shared} = mine.{shared}
        where mine.account_no between {first} and {last}"""
        for shared in SHARED.values()
    )
    engine.run(
        f"""
        create or replace temp table {_RELATED} as
        select account_no
        from account_ids
        where account_no between {first} and {last}
        union {others}
        """
    )
    return Bucket(
        first,
        last,
        {
            name: engine.arrow(
                f"select * from {name} where account_no in (select account_no from {_RELATED})"
            )
            for name in tables
        },
    )


def column_types(engine: Engine, table: str) -> dict[str, str]:
    """The types of a table's columns, as the engine names them."""
    return {name: engine.type_sql(type_) for name, type_ in engine.columns(table).items()}


def put(
    engine: Engine, name: str, columns: Mapping[str, str], rows: pa.Table, *, anew: bool = True
) -> None:
    """Put rows into a table, with columns of these types; with `anew`, the table is made anew."""
    typed = ", ".join(
        f"cast({quoted(column)} as {type_}) as {quoted(column)}"
        for column, type_ in columns.items()
    )
    into = f"create or replace table {name} as" if anew else f"insert into {name}"
    engine.register(_GIVEN, rows)
    engine.run(f"{into} select {typed} from {_GIVEN}")
    engine.unregister(_GIVEN)


@contextmanager
def in_engine(given: BucketLedger, bucket: Bucket) -> Iterator[LedgerInEngine]:
    """The ledger of a bucket, in an engine of its own."""
    with DuckDB(threads=1, memory=given.memory, timezone=given.timezone) as engine:
        for name, columns in given.tables.items():
            put(engine, name, columns, bucket.rows[name])
        yield LedgerInEngine(engine, given.ledger, given.catalogue, given.scale)
