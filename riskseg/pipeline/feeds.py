"""Feeds: what each source held in a run, against what riskseg.toml expects and earlier runs had.

A run records the figures of its sources in the journal, whether anything is expected or not, so
that bounds which are added later have something to be held against.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from statistics import median_low
from typing import TYPE_CHECKING, Any

from riskseg.domain.problems import Problem
from riskseg.domain.source_tables import DATED_TABLES
from riskseg.domain.words import money
from riskseg.engine import Engine
from riskseg.pipeline.load import Ledger
from riskseg.workspace import Source
from riskseg.workspace.expectations import Bounds, bounds

if TYPE_CHECKING:
    from riskseg.store.records import RunRecord

# As many earlier runs are looked at; of an even number the lower middle counts.
EARLIER = 5

Figures = dict[str, Any]
_WITH_AMOUNTS = ("bills", "payments", "events", "instalments")
_HINT = (
    "See whether the feed is complete and came once. If it is right, `--accept-feeds` lets this "
    "command pass."
)


def feed_figures(
    engine: Engine, ledger: Ledger, as_of: date, scale: int, tables: Iterable[str]
) -> dict[str, Figures]:
    """Of each of these sources its `rows`, the `newest` day up to the date on which anything of it
    became known and the `sum` of its amounts, null where it has none, as JSON can hold them."""
    figures: dict[str, Figures] = {}
    for table in tables:
        newest, total = None, None
        if table in DATED_TABLES:
            newest = engine.value(
                f"select max(known_on) from {table} where fault is null and known_on <= '{as_of}'"
            )
        if table in _WITH_AMOUNTS:
            total = engine.value(
                f"select coalesce(sum(amount_minor), 0) from {table} where fault is null"
            )
        figures[table] = {
            "rows": ledger.rows[table],
            "newest": None if newest is None else str(newest),
            "sum": None if total is None else str(Decimal(int(total)).scaleb(-scale)),
        }
    return figures


def earlier_figures(runs: list[RunRecord], table: str, fingerprint: str) -> list[Figures]:
    """The figures of a source in the last runs, the latest first, whatever their as-of date: those
    of each input once, and none of the input that has the fingerprint now. Those of a feed that was
    accepted although it was not as expected count only where there are no others."""
    of_inputs: dict[str, Figures] = {}
    for run in runs:
        figures = (run.arguments.get("feeds") or {}).get(table)
        if figures is not None and not run.arguments.get("draft"):
            of_inputs.setdefault(run.sources.get(table, ""), figures)
    of_inputs.pop(fingerprint, None)
    as_expected = [figures for figures in of_inputs.values() if not figures.get("accepted")]
    return (as_expected or list(of_inputs.values()))[:EARLIER]


def rows_before(earlier: list[Figures]) -> int | None:
    """The median of the rows that earlier runs read; None where there are none."""
    return median_low([int(figures["rows"]) for figures in earlier]) if earlier else None


def is_emptied(source: Source, rows: int) -> bool:
    """Whether a source has no rows, and riskseg.toml does not say how many it should have."""
    return not rows and source.expect.rows is None


def is_compared(source: Source) -> bool:
    """Whether anything of a source is expected as a multiple of what earlier runs had."""
    written = (source.expect.rows, source.expect.sum)
    return any(text is not None and bounds(text).relative for text in written)


def not_compared(source: Source, figures: Figures, earlier: list[Figures]) -> Iterator[str]:
    """A note for each expectation of a source that has no earlier figure to be held against."""
    for key, written in (("rows", source.expect.rows), ("sum", source.expect.sum)):
        if written is None or figures[key] is None or not bounds(written).relative:
            continue
        if not _before(key, earlier):
            yield (
                f"{source.table}: {key} = {written} is not checked: no earlier run had another "
                "input to compare with."
            )


def _before(key: str, earlier: list[Figures]) -> list[Decimal]:
    return [Decimal(str(figures[key])) for figures in earlier if figures.get(key)]


def breaches(
    source: Source, figures: Figures, earlier: list[Figures], as_of: date, scale: int
) -> Iterator[Problem]:
    """RS650 for each expectation of a source that its figures do not meet, and for one without
    rows where earlier runs had some: of how many rows it has at least nothing need be said. Of
    one without rows that may be so, nothing else is expected."""
    expect, table, rows = source.expect, source.table, int(figures["rows"])
    hint = _HINT if rows else f"{_HINT} {_how_to_allow_none(source)}"

    def breach(key: str, what: str) -> Problem:
        line = source.expect_lines.get(key) or source.lines.get("from")
        return Problem("RS650", f"{table}: {what}.", source.file, line, hint)

    if not rows and _may_have_none(source):
        return
    if is_emptied(source, rows) and (before := rows_before(earlier)):
        yield breach("from", f"there are no rows, where earlier runs had {before:,}")
        return
    if (most_days := expect.most_days) is not None:
        newest = None if figures["newest"] is None else date.fromisoformat(figures["newest"])
        if newest is None:
            yield breach("newest", f"there is no dated row up to {as_of}")
        elif (as_of - newest).days > most_days:
            age = (as_of - newest).days
            yield breach(
                "newest",
                f"the newest row is of {newest}, {age} days before {as_of}; "
                f"{expect.newest} are allowed",
            )
    for key, written in (("rows", expect.rows), ("sum", expect.sum)):
        if written is None or figures[key] is None:
            continue
        value = Decimal(str(figures[key]))
        what = _outside(key, value, bounds(written), _before(key, earlier), scale)
        if what is not None:
            yield breach(key, f"{what}; {written} are expected")


def _may_have_none(source: Source) -> bool:
    """Whether riskseg.toml says that a source may have no rows."""
    rows = source.expect.rows
    return rows is not None and not bounds(rows).least


def _how_to_allow_none(source: Source) -> str:
    """The line that lets a source be without rows on any day, whatever else is expected of it."""
    rows = source.expect.rows
    most = "" if rows is None else rows.partition("..")[2]
    least = "0x" if most.endswith("x") else "0"
    return (
        f"If this source is rightly empty on some days, write the line "
        f'`rows = "{least}..{most}"` under [source.{source.table}.expect] in riskseg.toml.'
    )


def _outside(
    key: str, value: Decimal, expected: Bounds, before: list[Decimal], scale: int
) -> str | None:
    """What is said of a figure outside its bounds; None of one within, or where there is nothing
    to hold it against."""
    usual = Decimal(1)
    if expected.relative:
        if not before:
            return None
        usual = median_low(before)
    too_few = expected.least is not None and value < expected.least * usual
    too_many = expected.most is not None and value > expected.most * usual
    if not too_few and not too_many:
        return None
    shown = f"{value:,} rows" if key == "rows" else f"amounts of {money(value, scale=scale)}"
    if not expected.relative:
        return f"there are {shown}"
    than = f"{usual:,}" if key == "rows" else money(usual, scale=scale)
    share = f", {value / usual:.2f} times as much" if usual else ""
    return f"there are {shown}, where earlier runs had {than}{share}"
