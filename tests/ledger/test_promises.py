"""What came of promises to pay, against a day by day reference, and by hand."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from random import Random

import pytest

from riskseg.ledger.allocation import bill_facts
from riskseg.ledger.promises import promise_outcomes
from riskseg.pipeline.contracts import build
from tests.ledger import slow_promises
from tests.ledger.facts import Account, Bill, Event, Payment
from tests.ledger.loading import Loaded, load_accounts
from tests.ledger.slow_allocation import left_of_payments

START = date(2025, 3, 1)
GRACE = 3


def on(day: int) -> date:
    return START + timedelta(days=day)


def outcomes(loaded: Loaded, as_of: date) -> list[tuple[str, date, str, date]]:
    money = loaded.ledger.money
    relations = [loaded.as_of(as_of), *bill_facts(money)]
    *before, spans, last = promise_outcomes(GRACE, reverses=money.reverses)
    kept = [replace(relation, materialized=True) for relation in (spans, last)]
    build(loaded.engine, [*relations, *before, *kept])
    rows = loaded.engine.rows(
        """
        select i.account_id, o.happened_on, o.outcome, o.until
        from promise_outcomes o
        join snapshots s on s.snap = o.snap
        join account_ids i on i.account_no = s.account_no
        order by all
        """
    )
    return [(*row,) for row in rows]


def random_account(draw: Random, account_id: str) -> Account:
    """Many promises and payments in few days, so that they meet in every way."""
    promises = [
        Event(
            (made := on(draw.randrange(30))),
            "promise",
            recorded_on=made + timedelta(days=draw.choice((0, 0, 0, 4))),
            outcome=draw.choice((None, None, None, "made", "kept", "broken")),
            amount=draw.choice((100, 100, 200, 350)),
            until=made + timedelta(days=draw.choice((0, 2, 5, 12))),
            ref=draw.choice((None, "r1", "r2")),
        )
        for _ in range(draw.randrange(1, 5))
    ]
    payments = [
        Payment(
            (paid := on(draw.randrange(45))),
            draw.choice((50, 100, 100, 250)),
            payment_id=f"p{number}",
            recorded_on=paid + timedelta(days=draw.choice((0, 0, 0, 6))),
        )
        for number in range(draw.randrange(6))
    ]
    reversals = [
        Payment(
            payment.paid_on + timedelta(days=draw.choice((0, 3))),
            draw.choice((payment.amount, 50)),
            payment_id=f"{payment.payment_id}-back",
            reverses=payment.payment_id,
        )
        for payment in payments
        if draw.random() < 0.2
    ]
    bill = Bill("b", on(-10), 10_000)
    return Account(account_id, (bill,), (*payments, *reversals), tuple(promises))


@pytest.fixture(scope="module")
def random_promises() -> Loaded:
    draws = ((Random(f"promises/{n}"), f"{n:04d}") for n in range(600))  # noqa: S311
    return load_accounts([random_account(draw, account_id) for draw, account_id in draws])


@pytest.mark.parametrize("day", [0, 6, 13, 20, 27, 34, 48])
def test_outcomes_are_those_of_the_reference(random_promises: Loaded, day: int) -> None:
    expected = sorted(
        (account_id, found.happened_on, found.outcome, found.until)
        for account_id, account in random_promises.accounts.items()
        for found in slow_promises.promise_outcomes(account, on(day), GRACE)
    )
    assert outcomes(random_promises, on(day)) == expected
    if day == 20:
        counts = Counter(outcome for _, _, outcome, _ in expected)
        assert min(counts[word] for word in ("open", "kept", "partly_kept", "broken")) > 10


def test_a_promise_is_open_on_the_days_of_the_reference(random_promises: Loaded) -> None:
    """The days at whose close one was open, by all that is known on the last of them."""
    loaded, last = random_promises, on(34)
    outcomes(loaded, last)
    found = loaded.engine.rows(
        """
        select i.account_id, count(distinct d.day)
        from promise_spans p
        join snapshots s on s.snap = p.snap
        join account_ids i on i.account_no = s.account_no
        cross join unnest(generate_series(p.first_day, p.last_day, interval 1 day)) d(day)
        group by i.account_id
        order by i.account_id
        """
    )
    expected = []
    for account_id, account in sorted(loaded.accounts.items()):
        known = [
            e for e in account.events if slow_promises.known(e.happened_on, e.recorded_on, last)
        ]
        net = [
            replace(payment, amount=left, recorded_on=None)
            for payment, left in left_of_payments(account, last)
        ]
        reported = replace(
            account,
            events=tuple(replace(e, recorded_on=None) for e in known),
            payments=tuple(net),
        )
        days = [
            day
            for day in (on(n) for n in range(35))
            if any(
                o.outcome == "open" for o in slow_promises.promise_outcomes(reported, day, GRACE)
            )
        ]
        if days:
            expected.append((account_id, len(days)))
    assert [(*row,) for row in found] == expected
    assert len(expected) > 100


def promise(made: int, until: int, amount: int, **more: str) -> Event:
    return Event(on(made), "promise", amount=amount, until=on(until), **more)


def came_of(day: int, promises: list[Event], payments: list[Payment]) -> list[tuple[str, date]]:
    account = Account("a", (Bill("b", on(-10), 10_000),), tuple(payments), tuple(promises))
    return [(word, when) for _, when, word, _ in outcomes(load_accounts([account]), on(day))]


def test_a_promise_is_open_until_its_grace_is_over() -> None:
    made = [promise(0, 5, 100)]
    assert came_of(8, made, []) == [("open", on(0))]
    assert came_of(9, made, []) == [("broken", on(9))]


def test_a_payment_on_the_last_day_of_grace_keeps_it_however_late_it_is_recorded() -> None:
    made = [promise(0, 5, 100)]
    late = [Payment(on(8), 100, recorded_on=on(12))]
    assert came_of(11, made, late) == [("broken", on(9))]
    assert came_of(12, made, late) == [("kept", on(8))]
    assert came_of(12, made, [Payment(on(9), 100)]) == [("broken", on(9))]


def test_money_paid_before_a_promise_does_not_keep_it() -> None:
    assert came_of(9, [promise(2, 5, 100)], [Payment(on(1), 100)]) == [("broken", on(9))]


def test_a_payment_taken_back_keeps_nothing() -> None:
    made = [promise(0, 5, 100)]
    paid = Payment(on(3), 100, payment_id="p")
    back = Payment(on(7), 100, payment_id="q", reverses="p")
    assert came_of(6, made, [paid, back]) == [("kept", on(3))]
    assert came_of(7, made, [paid, back]) == [("open", on(0))]
    assert came_of(9, made, [paid, back]) == [("broken", on(9))]


def test_money_goes_to_the_oldest_promise_first() -> None:
    made = [promise(0, 20, 100), promise(2, 4, 100)]
    assert came_of(8, made, [Payment(on(3), 150)]) == [("kept", on(3)), ("partly_kept", on(8))]


def test_what_was_paid_beyond_a_promise_does_not_keep_the_next() -> None:
    made = [promise(0, 5, 100), promise(4, 8, 100)]
    assert came_of(12, made, [Payment(on(2), 500)]) == [("kept", on(2)), ("broken", on(12))]


def test_a_promise_made_anew_owes_nothing_to_the_broken_one() -> None:
    made = [promise(0, 5, 100), promise(9, 12, 100)]
    assert came_of(12, made, [Payment(on(11), 100)]) == [("broken", on(9)), ("kept", on(11))]


def test_what_the_source_says_of_a_promise_comes_first() -> None:
    made = [
        promise(0, 5, 100, ref="r"),
        Event(on(9), "promise", outcome="kept", ref="r"),
    ]
    assert came_of(8, made, []) == [("open", on(0))]
    assert came_of(9, made, []) == []
