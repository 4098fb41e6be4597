"""Allocation once more, slow and obvious: one account, one as-of date, plain loops.

Written from the rule at the head of `riskseg/ledger/allocation.py`, not from its SQL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from tests.ledger.facts import Account, Bill, Payment
from tests.ledger.slow_disputes import Dispute, disputes_of
from tests.ledger.slow_payments import id_order, known, paid_out, standing
from tests.ledger.slow_plans import Plan, plans_of

DAY = timedelta(days=1)


bill_order = id_order


@dataclass
class BillFact:
    bill_id: str
    issued_on: date
    due_on: date
    amount: int
    left: int
    disputed: int = 0
    in_dispute: int = 0
    paid: int = 0
    named_on: date | None = None
    cleared_on: date | None = None
    unpaid: int = 0
    overdue: int = 0
    days_past_due: int = 0


@dataclass
class Allocation:
    bills: list[BillFact]
    pool: list[tuple[date, int]]
    open: int = 0
    overdue: int = 0
    credit: int = 0
    first_billed_on: date | None = None


def issued(bill: Bill) -> date:
    return bill.issued_on or min(bill.recorded_on or bill.due_on, bill.due_on)


def standing_bills(account: Account, as_of: date) -> list[Bill]:
    return [
        b
        for b in account.bills
        if known(issued(b), b.recorded_on, as_of)
        and (b.cancelled_on is None or b.cancelled_on > as_of)
    ]


def known_payments(account: Account, as_of: date) -> list[Payment]:
    return [p for p in account.payments if known(p.paid_on, p.recorded_on, as_of)]


def left_of_payments(account: Account, as_of: date) -> list[tuple[Payment, int]]:
    """The payments known as of a date, with what is left of each once some is taken back."""
    return [(payment, left) for payment, left, _ in standing(account, as_of)]


def take_refunds(
    account: Account, as_of: date, bills: Sequence[BillFact], pool: Sequence[tuple[date, int]]
) -> list[BillFact]:
    """What money paid out takes of the pool, as bills without an id: no more than is credit at the
    close of its day."""
    taken: list[BillFact] = []
    refunds = paid_out(account, as_of)
    for day in sorted({paid_on for paid_on, _ in refunds}):
        credit = sum(amount for paid_on, amount in pool if paid_on <= day)
        credit -= sum(bill.left for bill in bills if bill.issued_on <= day)
        credit -= sum(refund.left for refund in taken)
        amount = min(sum(left for paid_on, left in refunds if paid_on == day), max(credit, 0))
        taken += [BillFact("", day, day, amount, amount)] if amount else []
    return taken


def plan_of(account: Account, as_of: date) -> Plan | None:
    """The latest plan, where there is one."""
    plans = plans_of(account, as_of, left_of_payments(account, as_of))
    return plans[-1] if plans else None


def _owed(bill: Bill, disputes: Sequence[Dispute]) -> BillFact:
    """A bill with what is owed of it before anything is paid."""
    known_disputed = bill.disputed_amount or 0
    fact = BillFact(
        bill.bill_id,
        issued(bill),
        bill.due_on,
        bill.amount,
        max(bill.amount - known_disputed, 0),
        known_disputed,
    )
    for dispute in disputes:
        whole = dispute.bill_id is None and dispute.amount is None
        if dispute.bill_id == bill.bill_id or (whole and fact.issued_on <= dispute.raised_on):
            amount = bill.amount if dispute.amount is None else dispute.amount
            if dispute.state == "open":
                fact.in_dispute += amount
            elif dispute.state == "upheld":
                fact.left = max(fact.left - amount, 0)
    return fact


def _in_turn(bill: BillFact) -> tuple[object, ...]:
    """The order in which the pool pays bills."""
    named_on = bill.named_on or date.max
    key = bill.due_on, bill.issued_on, bill.disputed, named_on, bill.left, bill.amount
    return (*key, bill.bill_id != "", bill_order(bill.bill_id))


def _take_unnamed(bills: Sequence[BillFact], disputes: Sequence[Dispute]) -> None:
    """Take amounts of which no bill is named from the bills issued by then, one after the other:
    first what is not owed, then what is in dispute."""
    unnamed = [d for d in disputes if d.bill_id is None and d.amount is not None]
    of = {state: [d for d in unnamed if d.state == state] for state in ("upheld", "open")}
    days = [d.raised_on for some in of.values() for d in some]
    for state, some in of.items():
        amount = sum(d.amount or 0 for d in some)
        for bill in bills:
            if bill.issued_on <= max(days, default=date.min):
                taken = min(amount, bill.left)
                amount -= taken
                bill.left -= taken
                bill.disputed += taken if state == "open" else 0


def allocate(
    account: Account, as_of: date, arrears_from: int, *, re_age: bool = False
) -> Allocation:
    """What is paid, open and overdue of each bill, as of a date; `arrears_from` in pence. Where
    plans `re_age`, a broken one makes its bills as young as the break."""
    least = max(arrears_from, 1)
    standing = standing_bills(account, as_of)
    disputes = disputes_of(account, as_of)
    bills = [_owed(b, disputes) for b in standing if b.amount >= 0]
    money = [(p.paid_on, left, p.bill_id) for p, left in left_of_payments(account, as_of)]

    # 1. A payment that names a bill pays that bill; what it leaves over goes to the pool.
    pool = [(issued(b), -b.amount) for b in standing if b.amount < 0]
    by_id = {b.bill_id: b for b in bills}
    for paid_on, amount, bill_id in sorted(money, key=lambda m: (m[0], m[1])):
        bill = by_id.get(bill_id) if bill_id else None
        used = min(amount, bill.left) if bill else 0
        if bill and used:
            if bill.left - bill.in_dispute >= least:
                bill.named_on = paid_on
            bill.left -= used
            bill.paid += used
        if amount > used or bill is None:
            pool.append((paid_on, amount - used))

    # What is in dispute, as far as it is not paid already, is not owed.
    for bill in bills:
        bill.in_dispute = min(bill.in_dispute, bill.left)
        bill.disputed += bill.in_dispute
        bill.left -= bill.in_dispute
    bills.sort(key=_in_turn)
    _take_unnamed(bills, disputes)

    # 2. The pool pays bills in the order they fall due, one day's money after the other. What was
    # paid out stands among them, and is none.
    taken = take_refunds(account, as_of, bills, pool)
    bills = sorted([*bills, *taken], key=_in_turn)
    result = Allocation(bills, sorted(pool))
    result.credit = sum(r.left for r in taken) - sum(left for _, left in paid_out(account, as_of))
    reached: dict[str, date | None] = {}
    remaining = [b.left for b in bills]

    def look(day: date | None) -> None:
        """3. Cleared once what is owed through the bill is below the least arrear."""
        through = 0
        for bill, owed in zip(bills, remaining, strict=True):
            through += owed
            if bill.bill_id not in reached and (bill.left == 0 or through < least):
                reached[bill.bill_id] = day

    look(None)
    for day in sorted({d for d, _ in pool}):
        purse = sum(amount for d, amount in pool if d == day)
        for i, owed in enumerate(remaining):
            used = min(purse, owed)
            remaining[i] -= used
            purse -= used
        result.credit += purse
        look(day)
    for bill, owed in zip(bills, remaining, strict=True):
        bill.paid += bill.left - owed
        bill.unpaid = owed
        late = bill.due_on < as_of
        if bill.bill_id in reached:
            days = [bill.issued_on, bill.named_on, reached[bill.bill_id]]
            bill.cleared_on = max(d for d in days if d is not None)
        plan = plan_of(account, as_of)
        covered = plan is not None and bill.due_on <= plan.start
        waited = plan is not None and (bill.cleared_on is None or bill.cleared_on > plan.start)
        if plan and covered and waited and plan.state == "broken" and re_age:
            assert plan.changed_on is not None
            bill.due_on = max(bill.due_on, plan.changed_on - DAY)
            late = bill.due_on < as_of
        if plan and covered and plan.state == "running":
            if bill.cleared_on is not None:
                bill.days_past_due = max((min(bill.cleared_on, plan.start) - bill.due_on).days, 0)
                bill.overdue = 0
        elif late:
            bill.overdue = owed
            bill.days_past_due = max(((bill.cleared_on or as_of) - bill.due_on).days, 0)
        if not bill.bill_id:
            continue
        result.open += owed
        result.overdue += bill.overdue
    result.bills = bills = [bill for bill in bills if bill.bill_id]
    result.first_billed_on = min((b.issued_on for b in bills), default=None)
    return result


def episode_start(bills: Sequence[BillFact], as_of: date) -> date | None:
    """The first day of the unbroken run of days, up to the as-of date, with an overdue bill."""

    def in_arrears(day: date) -> bool:
        return any(
            b.due_on < day
            and b.days_past_due > 0
            and (b.cleared_on is None or b.due_on + b.days_past_due * DAY > day)
            for b in bills
        )

    if not any(b.cleared_on is None and b.days_past_due > 0 for b in bills):
        return None
    day = as_of
    while in_arrears(day - DAY):
        day -= DAY
    return day
