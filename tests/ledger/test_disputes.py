"""Disputes by hand, and what holds of them on any ledger. What is owed beside a dispute is compared
with a slow reference in `test_allocation`, what features say of it in `tests/features`."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from random import Random

import pytest

from riskseg.ledger.settled import settled_bills
from riskseg.pipeline.contracts import build
from riskseg.pipeline.facts import facts
from tests.ledger.facts import Account, Bill, Event, Payment
from tests.ledger.loading import Loaded, Row, load_accounts, random_ledger
from tests.ledger.random_accounts import AS_OF, random_accounts
from tests.ledger.slow_allocation import left_of_payments, standing_bills
from tests.ledger.slow_payments import paid_out
from tests.ledger.test_allocation import every_snapshot

START = date(2025, 3, 1)
BILL = Bill("b", START, 10_000, START - timedelta(days=14))


def on(day: int) -> date:
    return START + timedelta(days=day)


def raised(day: int, amount: int | None = None, bill_id: str | None = "b") -> Event:
    return Event(on(day), "dispute", amount=amount, bill_id=bill_id)


def answered(day: int, outcome: str, amount: int | None = None) -> Event:
    return Event(on(day), "dispute", outcome=outcome, amount=amount, bill_id="b")


def standing(
    day: int,
    *reported: Event,
    payments: tuple[Payment, ...] = (),
    bills: tuple[Bill, ...] = (BILL,),
) -> Row:
    """What is overdue, for how long, in dispute and in how many disputes; amounts in pounds."""
    loaded = load_accounts([Account("a", bills, payments, reported)])
    (row,) = loaded.facts_of(loaded.as_of(on(day)))
    return {
        "overdue": int(row["balance_overdue"]),
        "days": row["days_past_due"],
        "disputed": int(row["disputed_amount"]),
        "open": row.get("open_disputes", 0),
    }


def test_a_dispute_is_open_until_the_day_before_its_outcome() -> None:
    reported = raised(5), answered(20, "rejected")
    assert standing(4, *reported) == {"overdue": 100, "days": 4, "disputed": 0, "open": 0}
    assert standing(5, *reported) == {"overdue": 0, "days": 0, "disputed": 100, "open": 1}
    assert standing(19, *reported) == {"overdue": 0, "days": 0, "disputed": 100, "open": 1}
    assert standing(20, *reported) == {"overdue": 100, "days": 20, "disputed": 0, "open": 0}


def test_what_is_upheld_is_not_owed_until_the_bill_is_right_at_its_source() -> None:
    reported = raised(5, 6_000), answered(20, "upheld", 5_000)
    assert standing(20, *reported) == {"overdue": 50, "days": 20, "disputed": 0, "open": 0}
    assert standing(40, *reported, answered(40, "ended"))["overdue"] == 100
    again = raised(25, 3_000)
    assert standing(30, *reported, again) == {"overdue": 20, "days": 30, "disputed": 30, "open": 1}


def test_no_more_is_disputed_than_payments_that_name_the_bill_leave_unpaid() -> None:
    paid = Payment(on(2), 7_000, bill_id="b")
    found = standing(10, raised(5), payments=(paid,))
    assert found == {"overdue": 0, "days": 0, "disputed": 30, "open": 1}
    found = standing(10, raised(5, 2_000), payments=(paid,))
    assert found == {"overdue": 10, "days": 10, "disputed": 20, "open": 1}


def test_money_that_names_no_bill_passes_the_disputed_part_by() -> None:
    other = Bill("c", on(3), 5_000, on(-5))
    paid = Payment(on(8), 5_000)
    assert standing(9, bills=(BILL, other), payments=(paid,))["overdue"] == 100
    assert standing(9, raised(5), bills=(BILL, other), payments=(paid,))["overdue"] == 0


def test_a_second_event_of_a_dispute_says_what_is_disputed() -> None:
    found = standing(10, raised(5), raised(7, 4_000))
    assert found == {"overdue": 60, "days": 10, "disputed": 40, "open": 1}


def test_a_dispute_of_an_unknown_bill_takes_nothing_off() -> None:
    found = standing(10, raised(5, bill_id="x"))
    assert found == {"overdue": 100, "days": 10, "disputed": 0, "open": 1}


@pytest.mark.parametrize(("day", "count"), [(4, 0), (5, 1), (19, 1), (20, 0)])
def test_disputes_are_counted_where_nothing_is_billed(day: int, count: int) -> None:
    loaded = load_accounts([Account("a", events=(raised(5), answered(20, "rejected")))])
    (row,) = loaded.facts_of(loaded.as_of(on(day)))
    assert row["open_disputes"] == count


def _less_disputes(account: Account) -> Account:
    return replace(account, events=tuple(e for e in account.events if e.kind != "dispute"))


def _raised_and_rejected(draw: Random, account: Account, by: date) -> Account:
    """The account with a dispute, of a bill or of none, that is rejected by a day."""
    decided = by - timedelta(days=draw.randrange(40))
    begun = decided - timedelta(days=draw.randrange(60))
    bill_id = draw.choice([*(b.bill_id for b in account.bills), None])
    amount = draw.choice((None, 200, 9_000))
    more = (
        Event(begun, "dispute", outcome="raised", amount=amount, ref="r", bill_id=bill_id),
        Event(decided, "dispute", outcome=draw.choice(("rejected", "ended")), ref="r"),
    )
    return replace(account, events=(*account.events, *more))


@pytest.mark.parametrize("day", [AS_OF[2], AS_OF[6]])
def test_raised_and_rejected_everything_is_as_if_it_never_was(day: date) -> None:
    draw = Random(f"rejected/{day}")  # noqa: S311
    accounts = [_less_disputes(account) for account in random_accounts(120, seed=3)]
    disputed = [_raised_and_rejected(draw, account, day) for account in accounts]
    rows = []
    for some in (accounts, disputed):
        loaded = load_accounts(some)
        rows.append(loaded.facts_of(loaded.as_of(day)))
    assert rows[0] == rows[1]
    assert sum(row["balance_overdue"] > 0 for row in rows[0]) > 10


def test_no_penny_is_lost_whatever_is_disputed() -> None:
    """All money known is what bills were paid, what was paid out, and credit."""
    loaded = random_ledger("everything")
    day = AS_OF[6]
    loaded.bill_facts(every_snapshot((day,)))
    found = loaded.rows(
        """
        select i.account_id,
            t.credit + t.paid as money,
            t.paid - coalesce(sum(b.paid), 0) as paid_out,
            sum(b.disputed) as in_dispute
        from totals t
        join snapshots s on s.snap = t.snap
        join account_ids i on i.account_no = s.account_no
        left join bill_facts b on b.snap = t.snap
        group by i.account_id, t.credit, t.paid
        """
    )
    for row in found:
        account = loaded.accounts[row["account_id"]]
        paid = sum(left for _, left in left_of_payments(account, day))
        credit = sum(-b.amount for b in standing_bills(account, day) if b.amount < 0)
        assert row["money"] == paid + credit, account
        assert row["paid_out"] == sum(left for _, left in paid_out(account, day)), account
    assert sum((row["in_dispute"] or 0) > 0 for row in found) > 50
    assert sum(row["paid_out"] > 0 for row in found) > 20


LASTING = ("lasting promise", "lasting plan", "lasting dispute")


@pytest.mark.parametrize("shared", [False, True])
def test_what_lasts_is_what_is_open(shared: bool) -> None:
    loaded: Loaded = random_ledger("everything")
    wanted = [*LASTING, "open_promise", "plan_kept", "open_disputes", "promise_due_on"]
    if shared:
        build(loaded.engine, settled_bills(loaded.ledger.money))
    relations = facts(
        loaded.ledger, loaded.catalogue, 2, wanted, every_snapshot(AS_OF[3:]), shared=shared
    )
    build(loaded.engine, relations)
    rows = loaded.rows("select * from facts")
    for row in rows:
        lasts = [row[name] for name in LASTING]
        assert lasts == [row["open_promise"], row["plan_kept"], row["open_disputes"] > 0]
    assert min(sum(row[name] for row in rows) for name in LASTING) > 15
