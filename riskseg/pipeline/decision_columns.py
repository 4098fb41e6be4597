"""The columns of decisions: which of them `decided` has for a run, and how they are written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from riskseg.domain.decision import DECIDED, decision_names
from riskseg.domain.relations import Relation, fact_column, literal, quoted
from riskseg.pipeline.facts import OVERDUE
from riskseg.rules.sql import inner, out
from riskseg.strategy.compile import facts_hash_sql
from riskseg.treatment.outlook import outlook_sql

if TYPE_CHECKING:
    from riskseg.pipeline.decisions import Decider

# What `decided` would be, where only some of its columns are made.
IN_FULL = "decided_in_full"


def decided_to_write(decider: Decider, more: Iterable[str] = ()) -> Relation:
    """`decided` with no other columns than decisions and the totals of segments are made of, and
    `more` facts: the hash of the facts and the outlook are worked out, and what they hang on need
    not be stored."""
    strategy = decider.strategy
    overdue = OVERDUE if decider.billed else ()
    of = () if decider.of is None else (decider.of,)
    facts_shown = ["as_of", "lifecycle", *strategy.uses, *of, *overdue, *more]
    columns = [
        "snap",
        "account_no",
        *dict.fromkeys(fact_column(fact_shown) for fact_shown in facts_shown),
        *(out(decision_column) for decision_column in (*strategy.levels, *DECIDED)),
        f"{outlook_sql(strategy, decider.as_of)} as {inner('outlook')}",
        f"{facts_hash_sql(strategy)} as {inner('facts_hash')}",
    ]
    return Relation("decided", f"select {', '.join(columns)} from {IN_FULL}", materialized=True)


def decision_select(decider: Decider, more: Iterable[str] = (), *, hashed: bool = False) -> str:
    """The decision columns of the accounts just decided, in the order of account ids; and `more`
    facts of them. `hashed` says that `decided` is :func:`decided_to_write`."""
    strategy = decider.strategy
    with_reasons = decider.reasons != "none" and decider.explains is not None
    versions = ";".join(
        f"{scorer.model.name}={scorer.model.version}"
        for _, scorer in sorted(decider.scorers.items())
    )
    select_by_name = {
        **{
            decision_column: f"d.{out(decision_column)}"
            for decision_column in (*strategy.levels, *DECIDED)
        },
        **{
            decision_column: f"d.{fact_column(decision_column)}"
            for decision_column in (*strategy.uses, "as_of", "lifecycle")
        },
        "account_id": "i.account_id",
        "facts_hash": f"d.{inner('facts_hash')}" if hashed else facts_hash_sql(strategy),
        "balance_overdue": f"cast(null as decimal(18, {decider.scale}))",
        "days_past_due": "cast(null as bigint)",
        **(
            {decision_column: f"d.{fact_column(decision_column)}" for decision_column in OVERDUE}
            if decider.billed
            else {}
        ),
        "reasons": "r.reasons" if with_reasons else "cast(null as varchar)",
        "strategy_version": literal(strategy.fingerprint),
        "model_versions": literal(versions),
    }
    names = decision_names([*strategy.uses], strategy.levels)
    decision_columns = ", ".join(
        f"{select_by_name[decision_column]} as {quoted(decision_column)}"
        for decision_column in names
    )
    decision_columns += "".join(f", d.{fact_column(name)} as {quoted(name)}" for name in more)
    reasons_join = " left join reasons r on r.snap = d.snap" if with_reasons else ""
    return (
        f"select {decision_columns} from decided d join account_ids i "
        f"on i.account_no = d.account_no{reasons_join} order by d.account_no"
    )
