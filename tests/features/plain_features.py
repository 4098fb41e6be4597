"""Every shipped feature in plain Python, from the reference's bill facts and the raw facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from tests.ledger.facts import Account, Event
from tests.ledger.slow_allocation import (
    BillFact,
    allocate,
    bill_order,
    issued,
    left_of_payments,
)
from tests.ledger.slow_disputes import disputes_of
from tests.ledger.slow_payments import is_settled, known, standing, taken_back
from tests.ledger.slow_plans import Plan, plans_of
from tests.ledger.slow_promises import Outcome, promise_outcomes

# Days; what a workspace has that says nothing of it.
PROMISE_GRACE = 3

Value = bool | int | Decimal | date | None


@dataclass(frozen=True)
class Paid:
    """A payment that undoes no other: did it settle, was any of it taken back, is it on its way?"""

    paid_on: date
    settled: bool
    undone: bool
    pending: int | None


@dataclass(frozen=True)
class Seen:
    """One account as of one date. `latest` is the bill that counts as the latest."""

    account: Account
    as_of: date
    bills: list[BillFact]
    latest: BillFact | None
    payments: list[Paid]
    events: list[Event]
    promised: list[Outcome]
    plans: list[Plan]
    first_billed_on: date | None

    def due_in(self, days: int) -> list[BillFact]:
        return [b for b in self.bills if self.within(b.due_on, days)]

    def paid_in(self, days: int) -> list[Paid]:
        return [p for p in self.payments if self.within(p.paid_on, days)]

    def events_in(self, days: int, kind: str) -> list[Event]:
        return [e for e in self.events if self.within(e.happened_on, days) and e.kind == kind]

    def plans_in(self, state: str) -> list[Plan]:
        """The plans in a state of which no event says what came of them."""
        return [p for p in self.plans if p.state == state and not p.reported]

    def within(self, day: date, days: int) -> bool:
        return self.as_of - timedelta(days=days) < day <= self.as_of


def see(account: Account, as_of: date, arrears_from: int, focus: str | None = None) -> Seen:
    allocation = allocate(account, as_of, arrears_from)
    bills = allocation.bills
    if focus is None:
        recent = [b for b in bills if b.due_on > as_of - timedelta(days=365)]
        latest = max(
            recent, key=lambda b: (b.issued_on, b.due_on, bill_order(b.bill_id)), default=None
        )
    else:
        latest = next((b for b in bills if b.bill_id == focus), None)
    return Seen(
        account,
        as_of,
        bills,
        latest,
        _paid(account, as_of),
        [e for e in account.events if known(e.happened_on, e.recorded_on, as_of)],
        promise_outcomes(account, as_of, PROMISE_GRACE),
        plans_of(account, as_of, left_of_payments(account, as_of)),
        allocation.first_billed_on,
    )


def _paid(account: Account, as_of: date) -> list[Paid]:
    back = {id(payment): amount for payment, _, amount in standing(account, as_of)}
    paid = []
    for payment in account.payments:
        is_payment = payment.reverses is None and payment.status != "refund"
        if is_payment and known(payment.paid_on, payment.recorded_on, as_of):
            steps = taken_back(account, payment.payment_id, as_of)
            alone = sum(-step.amount if step.gives else step.amount for step in steps)
            undone = back.get(id(payment), alone) > 0
            pending = payment.amount if payment.status == "pending" else None
            paid.append(Paid(payment.paid_on, is_settled(payment) and not undone, undone, pending))
    return paid


def latest_known_on(seen: Seen) -> date | None:
    bill_id = seen.latest.bill_id if seen.latest and seen.latest.amount > 0 else None
    bills = [b for b in seen.account.bills if b.bill_id == bill_id]
    return max((max(issued(b), b.recorded_on or issued(b)) for b in bills), default=None)


def money(pence: Iterable[int]) -> Decimal:
    return Decimal(sum(pence)).scaleb(-2)


def ratio(above: int, below: int, digits: int) -> Decimal | None:
    """A quotient as the expression language has it: to six decimals, then to `digits`."""
    if below == 0:
        return None
    six = (Decimal(above) / Decimal(below)).quantize(Decimal("0.000001"), ROUND_HALF_UP)
    return six.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def unpaid(seen: Seen) -> list[BillFact]:
    return [b for b in seen.bills if b.cleared_on is None and b.days_past_due > 0]


def overdue_between(least: int, most: int) -> Callable[[Seen], Value]:
    return lambda s: money(b.overdue for b in s.bills if least <= b.days_past_due <= most)


def late(days: int, by_more_than: int) -> Callable[[Seen], Value]:
    return lambda s: sum(b.days_past_due > by_more_than for b in s.due_in(days))


def longest(days: int) -> Callable[[Seen], Value]:
    return lambda s: max((b.days_past_due for b in s.due_in(days)), default=0)


def days_late(days: int) -> Callable[[Seen], int]:
    return lambda s: sum(b.days_past_due for b in s.due_in(days))


def days_early(days: int) -> Callable[[Seen], int]:
    return lambda s: sum(
        (b.due_on - b.cleared_on).days
        for b in s.due_in(days)
        if b.cleared_on is not None and b.cleared_on < b.due_on
    )


def beyond_terms(days: int) -> Callable[[Seen], Value]:
    return lambda s: ratio(days_late(days)(s) - days_early(days)(s), len(s.due_in(days)), 2)


def billed(days: int) -> Callable[[Seen], Decimal]:
    return lambda s: money(b.amount for b in s.due_in(days))


def _payment_ratio(seen: Seen) -> Value:
    due = seen.due_in(182)
    return ratio(sum(b.paid for b in due), sum(b.amount for b in due), 4)


def _on_time(seen: Seen) -> Value:
    due = seen.due_in(365)
    return ratio(sum(b.days_past_due == 0 for b in due), len(due), 4)


def _against_average(seen: Seen) -> Value:
    due = seen.due_in(365)
    if seen.latest is None:
        return None
    return ratio(seen.latest.amount * len(due), sum(b.amount for b in due), 4)


def _last_paid(seen: Seen) -> date | None:
    return max((p.paid_on for p in seen.payments if p.settled), default=None)


def _since_payment(seen: Seen) -> Value:
    last = _last_paid(seen)
    return None if last is None else (seen.as_of - last).days


def _months(seen: Seen) -> Value:
    since = seen.account.opened_on or seen.first_billed_on
    return None if since is None else (seen.as_of - since).days // 30


def _open_disputes(seen: Seen) -> Value:
    return sum(d.state == "open" for d in disputes_of(seen.account, seen.as_of))


def _promises(seen: Seen, *outcomes: str) -> int:
    """How many promises came to that in the last twelve months, by a source or as worked out."""
    reported = [e.outcome for e in seen.events_in(365, "promise")]
    found = [o.outcome for o in seen.promised if seen.within(o.happened_on, 365)]
    return sum(outcome in outcomes for outcome in [*reported, *found])


FEATURES: dict[str, Callable[[Seen], Value]] = {
    "balance_overdue": lambda s: money(b.overdue for b in s.bills),
    "days_past_due": lambda s: max((b.days_past_due for b in unpaid(s)), default=0),
    "overdue_bills": lambda s: len(unpaid(s)),
    "missed_bills": lambda s: sum(b.paid == 0 for b in unpaid(s)),
    "overdue_1_30": overdue_between(1, 30),
    "overdue_31_60": overdue_between(31, 60),
    "overdue_61_90": overdue_between(61, 90),
    "overdue_90_plus": overdue_between(91, 99_999),
    "late_bills_3m": late(91, 0),
    "late_bills_6m": late(182, 0),
    "late_bills_12m": late(365, 0),
    "late14_bills_6m": late(182, 14),
    "late30_bills_12m": late(365, 30),
    "late60_bills_12m": late(365, 60),
    "max_dpd_3m": longest(91),
    "max_dpd_12m": longest(365),
    "days_late_6m": days_late(182),
    "days_late_12m": days_late(365),
    "average_days_late_12m": lambda s: ratio(days_late(365)(s), len(s.due_in(365)), 2),
    "days_early_6m": days_early(182),
    "days_early_12m": days_early(365),
    "days_beyond_terms_6m": beyond_terms(182),
    "days_beyond_terms_12m": beyond_terms(365),
    "bills_6m": lambda s: len(s.due_in(182)),
    "bills_12m": lambda s: len(s.due_in(365)),
    "billed_6m": billed(182),
    "billed_12m": billed(365),
    "settled_6m": lambda s: money(b.paid for b in s.due_in(182)),
    "payment_ratio_6m": _payment_ratio,
    "part_paid_bills_6m": lambda s: sum(0 < b.paid < b.amount for b in s.due_in(182)),
    "on_time_share_12m": _on_time,
    "latest_bill": lambda s: money([s.latest.amount]) if s.latest else None,
    "latest_terms": lambda s: (s.latest.due_on - s.latest.issued_on).days if s.latest else None,
    "latest_known_on": latest_known_on,
    "latest_issued_on": lambda s: s.latest.issued_on if s.latest else None,
    "latest_against_average": _against_average,
    "open_bills": lambda s: sum(b.cleared_on is None for b in s.bills),
    "oldest_open_bill": lambda s: max(
        ((s.as_of - b.issued_on).days for b in s.bills if b.cleared_on is None), default=0
    ),
    "next_due_on": lambda s: min((b.due_on for b in s.bills if b.due_on > s.as_of), default=None),
    "last_paid_on": _last_paid,
    "days_since_payment": _since_payment,
    "payments_3m": lambda s: sum(p.settled for p in s.paid_in(91)),
    "payments_12m": lambda s: sum(p.settled for p in s.paid_in(365)),
    "failed_payments_6m": lambda s: sum(
        (not p.settled and p.pending is None) or p.undone for p in s.paid_in(182)
    ),
    "pending_payment": lambda s: money(p.pending or 0 for p in s.payments),
    "months_on_book": _months,
    "broken_promises_12m": lambda s: _promises(s, "broken", "partly_kept"),
    "kept_promises_12m": lambda s: _promises(s, "kept"),
    "promise_due_on": lambda s: min(
        (o.until for o in s.promised if o.outcome == "open"), default=None
    ),
    "open_promise": lambda s: any(o.outcome == "open" for o in s.promised),
    "plan_until": lambda s: max((p.until for p in s.plans_in("running")), default=None),
    "plan_kept": lambda s: bool(s.plans_in("running")),
    "plan_broken_on": lambda s: max(
        [p.changed_on for p in s.plans_in("broken") if p.changed_on]
        + [e.happened_on for e in s.events if e.kind == "plan" and e.outcome == "broken"],
        default=None,
    ),
    "instalments_missed": lambda s: sum(
        s.within(day, 365) for plan in s.plans for day in plan.missed
    ),
    "open_disputes": _open_disputes,
    "disputed_amount": lambda s: money(min(b.disputed, b.amount) for b in s.bills),
    "complaints_12m": lambda s: len(s.events_in(365, "complaint")),
    "contact_attempts_90d": lambda s: sum(
        e.outcome not in ("inbound", "asked_for_help", "question")
        for e in s.events_in(90, "contact")
    ),
    "welfare_visits_90d": lambda s: sum(e.outcome == "welfare" for e in s.events_in(90, "visit")),
}
