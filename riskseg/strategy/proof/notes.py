"""What is worth knowing of tables and no fault: rows whose order decides, what a last row takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from riskseg.expressions.smt import both
from riskseg.rules.model import Scheme, SegmentRow, Strategy
from riskseg.strategy.proof.ask import UNSURE, Asker
from riskseg.strategy.proof.decision import SEGMENTS, Decision
from riskseg.strategy.proof.dimensions import Dimension, dimensions
from riskseg.strategy.proof.regions import Region, regions
from riskseg.strategy.proof.results import Note

# Of larger tables nobody reads every pair of rows.
MOST_ROWS = 40


def notes(strategy: Strategy, decision: Decision, asker: Asker) -> Iterator[Note]:
    """Of each table: pairs of rows that one account can match both, with another outcome, and
    which accounts; and which accounts reach a scheme's last row, that takes the rest. What is not
    looked at, or not settled in time, is noted as that."""
    own = {scheme.name for scheme in strategy.schemes}
    bounds = [d for d in dimensions((strategy,), (decision,)) if d.name not in own]
    for scheme in strategy.schemes:
        file = f"{strategy.folder}/tiers.yaml"
        if len(scheme.rows) > MOST_ROWS:
            yield _too_many(scheme.name, len(scheme.rows), file)
        else:
            yield from _scheme(scheme, file, bounds, decision, asker)
    file = strategy.segments_file
    if len(strategy.rows) > MOST_ROWS:
        yield _too_many(SEGMENTS, len(strategy.rows), file)
    else:
        yield from _segments(strategy, file, decision, asker)


def _too_many(table: str, rows: int, file: str) -> Note:
    return Note(table, f"{rows:,} rows: beyond {MOST_ROWS}, their order is not looked at", file)


def _scheme(
    scheme: Scheme, file: str, bounds: Sequence[Dimension], decision: Decision, asker: Asker
) -> Iterator[Note]:
    table, rows, granted = decision.tables[scheme.name], scheme.rows, decision.granted
    for (i, one), (j, other) in combinations(list(enumerate(rows)), 2):
        if one.tier == other.tier or other.when is None or one.when is None:
            continue
        shared = both(table.reached[i], table.matches[j])
        found, complete = regions(bounds, granted, shared, asker)
        if found or not complete:
            told = f"{one.tier} comes before {other.tier}: {words(found, complete)}"
            yield Note(scheme.name, told, file, other.line)
    if rows[-1].when is None and len(rows) > 1:
        found, complete = regions(bounds, granted, table.reached[-1], asker)
        if found or not complete:
            told = f"{rows[-1].tier} takes the rest: {words(found, complete)}"
            yield Note(scheme.name, told, file, rows[-1].line)


def _segments(strategy: Strategy, file: str, decision: Decision, asker: Asker) -> Iterator[Note]:
    """The overlap of two rows of cells is itself a row of cells."""
    table = decision.tables[SEGMENTS]
    solver = asker.solver(*decision.granted)
    for (i, one), (j, other) in combinations(list(enumerate(strategy.rows)), 2):
        if one.segment == other.segment or not any(other.cells):
            continue
        found = asker.any(solver, both(table.reached[i], table.matches[j]))
        if found != "no":
            region = ", ".join(_overlap(strategy.columns, one, other))
            told = f"{one.id} comes before {other.id}: {region if found == 'yes' else UNSURE}"
            yield Note(SEGMENTS, told, file, other.line)


def _overlap(columns: Sequence[str], one: SegmentRow, other: SegmentRow) -> Region:
    told = []
    for column, a, b in zip(columns, one.cells, other.cells, strict=True):
        cell = a if b is None else b if a is None else a & b
        if cell is not None:
            told.append(f"{column} {' or '.join(sorted(map(str, cell)))}")
    return tuple(told)


def words(found: Sequence[Region], complete: bool) -> str:
    """Regions as one line."""
    if not found:
        return UNSURE
    told = "; ".join(", ".join(region) or "every account" for region in found)
    return told if complete else f"{told}; and more"
