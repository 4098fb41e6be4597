"""As of a date nothing later exists: what happens or is recorded afterwards changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from random import Random

import pytest

from tests.ledger.facts import Account, Bill, Event, Payment
from tests.ledger.loading import Row, load_accounts
from tests.ledger.random_accounts import START, random_accounts

AS_OF = START + timedelta(days=300)
NEXT = AS_OF + timedelta(days=1)
PAST = AS_OF - timedelta(days=100)


@cache
def as_they_are(seed: int) -> tuple[list[Account], list[Row]]:
    accounts = random_accounts(60, seed)
    return accounts, facts_of(accounts)


def facts_of(accounts: list[Account]) -> list[Row]:
    loaded = load_accounts(accounts)
    return loaded.facts_of(loaded.as_of(AS_OF))


def planted(account: Account) -> dict[str, Account]:
    """The account with something more that is not known as of the date, and cannot be."""
    bills, payments, events = account.bills, account.payments, account.events
    more: dict[str, Account] = {
        "a bill issued tomorrow": replace(account, bills=(*bills, Bill("x", NEXT, 77_777, NEXT))),
        "a past bill recorded tomorrow": replace(
            account, bills=(*bills, Bill("x", PAST, 77_777, PAST, NEXT))
        ),
        "a credit issued tomorrow": replace(account, bills=(*bills, Bill("x", NEXT, -7_777, NEXT))),
        "a payment made tomorrow": replace(account, payments=(*payments, Payment(NEXT, 77_777))),
        "a past payment recorded tomorrow": replace(
            account, payments=(*payments, Payment(PAST, 77_777, recorded_on=NEXT))
        ),
        "a failed payment tomorrow": replace(
            account, payments=(*payments, Payment(NEXT, 77_777, status="failed"))
        ),
        "events tomorrow, and recorded tomorrow": replace(
            account,
            events=(
                *events,
                Event(NEXT, "dispute"),
                Event(PAST, "promise", NEXT, outcome="broken"),
                Event(PAST, "contact", NEXT),
            ),
        ),
        "an account opened tomorrow": replace(
            account, account_id="zz", opened_on=NEXT, closed_on=None, written_off_on=None
        ),
        "closed tomorrow": account,
    }
    opened = account.opened_on is None or account.opened_on <= NEXT
    if opened and account.closed_on is None and account.written_off_on is None:
        more["closed tomorrow"] = replace(account, closed_on=NEXT, written_off_on=NEXT)
    return more


@pytest.mark.parametrize("plant", planted(Account("none")))
def test_what_is_planted_later_changes_nothing(plant: str) -> None:
    accounts, facts = as_they_are(11)
    more = [planted(a)[plant] for a in accounts]
    if plant == "an account opened tomorrow":
        more = [*accounts, more[0]]
    assert more != accounts
    assert facts_of(more) == facts


def _undone(account: Account, on: date, recorded: date | None) -> Account:
    """Every payment with an id is taken back in whole, with all of its parts."""
    paid: Counter[str] = Counter()
    for payment in account.payments:
        if payment.payment_id and payment.reverses is None and payment.status != "refund":
            paid[payment.payment_id] += payment.amount
    taken = tuple(
        Payment(on, amount, f"{payment_id}-late", recorded_on=recorded, reverses=payment_id)
        for payment_id, amount in paid.items()
    )
    return replace(account, payments=(*account.payments, *taken))


def _cancelled(account: Account, on: date) -> Account:
    """Every bill that stands, and could by then be cancelled, is."""
    bills = tuple(
        replace(b, cancelled_on=on) if b.cancelled_on is None and (b.issued_on or on) <= on else b
        for b in account.bills
    )
    return replace(account, bills=bills)


CHANGES: dict[str, tuple[Callable[[Account], Account], bool]] = {
    "reversals tomorrow": (lambda a: _undone(a, NEXT, None), False),
    "past reversals recorded tomorrow": (lambda a: _undone(a, PAST, NEXT), False),
    "cancellations tomorrow": (lambda a: _cancelled(a, NEXT), False),
    "reversals today": (lambda a: _undone(a, AS_OF, None), True),
    "past reversals recorded today": (lambda a: _undone(a, PAST, AS_OF), True),
    "cancellations today": (lambda a: _cancelled(a, AS_OF), True),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_undone_later_stands_until_then(change: str) -> None:
    """And what is undone on the day itself does not: the tests can tell."""
    make, tells = CHANGES[change]
    accounts, facts = as_they_are(12)
    changed = [make(a) for a in accounts]
    assert (facts_of(changed) != facts) is tells


def test_the_order_of_rows_changes_nothing() -> None:
    accounts, facts = as_they_are(12)
    draw = Random(5)  # noqa: S311
    shuffled = [
        replace(
            a,
            bills=tuple(draw.sample(a.bills, len(a.bills))),
            payments=tuple(draw.sample(a.payments, len(a.payments))),
        )
        for a in draw.sample(accounts, len(accounts))
    ]
    assert facts_of(shuffled) == facts
