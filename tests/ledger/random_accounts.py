"""Random accounts that hold every oddity the contract allows, and ties wherever they can be."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any

from tests.ledger.facts import Account, Bill, Event, Instalment, Payment

START = date(2024, 1, 1)
AMOUNTS = (0, 1, 200, 300, 499, 500, 501, 1000, 1000, 2000, 3333, 6000)
# Accounts live for a month (everything ties with something) or for nearly two years.
AS_OF = tuple(START + timedelta(days=n) for n in (9, 17, 26, 40, 95, 200, 330, 480, 620, 700))


def random_accounts(count: int, seed: int) -> list[Account]:
    return [_account(Random(f"{seed}/{n}"), f"{n:05d}") for n in range(count)]  # noqa: S311


def _account(draw: Random, account_id: str) -> Account:
    span = draw.choice((25, 25, 600))
    bills = _bills(draw, span)
    opened = START + timedelta(days=draw.randrange(span)) if draw.random() < 0.4 else None
    ended = (opened or START) + timedelta(days=draw.randrange(span))
    events = (
        *(_event(draw, span, n) for n in range(draw.randrange(6))),
        *_disputes(draw, span, bills),
    )
    return Account(
        account_id,
        tuple(bills),
        tuple(_payments(draw, span, bills)),
        opened_on=opened,
        closed_on=ended if draw.random() < 0.25 else None,
        written_off_on=ended + timedelta(days=draw.randrange(90)) if draw.random() < 0.1 else None,
        **_planned(draw, span, events),
    )


def _planned(draw: Random, span: int, events: tuple[Event, ...]) -> dict[str, Any]:
    """Instalments of up to two plans, and events that say of some when they were agreed, broken or
    kept."""
    instalments, reported = [], list(events)
    for plan_id in ("x", "y")[: draw.choice((0, 0, 1, 1, 2))]:
        begun = _some_day(draw, span)
        recorded = begun if draw.random() < 0.7 else None
        for number in range(draw.choice((1, 2, 4))):
            due = begun + timedelta(days=7 * number + draw.choice((0, 2, 6)))
            instalments.append(Instalment(plan_id, due, draw.choice((100, 300, 1000)), recorded))
        for outcome in ("agreed", "broken", "kept"):
            if draw.random() < (0.5 if outcome == "agreed" else 0.1):
                day = begun + timedelta(days=draw.choice((-1, 0, 3, 9)))
                recorded_on = _recorded(draw, day, 0.2)
                reported.append(Event(day, "plan", recorded_on, outcome=outcome, ref=plan_id))
    return {"events": tuple(reported), "instalments": tuple(instalments)}


def _some_day(draw: Random, span: int) -> date:
    return START + timedelta(days=draw.randrange(span))


def _recorded(draw: Random, happened: date, often: float) -> date | None:
    """Usually not said; sometimes late, sometimes before it happened."""
    if draw.random() > often:
        return None
    return happened + timedelta(days=draw.choice((-2, 0, 1, 5, 40)))


def _bills(draw: Random, span: int) -> list[Bill]:
    bills: list[Bill] = []
    count = draw.choice((0, 1, 2, 4, 8, 8)) if span < 100 else draw.choice((3, 12, 20))
    for n in range(count):
        amount = draw.choice(AMOUNTS)
        if draw.random() < 0.08:
            amount = -amount
        due = _some_day(draw, span)
        issued = due - timedelta(days=draw.choice((0, 5, 14))) if draw.random() < 0.8 else None
        recorded = _recorded(draw, issued or due, 0.2)
        disputed = draw.choice((0, 200, amount, 9000)) if draw.random() < 0.1 else None
        begun = issued or due
        cancelled = begun + timedelta(days=draw.randrange(30)) if draw.random() < 0.1 else None
        bill = Bill(f"b{n}", due, amount, issued, recorded, _positive(disputed), cancelled)
        bills.append(bill)
        if cancelled and draw.random() < 0.7:
            bills.append(Bill(f"b{n}r", due, draw.choice(AMOUNTS), issued, cancelled))
    return bills


def _positive(amount: int | None) -> int | None:
    return None if amount is None else abs(amount)


def _payments(draw: Random, span: int, bills: list[Bill]) -> list[Payment]:
    payments: list[Payment] = []
    for n in range(draw.choice((0, 2, 5, 9)) if span < 100 else draw.choice((2, 12, 18))):
        paid_on = _some_day(draw, span)
        amount = draw.choice(AMOUNTS)
        named = None
        if bills and draw.random() < 0.6:
            aim = draw.choice(bills)
            paid_on = aim.due_on + timedelta(days=draw.choice((-3, 0, 1, 1, 12, 35, 100)))
            amount = draw.choice((abs(aim.amount), abs(aim.amount), amount))
            named = aim.bill_id if draw.random() < 0.5 else None
        if draw.random() < 0.06:
            named = "nosuch"
        payment_id = f"p{n}" if draw.random() < 0.8 else None
        status = draw.choice(_STATUSES) if draw.random() < 0.2 else None
        method = draw.choice((None, "card", "cash"))
        recorded = _recorded(draw, paid_on, 0.15)
        payments.append(Payment(paid_on, amount, payment_id, named, recorded, method, status))
        if payment_id and bills and draw.random() < 0.1:
            # Booked to other bills as well, a row for each.
            others = {b.bill_id for b in draw.sample(bills, min(2, len(bills)))} - {named}
            payments += [
                replace(payments[-1], bill_id=other, amount=draw.choice(AMOUNTS))
                for other in sorted(others)
            ]
        if payment_id and draw.random() < 0.15:
            reversed_by = [_reversal(draw, payments[-1], k) for k in range(draw.choice((1, 1, 2)))]
            payments += reversed_by
            while reversed_by and draw.random() < 0.4:
                reversed_by = [_reversal(draw, reversed_by[-1], 0)]
                payments += reversed_by
                if bills and draw.random() < 0.3:
                    # A second row of the reversal takes back the payment itself.
                    bill_id, amount = draw.choice(bills).bill_id, draw.choice(AMOUNTS)
                    other = replace(
                        reversed_by[0], reverses=payment_id, bill_id=bill_id, amount=amount
                    )
                    payments += [other] if other.bill_id != reversed_by[0].bill_id else []
        parts = [p for p in payments if payment_id and p.payment_id == payment_id]
        if len(parts) > 1 and draw.random() < 0.5:
            payments += _reversed_in_parts(draw, parts)
    return payments


_STATUSES = ("settled", "failed", "reversed", "pending", "refund", "refund")


def _reversed_in_parts(draw: Random, parts: list[Payment]) -> list[Payment]:
    """A reversal with a row for each part or one for all, won back at once, and taken once more."""
    whole = sum(p.amount for p in parts)
    by_part = draw.random() < 0.5
    found: list[Payment] = []
    on, before = parts[0].paid_on, parts[0].payment_id
    for number in range(draw.choice((1, 2, 3))):
        on += timedelta(days=draw.choice((0, 3, 30)))
        payment_id = f"{parts[0].payment_id}-parts{number}"
        reverses = before if draw.random() < 0.7 else parts[0].payment_id
        row = Payment(on, draw.choice((whole, whole // 2)), payment_id, reverses=reverses)
        rows = [replace(row, amount=p.amount, bill_id=p.bill_id) for p in parts]
        found += rows if by_part and number != 1 else [row]
        before = payment_id
    return found


def _reversal(draw: Random, payment: Payment, number: int) -> Payment:
    """All of it, a part, or more than there was; reported as a positive or a negative amount."""
    whole = abs(payment.amount)
    amount = draw.choice((whole, whole, whole // 2, 9999))
    on = payment.paid_on + timedelta(days=draw.choice((0, 3, 30)))
    return Payment(
        on,
        draw.choice((1, -1)) * amount,
        payment_id=f"{payment.payment_id}-undo{number}",
        bill_id=payment.bill_id if draw.random() < 0.3 else None,
        recorded_on=_recorded(draw, on, 0.3),
        status="failed" if draw.random() < 0.1 else None,
        reverses=payment.payment_id,
    )


def _event(draw: Random, span: int, number: int) -> Event:
    happened = _some_day(draw, span)
    kind = draw.choice(("promise", "promise", "adviser", "complaint", "contact", "visit"))
    outcomes = {
        "promise": ("broken", "kept", None),
        "contact": ("no_answer", "inbound", "question", None),
        "visit": ("welfare", "met", None),
    }
    outcome = draw.choice(outcomes[kind]) if kind in outcomes else None
    until = happened + timedelta(days=draw.choice((0, 20, 200))) if draw.random() < 0.5 else None
    recorded = _recorded(draw, happened, 0.2)
    amount = draw.choice(AMOUNTS) if kind == "promise" and draw.random() < 0.7 else None
    # Two events of one promise at times, the one saying what came of the other.
    ref = f"r{number // 2}" if kind == "promise" and draw.random() < 0.3 else None
    return Event(happened, kind, recorded, outcome=outcome, until=until, amount=amount, ref=ref)


def _disputes(draw: Random, span: int, bills: list[Bill]) -> list[Event]:
    """Up to three disputes, answered or not, some raised again: of a bill, of a part of one, of an
    amount of no bill or of everything."""
    events = []
    for number in range(draw.choice((0, 0, 0, 0, 1, 3))):
        bill = draw.choice(bills) if bills and draw.random() < 0.85 else None
        begun = bill.due_on + timedelta(days=draw.choice((-9, 0, 3, 30))) if bill else None
        day = begun or _some_day(draw, span)
        bill_id = bill.bill_id if bill else draw.choice(("nosuch", None, None, None))
        amount = draw.choice((None, 1, 300, abs(bill.amount) if bill else 700, 9000))
        until = day + timedelta(days=draw.choice((0, 20, 200))) if draw.random() < 0.1 else None
        ref = f"d{number}" if draw.random() < 0.6 else None
        for outcome in ("raised", *draw.choice(_ANSWERS)):
            events.append(
                Event(
                    day,
                    "dispute",
                    _recorded(draw, day, 0.2),
                    outcome=outcome,
                    amount=amount if outcome == "raised" else draw.choice((None, None, 200)),
                    until=until if outcome == "raised" and day <= (until or day) else None,
                    ref=ref,
                    bill_id=bill_id if outcome == "raised" or ref is None else None,
                )
            )
            day += timedelta(days=draw.choice((0, 1, 4, 40)))
    return events


_ANSWERS = (
    (),
    (),
    ("upheld",),
    ("rejected",),
    ("ended",),
    ("rejected", "upheld"),
    ("upheld", "ended"),
    ("rejected", "raised"),
)
