"""Proofs of a strategy: every property, for every account there could be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from riskseg.domain.decision import PROVED
from riskseg.domain.problems import Problems
from riskseg.expressions.assumptions import assumptions, finite_results
from riskseg.expressions.tree import Value
from riskseg.pipeline.fact_source import FactSource, is_from_data
from riskseg.pipeline.invariants import between, words
from riskseg.pipeline.overflow import calculations
from riskseg.pipeline.stages import Progress, Stage
from riskseg.pipeline.strategies import decided
from riskseg.rules.model import Example, Strategy
from riskseg.rules.proof_account import Granted, any_account
from riskseg.strategy.proof.ask import Asker
from riskseg.strategy.proof.decision import decide
from riskseg.strategy.proof.decision import decided as decided_by_terms
from riskseg.strategy.proof.notes import notes
from riskseg.strategy.proof.prove import prove as properties
from riskseg.strategy.proof.results import Account, Note, Proofs, Result

PROVE = Stage("prove", "ask for an account that breaks each property")
SECONDS = 10.0


@dataclass(frozen=True)
class Proven:
    """`granted` is what was assumed of every account, in words; `decisions` what the
    engine decides for the accounts of each result that has any, by the result's name. `margin` is
    what entries of the strategy's examples.yaml begin with."""

    strategy: Strategy
    proofs: Proofs
    granted: tuple[str, ...]
    decisions: Mapping[str, tuple[Mapping[str, Any], ...]]
    margin: str = "  "
    from_data: bool = True


def prove_strategy(source: FactSource, strategy: Strategy, seconds: float = SECONDS) -> Proofs:
    """The result of every property of a checked strategy."""
    return prove_checked(source, strategy, seconds=seconds, with_notes=False).proofs


def prove_checked(
    source: FactSource,
    strategy: Strategy,
    *,
    seconds: float,
    with_notes: bool,
    progress: Progress | None = None,
) -> Proven:
    progress = progress or Progress()
    granted = warranted(source, [strategy])
    asker = Asker(seconds, usual(strategy))
    results: list[Result] = []
    decisions: dict[str, tuple[Mapping[str, Any], ...]] = {}
    for result in properties(strategy, granted, asker):
        tried_result, by_engine = _tried(source, strategy, result)
        results.append(tried_result)
        if by_engine:
            decisions[tried_result.name] = by_engine
        progress.within(len(results) / (len(results) + 1), "")  # how many there are is not known
    row_notes: tuple[Note, ...] = ()
    if with_notes:
        account = any_account(strategy.facts, granted)
        with_defaults = replace(account, granted=(*account.granted, *account.defaults))
        decision = decide(strategy, with_defaults)
        row_notes = tuple(notes(strategy, decision, asker))
    return Proven(
        strategy,
        Proofs(tuple(results), row_notes),
        _words(strategy, granted),
        decisions,
        from_data=is_from_data(source),
    )


def warranted(source: FactSource, strategies: Sequence[Strategy]) -> Granted:
    """What holds of every account whatever the strategies: relations between the features they
    name; and where there is one strategy alone, the dates it holds."""
    facts = {
        fact_name: fact for strategy in strategies for fact_name, fact in strategy.facts.items()
    }
    # A fact that is expected may come from anywhere: nothing relates it to those riskseg computes.
    expected = (
        set()
        if is_from_data(source)
        else {fact_name for strategy in strategies for fact_name in strategy.expects}
    )
    related = {fact_name: fact for fact_name, fact in facts.items() if fact_name not in expected}
    alone = strategies[0] if len(strategies) == 1 else None
    finite = finite_results(
        calculation.expression for strategy in strategies for calculation in calculations(strategy)
    )
    return Granted(
        relations=(*between(source.catalogue, related), *finite),
        defaults=alone.default_values if alone else {},
        begins=alone.effective_from if alone else None,
        ends=alone.effective_to if alone else None,
        scale=source.scale,
    )


def usual(strategy: Strategy) -> dict[str, Value]:
    """The value that half of the examples or more give a fact."""
    counts_by_fact: dict[str, Counter[Any]] = {}
    for example in strategy.examples:
        for usual_fact, usual_value in example.given.items():
            if usual_fact in strategy.facts:
                counts_by_fact.setdefault(usual_fact, Counter())[usual_value] += 1
    commonest = {
        usual_fact: count.most_common(1)[0] for usual_fact, count in counts_by_fact.items()
    }
    return {
        fact_name: usual_value
        for fact_name, (usual_value, times) in commonest.items()
        if 2 * times >= len(strategy.examples)
    }


def decided_alone(source: FactSource, strategy: Strategy, account: Account) -> dict[str, Any]:
    """What the engine decides for one made-up account."""
    as_of = account["as_of"]
    assert isinstance(as_of, date)
    example = Example("counterexample", dict(account), {}, strategy.folder, None)
    problems = Problems()
    decisions = decided(source.engine, strategy, [example], as_of, problems)
    problems.raise_if_any()
    (decision,) = decisions
    return decision


def _tried(
    source: FactSource, strategy: Strategy, result: Result
) -> tuple[Result, tuple[Mapping[str, Any], ...]]:
    """The result, unproved where the engine decides the accounts otherwise than the terms do."""
    decisions = []
    for account in result.accounts:
        decision = decided_alone(source, strategy, account)
        expected = decided_by_terms(strategy, account, PROVED)
        if any(decision[proved_column] != expected[proved_column] for proved_column in PROVED):
            fault = "The engine decides this account differently: this is a fault in riskseg."
            return replace(result, verdict="unproved", fault=fault), ()
        decisions.append(decision)
    return result, tuple(decisions)


def _words(strategy: Strategy, granted: Granted) -> tuple[str, ...]:
    """What is assumed: a line a fact, then a line for each relation."""
    assumption_lines = []
    for assumed_fact, fact in strategy.facts.items():
        unknown = "may be unknown" if fact.nullable else ""
        conditions = [
            words(a).removeprefix(f"{assumed_fact} ") for a in assumptions(fact, granted.scale)
        ]
        if assumed_fact in strategy.default_values:
            default_value = strategy.default_values[assumed_fact]
            default_text = "unknown" if default_value is None else str(default_value)
            conditions, unknown = (
                [f"is {default_text}, its default value: this workspace lacks it"],
                "",
            )
        assumption_lines.append(
            f"{assumed_fact} ({fact.kind}) " + ", ".join(filter(None, [unknown, *conditions]))
        )
    return (*assumption_lines, *(words(relation) for relation in granted.relations))
