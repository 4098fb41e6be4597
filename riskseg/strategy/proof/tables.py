"""Tier schemes and the segment table: every account reaches one row, every row is reached."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import z3

from riskseg.expressions.smt import either, negated
from riskseg.rules.model import Strategy
from riskseg.rules.proof_account import Granted
from riskseg.strategy.proof.ask import Asker, verdict_of_any, verdict_of_none
from riskseg.strategy.proof.decision import SEGMENTS, Decision, Table
from riskseg.strategy.proof.long_tables import rows_reached
from riskseg.strategy.proof.results import Result
from riskseg.strategy.unreachable_rows import Covered


def prove_tables(
    strategy: Strategy, decision: Decision, granted: Granted, asker: Asker
) -> Iterator[Result]:
    solver = asker.solver(*decision.granted)
    for scheme in strategy.schemes:
        names = [row.tier for row in scheme.rows]
        lines = [row.line for row in scheme.rows]
        table = decision.tables[scheme.name]
        file = f"{strategy.folder}/tiers.yaml"
        yield from _one_row(scheme.name, table, file, solver, decision, asker)
        yield from _rows_reached(scheme.name, names, lines, table, file, solver, asker)
        for row in scheme.rows:
            # Where the type can be unknown the file had to say what then: RS305 saw to it.
            if row.when is not None and not row.when.expression.type.nullable:
                condition_unknown = decision.account.term(row.when.expression).unknown
                yield verdict_of_none(
                    Result(
                        "unknown-stated",
                        f"{scheme.name} {row.tier}",
                        "proved",
                        "",
                        (),
                        file,
                        row.line,
                    ),
                    "The condition is unknown for this account.",
                    solver,
                    [condition_unknown],
                    [decision.account],
                    asker,
                )
    file = strategy.segments_file
    table = decision.tables[SEGMENTS]
    yield from _one_row(SEGMENTS, table, file, solver, decision, asker)
    bound_facts = [relation.names for relation in granted.relations]
    if (
        table.meant
        and (reachabilities := rows_reached(strategy, decision, bound_facts, asker)) is not None
    ):
        for segment_row, reachability in zip(strategy.rows, reachabilities, strict=True):
            subject = f"{SEGMENTS} {segment_row.id}"
            result = Result("row-reached", subject, "proved", "", (), file, segment_row.line)
            if isinstance(reachability, Covered):
                fault = _taken_by([(above.id, above.line) for above in reachability.by])
                result = replace(result, verdict="refuted", fault=fault)
            yield result
        return
    names = [row.id for row in strategy.rows]
    lines = [row.line for row in strategy.rows]
    yield from _rows_reached(SEGMENTS, names, lines, table, file, solver, asker)


def _one_row(
    name: str, table: Table, file: str, solver: Any, decision: Decision, asker: Asker
) -> Iterator[Result]:
    no_row_matches = negated(either(*table.matches))
    yield verdict_of_none(
        Result("one-row", name, "proved", "", (), file, None),
        "No row takes this account.",
        solver,
        [no_row_matches],
        [decision.account],
        asker,
    )


def _rows_reached(
    name: str,
    names: Sequence[str],
    lines: Sequence[int | None],
    table: Table,
    file: str,
    solver: Any,
    asker: Asker,
) -> Iterator[Result]:
    for row_index, (row_name, line) in enumerate(zip(names, lines, strict=True)):
        result = Result("row-reached", f"{name} {row_name}", "proved", "", (), file, line)
        yield verdict_of_any(
            result,
            partial(_covered_by, table, row_index, names, lines, solver),
            solver,
            [table.reached[row_index]],
            asker,
        )


def _covered_by(
    table: Table, row_index: int, names: Sequence[str], lines: Sequence[int | None], solver: Any
) -> str:
    """Why a row cannot be reached: the rows above that cover it, or its own condition."""
    solver.push()
    row_marks = [z3.Bool(f"not row {index}") for index in range(row_index)]
    solver.add(table.matches[row_index])
    for row_mark, match in zip(row_marks, table.matches, strict=False):
        solver.add(z3.Implies(row_mark, z3.Not(match)))
    solver_answer = solver.check(*row_marks)
    needed_marks = (
        {str(row_mark) for row_mark in solver.unsat_core()} if solver_answer == z3.unsat else set()
    )
    solver.pop()
    return _taken_by(
        [
            (names[index], lines[index])
            for index, row_mark in enumerate(row_marks)
            if str(row_mark) in needed_marks
        ]
    )


def _taken_by(rows: Sequence[tuple[str, int | None]]) -> str:
    if not rows:
        return "No possible account matches it."
    rows_listed = ", ".join(
        f'"{row_name}"' + (f" (line {line})" if line else "") for row_name, line in rows
    )
    single = len(rows) == 1
    return f"Row{'' if single else 's'} {rows_listed} take{'s' if single else ''} all it would."
