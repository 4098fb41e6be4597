"""What came of promises, worked out day by day: the obvious way, and slow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from riskseg.ledger.promises import SETTLED
from tests.ledger.facts import Account, Event
from tests.ledger.slow_allocation import left_of_payments
from tests.ledger.slow_payments import known


@dataclass
class Promise:
    event: Event
    amount: int
    until: date
    unpaid: int
    amount_in_time: int = 0
    kept_on: date | None = None


@dataclass(frozen=True)
class Outcome:
    happened_on: date
    outcome: str
    until: date


def _paid_on(account: Account, as_of: date) -> dict[date, int]:
    paid: dict[date, int] = {}
    for payment, left in left_of_payments(account, as_of):
        paid[payment.paid_on] = paid.get(payment.paid_on, 0) + left
    return paid


def _settled(promise: Event, events: Sequence[Event]) -> bool:
    named = [e for e in events if e.kind == "promise" and e.ref is not None]
    return promise.outcome in SETTLED or any(
        e.ref == promise.ref and e.outcome in SETTLED for e in named
    )


def _in_turn(promise: Promise) -> tuple[object, ...]:
    """The oldest first; of those alike, unknown words come last."""
    event = promise.event
    words = [(word is None, word or "") for word in (event.outcome, event.ref)]
    return event.happened_on, promise.until, promise.amount, *words


def promises_of(account: Account, as_of: date, grace: int) -> list[Promise]:
    """Every promise that is known as of a date, and what was paid of it."""
    events = [e for e in account.events if known(e.happened_on, e.recorded_on, as_of)]
    promises = [
        Promise(e, e.amount, e.until, e.amount)
        for e in events
        if e.kind == "promise" and e.amount and e.amount > 0 and e.until
    ]
    promises.sort(key=_in_turn)
    paid_on = _paid_on(account, as_of)
    queue: list[Promise] = []
    if promises:
        day = promises[0].event.happened_on
        while day <= as_of:
            made = [p for p in promises if p.event.happened_on == day]
            if made and all(p.until + timedelta(days=grace) < day for p in queue):
                queue = []  # all have run out
            queue += made
            money = paid_on.get(day, 0)
            if all(p.until + timedelta(days=grace) < day for p in queue):
                money = 0  # no promise is left that could still be kept
            for promise in queue:
                used = min(money, promise.unpaid)
                promise.unpaid -= used
                money -= used
                if promise.unpaid == 0 and promise.kept_on is None:
                    promise.kept_on = day
            for promise in queue:
                if day == promise.until + timedelta(days=grace):
                    promise.amount_in_time = promise.amount - promise.unpaid
            day += timedelta(days=1)
    for promise in promises:
        if as_of <= promise.until + timedelta(days=grace):
            promise.amount_in_time = promise.amount - promise.unpaid
    return promises


def promise_outcomes(account: Account, as_of: date, grace: int) -> list[Outcome]:
    """What came of each promise of which no event says what came of it, as of a date."""
    events = [e for e in account.events if known(e.happened_on, e.recorded_on, as_of)]
    found = []
    for promise in promises_of(account, as_of, grace):
        if _settled(promise.event, events):
            continue
        last_day = promise.until + timedelta(days=grace)
        if promise.kept_on is not None and promise.kept_on <= last_day:
            found.append(Outcome(promise.kept_on, "kept", promise.until))
        elif as_of <= last_day:
            found.append(Outcome(promise.event.happened_on, "open", promise.until))
        else:
            word = "partly_kept" if promise.amount_in_time else "broken"
            found.append(Outcome(last_day + timedelta(days=1), word, promise.until))
    return found
