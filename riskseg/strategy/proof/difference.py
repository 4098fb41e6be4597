"""What two strategies would do otherwise, for every account there could be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import z3

from riskseg.domain.decision import OUTCOMES
from riskseg.domain.facts import Kind
from riskseg.expressions.smt import Term, Texts, both, constant, negated, value_of
from riskseg.expressions.tree import Value
from riskseg.rules.model import Strategy
from riskseg.rules.proof_account import Granted, any_account, with_defaults
from riskseg.strategy.proof.ask import UNSURE, Asker
from riskseg.strategy.proof.decision import Decision, decide
from riskseg.strategy.proof.dimensions import dimensions
from riskseg.strategy.proof.regions import Region, regions
from riskseg.strategy.renames import renames


@dataclass(frozen=True)
class Turn:
    """Accounts that get another outcome: what it was and what it is, which accounts they are
    (`complete`: all of them are in one of the regions), and one of them. Paths are compared where
    the segment is the same, actions where the path is too."""

    outcome: str
    before: str
    after: str
    regions: tuple[Region, ...]
    complete: bool
    example: Mapping[str, Value]


@dataclass(frozen=True)
class Meaning:
    """Every turn that some account can take; `unsure` says what could not be settled in time.
    Without either no account gets another segment, path or action."""

    turns: tuple[Turn, ...]
    unsure: tuple[str, ...] = ()


def meaning(old: Strategy, new: Strategy, granted: Granted, asker: Asker) -> Meaning:
    """How the decisions of two strategies differ, over the facts of both. Each has its own default
    values for the facts that the workspace lacks. What only has another name is no difference."""
    names = renames(old, new)
    facts = {**old.facts, **new.facts}
    account = with_defaults(
        any_account(facts, granted), {**old.default_values, **new.default_values}
    )
    old_decision, new_decision = (
        decide(old, with_defaults(account, old.default_values)),
        decide(new, account),
    )
    turns: list[Turn] = []
    unsure: list[str] = []
    same_so_far: list[Any] = []
    for outcome in OUTCOMES:
        texts = old_decision.account.texts
        was = _by_new_names(old_decision.names[outcome], names.of_column(outcome), texts)
        outcome_pair = was, new_decision.names[outcome]
        outcomes_before = tuple(
            outcome_before for outcome_before in OUTCOMES[: OUTCOMES.index(outcome)]
        )
        granted_ = (*old_decision.granted, *new_decision.granted)
        solver = asker.solver(
            *granted_, *same_so_far, negated(outcome_pair[0].same(outcome_pair[1]))
        )
        for before, after, outcome_changed in _pairs(
            solver, outcome_pair, old_decision, unsure, outcome
        ):
            question = both(*same_so_far, outcome_changed)
            example = asker.example(asker.solver(*granted_), [question], [account])
            if example is None:
                unsure.append(f"{outcome} {before} → {after}: {UNSURE}")
                continue
            guards = outcome == "action"
            bounding_dimensions = dimensions(
                (old, new), (old_decision, new_decision), outcomes_before, guards=guards
            )
            changed_regions, complete = regions(bounding_dimensions, granted_, question, asker)
            turns.append(Turn(outcome, before, after, changed_regions, complete, example[0]))
        same_so_far.append(outcome_pair[0].same(outcome_pair[1]))
    return Meaning(tuple(turns), tuple(unsure))


def _by_new_names(term: Term, names: Mapping[str, str], texts: Texts) -> Term:
    """What is decided, with the new name of each old one."""
    value = term.value
    for was, now in names.items():
        is_old = term.value == constant(was, Kind.TEXT, texts).value
        value = z3.If(is_old, constant(now, Kind.TEXT, texts).value, value)
    return Term(value, term.unknown)


def _pairs(
    solver: Any, pair: Sequence[Term], decision: Decision, unsure: list[str], outcome: str
) -> Iterator[tuple[str, str, Any]]:
    """(what it was, what it is, that an account turns so), for every pair there is."""
    texts = decision.account.texts
    while (solver_answer := solver.check()) == z3.sat:
        model = solver.model()
        before, after = (str(value_of(model, term, Kind.TEXT, texts)) for term in pair)
        outcome_changed = both(
            *(
                term.same(constant(text, Kind.TEXT, texts))
                for term, text in zip(pair, (before, after), strict=True)
            )
        )
        yield before, after, outcome_changed
        solver.add(negated(outcome_changed))
    if solver_answer != z3.unsat:
        unsure.append(f"{outcome}: {UNSURE}")
