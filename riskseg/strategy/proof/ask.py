"""Questions to z3: is there such an account? Each has a time limit, and one answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal

import z3

from riskseg.domain.facts import Kind
from riskseg.expressions.smt import constant
from riskseg.expressions.tree import Value
from riskseg.rules.proof_account import Account, plain_value
from riskseg.strategy.proof.results import Result

UNSURE = "The time limit was reached before an answer."

Found = Literal["yes", "no", "unsure"]


@dataclass
class Asker:
    """`seconds` is the limit of one question. `usual` are values that a person would think of
    first, by fact: counterexamples keep to them where they can."""

    seconds: float = 10.0
    usual: Mapping[str, Value] = field(default_factory=dict)

    def solver(self, *given: Any) -> Any:
        solver = z3.Solver()
        solver.set("timeout", int(self.seconds * 1000))
        solver.set("random_seed", 7)
        solver.add(*given)
        return solver

    def any(self, solver: Any, *asked: Any) -> Found:
        """Whether an account can be as asked, given what the solver holds already."""
        answer = _pushed(solver, asked)
        return "yes" if answer == z3.sat else "no" if answer == z3.unsat else "unsure"

    def example(
        self, solver: Any, asked: Sequence[Any], accounts: Sequence[Account]
    ) -> list[dict[str, Value]] | None:
        """Accounts as asked, as plain as they come: what does not matter has its usual value. None
        where z3 finds none in time."""
        solver.push()
        try:
            solver.add(*asked)
            if solver.check() != z3.sat:
                return None
            model = solver.model()
            for account in accounts:
                for asked_fact, fact in account.facts.items():
                    term = account.terms[asked_fact]
                    current_value = account.value(model, asked_fact)
                    preferred_values = [
                        self.usual.get(asked_fact, plain_value(fact)),
                        plain_value(fact),
                    ]
                    if fact.kind is Kind.DECIMAL and current_value is not None:
                        assert isinstance(current_value, Decimal)
                        preferred_values += [round(current_value, digits) for digits in (0, 2, 4)]
                    for preferred_value in preferred_values:
                        if preferred_value is None and not fact.nullable:
                            continue
                        has_value = term.same(constant(preferred_value, fact.kind, account.texts))
                        # Most facts have such a value already, and z3 need not be asked again.
                        if not z3.is_true(model.eval(has_value, model_completion=True)):
                            if solver.check(*_named(solver, has_value)) != z3.sat:
                                continue
                            model = solver.model()
                        solver.add(has_value)
                        break
            return [account.values(model) for account in accounts]
        finally:
            solver.pop()


def verdict_of_none(
    claimed: Result,
    fault: str,
    solver: Any,
    asked: Sequence[Any],
    accounts: Sequence[Account],
    asker: Asker,
) -> Result:
    """The result of a claim that no account is as asked; one that is refutes it. Facts that the
    workspace lacks have their default values."""
    asked = [*asked, *(default for account in accounts for default in account.defaults)]
    answer = asker.any(solver, *asked)
    if answer == "no":
        return claimed
    example = asker.example(solver, asked, accounts) if answer == "yes" else None
    if example is None:
        return replace(claimed, verdict="unproved", fault=UNSURE)
    return replace(claimed, verdict="refuted", fault=fault, accounts=tuple(example))


def verdict_of_any(
    claimed: Result, fault: Callable[[], str], solver: Any, asked: Sequence[Any], asker: Asker
) -> Result:
    """The result of a claim that some account is as asked, here or in a workspace that has the
    facts which this one lacks."""
    answer = asker.any(solver, *asked)
    if answer == "yes":
        return claimed
    if answer == "unsure":
        return replace(claimed, verdict="unproved", fault=UNSURE)
    return replace(claimed, verdict="refuted", fault=fault())


def _pushed(solver: Any, asked: Sequence[Any]) -> Any:
    solver.push()
    try:
        solver.add(*asked)
        return solver.check()
    finally:
        solver.pop()


def _named(solver: Any, part: Any) -> list[Any]:
    """An assumption must be a name or its negation: give the part one."""
    name = z3.FreshBool("asked")
    solver.add(z3.Implies(name, part))
    return [name]
