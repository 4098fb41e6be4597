"""Cure rates and vintages, against plain Python over the ledger."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import cache

import pyarrow as pa
import pytest

from riskseg.insight.arrears import ARREARS
from riskseg.insight.cures import CURES, HORIZONS
from riskseg.insight.intervals import observed_share
from riskseg.insight.portfolio_tables.arranged import since
from riskseg.insight.vintages import HORIZONS as EPISODE_HORIZONS
from riskseg.insight.vintages import VINTAGES
from riskseg.pipeline.asked import month_ends
from riskseg.report.segments.charts.cures import cured_by_segment
from riskseg.report.segments.charts.vintages import episodes_by_month, unpaid_by_month
from riskseg.results.insights.report import SegmentReport
from tests.insight.of_ledger import portfolio
from tests.ledger.facts import Account, Bill, Instalment, Payment
from tests.ledger.loading import LACKING, Loaded, as_reported, load_accounts
from tests.ledger.random_accounts import random_accounts
from tests.ledger.slow_allocation import allocate
from tests.treatment.test_episodes import spans

ARREARS_FROM = 500
REPORT = SegmentReport.model_construct(currency="GBP", scale=2)
DAY = timedelta(days=1)
AS_OF = date(2025, 2, 10)


@cache
def ledger() -> tuple[Loaded, tuple[Account, ...]]:
    """Random accounts, some that are long in arrears and agree a plan in December, and one that
    pays thirty days after 10 December."""
    accounts = [
        as_reported(account, LACKING["everything"]) for account in random_accounts(90, seed=8)
    ]
    agreed = Instalment("x", date(2025, 6, 1), 10000, date(2024, 12, 20))
    bill = Bill("1", date(2024, 11, 1), 10000)
    accounts += [Account(str(n), (bill,), instalments=(agreed,)) for n in range(10000, 10012)]
    accounts += [Account("10020", (bill,), (Payment(date(2025, 1, 9), 10000, "p"),))]
    return load_accounts(accounts), tuple(accounts)


def month_of(day: date) -> date:
    """The last day of its month."""
    return (day.replace(day=28) + 4 * DAY).replace(day=1) - DAY


def segment_of(account: Account) -> str:
    return "small" if account.account_id.endswith("7") else f"s{int(account.account_id) % 2}"


@pytest.mark.parametrize(
    ("as_of", "days"),
    [
        (date(2024, 2, 12), (date(2024, 1, 9), date(2024, 1, 12))),
        (AS_OF, (date(2024, 1, 20), date(2024, 11, 10), date(2024, 12, 10), date(2025, 1, 20))),
    ],
)
def test_cures_are_those_of_the_episodes(as_of: date, days: Sequence[date]) -> None:
    loaded, accounts = ledger()
    rows = []
    expected: dict[tuple[str, int], list[tuple[str, str]]] = defaultdict(list)
    for account in accounts:
        now = spans(account, allocate(account, as_of, ARREARS_FROM), as_of)
        for day in days:
            then = allocate(account, day, ARREARS_FROM).bills
            late = max((b.days_past_due for b in then if b.cleared_on is None), default=0)
            rows.append((day, account.account_id, account.account_id, segment_of(account), late))
            for within in HORIZONS:
                last = day + within * DAY
                if late > 0 and last <= as_of:
                    key = segment_of(account), within
                    expected[key].append((account.account_id, state(now, day, last)))
    names = ("day", "account_id", "party_id", "segment", "days_past_due")
    decided = {n: list(column) for n, column in zip(names, zip(*rows, strict=True), strict=True)}
    loaded.engine.register("decided", pa.table(decided))
    loaded.engine.run("create or replace temp table decided_days as select * from decided")
    answer = CURES.answer(portfolio(loaded, as_of, CURES.needs, partitions=2))
    outcomes = {key: [outcome for _, outcome in rows] for key, rows in expected.items()}
    few = {key for key, rows in expected.items() if len({account for account, _ in rows}) < 10}
    assert {(r.segment, r.within): (r.accounts, r.cured, r.on_plan) for r in answer.segments} == {
        key: (len(states), None, None)
        if key in few
        else (len(states), states.count("cured"), states.count("on plan"))
        for key, states in outcomes.items()
    }
    assert ("on plan" in {s for states in outcomes.values() for s in states}) == (as_of == AS_OF)
    for row in answer.segments:
        if (row.segment, row.within) in few or row.cured is None:
            assert (row.share_cured, row.low, row.share_on_plan) == (None, None, None)
        else:
            assert row.share_cured == round(Decimal(row.cured) / row.accounts, 6)
    assert "Not shown, with fewer than 10 accounts: small." in answer.words()
    drawn = cured_by_segment(answer, REPORT)
    assert drawn is not None and "small</text>" not in drawn
    shown = [row for row in answer.segments if row.share_cured is not None]
    assert drawn.count(" days: ") == len(shown) > 1


def state(now: Iterable[tuple[object, ...]], day: date, last: date) -> str:
    """What became by the last day of an account that was in arrears on a day."""
    for started, ended, by_plan in now:
        assert isinstance(started, date) and (ended is None or isinstance(ended, date))
        if started <= day and (ended is None or day < ended):
            if ended is None or ended > last:
                return "in arrears"
            return "on plan" if by_plan else "cured"
    return "cured"


def test_bills_of_a_month_are_as_they_were_known_then() -> None:
    loaded, accounts = ledger()
    answer = VINTAGES.answer(portfolio(loaded, AS_OF, VINTAGES.needs, partitions=2))
    months = [day for day in month_ends(AS_OF, 13) if day >= date(2024, 1, 31)]
    expected = {}
    for day in months:
        for account in accounts:
            for bill in allocate(account, day, ARREARS_FROM).bills:
                if bill.issued_on >= months[0].replace(day=1):
                    key = month_of(bill.issued_on), day
                    billed, unpaid = expected.get(key, (0, 0))
                    expected[key] = (billed + bill.paid + bill.unpaid, unpaid + bill.unpaid)
    found = {(row.month, row.months_after): row for row in answer.billed}
    assert len(found) == len(answer.billed) == len(expected)
    for (month, day), (billed, unpaid) in expected.items():
        row = found[month, (day.year - month.year) * 12 + day.month - month.month]
        assert row.billed == Decimal(billed) / 100
        assert row.unpaid == (None if row.accounts < 10 else Decimal(unpaid) / 100)
    known = [row for row in answer.billed if row.share is not None]
    assert len(known) > 20
    assert all(row.share == round((row.unpaid or 0) / row.billed, 6) for row in known if row.billed)


def test_episodes_of_a_month_are_counted_once_their_days_are_over() -> None:
    loaded, accounts = ledger()
    answer = VINTAGES.answer(portfolio(loaded, AS_OF, VINTAGES.needs))
    expected: dict[tuple[date, int], list[str]] = defaultdict(list)
    those: dict[tuple[date, int], set[str]] = defaultdict(set)
    for account in accounts:
        now = spans(account, allocate(account, AS_OF, ARREARS_FROM), AS_OF)
        for started, _, _ in now:
            assert isinstance(started, date)
            for after in EPISODE_HORIZONS:
                if started >= since(AS_OF) and month_of(started) + after * DAY <= AS_OF:
                    key = month_of(started), after
                    expected[key].append(state(now, started, started + after * DAY))
                    those[key].add(account.account_id)
    assert {(r.month, r.days_after): (r.episodes, r.cured, r.on_plan) for r in answer.episodes} == {
        key: (len(states), states.count("cured"), states.count("on plan"))
        if len(those[key]) >= 10
        else (len(states), None, None)
        for key, states in expected.items()
    }
    assert max(month + after * DAY for month, after in expected) <= AS_OF


def test_every_month_with_more_than_a_point_has_a_curve() -> None:
    loaded, _ = ledger()
    answer = VINTAGES.answer(portfolio(loaded, AS_OF, VINTAGES.needs))
    billed = [(r.month, r.share) for r in answer.billed if r.months_after]
    began = [(r.month, r.share) for r in answer.episodes]
    for draw, points in ((unpaid_by_month, billed), (episodes_by_month, began)):
        counts = Counter(month for month, share in points if share is not None)
        drawn = draw(answer, REPORT)
        assert drawn is not None
        assert drawn.count("<circle") == sum(n for n in counts.values() if n > 1) > 1


def test_a_vintage_by_hand() -> None:
    """Ten accounts are billed 100 on 10 January, due on the 20th: three pay in February, and one of
    them only 40."""
    accounts = [
        Account(
            f"{number}",
            (Bill("1", date(2025, 1, 20), 10000, issued_on=date(2025, 1, 10)),),
            tuple(
                Payment(date(2025, 2, 5), 4000 if number == 2 else 10000, f"p{number}")
                for _ in range(number < 3)
            ),
        )
        for number in range(10)
    ]
    answer = VINTAGES.answer(portfolio(load_accounts(accounts), date(2025, 4, 30), VINTAGES.needs))
    assert [(r.months_after, r.billed, r.unpaid, r.share) for r in answer.billed] == [
        (0, 1000, 1000, 1),
        (1, 1000, 760, Decimal("0.76")),
        (2, 1000, 760, Decimal("0.76")),
        (3, 1000, 760, Decimal("0.76")),
    ]
    assert [
        (r.days_after, r.episodes, r.cured, r.share, r.arrears, r.share_of_arrears)
        for r in answer.episodes
    ] == [(days, 10, 2, Decimal("0.8"), 1000, Decimal("0.8")) for days in (30, 60)]
    assert "Of what was billed in 2025-01, 76.0% was unpaid 3 months later." in answer.words()


def test_a_history_of_some_days_has_no_vintage() -> None:
    bill = Bill("1", date(2025, 1, 20), 10000, issued_on=date(2025, 1, 10))
    loaded, as_of = load_accounts([Account("1", (bill,))]), date(2025, 1, 25)
    answer = VINTAGES.answer(portfolio(loaded, as_of, VINTAGES.needs))
    assert (answer.billed, answer.episodes) == ((), ())
    assert answer.words() == "The history is too short: no month is over for long enough."
    arrears = ARREARS.answer(portfolio(loaded, as_of, ARREARS.needs))
    assert {row.day for row in arrears.days} == {as_of} and not arrears.months
    assert arrears.words() == (
        "On 2025-01-25, 100.0% of what was owed was past due, 0.0% by more than 90 days."
    )


@pytest.mark.parametrize(("part", "low", "high"), [(0, 0, 0.3085), (10, 0.6915, 1)])
def test_what_was_never_seen_is_not_impossible(part: int, low: float, high: float) -> None:
    """The exact interval of none, or all, of ten: Clopper and Pearson have 30.85%."""
    found = observed_share(10, part, 10, part, part, 10)
    assert (float(found.low), float(found.high)) == pytest.approx((low, high), abs=1e-4)
