"""Arrears episodes against a walk back through the days."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import pytest

from riskseg.treatment.episodes import episode_spans, episodes
from tests.ledger.facts import Account, Bill, Payment
from tests.ledger.loading import LACKING, Loaded, load_accounts, random_ledger, slow_allocations
from tests.ledger.random_accounts import AS_OF
from tests.ledger.slow_allocation import Allocation, BillFact, episode_start, plan_of
from tests.support.sampled import only

DAY = timedelta(days=1)


def starts(loaded: Loaded, as_of: date) -> dict[str, date]:
    loaded.bill_facts(loaded.as_of(as_of))
    *before, last = episodes()
    ctes = ", ".join(f"{r.name} as ({r.select})" for r in before)
    rows = loaded.rows(
        f"with {ctes} select i.account_id, e.episode_started_on from ({last.select}) e "
        "join snapshots s using (snap) join account_ids i using (account_no)"
    )
    return {r["account_id"]: r["episode_started_on"] for r in rows}


@pytest.mark.parametrize("arrears_from", only(500, [1, 500]))
@pytest.mark.parametrize("name", only("everything", LACKING))
def test_every_episode_is_a_run_of_days(name: str, arrears_from: int) -> None:
    loaded = random_ledger(name).with_arrears_from(arrears_from)
    plans = loaded.ledger.money.plans is not None
    ended_by_plan = 0
    for as_of in (AS_OF[2], AS_OF[3], AS_OF[8]):
        loaded.bill_facts(loaded.as_of(as_of))
        *before, last = episode_spans(plans=plans)
        ctes = ", ".join(f"{r.name} as ({r.select})" for r in before)
        found = loaded.engine.rows(
            f"with {ctes} select i.account_id, e.started_on, e.ended_on, e.by_plan "
            f"from ({last.select}) e join snapshots s using (snap) "
            "join account_ids i using (account_no) order by all"
        )
        wanted = [
            (account_id, *span)
            for account_id, account in sorted(loaded.accounts.items())
            if exists(account, as_of)
            for span in spans(
                account, slow_allocations(name, as_of, arrears_from)[account_id], as_of
            )
        ]
        assert [tuple(row) for row in found] == wanted
        ended_by_plan += sum(row[3] for row in found)
    assert ended_by_plan > 3


def exists(account: Account, as_of: date) -> bool:
    return account.opened_on is None or account.opened_on <= as_of


@pytest.mark.parametrize("arrears_from", only(500, [1, 500]))
@pytest.mark.parametrize("name", only("everything", LACKING))
def test_an_episode_starts_after_the_last_day_without_arrears(name: str, arrears_from: int) -> None:
    loaded = random_ledger(name).with_arrears_from(arrears_from)
    for as_of in AS_OF:
        wanted = {}
        for account_id, account in loaded.accounts.items():
            if not exists(account, as_of):
                continue
            found = slow_allocations(name, as_of, arrears_from)[account_id]
            start = episode_start(found.bills, as_of)
            if start is not None:
                wanted[account_id] = start
        assert starts(loaded, as_of) == wanted, as_of


def spans(account: Account, allocation: Allocation, as_of: date) -> list[tuple[object, ...]]:
    """Every run of days with an overdue bill: its first day, the day after its last, whether a
    plan ended it, and the amount of the bills that began it; day after day."""
    plan = plan_of(account, as_of)
    covering = plan.start if plan is not None and plan.state == "running" else date.min
    until: dict[str, date] = {}
    by_plan = set()
    for bill in allocation.bills:
        until[bill.bill_id] = bill.due_on
        if bill.cleared_on is None and bill.days_past_due == 0 and bill.due_on < as_of:
            until[bill.bill_id] = max(covering, bill.due_on)
            by_plan.add(bill.bill_id)
        elif bill.days_past_due > 0:
            until[bill.bill_id] = bill.due_on + bill.days_past_due * DAY
            if bill.cleared_on is None:
                until[bill.bill_id] = date.max
            elif until[bill.bill_id] < bill.cleared_on:
                by_plan.add(bill.bill_id)
    found: list[tuple[object, ...]] = []
    day = min((bill.due_on for bill in allocation.bills), default=as_of)
    run: list[BillFact] = []
    while day <= as_of + DAY:
        overdue = [b for b in allocation.bills if b.due_on < day < until[b.bill_id]]
        if day > as_of or not overdue:
            if run and day <= as_of:
                found.append(_span(run, day, any(b.bill_id in by_plan for b in run)))
            elif run:
                found.append(_span(run, None, False))
            run = []
        else:
            run += [b for b in overdue if b not in run]
        day += DAY
    return found


def _span(run: list[BillFact], ended: date | None, by_plan: bool) -> tuple[object, ...]:
    first = min(bill.due_on for bill in run)
    return first + DAY, ended, by_plan


def balance(allocation: Allocation, day: date) -> int:
    """What was overdue on a day: what had fallen due, less the money there was by then."""
    due = sum(b.left for b in allocation.bills if b.due_on < day)
    return max(due - sum(amount for on, amount in allocation.pool if on <= day), 0)


@pytest.mark.parametrize("arrears_from", only(1, [1, 500]))
@pytest.mark.parametrize("name", ["plain", "reversed"])
def test_an_episode_is_an_unbroken_run_of_days_with_an_overdue_balance(
    name: str, arrears_from: int
) -> None:
    """Where no payment names a bill, the spans of late bills and the days with a balance of at
    least `arrears_from` are the same days, unless a plan is kept."""
    loaded = random_ledger(name).with_arrears_from(arrears_from)
    for as_of in AS_OF:
        wanted = {}
        planned = set()
        for account_id, account in loaded.accounts.items():
            plan = plan_of(account, as_of)
            if plan is not None and plan.state == "running":
                planned.add(account_id)
                continue
            if not exists(account, as_of):
                continue
            allocation = slow_allocations(name, as_of, arrears_from)[account_id]
            day = as_of
            while balance(allocation, day) >= arrears_from:
                wanted[account_id] = day
                day -= DAY
        found = {a: day for a, day in starts(loaded, as_of).items() if a not in planned}
        assert found == wanted, as_of


def jan(day: int) -> date:
    return date(2026, 1, day)


B1, B2 = Bill("b1", jan(5), 5_000, jan(1)), Bill("b2", jan(12), 5_000, jan(1))

CASES: dict[str, tuple[tuple[Payment, ...], int | None]] = {
    "the day after the oldest bill was due": ((), 6),
    "a part payment does not restart it": ((Payment(jan(14), 2_000),), 6),
    "nor does one that clears the oldest bill": ((Payment(jan(14), 5_000),), 6),
    "clear at the close of the day the next was due, so a new one": (
        (Payment(jan(12), 5_000),),
        13,
    ),
    "clear on the day before the next was due, so a new one": ((Payment(jan(11), 5_000),), 13),
    "paid but for pennies is paid": ((Payment(jan(11), 4_600),), 13),
    "cleared the day after the next was due: no day without arrears": (
        (Payment(jan(13), 5_000),),
        6,
    ),
    "all paid": ((Payment(jan(20), 10_000),), None),
    "all paid but for pennies": ((Payment(jan(20), 9_600),), None),
}


@cache
def cases_found() -> dict[str, date]:
    accounts = [Account(case, (B1, B2), payments) for case, (payments, _) in CASES.items()]
    return starts(load_accounts(accounts), jan(31))


@pytest.mark.parametrize("case", CASES)
def test_part_payments_do_not_restart_an_episode(case: str) -> None:
    day = CASES[case][1]
    assert cases_found().get(case) == (jan(day) if day else None)
