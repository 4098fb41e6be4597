"""From snapshots to one row of facts each: bill facts, episodes, features, the account itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from riskseg.domain.relations import SINCE_BILL, Relation, fact_column
from riskseg.features.accounts_together import SHARED, with_others
from riskseg.features.catalogue import Catalogue
from riskseg.features.compile import compile_features, days_needed
from riskseg.ledger.accounts import account_rows, lifecycle_sql
from riskseg.ledger.allocation import bill_facts
from riskseg.ledger.disputes import dispute_states
from riskseg.ledger.promises import promise_outcomes
from riskseg.ledger.set_apart import HAS_QUARANTINED_ROWS, QUARANTINED
from riskseg.pipeline.events import (
    PLACEMENTS,
    issued_actions,
    issued_steps,
    placed_column,
    steps_among,
)
from riskseg.pipeline.load import Ledger
from riskseg.rules.action_facts import action_of
from riskseg.rules.contacting import PREMISE, limit_of
from riskseg.rules.holding import lasting
from riskseg.rules.placing import of_placement
from riskseg.treatment.contacts import contact_limits
from riskseg.treatment.episodes import EPISODE_STARTED_ON, episodes
from riskseg.treatment.holds import days_held, holds, kinds_that_hold

# What every table of facts holds besides those asked for.
ALWAYS = ("party_id", "closed_on", "written_off_on", "lifecycle")
OVERDUE = ("balance_overdue", "days_past_due")


def facts(
    ledger: Ledger,
    catalogue: Catalogue,
    scale: int,
    wanted: Iterable[str],
    snapshots: Relation,
    *,
    focus: bool = False,
    shared: bool = False,
    of_the_day: Mapping[str, str] | None = None,
) -> list[Relation]:
    """Relations from `snapshots` to `facts`: snap, account_no, as_of, `SINCE_BILL` where there are
    bills, and the `fact_column` of each fact.

    `wanted` may name features, attributes and dates; unknown names are left out. `focus` says
    that snapshots name the bill that counts as the latest, `shared` that what is over of each
    account is at hand (:func:`riskseg.ledger.settled.settled_bills`). Facts `of_the_day`
    hang on the as-of date and on attributes alone: SQL over `account_rows` a.
    """
    needed_names = {*wanted, *(OVERDUE if ledger.billed else ())}
    worked_out = _worked_out(ledger)
    features = catalogue.closure(
        fact_name for fact_name in needed_names if fact_name in catalogue.available()
    )
    first_billed_on = "t.first_billed_on" if ledger.billed else "cast(null as date)"
    compiled = compile_features(
        features,
        scale,
        focus=focus,
        undone=ledger.undone,
        more_events=[f"{kind}_outcomes" for kind in worked_out],
        # Of disputes there is one event each, with its outcome, and not those that tell of it.
        left_out=[kind for kind in worked_out if kind == "dispute"],
        bill_order=ledger.money.bill_order("f.bill_id"),
        account={
            "as_of": "s.as_of",
            "opened_on": "a.opened_on",
            "first_billed_on": first_billed_on,
        },
    )
    placing = sorted(filter(of_placement, needed_names))
    with_episodes = ledger.billed and (EPISODE_STARTED_ON.name in needed_names or bool(placing))
    with_quarantined = HAS_QUARANTINED_ROWS.name in needed_names
    attributes = sorted(needed_names & set(ledger.attributes))
    steps = steps_among(needed_names)
    sql_by_fact: dict[str, str] = {
        "party_id": "coalesce(a.party_id, i.account_id)",
        PREMISE: "coalesce(a.premise_id, 'of ' || i.account_id)",
        **{
            fact_name: f"a.{fact_name}"
            for fact_name in ("opened_on", "closed_on", "written_off_on")
        },
        "first_billed_on": first_billed_on,
        "lifecycle": lifecycle_sql(ledger.money.arrears_from, billed=ledger.billed),
        **compiled.columns,
        **{fact_name: f"a.{fact_column(fact_name)}" for fact_name in attributes},
        **({EPISODE_STARTED_ON.name: "e.episode_started_on"} if with_episodes else {}),
        **({HAS_QUARANTINED_ROWS.name: "q.snap is not null"} if with_quarantined else {}),
        **{name: f"steps.{fact_column(name)}" for name in steps},
        **{name: placed_column(name, episodes=with_episodes) for name in placing},
        **(of_the_day or {}),
    }
    together = [range_ for range_ in compiled.ranges if range_ in SHARED]
    relations = with_others(snapshots, together, focus=focus) if together else [snapshots]
    if ledger.billed:
        keep_days = days_needed(features.values())
        relations += bill_facts(
            ledger.money, keep_days=keep_days, shared=shared, spans=with_episodes
        )
    if with_episodes:
        relations += episodes()
    asked = "events" in compiled.ranges or not {*worked_out}.isdisjoint(
        kinds_that_hold(needed_names)
    )
    if ledger.promise_grace is not None and asked:
        relations += promise_outcomes(ledger.promise_grace, reverses=ledger.undone)
    if ledger.money.raises_disputes and asked and not ledger.billed:
        relations += dispute_states()
    relations += [account_rows(attributes, dated=ledger.dated), *compiled.relations]
    if steps:
        relations.append(issued_steps(steps))
    if placing:
        relations.append(PLACEMENTS)
    if with_quarantined:
        relations.append(QUARANTINED)
    relations += holds(needed_names, {kind: f"{kind}_spans" for kind in worked_out})
    of_actions = issued_actions(needed_names)
    if of_actions is not None:
        relations.append(of_actions)
        sql_by_fact |= {
            fact_name: f"actions.{fact_column(fact_name)}"
            for fact_name in needed_names
            if action_of(fact_name)
        }
    lasting_names = sorted(name for name in needed_names if lasting(name))
    sql_by_fact |= {name: f"coalesce(lasts.{fact_column(name)}, false)" for name in lasting_names}
    limits = sorted(name for name in needed_names if limit_of(name))
    relations += contact_limits(needed_names)
    sql_by_fact |= {name: f"limits.{fact_column(name)}" for name in limits}
    chosen_columns = {
        fact_name: sql
        for fact_name, sql in sql_by_fact.items()
        if fact_name in needed_names or fact_name in ALWAYS
    }
    beside = {f"{range_}_features": range_ for range_ in compiled.ranges}
    if with_episodes:
        beside = {"episodes": "e", **beside}
    if steps:
        beside["issued_steps"] = "steps"
    if with_quarantined:
        beside[QUARANTINED.name] = "q"
    if placing:
        beside["placements"] = "p"
    if of_actions is not None:
        beside["issued_actions"] = "actions"
    if lasting_names:
        beside["lasting_holds"] = "lasts"
    if limits:
        beside["contact_limits"] = "limits"
    fact_relation = _one_row_each(
        chosen_columns,
        beside,
        "asked_snapshots" if together else "snapshots",
        billed=ledger.billed,
        focus=focus,
    )
    with_held = days_held(needed_names, chosen_columns)
    if with_held is None:
        return [*relations, fact_relation]
    return [*relations, replace(fact_relation, name="facts_so_far", materialized=False), with_held]


def _worked_out(ledger: Ledger) -> list[str]:
    """The kinds of events of which the ledger has any to work out what came of them."""
    has = {
        "promise": ledger.promise_grace is not None,
        "plan": ledger.money.plans is not None,
        "dispute": ledger.money.raises_disputes,
    }
    return [kind for kind, worked_out in has.items() if worked_out]


def _one_row_each(
    columns: Mapping[str, str],
    beside: Mapping[str, str],
    snapshots: str,
    *,
    billed: bool,
    focus: bool,
) -> Relation:
    """`facts`, a row for each snapshot: columns by the name of the fact, from relations `beside`
    it, by name and alias, that have a row for some snapshots."""
    fact_columns = "".join(
        f",\n    {sql} as {fact_column(sourced_fact)}" for sourced_fact, sql in columns.items()
    )
    since = f", cast(s.as_of - t.last_billed_on as integer) as {SINCE_BILL}" if billed else ""
    totals = "join totals t on t.snap = s.snap" if billed else ""
    joins = "\n".join(
        f"left join {relation} {alias} on {alias}.snap = s.snap"
        for relation, alias in beside.items()
    )
    return Relation(
        "facts",
        f"""
        select s.snap, s.account_no, s.as_of{", s.focus_bill" if focus else ""}{since}{fact_columns}
        from {snapshots} s
        join account_rows a on a.snap = s.snap
        join account_ids i on i.account_no = s.account_no
        {totals}
        {joins}
        """,
        materialized=True,
    )
