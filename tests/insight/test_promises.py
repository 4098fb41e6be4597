"""What came of promises and plans, against plain Python over the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from riskseg.insight.plans import PLANS
from riskseg.insight.portfolio_tables.arranged import since
from riskseg.insight.promises import PROMISES
from riskseg.ledger.promises import SETTLED
from riskseg.pipeline.asked import Asked
from riskseg.report.segments.charts.plans import arrears_on_plan
from riskseg.results.insights.arrangements import Arrangements
from riskseg.results.insights.plans import ArrearsOnPlan, PlansKept
from riskseg.results.insights.promises import PromisesKept
from riskseg.results.insights.report import SegmentReport
from riskseg.run.assign import assign
from riskseg.run.insight import insight
from tests.insight.of_ledger import portfolio
from tests.ledger.facts import Account, Bill, Event, Instalment
from tests.ledger.loading import LACKING, as_reported, load_accounts
from tests.ledger.random_accounts import random_accounts
from tests.ledger.slow_allocation import allocate, left_of_payments
from tests.ledger.slow_payments import known
from tests.ledger.slow_plans import PLAN_GRACE, plans_of
from tests.ledger.slow_promises import promises_of
from tests.ledger.test_promises import GRACE, on, random_account
from tests.support import treated
from tests.support.small_numbers import FEW, not_shown

Row = tuple[str, date, str, int, int, bool]


def promised(account: Account, as_of: date) -> list[Row]:
    """Account, day, outcome, amount, what was paid and whether its time is over of each promise,
    those of one `ref` once."""
    events = [e for e in account.events if known(e.happened_on, e.recorded_on, as_of)]
    found: list[Row] = []
    refs: set[str] = set()
    for promise in promises_of(account, as_of, GRACE):
        event = promise.event
        if event.ref in refs:
            continue
        refs |= {event.ref} if event.ref else set()
        reported = [
            (e.happened_on, e.outcome)
            for e in events
            if e.outcome in SETTLED and e.ref is not None and e.ref == event.ref
        ]
        last_day = promise.until + timedelta(days=GRACE)
        if event.outcome in SETTLED:
            outcome = str(event.outcome)
        elif reported:
            outcome = str(max(reported)[1])
        elif promise.kept_on is not None and promise.kept_on <= last_day:
            outcome = "kept"
        elif as_of <= last_day:
            outcome = "open"
        else:
            outcome = "partly_kept" if promise.amount_in_time else "broken"
        paid = min(promise.amount_in_time, promise.amount)
        row = account.account_id, event.happened_on, outcome, promise.amount, paid
        found.append((*row, last_day < as_of))
    return found


def planned(account: Account, as_of: date) -> list[Row]:
    found: list[Row] = []
    for plan in plans_of(account, as_of, left_of_payments(account, as_of)):
        amount = sum(instalment for _, instalment in plan.instalments)
        before = plan.changed_on if plan.state == "broken" and plan.changed_on else date.max
        paid = min(sum(left for day, left in plan.towards if day < before), amount)
        reported = [
            (e.happened_on, e.outcome)
            for e in account.events
            if e.kind == "plan"
            and e.ref == plan.plan_id
            and e.outcome in ("kept", "cancelled", "ended")
            and known(e.happened_on, e.recorded_on, as_of)
        ]
        outcome = {
            "running": "open",
            "kept": "kept",
            "over": "kept" if reported and min(reported)[1] == "kept" else "ended",
            "broken": "partly_kept" if paid else "broken",
        }[plan.state]
        is_over = plan.until + timedelta(days=PLAN_GRACE) < as_of
        found.append((account.account_id, plan.start, outcome, amount, paid, is_over))
    return found


def is_over(row: Row) -> bool:
    return row[5] and row[2] in ("kept", "partly_kept", "broken")


def check(groups: Sequence[Arrangements], rows: Sequence[Row]) -> None:
    """Every month against the rows that were made in it."""
    months = {row[1].strftime("%Y-%m") for row in rows}
    all_, over_ = (
        {month: {r[0] for r in own if r[1].strftime("%Y-%m") == month} for month in months}
        for own in (rows, [row for row in rows if is_over(row)])
    )
    few_of_all = not_shown({month: len(names) for month, names in all_.items()})
    few_over = few_of_all | not_shown({month: len(names) for month, names in over_.items()})
    assert [group.group for group in groups] == sorted(months, reverse=True)
    for group in groups:
        own = [row for row in rows if row[1].strftime("%Y-%m") == group.group]
        counts = Counter(row[2] for row in own)
        names = ("open", "kept", "partly_kept", "broken", "ended")
        over = [row for row in own if is_over(row)]
        few = group.group in few_of_all
        assert [getattr(group, n) for n in names] == [None if few else counts[n] for n in names]
        assert (group.made, group.over) == (len(own), None if few else len(over))
        if group.group in few_over or not over:
            assert (group.share_kept, group.amount, group.share_paid) == (None, None, None)
            continue
        amount = sum(row[3] for row in over)
        paid = sum(row[4] for row in over)
        kept = sum(row[2] == "kept" for row in over)
        assert group.share_kept == round(Decimal(kept) / len(over), 6)
        assert group.amount == Decimal(amount) / 100
        assert group.share_paid == round(Decimal(paid) / amount, 6)
        assert group.low is not None and group.low <= group.share_kept


@pytest.mark.parametrize("day", [20, 48])
def test_promises_are_those_of_the_reference(day: int) -> None:
    draws = ((Random(f"insight/{n}"), f"{n:04d}") for n in range(120))  # noqa: S311
    accounts = [random_account(draw, account_id) for draw, account_id in draws]
    subject = portfolio(load_accounts(accounts), on(day), PROMISES.needs, partitions=2)
    answer = PROMISES.answer(subject)
    rows = [row for account in accounts for row in promised(account, on(day))]
    check(answer.months, rows)
    (segment,) = answer.segments
    assert (segment.group, segment.made) == ("not decided before", len(rows))


@pytest.mark.parametrize(("day", "lacking"), [(40, "everything"), (300, "reversed")])
def test_plans_are_those_of_the_reference(day: int, lacking: str) -> None:
    as_of = date(2024, 1, 1) + timedelta(days=day)
    reported = [as_reported(account, LACKING[lacking]) for account in random_accounts(60, seed=3)]
    loaded = load_accounts(reported, without=LACKING[lacking])
    answer = PLANS.answer(portfolio(loaded, as_of, PLANS.needs))
    made = [row for account in reported for row in planned(account, as_of)]
    check(answer.months, [row for row in made if row[1] >= since(as_of)])
    arrears_from = loaded.ledger.money.arrears_from
    for row in answer.days:
        # Plans decide what is overdue, and not which bill a payment pays.
        overdue = sum(allocate(account, row.day, arrears_from).overdue for account in reported)
        without = sum(
            allocate(replace(account, instalments=()), row.day, arrears_from).overdue
            for account in reported
        )
        assert row.arrears == Decimal(without) / 100
        on_plan = None if row.on_plan is None else Decimal(without - overdue) / 100
        assert row.on_plan == on_plan
        assert (row.on_plan is None) is (row.share is None) is (row.accounts is None)


def test_arrears_on_a_plan_by_segment() -> None:
    """Fourteen accounts owe 100 on a plan, and 30 that fell due later. One more has no plan, nor do
    the twelve of another segment, which would say what that one has."""
    agreed, as_of = date(2025, 1, 5), date(2025, 1, 31)
    bills = Bill("1", date(2025, 1, 1), 10000), Bill("2", date(2025, 1, 20), 3000)
    plan = (Instalment("x", date(2025, 6, 1), 10000, agreed),)
    accounts = [Account(f"{n}", bills, instalments=plan) for n in range(14)]
    others = [Account(f"other {n}", bills) for n in range(12)]
    loaded = load_accounts([*accounts, *others, Account("alone", bills)])
    loaded.engine.run(f"""
        create temp table decided_days as
        select d.day, account_id,
            case when account_id = 'alone' then 'few'
                when account_id like 'other%' then 'more' else 'many' end as segment
        from account_ids
        cross join (values (date '{agreed}'), (date '{as_of}')) d(day)
    """)
    answer = PLANS.answer(portfolio(loaded, as_of, PLANS.needs))
    share = round(Decimal(100) / 130, 6)
    assert [tuple(dict(row).values()) for row in answer.arrears] == [
        ("many", 1820, 1400, 14, share, share, share),
        ("more", 1560, None, None, None, None, None),
        ("few", 130, None, None, None, None, None),
    ]
    assert [(r.day, r.arrears, r.on_plan) for r in answer.days][:1] == [(as_of, 3510, 1400)]


def test_the_chart_leaves_days_of_few_accounts_on_a_plan_out() -> None:
    share = Decimal("0.25")
    known = {"on_plan": 25, "accounts": 12, "share": share, "low": share, "high": share}
    days = [
        ArrearsOnPlan(day=date(2025, 3, 1) + timedelta(days=n), arrears=Decimal(100), **columns)
        for n, columns in enumerate([known, {}, known])
    ]
    answer = PlansKept.model_construct(days=tuple(days), total=None, segments=())
    assert "fewer than 10 accounts on a plan: 2025-03-02." in answer.words()
    drawn = arrears_on_plan(answer, SegmentReport.model_construct())
    assert drawn is not None and drawn.count("<circle") == 2
    assert [figure for figure, _ in answer.key_figures()] == ["25.0%"]


def test_a_promise_counts_for_the_segment_before_it_was_made(tmp_path: Path) -> None:
    """Two promises each: on the day of the first run, and after it."""
    first = date(2026, 3, 1)
    accounts = {"a": "gentle", "b": "gentle", "c": "firm"}
    rows = {
        "accounts": [
            {"account_id": account, "valid_from": "2026-02-01", "treatment": segment}
            for account, segment in accounts.items()
        ],
        "bills": [
            {"account_id": account, "bill_id": "1", "due_on": "2026-02-10", "amount": 100}
            for account in accounts
        ],
        "events": [
            {
                "account_id": account,
                "happened_on": day,
                "kind": "promise",
                "channel": channel,
                "amount": 40,
                "until": "2026-03-05",
            }
            for account in accounts
            for day, channel in ((first, "phone"), ("2026-03-02", "web"))
        ],
        "payments": [{"account_id": "a", "payment_id": "p", "paid_on": "2026-03-03", "amount": 60}],
    }
    paths = {name: {"steps": [{"day": 1, "action": "sms"}]} for name in ("gentle", "firm")}
    root = treated.write(tmp_path / "w", paths=paths, rows=rows)
    assign(root, first, str(root / "d.parquet"), at=treated.AT)
    answer = insight(root, "promises", Asked(date(2026, 3, 20))).answer
    assert isinstance(answer, PromisesKept)
    found = {g.group: (g.made, g.kept, g.share_kept) for g in answer.segments}
    assert found == {
        "not decided before": (3, None, None),
        "gentle": (2, None, None),
        "firm": (1, None, None),
    }
    assert {g.group: g.made for g in answer.channels} == {"phone": 3, "web": 3}
    assert f"Not shown{FEW}not decided before, gentle" in answer.words()


def test_what_was_said_last_of_a_promise_counts_and_only_the_last_twelve_months_do() -> None:
    def promise(made: date, ref: str, *reported: tuple[date, str]) -> list[Event]:
        events = [Event(made, "promise", amount=100, until=made, ref=ref)]
        return events + [Event(day, "promise", outcome=word, ref=ref) for day, word in reported]

    events = [
        *promise(date(2025, 1, 31), "old"),
        *promise(date(2025, 2, 1), "a", (date(2025, 2, 2), "kept"), (date(2025, 2, 9), "broken")),
        *promise(date(2025, 3, 1), "b", (date(2025, 3, 2), "broken"), (date(2025, 3, 9), "kept")),
    ]
    bill = Bill("1", date(2025, 1, 1), 10000)
    loaded = load_accounts([Account(f"{n}", (bill,), events=tuple(events)) for n in range(10)])
    answer = PROMISES.answer(portfolio(loaded, date(2026, 1, 15), PROMISES.needs))
    assert [(m.group, m.made, m.kept, m.broken) for m in answer.months] == [
        ("2025-03", 10, 10, 0),
        ("2025-02", 10, 0, 10),
    ]


def test_without_promises_it_says_so(tmp_path: Path) -> None:
    rows = {"bills": [{"account_id": "a", "bill_id": "1", "due_on": "2026-02-10", "amount": 100}]}
    rows["accounts"] = [{"account_id": "a"}]
    root = treated.write(tmp_path / "w", paths={}, rows=rows)
    for name in ("promise", "plan"):
        answer = insight(root, f"{name}s", Asked(date(2026, 3, 20))).answer
        assert f"No {name} of the last 12 months is known." in answer.words()
