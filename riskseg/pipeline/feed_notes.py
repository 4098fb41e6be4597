"""Notes on sources that end long before the as-of date, or that have far fewer or more rows than
earlier runs read, although riskseg.toml expects nothing of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from riskseg.domain.words import counted
from riskseg.engine import Engine
from riskseg.pipeline.feeds import earlier_figures, rows_before
from riskseg.pipeline.load import Ledger
from riskseg.results.insights.feeds import unusual_rows
from riskseg.store.records import RunRecord

# The sources that say what is owed and what was paid.
MONEY = ("bills", "payments")
# A source is old where its newest row is older than this, and than any pause of its last year. Of a
# source with rows of a single day no pause is known: a month is usual.
_LEAST_DAYS, _DAYS_OF_ONE, _LOOKED_BACK = 7, 31, 365


def age_notes(engine: Engine, ledger: Ledger, as_of: date) -> Iterator[str]:
    """A note for each source of money that ends long before the as-of date."""
    return (note for _, note in tables_that_end(engine, ledger, as_of))


def tables_that_end(engine: Engine, ledger: Ledger, as_of: date) -> Iterator[tuple[str, str]]:
    """Each source of money that ends long before the as-of date, with a note of it."""
    for table in MONEY:
        source = ledger.authored.get(table)
        if table not in ledger.sources or (source and source.expect.most_days is not None):
            continue
        newest, pause = _newest(engine, table, as_of)
        if newest is None:
            continue
        age = (as_of - newest).days
        usual = _DAYS_OF_ONE if pause is None else max(pause, _LEAST_DAYS)
        if age > usual:
            yield (
                table,
                f"The newest row of {table} is of {newest}, {counted(age, 'day')} before {as_of}: "
                "what came after it is not known.",
            )


def _newest(engine: Engine, table: str, as_of: date) -> tuple[date | None, int | None]:
    """The last day up to a date on which anything of a source became known, and the longest pause
    between two such days in the year before."""
    rows = list(
        engine.rows(f"""
            with days as (
                select distinct known_on
                from {table}
                where fault is null and known_on <= date '{as_of}'
            ),
            pauses as (
                select known_on, known_on - lag(known_on) over (order by known_on) as pause
                from days
            )
            select max(known_on),
                max(pause) filter (
                    where known_on > (select max(known_on) from days) - {_LOOKED_BACK}
                )
            from pauses
        """)
    )
    newest, pause = rows[0]
    return newest, None if pause is None else int(pause)


def volume_notes(
    ledger: Ledger,
    runs: list[RunRecord],
    fingerprints: Mapping[str, str],
    *,
    of_empty: bool = True,
) -> Iterator[str]:
    """A note for each source that has far fewer, or far more, rows than earlier runs read; also
    `of_empty` ones, unless that is said elsewhere."""
    for table in ledger.sources:
        if not (of_empty or ledger.rows[table]):
            continue
        source = ledger.authored.get(table)
        if source is not None and source.expect.rows is not None:
            continue
        before = rows_before(earlier_figures(runs, table, fingerprints.get(table, "")))
        if unusual := unusual_rows(table, ledger.rows[table], before):
            yield f"{unusual}. See whether the source is complete and came once."
