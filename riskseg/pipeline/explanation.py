"""One account's story: its decision, and each number, row and guard that led to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal

from riskseg.domain.relations import from_minor, quoted
from riskseg.engine import Engine
from riskseg.expressions.assumptions import MONEY_UNIT
from riskseg.learning.words import Currency
from riskseg.ledger.allocation import bill_facts
from riskseg.ledger.contract import ENDED, HOLDS
from riskseg.pipeline.contracts import build
from riskseg.pipeline.decision_columns import decision_select
from riskseg.pipeline.decisions import Decider
from riskseg.pipeline.frames import keyed_frame
from riskseg.pipeline.readable_ids import readable_id
from riskseg.pipeline.scoring import reason_columns
from riskseg.pipeline.session import Session
from riskseg.pipeline.waiting import duty_states, waiting
from riskseg.results.runs import (
    ExplainedBill,
    ExplainedScore,
    Explanation,
    FactForm,
    GuardState,
    Held,
    MatchedRow,
    PathStep,
    Reason,
)
from riskseg.results.worklist import HistoryEntry
from riskseg.rules.elements import in_force
from riskseg.rules.model import Strategy
from riskseg.rules.placing import entered_fact, path_before_fact
from riskseg.treatment.due_steps import waited_for
from riskseg.treatment.routes import RouteStep, route, route_steps


def story(engine: Engine, decider: Decider, currency: str) -> Explanation | None:
    """The story of the only account that was just decided, without its bills; None where none
    was."""
    decisions = _rows(engine, decision_select(decider))
    if not decisions:
        return None
    (decision,) = decisions
    strategy = decider.strategy
    untils = "".join(
        f", {guard.lawful_from_sql} as {quoted('until ' + guard.name)}"
        for guard in in_force(strategy.guards, decider.as_of)
        if guard.lawful_from_sql is not None
    )
    decided_row = _rows(engine, f"select *{untils} from decided")[0]
    walked = _route(strategy, decider.as_of, decided_row)
    guards = _guards(strategy, decider.as_of, decided_row)
    scores = tuple(_score(engine, decider, key, decided_row) for key in decider.scorers)
    decision["reasons"] = next(
        (account_score.reasons_text for account_score in scores if account_score.key == decider.of),
        "",
    )
    decision["priority"] = _as_short(decision["priority"])
    waits = waiting(strategy, decided_row, guards, walked)
    duties = duty_states(strategy, decider.as_of, decided_row)
    duty_first = any(duty.due for duty in duties)
    return Explanation(
        decision=decision,
        facts={
            fact_name: value if fact_read.unit == MONEY_UNIT else _as_short(value)
            for fact_name, fact_read in sorted(strategy.facts.items())
            if fact_name != "as_of"
            for value in [decided_row[f"@{fact_name}"]]
        },
        words={fact_name: fact_read.words for fact_name, fact_read in strategy.facts.items()},
        forms={
            fact_name: FactForm(kind=fact_read.kind, unit=fact_read.unit)
            for fact_name, fact_read in strategy.facts.items()
        },
        default_values=decider.default_values,
        bills=(),
        scores=scores,
        matched=_matched(strategy, decided_row),
        steps=_steps(
            walked,
            decider.as_of,
            decided_row,
            waits=waits is not None or duty_first,
            closed=waits is not None and waits.calendar is not None and not duty_first,
        ),
        placement=_placement(strategy, decided_row),
        step_due=decided_row["=due_action"],
        guards=guards,
        waits=waits,
        duties=duties,
        contact_hours=_contact_hours(strategy, decider.as_of, decided_row),
        strategy=strategy.fingerprint,
        currency=currency,
        scale=decider.scale,
    )


def _as_short(value: Any) -> Any:
    """A decimal without the zeros that only say in how many places it is kept."""
    if not isinstance(value, Decimal):
        return value
    text = f"{value:f}"
    return Decimal(text.rstrip("0").rstrip(".") if "." in text else text)


def _rows(engine: Engine, sql: str) -> list[dict[str, Any]]:
    return engine.arrow(sql).to_pylist()  # type: ignore[no-any-return]


def _score(engine: Engine, decider: Decider, key: str, row: Mapping[str, Any]) -> ExplainedScore:
    scorer = decider.scorers[key]
    reasons: tuple[Reason, ...] = ()
    reasons_text = ""
    p = row[f"@{key}"]
    if p is not None:
        reason_select = reason_columns(engine, scorer, decider.facts)
        _, batch = keyed_frame(engine, f"select snap, {reason_select} from facts", keys=1)
        explained = scorer.model.reasons(batch, currency=Currency(decider.currency, decider.scale))
        reasons = tuple(map(Reason.model_validate, explained.of(0)))
        reasons_text = explained.texts()[0].as_py()
    model = scorer.model
    return ExplainedScore(
        key=key,
        model=model.name,
        version=model.version,
        learner=model.learner,
        p=p,
        reasons=reasons,
        reasons_text=reasons_text,
    )


def last_bills(session: Session, count: int) -> tuple[ExplainedBill, ...]:
    """The bills due last, allocated without leaving any out. The account's ids have been read
    (:func:`riskseg.pipeline.readable_ids.read_ids`)."""
    if not session.ledger.billed:
        return ()
    build(session.engine, bill_facts(session.ledger.money))
    scale = session.scale
    bills = _rows(
        session.engine,
        f"""
        select {readable_id(session, "cast(bill_id as varchar)")} as bill_id, issued_on, due_on,
            {from_minor("amount_minor", scale)} as amount,
            {from_minor("paid", scale)} as paid,
            {from_minor("overdue", scale)} as overdue,
            {from_minor("disputed", scale)} as disputed,
            cleared_on,
            cast(days_past_due as integer) as days_past_due
        from bill_facts
        order by due_on desc, 1 desc
        limit {count}
        """,
    )
    return tuple(ExplainedBill(**bill_row) for bill_row in reversed(bills))


def _matched(strategy: Strategy, row: Mapping[str, Any]) -> tuple[MatchedRow, ...]:
    matched = []
    for scheme in strategy.schemes:
        tier_row = row[f"#{scheme.name}"]
        tier = scheme.rows[tier_row - 1]
        tier_condition = "otherwise" if tier.when is None else tier.when.expression.explained
        matched.append(
            MatchedRow(
                table=scheme.name,
                result=tier.tier,
                row=f"row {tier_row}",
                text=tier_condition,
                line=tier.line,
            )
        )
    segment = strategy.rows[row["~segment_row"] - 1]
    matched_cells = []
    for column, cell in zip(strategy.columns, segment.cells, strict=True):
        cell_text = "any" if cell is None else " or ".join(sorted(map(str, cell)))
        matched_cells.append(f"{column}: {cell_text}")
    matched.append(
        MatchedRow(
            table="segments",
            result=segment.segment,
            row=segment.id,
            text=", ".join(matched_cells),
            line=segment.line,
        )
    )
    return tuple(matched)


def _route(strategy: Strategy, as_of: date, row: Mapping[str, Any]) -> tuple[RouteStep, ...]:
    """The steps of the paths the account walks."""
    paths = in_force(strategy.paths, as_of)
    first = next(p for p in paths if p.name == row["~first"])
    return route_steps(route(first, paths))


def _steps(
    walked: Sequence[RouteStep], as_of: date, row: Mapping[str, Any], *, waits: bool, closed: bool
) -> tuple[PathStep, ...]:
    """The steps of a route, dated where day 0 of their path is known: those that repeat as they
    come due in the round that the account is in. `waits` says that something else is done on the
    day, or nothing; `closed` that the step which is reached waits for an open day."""
    began = None if row["~begun_ago"] is None else as_of - timedelta(days=row["~begun_ago"])
    steps = []
    for of_route in walked:
        path_day, step = row[f"~day{of_route.leg}"], of_route.step
        round_ = row[f"~round{of_route.leg}"] if of_route.repeat else 0
        if of_route.order == row["~due_order"]:
            round_ = row["~due_round"]
        due = step.day + round_ * of_route.every
        dated, waits_for = path_day is not None, None
        if step.after is not None and path_day is not None:
            waited = waited_for(of_route, walked)
            sent = _issued_in_round(waited, as_of, row, path_day, round_)
            if sent is not None:
                due = max(due, sent + step.after.days)
            elif of_route.order != row["~due_order"]:
                dated, waits_for = False, waited.step.action
        when: Literal["past", "today", "waits", "ahead"] = "past"
        if of_route.order == row["~due_order"]:
            when = "waits" if waits else "today"
        elif closed and of_route.order == row["~reached_order"]:
            when = "waits"
        elif not dated or due > path_day:
            when = "ahead"
        issued_on, elsewhere_on = row[f"@{of_route.issued}"], row[f"@{of_route.elsewhere.issued}"]
        if elsewhere_on is not None and (issued_on or began is None or elsewhere_on < began):
            elsewhere_on = None
        steps.append(
            PathStep(
                day=due,
                on=as_of + timedelta(days=due - path_day) if dated else None,
                action=step.action,
                template=step.template,
                path=of_route.path.name,
                when=when,
                waits_for=waits_for,
                issued_on=issued_on,
                elsewhere_on=elsewhere_on,
            )
        )
    return tuple(steps)


def _issued_in_round(
    waited: RouteStep, as_of: date, row: Mapping[str, Any], path_day: int, round_: int
) -> int | None:
    """The day of its path on which a step was last issued, or the same on another path; None where
    that was not in the round that the path is in."""
    issued = [row[f"@{fact}"] for fact in (waited.issued, waited.elsewhere.issued)]
    latest = max((day for day in issued if day is not None), default=None)
    if latest is None:
        return None
    day: int = path_day - (as_of - latest).days
    return day if day >= waited.step.day + round_ * waited.every else None


def _contact_hours(strategy: Strategy, as_of: date, decided_row: Mapping[str, Any]) -> str | None:
    """From when until when, and by which zone's clock, the action is lawful."""
    for guard in in_force(strategy.guards, as_of):
        if guard.hours_fact is not None and decided_row["=action"] in guard.never:
            begins, ends, zone = decided_row[f"@{guard.hours_fact}"].split(" ")
            return f"{begins} to {ends} {zone}"
    return None


def _placement(strategy: Strategy, row: Mapping[str, Any]) -> str | None:
    """How the account came to its path, in words, as far as the strategy looks at that."""
    path, of_segment = row["~first"], row["~path_of_segment"]
    entered = row.get(f"@{entered_fact(path)}")
    since = "" if entered is None else f" since {entered}"
    if path != of_segment:
        on = next(p for p in strategy.paths if p.name == path)
        why = "until its arrears end"
        if on.hold_for is not None:
            why = f"for {on.hold_for} days from the day it came"
        return (
            f"It has been on the path {path}{since} and stays there {why}; "
            f"its segment leads to {of_segment}"
        )
    before = row.get(f"@{path_before_fact(path)}")
    if before is None or before == path:
        return None
    return f"It came from the path {before}" + (f" on {entered}" if entered else " today")


def with_records(
    steps: Sequence[PathStep], entries: Sequence[HistoryEntry]
) -> tuple[PathStep, ...]:
    """The steps with what the journal has of those that were issued: who approved, what came of
    it. `entries` are the account's, as known on the date."""
    # One action a day is issued to an account.
    issued = {
        (entry.path, entry.day): entry
        for entry in entries
        if entry.kind == "action" and entry.by_riskseg
    }

    def action_of(step: PathStep) -> HistoryEntry | None:
        return issued.get((step.path, step.issued_on)) if step.issued_on else None

    def of_step(step: PathStep, kind: str) -> list[HistoryEntry]:
        action = action_of(step)
        return [
            entry for entry in entries if action and entry.kind == kind and entry.ref == action.ref
        ]

    return tuple(
        step.model_copy(
            update={
                "issued_by": action.made_by if (action := action_of(step)) else None,
                "approved_by": tuple(
                    dict.fromkeys(
                        entry.made_by
                        for entry in of_step(step, "approval")
                        if entry.outcome == "approved" and entry.made_by
                    )
                ),
                "outcomes": tuple(
                    entry.outcome for entry in of_step(step, "outcome") if entry.outcome
                ),
            }
        )
        for step in steps
    )


def held(entries: Sequence[HistoryEntry], as_of: date) -> tuple[Held, ...]:
    """What lasts on a day that can hold an account, by its entries as known on that day."""
    end_by_ref = {
        held_event.ref: held_event.until for held_event in entries if held_event.outcome == ENDED
    }
    lasting = [
        Held(
            kind=held_event.kind,
            since=held_event.day,
            until=end_by_ref.get(held_event.ref) or held_event.until,
            reason=held_event.reason,
            made_by=held_event.made_by,
        )
        for held_event in entries
        if held_event.kind in HOLDS and held_event.outcome != ENDED
    ]
    return tuple(
        lasting_event
        for lasting_event in lasting
        if lasting_event.until is None or lasting_event.until >= as_of
    )


def _guards(strategy: Strategy, as_of: date, row: Mapping[str, Any]) -> tuple[GuardState, ...]:
    states = []
    for guard in in_force(strategy.guards, as_of):
        guard_state: Literal["in force", "in force: unknown", "not in force"] = "not in force"
        if row[f"!{guard.name}"]:
            guard_state = "in force: unknown" if row.get(f"?{guard.name}") else "in force"
        states.append(
            GuardState(
                name=guard.name,
                kind=guard.kind,
                state=guard_state,
                forbids=tuple(sorted(guard.never)),
                stops_everything=guard.stops_everything,
                source=guard.source,
                called=guard.called,
                words=guard.condition_text,
                until=row.get(f"until {guard.name}") if row[f"!{guard.name}"] else None,
                event=guard.held_by,
            )
        )
    return tuple(states)
