"""The rows of a long segment table, by geometry.

Columns that hang on the same facts go together in a group; z3 tells which combinations of their
levels an account can have. Groups have no fact in common, so any combination of the one can meet
any of the other: in the space of combinations a row is a box, and whether the rows above cover it
is a question that needs no solver (`strategy/unreachable_rows.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import z3

from riskseg.expressions.smt import both, either, negated
from riskseg.rules.model import SegmentRow, Strategy
from riskseg.rules.proof_account import in_cell
from riskseg.strategy.divided_columns import Divided, divided
from riskseg.strategy.proof.ask import Asker
from riskseg.strategy.proof.decision import Decision, column_terms
from riskseg.strategy.unreachable_rows import Covered, Reached, reachable

# More combinations of one group than this are left to the solver, row by row.
MOST = 5_000

Level = str | bool | None


@dataclass(frozen=True)
class Group:
    """Columns by their place, and the combinations of levels an account can have of them; None is
    what no row names, an unknown included."""

    columns: tuple[int, ...]
    combinations: tuple[tuple[Level, ...], ...]


def rows_reached(
    strategy: Strategy, decision: Decision, relations: Sequence[frozenset[str]], asker: Asker
) -> list[Reached | Covered] | None:
    """For each row whether an account reaches it, or the rows above that cover it; None where
    there are too many combinations to list. `relations` are sets of facts that are bound together.
    """
    table = divided(strategy)
    column_groups = []
    for columns in _apart(strategy, relations):
        combinations_found = _combinations(columns, strategy, table, decision, asker)
        if combinations_found is None:
            return None
        column_groups.append(Group(columns, combinations_found))
    boxes = [
        replace(row, cells=tuple(_cell(row, group) for group in column_groups))
        for row in table.rows
    ]
    by_id = {row.id: row for row in strategy.rows}
    group_keys = [
        (f"group {group_index}", tuple(map(str, range(len(group.combinations)))))
        for group_index, group in enumerate(column_groups)
    ]
    return [
        Covered(tuple(by_id[row.id] for row in reachability.by))
        if isinstance(reachability, Covered)
        else reachability
        for reachability in reachable(boxes, group_keys, ())
    ]


def _cell(row: SegmentRow, group: Group) -> frozenset[str | bool] | None:
    """The combinations a row takes; None for all of them."""
    cells_of_group = [row.cells[column] for column in group.columns]
    if all(cell is None for cell in cells_of_group):
        return None
    return frozenset(
        str(number)
        for number, levels in enumerate(group.combinations)
        if all(
            cell_ is None or level in cell_
            for cell_, level in zip(cells_of_group, levels, strict=True)
        )
    )


def _apart(strategy: Strategy, relations: Sequence[frozenset[str]]) -> list[tuple[int, ...]]:
    """Columns in groups that have no fact in common, and none bound to one of another group."""
    reads = _reads(strategy)
    facts_and_columns: list[tuple[set[str], set[int]]] = [
        ({*reads[column]}, {column_index}) for column_index, column in enumerate(strategy.columns)
    ]
    facts_and_columns += [({*names}, set()) for names in relations]
    merged: list[tuple[set[str], set[int]]] = []
    for facts, columns in facts_and_columns:
        overlapping = [group for group in merged if group[0] & facts]
        merged = [group for group in merged if not group[0] & facts]
        merged.append(
            (
                facts.union(*(group[0] for group in overlapping)),
                columns.union(*(group[1] for group in overlapping)),
            )
        )
    return sorted(tuple(sorted(columns)) for _, columns in merged if columns)


def _reads(strategy: Strategy) -> Mapping[str, frozenset[str]]:
    """The facts a column's level hangs on."""
    reads = {column: frozenset({column}) for column in strategy.columns}
    reads |= {band.name: frozenset({band.of}) for band in strategy.bands}
    decided = {band.name: reads[band.name] for band in strategy.bands}
    for scheme in strategy.schemes:
        names_in_rows = {n for row in scheme.rows if row.when for n in row.when.expression.names}
        # A scheme may read bands, and the schemes above it: it hangs on what those hang on.
        reads[scheme.name] = frozenset().union(
            *(decided.get(name, frozenset({name})) for name in names_in_rows)
        )
        decided[scheme.name] = reads[scheme.name]
    return reads


def _combinations(
    columns: Sequence[int], strategy: Strategy, table: Divided, decision: Decision, asker: Asker
) -> tuple[tuple[Level, ...], ...] | None:
    """Every combination of levels that some account has; None where there are too many."""
    ways_by_column = [list(_ways(strategy, table, column, decision)) for column in columns]
    solver = asker.solver(*decision.account.granted)
    combinations_found: list[tuple[Level, ...]] = []
    while (solver_answer := solver.check()) == z3.sat:
        if len(combinations_found) == MOST:
            return None
        model = solver.model()
        levels_held = [
            next((level, holds) for level, holds in levels if _holds(model, holds))
            for levels in ways_by_column
        ]
        combinations_found.append(tuple(level for level, _ in levels_held))
        solver.add(negated(both(*(holds for _, holds in levels_held))))
    if solver_answer != z3.unsat:
        return None
    return tuple(sorted(combinations_found, key=str))


def _holds(model: Any, part: Any) -> bool:
    return bool(z3.is_true(model.eval(part, model_completion=True)))


def _ways(
    strategy: Strategy, table: Divided, column: int, decision: Decision
) -> Iterator[tuple[Level, Any]]:
    """The levels that rows name in a column, and None for anything else; and when each holds."""
    levels_named = sorted(
        {level for row in table.rows for level in row.cells[column] or ()}, key=str
    )
    texts = decision.account.texts
    terms = {**decision.names, **column_terms(table, decision.names, texts)}
    term = terms[strategy.columns[column]]
    conditions = [
        in_cell(term, frozenset({level}), decision.account.texts) for level in levels_named
    ]
    yield from zip(levels_named, conditions, strict=True)
    yield None, negated(either(*conditions))
