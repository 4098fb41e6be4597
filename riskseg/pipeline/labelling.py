"""How the accounts that a model learns from came out: their labels, as known on a later day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.relations import Relation, fact_column, literal
from riskseg.expressions import Expression
from riskseg.features.labels import default_labels, late_labels, later_snapshots
from riskseg.learning.spec import Target
from riskseg.ledger.allocation import bill_facts
from riskseg.pipeline.contracts import build
from riskseg.pipeline.observation_points import Look
from riskseg.pipeline.population import implied, population_sql
from riskseg.pipeline.session import LedgerInEngine, Session


@dataclass(frozen=True, slots=True)
class WantedRows:
    """What rows a model asks for, beside which accounts.

    `days` are the first and last of snapshots, where these are many. `names` are the facts to work
    out and `columns` SQL of those that rows hold; `condition` is that of the population. `outcome`
    is SQL of a column's outcome, None where the target is an event, and `zero_or_one` says that the
    column has to be one or the other. `most` are how many good and bad outcomes are taken, drawn by
    the `seed`.
    """

    look: Look
    days: tuple[date, date] | None
    names: frozenset[str]
    columns: str
    condition: Expression | None
    target: Target
    outcome: str | None
    zero_or_one: bool
    most: tuple[int, int]
    seed: int

    @property
    def in_window(self) -> str:
        """SQL that is true of the snapshots of those days."""
        return "as_of between date '{}' and date '{}'".format(*self.days) if self.days else "true"


def make_labels(
    source: Session | LedgerInEngine, wanted: WantedRows, table: str, accounts: tuple[int, int]
) -> None:
    """Make `observed_facts`, the model's own snapshots of a range of accounts, and their `labels`.

    `table` has the facts of the snapshots of all models.
    """
    engine, target = source.engine, wanted.target
    population = population_sql(
        implied(target.event, target.dpd, billed=source.ledger.billed), wanted.condition
    )
    first, last = accounts
    engine.run(
        f"""
        create or replace temp table observed_facts as
        select *
        from {table}
        where account_no between {first} and {last}
            and {wanted.in_window}
            and {population}
        """
    )
    if wanted.outcome is not None:
        engine.run(
            f"""
            create or replace temp table labels as
            select snap, label
            from (select snap, {wanted.outcome} as label from observed_facts)
            where label is not null
            """
        )
        return
    focus = wanted.look.at == "issue"
    snapshot_columns = "snap, account_no, as_of, focus_bill" if focus else "snap, account_no, as_of"
    engine.run(
        f"""
        create or replace temp table observed as
        select {snapshot_columns}
        from observed_facts
        """
    )
    label_observed(source, target, of_focus_bill=focus, shared=wanted.look.repeats)


def label_observed(
    source: Session | LedgerInEngine, target: Target, *, of_focus_bill: bool, shared: bool
) -> None:
    """Make `labels` (snap, label) of the snapshots in the table `observed`, whether the event that
    a model predicts came true. Those `of_focus_bill` name the bill in question as `focus_bill`;
    `shared` as in :func:`riskseg.ledger.allocation.bill_facts`."""
    label_relation = (
        late_labels(target.horizon, target.dpd, of_focus_bill=of_focus_bill)
        if target.event == "late"
        else default_labels(target.horizon, target.dpd)
    )
    snapshots = Relation("snapshots", later_snapshots(target.label_days).select, materialized=True)
    facts = bill_facts(
        source.ledger.money,
        keep_days=None if of_focus_bill else target.label_days + target.dpd,
        shared=shared,
        spans=False,
    )
    build(source.engine, [snapshots, *facts, label_relation])


def outcome_sql(facts: Mapping[str, Fact], target: Target) -> str | None:
    """SQL that is 1 for the bad outcome of a column, 0 for the other, null where unknown; None
    where the target is an event."""
    if target.column is None:
        return None
    fact, column = facts[target.column], fact_column(target.column)
    if target.positive is None and fact.kind is Kind.BOOLEAN:
        bad = column
    elif target.positive is None and fact.kind.is_numeric:
        bad = f"{column} = 1"
    else:
        positive = literal(str(target.positive))
        bad = f"{column} = cast({positive} as {'varchar' if fact.kind.is_textual else 'double'})"
        if fact.kind is Kind.BOOLEAN:
            bad = f"{column} = cast({positive} as boolean)"
    return f"cast(case when {column} is null then null when {bad} then 1 else 0 end as tinyint)"


def zero_or_one(facts: Mapping[str, Fact], target: Target) -> bool:
    """Whether the outcome is a column of numbers of which nothing says which is the bad one."""
    if target.column is None or target.positive is not None:
        return False
    kind = facts[target.column].kind
    return kind is not Kind.BOOLEAN and kind.is_numeric
