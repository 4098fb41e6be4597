"""What a strategy decides for an account, as terms: the mirror of `strategy/compile.py`.

The two are written apart on purpose. Whatever is refuted here is tried on the compiled SQL, and
tests hold the two together on random accounts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import z3

from riskseg.domain.decision import COLUMNS
from riskseg.domain.facts import Kind
from riskseg.expressions import Expression
from riskseg.expressions.smt import (
    ONE,
    Term,
    Texts,
    both,
    chosen,
    constant,
    either,
    negated,
    to_smt,
    tree_to_smt,
    value_of,
)
from riskseg.expressions.tree import Value
from riskseg.rules.action_facts import action_of
from riskseg.rules.elements import NO_ACTION
from riskseg.rules.model import UNSCORED, Strategy
from riskseg.rules.proof_account import Account, condition_holds, in_cell, with_decided
from riskseg.rules.step_facts import is_issue
from riskseg.strategy.divided_columns import Divided, divided
from riskseg.treatment.duties import asked_term
from riskseg.treatment.guards import lawful
from riskseg.treatment.placement import Standing, standings_of


@dataclass(frozen=True)
class Table:
    """A table's rows: which match by themselves, and which is the first that does. `meant` says
    what the names used in them stand for: those of a long table have names of their own, or every
    row would repeat all above it."""

    matches: tuple[Any, ...]
    reached: tuple[Any, ...]
    meant: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Decision:
    """`names` are the terms a property may name: facts and what is decided. `rank` is that of
    the action emitted, `due` that of the step's own (0: none). `granted` is what any question
    about it takes for granted."""

    account: Account
    granted: tuple[Any, ...]
    names: Mapping[str, Term]
    tables: Mapping[str, Table]
    paths: Mapping[str, Any]
    standings: tuple[Standing, ...]
    guards: Mapping[str, Any]
    due: Any
    rank: Any

    def term(self, expression: Expression) -> Term:
        return to_smt(expression, self.names.__getitem__, self.account.texts)


SEGMENTS = "segments"
# Rows from which on a table is long.
LONG = 64


def decide(strategy: Strategy, account: Account) -> Decision:
    """Everything the strategy decides for the account."""
    texts = account.texts
    names = dict(account.terms)
    tables: dict[str, Table] = {}
    for band in strategy.bands:
        probability = names[band.of]
        # A probability has six decimals: the first one at or above the cut is the first outside.
        levels = [(math.ceil(cut * ONE), texts.code(level)) for level, cut in band.cuts]
        result = Term(z3.IntVal(levels[-1][1]))
        for cut, code in reversed(levels[:-1]):
            result = chosen(probability.value < cut, Term(z3.IntVal(code)), result)
        names[band.name] = chosen(
            probability.unknown, Term(z3.IntVal(texts.code(UNSCORED))), result
        )
        account = with_decided(account, band.name, names[band.name])
    for scheme in strategy.schemes:
        matches = [
            z3.BoolVal(True) if row.when is None else condition_holds(row.when, account)
            for row in scheme.rows
        ]
        tables[scheme.name] = _table(matches)
        names[scheme.name] = _first(matches, [row.tier for row in scheme.rows], texts)
        account = with_decided(account, scheme.name, names[scheme.name])
    rows = _rows(strategy, names, texts)
    tables[SEGMENTS] = _table(rows)
    names["segment"], meant = _segment(tables[SEGMENTS], strategy, texts)
    account = with_decided(account, "segment", names["segment"])
    paths, standings = standings_of(strategy, account, names["segment"])
    path, path_day = constant("", Kind.TEXT, texts), constant(None, Kind.INTEGER, texts)
    for name, on_path in paths.items():
        path = chosen(on_path, constant(name, Kind.TEXT, texts), path)
    for leg in (leg for standing in standings for leg in standing.legs):
        path = chosen(leg.here, constant(leg.path.name, Kind.TEXT, texts), path)
        day = account.terms["as_of"].value - leg.started.value
        path_day = chosen(leg.at, Term(day), path_day)
    names["path"], names["path_day"] = path, path_day
    guards = {guard.name: guard.applies(account) for guard in strategy.guards}
    due = z3.IntVal(0)
    step = constant(None, Kind.INTEGER, texts)
    for of_route, is_due in (one for standing in standings for one in standing.due):
        due = z3.If(is_due, z3.IntVal(_rank(strategy, of_route.step.action)), due)
        step = chosen(is_due, constant(of_route.number, Kind.INTEGER, texts), step)
    asks, due = asked_term(strategy, account, guards, due)
    step = chosen(asks, constant(None, Kind.INTEGER, texts), step)
    rank = lawful(strategy, guards, due, account)
    acts = rank != 0
    names["step"] = chosen(acts, step, constant(None, Kind.INTEGER, texts))
    actions = [NO_ACTION, *(action.name for action in strategy.actions)]
    names["due_action"] = _text_of(due, actions, texts)
    names["action"] = _text_of(rank, actions, texts)
    channel = constant(None, Kind.TEXT, texts)
    for action in strategy.actions:
        channel = chosen(rank == action.rank, constant(action.channel, Kind.TEXT, texts), channel)
    names["channel"] = channel
    granted = (
        *account.granted,
        *tables[SEGMENTS].meant,
        *meant,
        *_issued_before(strategy, account),
    )
    return Decision(account, granted, names, tables, paths, standings, guards, due, rank)


def _issued_before(strategy: Strategy, account: Account) -> Iterator[Any]:
    """That what was issued was issued before the as-of date: what is issued on a day is due on it
    all the same."""
    as_of = account.terms["as_of"].value
    for state_fact in strategy.facts:
        if is_issue(state_fact) or action_of(state_fact):
            issued_term = account.terms[state_fact]
            yield either(issued_term.unknown, issued_term.value < as_of)


def _rows(strategy: Strategy, names: Mapping[str, Term], texts: Texts) -> list[Any]:
    """That each row's cells match. Rows share what they have in common."""
    term_of_cell: dict[tuple[str, frozenset[str | bool]], Any] = {}
    table = divided(strategy)
    names = {**names, **column_terms(table, names, texts)}
    matching_terms = []
    for row in table.rows:
        cell_terms = []
        for column, cell in zip(strategy.columns, row.cells, strict=True):
            if cell is not None:
                if (column, cell) not in term_of_cell:
                    term_of_cell[column, cell] = in_cell(names[column], cell, texts)
                cell_terms.append(term_of_cell[column, cell])
        matching_terms.append(both(*cell_terms))
    return matching_terms


def column_terms(table: Divided, names: Mapping[str, Term], texts: Texts) -> dict[str, Term]:
    """The level of each column of the table that has others than its own."""
    return {
        column: tree_to_smt(tree, names.__getitem__, texts) for column, tree in table.trees.items()
    }


def _table(matches: Sequence[Any]) -> Table:
    reached: list[Any] = []
    if len(matches) <= LONG:
        for row_index, match in enumerate(matches):
            reached.append(both(match, *(negated(earlier) for earlier in matches[:row_index])))
        return Table(tuple(matches), tuple(reached))
    definitions: list[Any] = []
    above: Any = z3.BoolVal(False)
    for match in matches:
        row_reached, below = z3.FreshBool("row"), z3.FreshBool("above")
        definitions += [row_reached == both(match, negated(above)), below == either(above, match)]
        reached.append(row_reached)
        above = below
    return Table(tuple(matches), tuple(reached), tuple(definitions))


def _segment(table: Table, strategy: Strategy, texts: Texts) -> tuple[Term, tuple[Any, ...]]:
    """The segment, and what the names used in it stand for."""
    segments = [row.segment for row in strategy.rows]
    if not table.meant:
        return _first(table.matches, segments, texts), ()
    segment = z3.FreshInt("segment")
    segment_codes = [constant(segment_name, Kind.TEXT, texts).value for segment_name in segments]
    reached_codes = zip(table.reached, segment_codes, strict=True)
    # That a row is reached is a claim of its own; said here it need not be found out each time.
    one_of_the_segments = either(
        *(
            segment == constant(segment_name, Kind.TEXT, texts).value
            for segment_name in strategy.segments
        )
    )
    return Term(segment), (
        one_of_the_segments,
        *(z3.Implies(reached, segment == code) for reached, code in reached_codes),
    )


def _first(matches: Sequence[Any], row_texts: Sequence[str], texts: Texts) -> Term:
    """The text of the first row that matches; of the last one where none does."""
    text_term = constant(row_texts[-1], Kind.TEXT, texts)
    for match, text in reversed(list(zip(matches, row_texts, strict=True))[:-1]):
        text_term = chosen(match, constant(text, Kind.TEXT, texts), text_term)
    return text_term


def _rank(strategy: Strategy, action: str) -> int:
    action_found = strategy.action(action)
    return action_found.rank if action_found else 0


def _text_of(rank: Any, choices: Sequence[str], texts: Texts) -> Term:
    result = constant(choices[-1], Kind.TEXT, texts)
    for index, text in reversed(list(enumerate(choices))[:-1]):
        result = chosen(rank == index, constant(text, Kind.TEXT, texts), result)
    return result


def decided(
    strategy: Strategy, account: Mapping[str, Value], names: Sequence[str]
) -> dict[str, Value]:
    """What the terms say of an account of which everything is known."""
    texts = Texts()
    terms = {
        name: constant(account[name], fact.kind, texts) for name, fact in strategy.facts.items()
    }
    decision = decide(strategy, Account(strategy.facts, terms, texts, ()))
    solver = z3.Solver()
    solver.add(*decision.granted)
    solver.check()
    model = solver.model()
    kinds = {column.name: column.kind for column in COLUMNS}
    return {
        name: value_of(model, decision.names[name], kinds.get(name, Kind.TEXT), texts)
        for name in names
    }
