"""What a segment owes in all and paid in the last year, against sums over the rows."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from riskseg.domain.problems import ProblemsError
from riskseg.pipeline.asked import Asked
from riskseg.results.insights.sizes import SegmentSizes
from riskseg.run.insight import insight
from tests.support import account_file, treated

DAY = date(2026, 3, 1)
YEAR_BEFORE = date(2025, 3, 1)
# Each with what comes of it in the year: in it, before it, taken back, and not known yet.
PAYMENTS: list[tuple[date, int, str | None]] = [
    (date(2026, 2, 1), 30, None),
    (YEAR_BEFORE, 7, None),
    (date(2025, 3, 2), 11, None),
    (date(2025, 9, 1), 5, None),
    (date(2025, 10, 1), -5, "p3"),
    (date(2026, 3, 2), 13, None),
]


def sizes(root: Path) -> SegmentSizes:
    answer = insight(root, "size", Asked(DAY)).answer
    assert isinstance(answer, SegmentSizes)
    return answer


def workspace(root: Path) -> Path:
    accounts, bills, payments = [], [], list[dict[str, Any]]()
    for number in range(25):
        account = f"a{number}"
        segment = "gentle" if number < 12 else "firm" if number < 14 else "late"
        accounts.append({"account_id": account, "treatment": segment})
        bills += [
            {"account_id": account, "bill_id": "old", "due_on": "2025-01-20", "amount": 100},
            {"account_id": account, "bill_id": "new", "due_on": "2026-02-20", "amount": number},
        ]
        payments += [
            {"account_id": account, "payment_id": f"p{place}", "paid_on": day, "amount": amount}
            | {"reverses": reverses}
            for place, (day, amount, reverses) in enumerate(PAYMENTS)
        ]
    return treated.write(
        root,
        paths={
            name: {"steps": [{"day": 1, "action": "sms"}]} for name in ("gentle", "firm", "late")
        },
        rows={"accounts": accounts, "bills": bills, "payments": payments},
    )


def test_what_is_owed_and_paid_is_that_of_the_rows(tmp_path: Path) -> None:
    answer = sizes(workspace(tmp_path / "w"))
    by_segment = {size.segment: size for size in answer.segments}
    known = [amount for day, amount, _ in PAYMENTS if day <= DAY]
    gentle = by_segment["gentle"]
    assert gentle.balance == sum(Decimal(100 + n) - sum(known) for n in range(12))
    in_the_year = sum(a for day, a, _ in PAYMENTS if YEAR_BEFORE < day <= DAY)
    assert gentle.paid == 12 * in_the_year == 12 * (30 + 11 + 5 - 5)
    assert gentle.share_of_paid == Decimal("0.48")
    # What a segment of few accounts owes is shown, and what it paid is not.
    firm = by_segment["firm"]
    assert firm.balance == sum(Decimal(100 + n) - sum(known) for n in (12, 13))
    assert (firm.paid, firm.share_of_paid) == (None, None)
    # Nor that of the next smallest: all that was paid, less this, would say it.
    late = by_segment["late"]
    assert (late.accounts, late.paid, late.share_of_paid) == (11, None, None)
    assert {*answer.suppressed} == {"firm", "late"}
    assert '"gentle" paid most in the last year: 48%' in answer.words()


def test_without_bills_nobody_knows(tmp_path: Path) -> None:
    strategy = {
        "tiers.yaml": "kind:\n  - {tier: hit, when: score > 5, unknown: skip}\n"
        "  - {tier: miss, otherwise: true}\n",
        "segments.yaml": "columns: [kind]\nrows:\n  - {id: hit, match: [hit], segment: hit}\n"
        "  - {id: miss, match: [any], segment: miss}\n",
    }
    root = tmp_path / "w"
    root.mkdir()
    account_file.write(root, "id,score\na,1\nb,9\n", strategy, types={"score": "integer"})
    answer = insight(root, "size", Asked(account_file.DAY)).answer
    assert isinstance(answer, SegmentSizes) and answer.accounts == 2
    assert answer.words() == (
        '"hit" is the largest, with 50% of the accounts. What accounts owe is worked out from '
        "bills, and there are none."
    )
    with pytest.raises(ProblemsError, match=r"RS640 .* by design"):
        insight(root, "arrears", Asked(account_file.DAY))
    for size in answer.segments:
        assert (size.balance, size.paid, size.share_of_paid) == (None, None, None)
