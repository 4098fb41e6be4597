"""How the accounts that a model learns from came out: their labels, as known on a later day."""

from __future__ import annotations

from riskseg.domain.facts import Kind
from riskseg.domain.problems import Problems
from riskseg.domain.relations import Relation, fact_column, literal
from riskseg.features.labels import default_labels, late_labels, later_snapshots
from riskseg.learning.spec import ModelSpec
from riskseg.ledger.allocation import bill_facts
from riskseg.pipeline.contracts import build
from riskseg.pipeline.observation_points import Asked
from riskseg.pipeline.outcomes import check_zero_or_one
from riskseg.pipeline.population import implied, population_sql
from riskseg.pipeline.session import Session


def make_labels(
    session: Session,
    request: Asked,
    table: str,
    accounts: tuple[int, int],
    outcome: str | None,
) -> None:
    """Make `observed_facts`, the model's own snapshots of a range of accounts, and their `labels`.

    `table` has the facts of the snapshots of all models; `outcome` is that of :func:`outcome_sql`.
    """
    spec, engine, ledger = request.authored.spec, session.engine, session.ledger
    target = spec.target
    population = population_sql(
        implied(target.event, target.dpd, billed=ledger.billed), request.condition
    )
    first, last = accounts
    engine.run(
        f"""
        create or replace temp table observed_facts as
        select *
        from {table}
        where account_no between {first} and {last}
            and {request.in_window}
            and {population}
        """
    )
    if outcome is not None:
        engine.run(
            f"""
            create or replace temp table labels as
            select snap, label
            from (select snap, {outcome} as label from observed_facts)
            where label is not null
            """
        )
        return
    focus = request.look.at == "issue"
    snapshot_columns = "snap, account_no, as_of, focus_bill" if focus else "snap, account_no, as_of"
    engine.run(
        f"""
        create or replace temp table observed as
        select {snapshot_columns}
        from observed_facts
        """
    )
    label_observed(session, spec, of_focus_bill=focus, shared=request.look.repeats)


def label_observed(session: Session, spec: ModelSpec, *, of_focus_bill: bool, shared: bool) -> None:
    """Make `labels` (snap, label) of the snapshots in the table `observed`, whether the event that
    a model predicts came true. Those `of_focus_bill` name the bill in question as `focus_bill`;
    `shared` as in :func:`riskseg.ledger.allocation.bill_facts`."""
    target = spec.target
    label_relation = (
        late_labels(target.horizon, target.dpd, of_focus_bill=of_focus_bill)
        if target.event == "late"
        else default_labels(target.horizon, target.dpd)
    )
    snapshots = Relation("snapshots", later_snapshots(spec.label_days).select, materialized=True)
    facts = bill_facts(
        session.ledger.money,
        keep_days=None if of_focus_bill else spec.label_days + target.dpd,
        shared=shared,
        spans=False,
    )
    build(session.engine, [snapshots, *facts, label_relation])


def outcome_sql(session: Session, request: Asked, table: str) -> str | None:
    """SQL that is 1 for the bad outcome of a column, 0 for the other, null where unknown; None
    where the target is an event. `table` holds the facts."""
    authored, target = request.authored, request.authored.spec.target
    if target.column is None:
        return None
    fact, column = session.facts[target.column], fact_column(target.column)
    if target.positive is None and fact.kind is Kind.BOOLEAN:
        bad = column
    elif target.positive is None and fact.kind.is_numeric:
        problems = Problems()
        check_zero_or_one(session, authored, table, problems, where=request.in_window)
        problems.raise_if_any()
        bad = f"{column} = 1"
    else:
        positive = literal(str(target.positive))
        bad = f"{column} = cast({positive} as {'varchar' if fact.kind.is_textual else 'double'})"
        if fact.kind is Kind.BOOLEAN:
            bad = f"{column} = cast({positive} as boolean)"
    return f"cast(case when {column} is null then null when {bad} then 1 else 0 end as tinyint)"
