"""Whether plans are kept, worked out plan by plan: the obvious way, and slow."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise

from tests.ledger.facts import Account, Payment

DAY = timedelta(days=1)
# What a workspace has that says nothing of it.
PLAN_GRACE = 5


@dataclass
class Plan:
    """`missed` are the days on which instalments were found to be missed, `towards` are the days
    and amounts of what was paid of it."""

    plan_id: str
    instalments: list[tuple[date, int]]
    start: date
    reported_broken: date | None
    reported_ended: date | None
    next_start: date | None = None
    state: str = "running"
    changed_on: date | None = None
    missed: list[date] = field(default_factory=list)
    towards: list[tuple[date, int]] = field(default_factory=list)

    @property
    def until(self) -> date:
        return max(due for due, _ in self.instalments)

    @property
    def reported(self) -> bool:
        return self.reported_broken is not None or self.reported_ended is not None


def _earliest(*days: date | None) -> date | None:
    return min((day for day in days if day is not None), default=None)


def _agreed(account: Account, as_of: date) -> list[Plan]:
    """The plans that run, or ran, in the order in which they began."""
    known = [i for i in account.instalments if i.recorded_on is None or i.recorded_on <= as_of]
    plans = []
    for plan_id in sorted({i.plan_id for i in known}):
        own = [i for i in known if i.plan_id == plan_id]
        reported = [
            e
            for e in account.events
            if e.kind == "plan"
            and e.ref == plan_id
            and max(e.happened_on, e.recorded_on or e.happened_on) <= as_of
        ]
        ends = ("broken", "kept", "cancelled", "ended")
        start = _earliest(
            *(e.happened_on for e in reported if e.outcome not in ends),
            *(i.recorded_on for i in own),
        ) or min(i.due_on for i in own)
        if start <= as_of:
            broken = _earliest(*(e.happened_on for e in reported if e.outcome == "broken"))
            ended = _earliest(*(e.happened_on for e in reported if e.outcome in ends[1:]))
            due = sorted((i.due_on, i.amount) for i in own)
            plans.append(Plan(plan_id, due, start, broken, ended))
    plans.sort(key=lambda plan: (plan.start, plan.plan_id))
    for plan, following in pairwise(plans):
        plan.next_start = following.start
    return plans


def plans_of(
    account: Account, as_of: date, payments: list[tuple[Payment, int]], grace: int = PLAN_GRACE
) -> list[Plan]:
    """The plans of an account as of a date. `payments` are those known, with what is left of each
    once what was taken back is taken away."""
    due_on = {bill.bill_id: bill.due_on for bill in account.bills}
    plans = _agreed(account, as_of)
    for plan in plans:
        towards = plan.towards = sorted(
            (payment.paid_on, left)
            for payment, left in payments
            if payment.paid_on >= plan.start
            and (plan.next_start is None or payment.paid_on < plan.next_start)
            and due_on.get(payment.bill_id or "", plan.start) <= plan.start
        )
        expected = 0
        for due, amount in plan.instalments:
            expected += amount
            last_day = due + grace * DAY
            limits = [day for day in (plan.next_start, plan.reported_ended) if day is not None]
            if last_day >= min([as_of, *limits]):
                continue
            if sum(left for day, left in towards if day <= last_day) < expected:
                plan.missed.append(last_day + DAY)
        total = sum(amount for _, amount in plan.instalments)
        reached = [
            day
            for day, _ in towards
            if sum(left for other, left in towards if other <= day) >= total
            and day <= plan.until + grace * DAY
        ]
        broken = _earliest(*plan.missed, plan.reported_broken)
        for state, changed_on in (
            ("broken", broken),
            ("over", plan.reported_ended),
            ("kept", _earliest(*reached)),
            ("over", plan.next_start),
            ("running", plan.start),
        ):
            if changed_on is not None:
                plan.state, plan.changed_on = state, changed_on
                break
    return plans
