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
    scheme_names = {scheme.name for scheme in strategy.schemes}
    bounds = [
        dimension
        for dimension in dimensions((strategy,), (decision,))
        if dimension.name not in scheme_names
    ]
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
    for (i, first), (j, second) in combinations(list(enumerate(rows)), 2):
        if first.tier == second.tier or second.when is None or first.when is None:
            continue
        shared = both(table.reached[i], table.matches[j])
        shared_regions, complete = regions(bounds, granted, shared, asker)
        if shared_regions or not complete:
            message = f"{first.tier} comes before {second.tier}: {words(shared_regions, complete)}"
            yield Note(scheme.name, message, file, second.line)
    if rows[-1].when is None and len(rows) > 1:
        shared_regions, complete = regions(bounds, granted, table.reached[-1], asker)
        if shared_regions or not complete:
            message = f"{rows[-1].tier} takes the rest: {words(shared_regions, complete)}"
            yield Note(scheme.name, message, file, rows[-1].line)


def _segments(strategy: Strategy, file: str, decision: Decision, asker: Asker) -> Iterator[Note]:
    """The overlap of two rows of cells is itself a row of cells."""
    table = decision.tables[SEGMENTS]
    solver = asker.solver(*decision.granted)
    for (i, first), (j, second) in combinations(list(enumerate(strategy.rows)), 2):
        if first.segment == second.segment or not any(second.cells):
            continue
        answer = asker.any(solver, both(table.reached[i], table.matches[j]))
        if answer != "no":
            region = ", ".join(_overlap(strategy.columns, first, second))
            message = (
                f"{first.id} comes before {second.id}: {region if answer == 'yes' else UNSURE}"
            )
            yield Note(SEGMENTS, message, file, second.line)


def _overlap(columns: Sequence[str], first: SegmentRow, second: SegmentRow) -> Region:
    cell_texts = []
    for column, first_cell, second_cell in zip(columns, first.cells, second.cells, strict=True):
        shared_cell = (
            first_cell
            if second_cell is None
            else second_cell
            if first_cell is None
            else first_cell & second_cell or {*first_cell, "and", *second_cell}
        )
        if shared_cell is not None:
            cell_texts.append(f"{column} {' or '.join(sorted(map(str, shared_cell)))}")
    return tuple(cell_texts)


def words(regions_found: Sequence[Region], complete: bool) -> str:
    """Regions as one line."""
    if not regions_found:
        return UNSURE
    regions_text = "; ".join(", ".join(region) or "every account" for region in regions_found)
    return regions_text if complete else f"{regions_text}; and more"
