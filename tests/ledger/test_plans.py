"""Plans by hand: what they cover is not overdue while they are kept, and comes back when not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from riskseg.ledger.plans import Plans
from tests.ledger.facts import Account, Bill, Event, Instalment, Payment
from tests.ledger.loading import Loaded, Row, load_accounts, random_ledger
from tests.ledger.random_accounts import AS_OF
from tests.ledger.slow_allocation import allocate

START = date(2025, 3, 1)
# Agreed on day 0, 20 days after the bill was due; half on day 10, half on day 20; 5 days of grace.
AGREED = Event(START, "plan", outcome="agreed", ref="x")


def on(day: int) -> date:
    return START + timedelta(days=day)


OLD = Bill("old", on(-20), 10_000)
HALVES = (
    Instalment("x", on(10), 5_000, recorded_on=on(0)),
    Instalment("x", on(20), 5_000, recorded_on=on(0)),
)


def standing(
    day: int,
    *payments: Payment,
    bills: tuple[Bill, ...] = (OLD,),
    instalments: tuple[Instalment, ...] = HALVES,
    re_age: bool = False,
) -> Row:
    loaded = load_accounts([Account("a", bills, payments, (AGREED,), instalments=instalments)])
    if re_age:
        money = replace(loaded.ledger.money, plans=Plans(5, re_age=True))
        loaded = replace(loaded, ledger=replace(loaded.ledger, money=money))
    (row,) = loaded.facts_of(loaded.as_of(on(day)))
    names = ("days_past_due", "episode_started_on", "plan_kept", "plan_broken_on")
    return {name: row[name] for name in names} | {"overdue": int(row["balance_overdue"])}


def kept() -> Row:
    return {
        "days_past_due": 0,
        "episode_started_on": None,
        "plan_kept": True,
        "plan_broken_on": None,
        "overdue": 0,
    }


def test_what_a_kept_plan_covers_is_not_overdue() -> None:
    before = standing(-1)
    assert (before["days_past_due"], before["overdue"]) == (19, 100)
    assert standing(0) == kept()
    assert standing(9) == kept()


def test_a_missed_instalment_breaks_the_plan_after_its_grace_and_the_debt_is_as_old_as_ever() -> (
    None
):
    assert standing(15) == kept()
    broken = standing(16, Payment(on(8), 4_999))
    assert broken == {
        "days_past_due": 36,
        "episode_started_on": on(-19),
        "plan_kept": False,
        "plan_broken_on": on(16),
        "overdue": 50,
    }


def test_a_broken_plan_can_leave_the_debt_as_young_as_the_break() -> None:
    assert standing(15, re_age=True) == kept()
    broken = standing(18, re_age=True)
    assert (broken["days_past_due"], broken["episode_started_on"]) == (3, on(16))


def test_instalments_paid_in_time_keep_it_however_they_are_split() -> None:
    paid = [Payment(on(3), 2_000), Payment(on(15), 3_000), Payment(on(20), 5_000)]
    assert standing(19, *paid[:2]) == kept()
    assert standing(26, *paid[:2])["plan_broken_on"] == on(26)
    after = standing(26, *paid)
    assert (after["overdue"], after["plan_kept"], after["plan_broken_on"]) == (0, False, None)


def test_a_payment_taken_back_breaks_it() -> None:
    paid = Payment(on(9), 5_000, payment_id="p")
    back = Payment(on(12), 5_000, payment_id="q", reverses="p")
    assert standing(17, paid) == kept()
    assert standing(17, paid, back)["plan_broken_on"] == on(16)


def test_a_bill_that_falls_due_after_the_plan_began_is_overdue_by_itself() -> None:
    new = Bill("new", on(2), 3_000)
    row = standing(6, bills=(OLD, new))
    assert (row["overdue"], row["days_past_due"]) == (30, 4)
    assert (row["episode_started_on"], row["plan_kept"]) == (on(3), True)


def test_a_new_plan_takes_the_place_of_a_broken_one() -> None:
    again = (Instalment("y", on(30), 10_000, recorded_on=on(18)),)
    assert standing(17, instalments=(*HALVES, *again))["overdue"] == 100
    row = standing(18, instalments=(*HALVES, *again))
    assert row == {**kept(), "plan_broken_on": on(16)}


@pytest.mark.parametrize("day", [AS_OF[2], AS_OF[5]])
def test_re_aged_bills_are_those_of_the_reference(day: date) -> None:
    loaded: Loaded = random_ledger("everything")
    money = replace(loaded.ledger.money, plans=Plans(5, re_age=True))
    loaded = replace(loaded, ledger=replace(loaded.ledger, money=money))
    loaded.bill_facts(loaded.as_of(day))
    found = loaded.rows(
        """
        select i.account_id, b.bill_id, b.due_on, b.overdue, b.days_past_due
        from bill_facts b
        join snapshots s on s.snap = b.snap
        join account_ids i on i.account_no = s.account_no
        order by all
        """
    )
    listed = {row["account_id"] for row in found}
    expected = sorted(
        (account_id, bill.bill_id, bill.due_on, bill.overdue, bill.days_past_due)
        for account_id, account in loaded.accounts.items()
        if account_id in listed
        for bill in allocate(account, day, money.arrears_from, re_age=True).bills
    )
    assert [tuple(row.values()) for row in found] == expected
