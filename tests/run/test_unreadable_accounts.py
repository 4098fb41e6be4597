"""Accounts of which a row cannot be read: decided, marked, and counted alike by every command."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from riskseg.run.ageing import ageing
from riskseg.run.assign import assign
from riskseg.run.explain import explain
from tests.support import small

AS_OF = date(2025, 12, 1)
BILLS = """account_id,bill_id,due_on,amount
a,1,2025-11-01,100
b,2,2025-11-01,100
"""
PAYMENTS = "account_id,paid_on,amount\na,2025-11-02,30\n"
TIERS = """t:
  - {tier: marked, when: has_quarantined_rows}
  - {tier: fine, otherwise: true}
"""
SEGMENTS = """columns: [t]
rows:
  - {id: m, match: [marked], segment: late}
  - {id: r, match: [any], segment: rest}
"""
SCORES = '[source.accounts.columns.score]\nkind = "number"\n'


@dataclass(frozen=True)
class Case:
    """The files of a workspace, what `explain` says of the bad row of account a, and what a owes
    as of the date."""

    files: dict[str, str]
    reported: str
    overdue: str = "70.00"
    settings: str = ""
    as_of: date = AS_OF


CASES = {
    "a date that is none": Case(
        {"accounts": "account_id,opened_on\na,2024-02-31\nb,2024-01-01\n"},
        "data/accounts.csv:2: in accounts, opened_on is not a date.",
    ),
    "an infinite attribute": Case(
        {"accounts": "account_id,score\na,inf\nb,0.5\n"},
        "data/accounts.csv:2: in accounts, score is infinite.",
        settings=SCORES,
    ),
    "closed before it was opened": Case(
        {"accounts": "account_id,opened_on,closed_on\na,2024-02-01,2024-01-01\nb,,\n"},
        "data/accounts.csv:2: in accounts, closed_on is before opened_on.",
    ),
    "a day from which a row holds that is none": Case(
        {"accounts": "account_id,valid_from\na,soon\nb,2024-01-01\n"},
        "data/accounts.csv:2: in accounts, valid_from is not a date.",
    ),
    "the only bill, of accounts that are not listed": Case(
        {"accounts": "", "bills": BILLS.replace("01,100\nb", "01,x\nb"), "payments": ""},
        "data/bills.csv:2: in bills, amount is not an amount of money.",
        overdue="0.00",
    ),
    "the only bill, of which nobody knows the day": Case(
        {"accounts": "", "bills": BILLS.replace("2025-11-01,100\nb", "x,100\nb"), "payments": ""},
        "data/bills.csv:2: in bills, due_on is not a date.",
        overdue="0.00",
        as_of=date(2025, 11, 1),
    ),
    "the only payment, of accounts that are not listed": Case(
        {
            "accounts": "",
            "bills": BILLS.replace("a,1,", "c,1,"),
            "payments": PAYMENTS.replace("30", "x"),
        },
        "data/payments.csv:2: in payments, amount is not an amount of money.",
        overdue="0.00",
    ),
}


def workspace(root: Path, case: Case) -> Path:
    files = {"accounts": "account_id\na\nb\n", "bills": BILLS, "payments": PAYMENTS, **case.files}
    small.make(root, **files)
    toml = '[workspace]\nstrategy = "rules/s"\nmax_bad_rows = 1\nmax_unmatched = 1\n'
    for table, text in files.items():
        if text:
            toml += f'[source.{table}]\nfrom = "data/{table}.csv"\n'
    (root / "riskseg.toml").write_text(toml + case.settings)
    (root / "rules/s/tiers.yaml").write_text(TIERS)
    (root / "rules/s/segments.yaml").write_text(SEGMENTS)
    return root


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_an_account_with_a_bad_row_is_decided_and_marked(tmp_path: Path, case: Case) -> None:
    root = workspace(tmp_path / "w", case)
    at = datetime(2025, 12, 2, tzinfo=UTC)
    done = assign(root, case.as_of, str(root / "d.csv"), at=at)
    marked = {segment.segment: segment for segment in done.segments}["late"]
    assert (marked.accounts, marked.overdue) == (1, Decimal(case.overdue))
    controls = done.control_totals
    assert controls is not None
    assert controls.accounts_set_apart == 1
    assert controls.money is not None
    assert controls.money.no_account == 0
    aged = ageing(root, case.as_of, here=root).total
    assert (aged.accounts, aged.overdue) == (done.rows, controls.overdue_by_segment)
    reported = explain(root, "a", case.as_of)
    assert reported.set_apart == (case.reported,)
    assert reported.facts["has_quarantined_rows"] is True


@pytest.mark.parametrize(
    ("rows", "hues"),
    [
        # From the day of the bad row on, what it should say is unknown, until another row holds.
        (
            "a,2025-01-01,red\na,2025-02-01,x\na,2025-03-01,blue\n",
            {"2025-01-31": "red", "2025-02-01": None, "2025-03-01": "blue"},
        ),
        # A second row of the same day says nothing that the first does not.
        ("a,2025-01-01,red\na,2025-01-01,blue\n", {"2025-01-31": "red"}),
        # A row of no day counts where no other does.
        ("a,2025-02-01,red\na,soon,blue\n", {"2025-01-31": None, "2025-02-01": "red"}),
        ("a,2025-02-01,red\na,9999-01-01,blue\n", {"2025-01-31": None, "2025-02-01": "red"}),
    ],
)
def test_what_a_bad_row_of_a_day_should_say_is_unknown(
    tmp_path: Path, rows: str, hues: dict[str, str | None]
) -> None:
    expected = {"red": "1", "blue": "2"}
    header = "account_id,valid_from,hue\n"
    numbers = rows.replace("red", "1").replace("blue", "2")
    settings = '[source.accounts.columns.hue]\nkind = "integer"\n'
    bills = "account_id,bill_id,due_on,amount\na,1,2025-01-01,100\n"
    case = Case({"accounts": header + numbers, "bills": bills}, "", settings=settings)
    root = workspace(tmp_path / "w", case)
    (root / "rules/s/tiers.yaml").write_text(TIERS.replace("has_q", "hue is null and has_q"))
    for day, hue in hues.items():
        fact = explain(root, "a", date.fromisoformat(day)).facts["hue"]
        assert fact == (None if hue is None else int(expected[hue])), day
