"""`hold`, `promise`, `plan`, `dispute` and `note`: what people know of an account, as dated facts.

Each is an event of the journal. What can be ended later has a `ref` of its own, and its end is
another event of the same kind under the same `ref`: nothing that was recorded is ever changed. A
dispute is known by its bill, so that one the source raised can be answered here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from riskseg.domain.problems import Problems, problem
from riskseg.ledger.contract import ENDED, HOLDS
from riskseg.ledger.disputes import ANSWERS, UPHELD
from riskseg.pipeline.account_lookup import check_account, check_bill, source_rows
from riskseg.pipeline.open_journal import open_journal
from riskseg.pipeline.session import locked, open_checked
from riskseg.results.worklist import RecordedEvent
from riskseg.store.events import Event, event_id, of_account
from riskseg.store.journal import Journal
from riskseg.workspace import Workspace

CANCELLED = "cancelled"


class _Entry:
    """What is recorded of an account in one command: by whom, on which day, and why."""

    def __init__(
        self, root: Path, account: str, *, on: date, at: datetime, by: str, reason: str | None
    ) -> None:
        self.workspace: Workspace = open_checked(root)
        self.account, self.on, self.at, self.by, self.reason = account, on, at, by, reason
        self.problems = Problems()

    def check_amount(self, amount: Decimal) -> None:
        """Add RS103 for an amount that nobody can pay."""
        scale = self.workspace.settings.scale
        if not amount.is_finite() or amount <= 0:
            self.problems.add("RS103", f"{amount} is not an amount that can be paid.")
        elif amount != round(amount, scale):
            self.problems.add("RS103", f"{amount} has more than {scale} decimals.")

    def check_order(self, earlier: date, later: date, message: str) -> None:
        """Add RS105 where a day is before one that it cannot be before."""
        if later < earlier:
            self.problems.add("RS105", message)

    def check(self) -> None:
        """Raise what is wrong with what was given, an account that is not known included."""
        check_account(self.workspace, self.account, self.problems)
        self.problems.raise_if_any()

    def event(self, kind: str, happened_on: date, **values: object) -> Event:
        """An event of the account. The same said again by the same person is the same event."""
        field_texts = {
            field: None if value is None else str(value) for field, value in values.items()
        }
        identifying_parts = (
            kind,
            self.account,
            happened_on,
            self.by,
            self.reason,
            *sorted(field_texts.items()),
        )
        return {
            "event_id": event_id(*identifying_parts),
            "account_id": self.account,
            "kind": kind,
            "happened_on": happened_on.isoformat(),
            "recorded_on": self.on.isoformat(),
            "reason": self.reason,
            "made_by": self.by,
            **field_texts,
        }

    def record(self, command: str, events: Sequence[Event], first: Event) -> RecordedEvent:
        """Record the events; the result is about the `first`."""
        with locked(self.workspace), open_journal(self.workspace) as journal:
            return self.add(journal, command, events, first)

    def add(
        self, journal: Journal, command: str, events: Sequence[Event], first: Event
    ) -> RecordedEvent:
        """Record the events in a journal that is open."""
        new = journal.record_events(events, command=command, at=self.at, recorded_on=self.on)
        return RecordedEvent.model_validate(
            {
                result_field: first.get(result_field)
                for result_field in RecordedEvent.model_fields
                if result_field != "new"
            }
            | {"new": bool(new)}
        )


def _own_ref(event: Event) -> Event:
    """The event under a `ref` of its own, by which it can be ended."""
    return {**event, "ref": event["event_id"]}


def hold(
    root: Path,
    account: str,
    *,
    kind: str,
    from_: date | None,
    until: date | None,
    on: date,
    at: datetime,
    by: str,
    reason: str,
) -> RecordedEvent:
    """Record that an account is held from a day on, the day `on` unless one is given, until a day
    if one is given: both days included. `kind` is a kind of event that holds accounts."""
    entry = _Entry(root, account, on=on, at=at, by=by, reason=reason)
    _check_kind(kind, entry.problems)
    begins = from_ or on
    if until is not None:
        entry.check_order(begins, until, f"A hold until {until} cannot begin on {begins}.")
    entry.check()
    event = _own_ref(entry.event(kind, begins, until=until))
    return entry.record("hold", [event], event)


def _check_kind(kind: str, problems: Problems) -> None:
    if kind not in HOLDS:
        hint = f"Known here: {', '.join(HOLDS)}."
        problems.add("RS107", f'"{kind}" is not a kind of hold.', hint=hint)


def end_hold(
    root: Path,
    account: str,
    *,
    kind: str,
    until: date | None,
    on: date,
    at: datetime,
    by: str,
    reason: str,
) -> RecordedEvent:
    """Record that the holds of an account which last beyond a day, the day `on` unless one is
    given, end with it: it is the last day held. Raises RS633 where there is none."""
    entry = _Entry(root, account, on=on, at=at, by=by, reason=reason)
    _check_kind(kind, entry.problems)
    entry.problems.raise_if_any()
    last_day = until or on
    with locked(entry.workspace), open_journal(entry.workspace) as journal:
        open_ones = [
            hold_event
            for hold_event in _open(journal, account, kind, ENDED)
            if hold_event["happened_on"] <= last_day
            and (hold_event["until"] is None or hold_event["until"] > last_day)
        ]
        if not open_ones:
            raise problem(
                "RS633",
                f'The account "{account}" has no {kind} that lasts beyond {last_day}.',
                hint=f"`riskseg history {account}` shows what was recorded.",
            )
        end_events = [
            entry.event(kind, last_day, until=last_day, outcome=ENDED, ref=open_hold["ref"])
            for open_hold in open_ones
        ]
        return entry.add(journal, "hold", end_events, end_events[0])


def promise(
    root: Path,
    account: str,
    *,
    amount: Decimal,
    until: date,
    from_: date | None,
    on: date,
    at: datetime,
    by: str,
    reason: str | None,
) -> RecordedEvent:
    """Record a promise to pay an amount until a day, that day included; it was made on the day
    `on`, or `from_` if one is given."""
    entry = _Entry(root, account, on=on, at=at, by=by, reason=reason)
    made_on = from_ or on
    entry.check_amount(amount)
    entry.check_order(made_on, on, f"A promise of {made_on} cannot be recorded on {on}.")
    entry.check_order(made_on, until, f"A promise of {made_on} cannot be due on {until}.")
    entry.check()
    event = _own_ref(entry.event("promise", made_on, amount=amount, until=until))
    return entry.record("promise", [event], event)


def cancel_promise(
    root: Path, account: str, *, on: date, at: datetime, by: str, reason: str
) -> RecordedEvent:
    """Record that the promises of an account which are not due before a day are cancelled. Raises
    RS633 where there is none."""
    entry = _Entry(root, account, on=on, at=at, by=by, reason=reason)
    with locked(entry.workspace), open_journal(entry.workspace) as journal:
        open_ones = [
            promise_event
            for promise_event in _open(journal, account, "promise", CANCELLED)
            if promise_event["until"] >= on
        ]
        if not open_ones:
            raise problem(
                "RS633",
                f'The account "{account}" has no promise that is due on {on} or later.',
                hint=f"`riskseg history {account}` shows what was recorded.",
            )
        end_events = [
            entry.event("promise", on, outcome=CANCELLED, ref=open_promise["ref"])
            for open_promise in open_ones
        ]
        return entry.add(journal, "promise", end_events, end_events[0])


def plan(
    root: Path,
    account: str,
    *,
    instalments: Sequence[tuple[date, Decimal]],
    from_: date | None,
    on: date,
    at: datetime,
    by: str,
    reason: str | None,
) -> RecordedEvent:
    """Record a plan from a day on, the day `on` unless one is given: what is to be paid by which
    day. The plan is an event, and each instalment another under the plan's `ref`."""
    entry = _Entry(root, account, on=on, at=at, by=by, reason=reason)
    begins = from_ or on
    for due, amount in instalments:
        entry.check_amount(amount)
        entry.check_order(begins, due, f"A plan from {begins} on has no instalment due on {due}.")
    due_days = [due for due, _ in instalments]
    if not due_days or due_days != sorted(set(due_days)):
        entry.problems.add("RS105", "Instalments are due on days of their own, in order.")
    entry.check()
    total_amount = sum((amount for _, amount in instalments), Decimal(0))
    event = _own_ref(entry.event("plan", begins, amount=total_amount, until=due_days[-1]))
    instalment_events = [
        entry.event("instalment", begins, amount=amount, until=due, ref=event["ref"])
        for due, amount in instalments
    ]
    return entry.record("plan", [event, *instalment_events], event)


def dispute(
    root: Path,
    account: str,
    *,
    bill: str | None,
    amount: Decimal | None,
    from_: date | None,
    until: date | None,
    on: date,
    at: datetime,
    by: str,
    reason: str,
) -> RecordedEvent:
    """Record that a bill is disputed, or an amount of it; without a bill, that amount of what was
    billed, or all of it. It was raised on the day `on`, or `from_` if one is given. Raises RS634
    where there is no such bill."""
    entry = _Entry(root, account, on=on, at=at, by=by, reason=reason)
    raised = from_ or on
    if amount is not None:
        entry.check_amount(amount)
    entry.check_order(raised, on, f"A dispute of {raised} cannot be recorded on {on}.")
    if until is not None:
        entry.check_order(raised, until, f"A dispute until {until} cannot begin on {raised}.")
    if bill is not None:
        check_bill(entry.workspace, account, bill, entry.problems)
    entry.check()
    event = entry.event("dispute", raised, amount=amount, until=until, bill_id=bill)
    return entry.record("dispute", [event], event)


def answer_dispute(
    root: Path,
    account: str,
    *,
    bill: str | None,
    outcome: str,
    amount: Decimal | None,
    from_: date | None,
    on: date,
    at: datetime,
    by: str,
    reason: str,
) -> RecordedEvent:
    """Record what came of the disputes of an account, or of a bill of it, that were not answered:
    `upheld`, of which `amount` may be a part, `rejected` or `ended`; on the day `on`, or `from_` if
    one is given. One that was upheld can be ended: the bill is right at its source. Raises RS633
    where there is none."""
    entry = _Entry(root, account, on=on, at=at, by=by, reason=reason)
    decided = from_ or on
    entry.check_order(decided, on, f"An answer of {decided} cannot be recorded on {on}.")
    if outcome not in ANSWERS:
        hint = f"Known here: {', '.join(ANSWERS)}."
        entry.problems.add("RS107", f'"{outcome}" is not an outcome of a dispute.', hint=hint)
    if amount is not None:
        entry.check_amount(amount)
        if outcome in ANSWERS and outcome != UPHELD:
            entry.problems.add("RS103", f"A dispute that is {outcome} has no amount.")
    entry.problems.raise_if_any()
    with locked(entry.workspace), open_journal(entry.workspace) as journal:
        closing = [word for word in ANSWERS if word != UPHELD or outcome != ENDED]
        names = _unanswered(entry.workspace, journal, account, bill, decided, closing)
        if not names:
            of_bill = "" if bill is None else f' about the bill "{bill}"'
            raise problem(
                "RS633",
                f'The account "{account}" has no open dispute{of_bill} on {decided}.',
                hint=f"`riskseg history {account}` shows what was recorded.",
            )
        answers = [
            entry.event("dispute", decided, outcome=outcome, amount=amount, ref=ref, bill_id=of)
            for ref, of in names
        ]
        return entry.add(journal, "dispute", answers, answers[0])


def _unanswered(
    workspace: Workspace,
    journal: Journal,
    account: str,
    bill: str | None,
    day: date,
    closing: Collection[str],
) -> list[tuple[str | None, str | None]]:
    """The `ref` and the bill of each dispute that was raised by a day and has had none of the
    `closing` answers since, by the source or by a person."""
    event_columns = ("happened_on", "kind", "outcome", "ref", "bill_id")
    recorded = [
        dict(zip(event_columns, row, strict=True))
        for row in source_rows(workspace, "events", account, event_columns)
    ]
    recorded += [
        {
            dispute_key: None if event[dispute_key] is None else str(event[dispute_key])
            for dispute_key in event_columns
        }
        for event in of_account(journal.events(), account)
    ]

    def day_of(event: Mapping[str, str | None]) -> str:
        return (event["happened_on"] or "")[:10]

    disputes = [
        disputed
        for disputed in recorded
        if disputed["kind"] == "dispute" and day_of(disputed) <= day.isoformat()
    ]
    disputes.sort(key=lambda disputed: (day_of(disputed), disputed["outcome"] in ANSWERS))
    open_disputes: dict[str, tuple[str | None, str | None]] = {}
    for event in disputes:
        dispute_key = event["ref"] or event["bill_id"] or ""
        if event["outcome"] in closing:
            open_disputes.pop(dispute_key, None)
        elif event["outcome"] not in ANSWERS:
            open_disputes.setdefault(dispute_key, (event["ref"], event["bill_id"]))
    return [(ref, of) for ref, of in open_disputes.values() if bill in (None, of)]


def note(
    root: Path, account: str, text: str, *, from_: date | None, on: date, at: datetime, by: str
) -> RecordedEvent:
    """Record a remark about an account: nothing depends on it."""
    entry = _Entry(root, account, on=on, at=at, by=by, reason=text)
    made_on = from_ or on
    entry.check_order(made_on, on, f"A note of {made_on} cannot be recorded on {on}.")
    entry.check()
    event = entry.event("note", made_on)
    return entry.record("note", [event], event)


def _open(journal: Journal, account: str, kind: str, end: str) -> list[dict[str, Any]]:
    """The account's events of a kind that have a `ref` and, under it, no such end."""
    events = [
        event
        for event in of_account(journal.events(), account)
        if event["kind"] == kind and event["ref"] is not None
    ]
    ended = {event["ref"] for event in events if event["outcome"] == end}
    return [event for event in events if event["ref"] not in ended]
