"""What is disputed, worked out dispute by dispute: the obvious way, and slow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from tests.ledger.facts import Account, Event

ANSWERS = ("rejected", "upheld", "ended")


@dataclass
class Dispute:
    """`reported` are the events that raise it or speak of it, `answers` those that say what came of
    it; both in the order of time. `amount` is None for the whole."""

    reported: list[Event] = field(default_factory=list)
    answers: list[Event] = field(default_factory=list)
    bill_id: str | None = None
    raised_on: date = date.min
    last_day: date = date.min
    state: str = "open"
    changed_on: date = date.min
    amount: int | None = None


def known_on(event: Event) -> date:
    return max(event.happened_on, event.recorded_on or event.happened_on)


def disputes_of(account: Account, as_of: date) -> list[Dispute]:
    """The disputes of an account as of a date."""
    events = [e for e in account.events if e.kind == "dispute" and known_on(e) <= as_of]
    found = []
    for name in sorted({e.ref or e.bill_id or "" for e in events}):
        own = [e for e in events if (e.ref or e.bill_id or "") == name]
        found += [_came_of(dispute, as_of) for dispute in _times_raised(own)]
    return found


def _times_raised(events: Sequence[Event]) -> list[Dispute]:
    """The disputes of one name: another begins when one that was answered is raised again."""
    disputes = [Dispute()]
    for day in sorted({e.happened_on for e in events}):
        of_day = [e for e in events if e.happened_on == day]
        for event in of_day:
            if event.outcome not in ANSWERS:
                if disputes[-1].answers:
                    disputes.append(Dispute())
                disputes[-1].reported.append(event)
        disputes[-1].answers += [e for e in of_day if e.outcome in ANSWERS]
    return [d for d in disputes if d.reported or d.answers]


def _last(events: Sequence[Event], column: str) -> object:
    """What the last of the events says that say anything of it."""
    said = [
        (e.happened_on, known_on(e), value)
        for e in events
        if (value := getattr(e, column)) is not None and not (column == "amount" and value <= 0)
    ]
    return max(said)[2] if said else None


def _came_of(dispute: Dispute, as_of: date) -> Dispute:
    every = [*dispute.reported, *dispute.answers]
    dispute.raised_on = min(e.happened_on for e in every)
    dispute.bill_id = _last(every, "bill_id")  # type: ignore[assignment]
    dispute.amount = _last(dispute.reported, "amount")  # type: ignore[assignment]
    until = _last(dispute.reported, "until")
    assert until is None or isinstance(until, date)
    dispute.last_day = min(until or as_of, as_of)
    dispute.changed_on = dispute.raised_on
    if dispute.answers:
        first = min(e.happened_on for e in dispute.answers)
        dispute.last_day = min(dispute.last_day, first - timedelta(days=1))
        decisive = max(
            dispute.answers,
            key=lambda e: (e.happened_on, known_on(e), ANSWERS.index(e.outcome or "")),
        )
        assert decisive.outcome is not None
        dispute.state = decisive.outcome
        dispute.changed_on = max(e.happened_on for e in dispute.answers)
        if dispute.state == "upheld" and decisive.amount is not None and decisive.amount > 0:
            dispute.amount = decisive.amount
    elif until is not None and until < as_of:
        dispute.state, dispute.changed_on = "ended", until + timedelta(days=1)
    return dispute
