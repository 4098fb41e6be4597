"""Decisions of a bucket of accounts, as a pure function of rows: for another process, or another
machine.

A bucket holds the rows of a range of accounts, and of those that share a party or a premise with
one of them, as Arrow tables. :func:`decide_bucket` reads no file, clock, network, journal or other
bucket. It carries out the very statements that a run carries out on its own engine, so that the
decisions are the same, however many buckets there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from riskseg.domain.column_types import ColumnType
from riskseg.domain.relations import quoted
from riskseg.engine import DuckDB, Engine
from riskseg.features.accounts_together import SHARED
from riskseg.features.catalogue import Catalogue
from riskseg.pipeline.archive import inputs_select
from riskseg.pipeline.control_totals import Controls
from riskseg.pipeline.decisions import (
    Decider,
    LedgerInEngine,
    decide_scored,
    decision_select,
    make_facts,
    score_facts,
)
from riskseg.pipeline.load import Ledger
from riskseg.pipeline.segment_totals import SegmentTotals

if TYPE_CHECKING:
    from riskseg.learning.drift import Watch
    from riskseg.pipeline.session import Session

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
class Deciding:
    """What every bucket of a run is decided with. `keep` says that what they are decided from is
    asked for too."""

    decider: Decider
    ledger: BucketLedger
    keep: bool


@dataclass(frozen=True)
class Bucket:
    """The accounts numbered `first` to `last`, with the rows of each table that they need."""

    first: int
    last: int
    rows: Mapping[str, pa.Table]


@dataclass(frozen=True)
class DecidedBucket:
    """The decisions of a bucket in the order of account ids; what they were decided from, where it
    is kept, and the types of its columns; what was added up beside them; and watches of the models
    that have seen these accounts and no others."""

    decisions: pa.Table
    inputs: pa.Table | None
    columns: Mapping[str, ColumnType]
    totals: SegmentTotals
    controls: Mapping[str, int]
    watches: Mapping[str, Watch]


def bucket_ledger(
    loaded: Session | LedgerInEngine, *, timezone: str = "UTC", memory: str = "1GB"
) -> BucketLedger:
    """What the buckets of a ledger that was loaded have in common."""
    engine = loaded.engine
    tables = {
        name: {column: engine.type_sql(type_) for column, type_ in engine.columns(name).items()}
        for name in engine.tables()
        if name.startswith(_LEDGER) or name in _BESIDE
    }
    # Where the sources are is nobody else's affair.
    ledger = replace(loaded.ledger, authored={}, stamps={})
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


@contextmanager
def in_engine(given: BucketLedger, bucket: Bucket) -> Iterator[LedgerInEngine]:
    """The ledger of a bucket, in an engine of its own."""
    with DuckDB(threads=1, memory=given.memory, timezone=given.timezone) as engine:
        for name, columns in given.tables.items():
            typed = ", ".join(
                f"cast({quoted(column)} as {type_}) as {quoted(column)}"
                for column, type_ in columns.items()
            )
            engine.register(_GIVEN, bucket.rows[name])
            engine.run(f"create table {name} as select {typed} from {_GIVEN}")
            engine.unregister(_GIVEN)
        yield LedgerInEngine(engine, given.ledger, given.catalogue, given.scale)


def decide_bucket(given: Deciding, bucket: Bucket) -> DecidedBucket:
    """Decide the accounts of a bucket. Raises what deciding them raises."""
    accounts = bucket.first, bucket.last
    decider = _with_own_watches(given.decider)
    with in_engine(given.ledger, bucket) as ledger:
        engine = ledger.engine
        make_facts(ledger, decider.wanted, decider.as_of, *accounts)
        decide_scored(engine, decider, score_facts(engine, decider))
        totals = SegmentTotals(decider)
        totals.add(engine)
        controls = Controls(engine, ledger.ledger, decider.as_of, ledger.scale)
        controls.add(accounts)
        select, columns = inputs_select(engine) if given.keep else ("", {})
        return DecidedBucket(
            engine.arrow(decision_select(decider)),
            engine.arrow(select) if given.keep else None,
            columns,
            totals,
            controls.sums,
            decider.watches,
        )


def _with_own_watches(decider: Decider) -> Decider:
    """The decider with watches that have seen no account yet."""
    watches = {key: scorer.model.watch() for key, scorer in decider.scorers.items()}
    return replace(decider, watches=watches)
