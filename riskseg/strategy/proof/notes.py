"""What is worth knowing of tables and no fault: rows whose order decides, what a last row takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from riskseg.expressions.smt import both
from riskseg.strategy.checked import SegmentRow, Strategy
from riskseg.strategy.proof.ask import Asker
from riskseg.strategy.proof.decision import SEGMENTS, Decision
from riskseg.strategy.proof.dimensions import dimensions
from riskseg.strategy.proof.regions import Region, regions
from riskseg.strategy.proof.results import Note

# Of larger tables nobody reads every pair of rows.
MOST_ROWS = 40


def notes(strategy: Strategy, decision: Decision, asker: Asker) -> Iterator[Note]:
    """Of each table: pairs of rows that one account can match both, with another outcome, and
    which accounts; and which accounts reach a scheme's last row, that takes the rest."""
    own = {scheme.name for scheme in strategy.schemes}
    bounds = [d for d in dimensions((strategy,), (decision,)) if d.name not in own]
    granted = decision.granted
    for scheme in strategy.schemes:
        table, rows = decision.tables[scheme.name], scheme.rows
        file = f"{strategy.folder}/tiers.yaml"
        if len(rows) > MOST_ROWS:
            continue
        for (i, one), (j, other) in combinations(list(enumerate(rows)), 2):
            if one.tier == other.tier or other.when is None or one.when is None:
                continue
            shared = both(table.reached[i], table.matches[j])
            if asker.any(asker.solver(*granted), shared) != "yes":
                continue
            found, complete = regions(bounds, granted, shared, asker)
            told = f"{one.tier} comes before {other.tier}: {words(found, complete)}"
            yield Note(scheme.name, told, file, other.line)
        if rows[-1].when is None and len(rows) > 1:
            found, complete = regions(bounds, granted, table.reached[-1], asker)
            if not found:
                continue
            told = f"{rows[-1].tier} takes the rest: {words(found, complete)}"
            yield Note(scheme.name, told, file, rows[-1].line)
    if len(strategy.rows) <= MOST_ROWS:
        yield from _segments(strategy, decision, asker)


def _segments(strategy: Strategy, decision: Decision, asker: Asker) -> Iterator[Note]:
    """The overlap of two rows of cells is itself a row of cells."""
    table = decision.tables[SEGMENTS]
    solver = asker.solver(*decision.granted)
    for (i, one), (j, other) in combinations(list(enumerate(strategy.rows)), 2):
        if one.segment == other.segment or not any(other.cells):
            continue
        if asker.any(solver, both(table.reached[i], table.matches[j])) != "yes":
            continue
        region = _overlap(strategy.columns, one, other)
        yield Note(
            SEGMENTS,
            f"{one.id} comes before {other.id}: {', '.join(region)}",
            f"{strategy.folder}/segments.yaml",
            other.line,
        )


def _overlap(columns: Sequence[str], one: SegmentRow, other: SegmentRow) -> Region:
    told = []
    for column, a, b in zip(columns, one.cells, other.cells, strict=True):
        cell = a if b is None else b if a is None else a & b
        if cell is not None:
            told.append(f"{column} {' or '.join(sorted(map(str, cell)))}")
    return tuple(told)


def words(found: Sequence[Region], complete: bool) -> str:
    """Regions as one line."""
    told = "; ".join(", ".join(region) or "every account" for region in found)
    return told if complete else f"{told}; and more"
