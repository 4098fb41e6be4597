"""What proofs assume, held against the accounts a run really reads.

A strategy is proved for every account that is as `expressions/assumptions.py` and the relations
between features say. Any other would be decided by rules of which nothing is proved, so the run
stops and names it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from riskseg.domain.facts import Fact
from riskseg.domain.problems import Problems
from riskseg.domain.relations import fact_column
from riskseg.domain.tables import FACTS
from riskseg.engine import Engine, TooLargeError
from riskseg.expressions import Expression
from riskseg.expressions.assumptions import (
    FINITE,
    MOST_DECIMALS,
    assumptions,
    check_sql,
    finite_results,
)
from riskseg.features.catalogue import Catalogue
from riskseg.pipeline.overflow import Calculation, calculations
from riskseg.rules.model import Strategy
from riskseg.treatment.episodes import EPISODE_STARTED_ON

SHOWN = 3


def between(catalogue: Catalogue, facts: Mapping[str, Fact]) -> tuple[Expression, ...]:
    """What holds between those of the facts named that riskseg computes itself."""
    from riskseg.features.relations import relations, warranted

    available = catalogue.available()
    related = relations(
        [fact for fact_name, fact in available.items() if fact_name in facts], facts
    )
    if "days_past_due" in available and {"days_past_due", EPISODE_STARTED_ON.name} <= set(facts):
        related += tuple(warranted(text, facts) for text in FACTS.guarantees)
    return related


def hold_against(
    engine: Engine,
    strategy: Strategy,
    relations: Sequence[Expression],
    scale: int,
    held: frozenset[str] = frozenset(),
) -> frozenset[str]:
    """Raise RS613 for each assumption that an account in `scored` breaks, RS614 for a calculation
    that gives no finite number. Default values are the strategy's own; `scale` is the number of
    decimals of money. Returns the checks that all accounts in `scored` pass: `held` are those that
    were passed before, which are not carried out again."""
    facts = {
        fact_name: fact
        for fact_name, fact in strategy.facts.items()
        if fact_name not in strategy.default_values
    }
    checked: list[tuple[Expression, Calculation | None]] = [
        (assumption, None) for fact in facts.values() for assumption in assumptions(fact, scale)
    ]
    checked += [(assumption, None) for assumption in relations if assumption.names <= set(facts)]
    checked += [
        (assumption, calculation)
        for calculation in calculations(strategy)
        for assumption in finite_results([calculation.expression])
    ]
    checks = [check_sql(assumption, fact_column) for assumption, _ in checked]
    asked = [place for place, check in enumerate(checks) if check not in held]
    if not asked:
        return held
    passed = _passed(engine, [checks[place] for place in asked])
    problems = Problems()
    for place, passes in zip(asked, passed, strict=True):
        if not passes:
            _report(engine, *checked[place], problems)
    problems.raise_if_any()
    return held | frozenset(checks)


def _passed(engine: Engine, checks: Sequence[str]) -> list[bool]:
    """Whether every account passes each check: one question, as long as the answer is yes."""
    all_at_once = f"""
        select coalesce(bool_and({" and ".join(checks)}), true)
        from scored
        """
    try:
        if engine.value(all_at_once):
            return [True] * len(checks)
    except TooLargeError:
        # What stands in it twice was worked out once, before any `try`; a filter does not do that.
        pass
    return [_fails_nowhere(engine, check) for check in checks]


def _fails_nowhere(engine: Engine, check: str) -> bool:
    failing_count = engine.value(
        f"""
        select count(*)
        from scored
        where not {check}
        """
    )
    return bool(failing_count == 0)


def _report(
    engine: Engine, broken: Expression, calculation: Calculation | None, problems: Problems
) -> None:
    """Add a Problem with how many accounts break the assumption, and the first of them."""
    broken_by = f"""
        select account_no
        from scored
        where not {check_sql(broken, fact_column)}
        """
    account_ids = engine.rows(
        f"""
        select account_id
        from account_ids
        where account_no in ({broken_by} order by account_no limit {SHOWN})
        order by account_no
        """
    )
    if calculation is not None:
        calculation.too_large(broken.text.removesuffix(FINITE), str(account_ids[0][0]), problems)
        return
    count = engine.value(f"select count(*) from ({broken_by})")
    listed_ids = ", ".join(str(account_id) for (account_id,) in account_ids)
    if count > len(account_ids):
        listed_ids += ", …"
    accounts = "1 account" if count == 1 else f"{count:,} accounts"
    problems.add(
        "RS613",
        f"{accounts} ({listed_ids}) {'breaks' if count == 1 else 'break'} an assumption of the "
        f"proofs: {words(broken)}.",
        hint=_hint(broken),
    )


def _hint(broken: Expression) -> str:
    if len(broken.names) > 1:
        return "Correct the source, or leave one of them out of the strategy."
    (broken_fact,) = broken.names
    rounded = f'`{broken_fact} = "round({broken_fact}, {MOST_DECIMALS})"` in riskseg.toml'
    return (
        f"Correct the source, map it otherwise ({rounded}, say), or leave it out of the strategy."
    )


def words(assumption: Expression) -> str:
    """An assumption as a person reads it."""
    return assumption.text.replace('"', "")
