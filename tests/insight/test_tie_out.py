"""Tying out: each cause of a difference is named by the row that makes it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from riskseg.domain.problems import ProblemsError
from riskseg.results.ageing import Ageing
from riskseg.run.ageing import ageing
from riskseg.store.sinks import InMemory

D = date(2025, 6, 30)
BILLS = """\
account_id,bill_id,due_on,issued_on,amount,cancelled_on,recorded_on
agrees,b1,2025-05-31,2025-05-01,100.00,,
cancelled,b2,2025-05-31,2025-05-01,100.00,,
cancelled,b3,2025-05-31,2025-05-01,33.00,2025-06-01,
later,b4,2025-05-31,2025-05-01,100.00,,
recorded,b5,2025-05-31,2025-05-01,100.00,,
recorded,b6,2025-06-11,2025-06-01,44.00,,2025-07-03
failed,b7,2025-05-31,2025-05-01,100.00,,
reversed,b8,2025-05-31,2025-05-01,100.00,,
credit,b9,2025-05-31,2025-05-01,100.00,,
twice,b10,2025-05-31,2025-05-01,55.00,,
twice,b11,2025-05-31,2025-05-01,55.00,,
no-payment,b12,2025-05-31,2025-05-01,100.00,,
no-bill,b13,2025-05-31,2025-05-01,100.00,,
no-bill,b14,2025-06-15,2025-05-01,61.00,,
overdue-only,b15,2025-05-31,2025-05-01,100.00,,
overdue-only,b16,2025-07-15,2025-06-29,62.00,,
two-later,b17,2025-05-31,2025-05-01,100.00,,
absent,b18,2025-05-31,2025-05-01,100.00,,
puzzle,b19,2025-05-31,2025-05-01,100.00,,
bad-row,b20,2025-05-31,2025-05-01,100.00,,
disputed,b21,2025-05-31,2025-05-01,100.00,,
refunded,b22,2025-05-31,2025-05-01,100.00,,
won-back,b23,2025-05-31,2025-05-01,100.00,,
"""
PAYMENTS = """\
account_id,payment_id,paid_on,amount,status,reverses
later,p1,2025-07-02,70.00,,
failed,p2,2025-06-01,40.00,failed,
reversed,p3,2025-06-01,45.00,,
reversed,p4,2025-06-05,45.00,,p3
credit,p5,2025-06-01,130.00,,
no-payment,p6,2025-06-01,37.00,,
two-later,p7,2025-07-01,10.00,,
two-later,p8,2025-07-02,15.00,,
bad-row,p9,2025-06-31,25.00,,
refunded,p10,2025-06-01,130.00,,
refunded,p11,2025-06-20,30.00,refund,
won-back,p12,2025-06-01,45.00,,
won-back,p13,2025-06-05,45.00,,p12
won-back,p14,2025-06-09,45.00,,p13
"""
# The source's balance of each account, and the cause and the row that are to be found.
CASES = {
    "agrees": ("100.00", None, None),
    "cancelled": ("133.00", "cancelled", "b3"),
    "later": ("30.00", "later", "p1"),
    "recorded": ("144.00", "recorded_later", "b6"),
    "failed": ("60.00", "not_settled", "p2"),
    "reversed": ("55.00", "taken_back", "p4"),
    "credit": ("0.00", "credit", None),
    "twice": ("55.00", "duplicate", "b11"),
    "no-payment": ("100.00", "payment_missing", "p6"),
    "no-bill": ("100.00", "bill_missing", "b14"),
    "overdue-only": ("100.00", "not_due", None),
    "two-later": ("75.00", "later", "2 rows"),
    "puzzle": ("98.76", "not_explained", None),
    "bad-row": ("75.00", "quarantined", "row 9"),
    "disputed": ("0.00", "disputed", None),
    "refunded": ("-30.00", "refund", "p11"),
    "won-back": ("100.00", "taken_back", "p14"),
    "stranger": ("12.00", "unknown", None),
}
ABSENT = ("absent", "absent", None)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "bills.csv").write_text(BILLS)
    (tmp_path / "payments.csv").write_text(PAYMENTS)
    (tmp_path / "events.csv").write_text(
        "account_id,happened_on,kind,bill_id\ndisputed,2025-06-10,dispute,b21\n"
    )
    accounts = [line.split(",")[0] for line in BILLS.splitlines()[1:]]
    balances = {account: CASES.get(account, ("",))[0] for account in dict.fromkeys(accounts)}
    (tmp_path / "accounts.csv").write_text(
        "account_id,books\n" + "".join(f"{a},{b}\n" for a, b in balances.items())
    )
    (tmp_path / "balances.csv").write_text(
        "account_id,balance\n" + "".join(f"{a},{c[0]}\n" for a, c in CASES.items())
    )
    (tmp_path / "riskseg.toml").write_text(
        "[workspace]\nmax_bad_rows = 0.2\n"
        + "".join(
            f'[source.{table}]\nfrom = "{table}.csv"\n'
            for table in ("accounts", "bills", "payments", "events")
        )
    )
    return tmp_path


def tied(workspace: Path, against: str, **options: object) -> Ageing:
    return ageing(workspace, D, tie_to=against, here=workspace, **options)  # type: ignore[arg-type]


def test_each_cause_is_named_by_its_row(workspace: Path) -> None:
    done = tied(workspace, "balances.csv", target=InMemory())
    tie = done.tie
    assert tie is not None and done.accounts is not None
    found = {row.account_id: (row.cause, row.row) for row in tie.largest}
    expected = {a: (cause, row) for a, (_, cause, row) in CASES.items() if cause}
    assert found == expected | {"absent": ("absent", None)}
    assert (tie.compared, tie.agree, tie.differ) == (19, 1, 18)
    assert (tie.absent, tie.unknown, tie.explained) == (1, 1, 17)
    # The differences add up, to the penny, whichever way they are added.
    differences = {row.account_id: row.difference for row in tie.largest}
    assert sum(differences.values()) == tie.difference == tie.source - tie.balance
    assert sum(cause.difference for cause in tie.causes) == tie.difference
    assert tie.balance == done.total.balance
    rows = done.accounts.to_arrow().to_pylist()
    assert {r["account_id"]: r["difference"] for r in rows if r["difference"]} == {
        account: difference for account, difference in differences.items()
    }
    assert sum(row["balance"] for row in rows) == done.total.balance
    assert str(done.ledger.difference) == "0.00"
    assert done.quarantined == {"payments": 1}


def test_ids_in_another_spelling_are_reported_and_zeros_on_one_side_do_not_agree(
    workspace: Path,
) -> None:
    (workspace / "other.csv").write_text("account_id,balance\nAGREES,100.00\nnobody,0.00\n")
    tie = tied(workspace, "other.csv").tie
    assert tie is not None
    assert (tie.agree, tie.unknown) == (0, 1)
    assert any("AGREES" in n and "in the other's letter case" in n for n in tie.notes)


def test_a_column_of_accounts_is_compared(workspace: Path) -> None:
    """As it stands: an account whose column is empty is not compared, and both are said."""
    done = tied(workspace, "Books")
    assert done.tie is not None
    assert (done.tie.compared, done.tie.agree) == (17, 1)
    notes = " ".join(done.tie.notes)
    assert "1 account has no balance in Books" in notes and "not as it was on 2025-06-30" in notes


def test_buckets_of_the_source_are_compared(workspace: Path) -> None:
    (workspace / "aged.csv").write_text(
        "account_id,balance,current,d1_30\nagrees,100.00,0,100.00\noverdue-only,162,70,92\n"
    )
    tie = tied(workspace, "aged.csv").tie
    assert tie is not None
    assert [(b.bucket, b.amount, b.source, b.accounts) for b in tie.buckets] == [
        ("current", Decimal("62.00"), Decimal("70.00"), 1),
        ("1-30", Decimal("200.00"), Decimal("192.00"), 1),
    ]


@pytest.mark.parametrize(
    ("against", "text", "code", "message"),
    [
        ("nosuch.csv", None, "RS006", "There is no file"),
        ("book", None, "RS501", 'no attribute "book"'),
        ("f.csv", "", "RS109", "empty"),
        ("f.csv", "account_id,saldo\na,1\n", "RS007", 'no column "balance"'),
        ("f.csv", "account_id,balance\n", "RS109", "no balance in f.csv: nothing can be compared"),
        ("f.csv", "account_id,balance\na,\n", "RS109", "no balance in f.csv"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(
    workspace: Path, against: str, text: str | None, code: str, message: str
) -> None:
    if text is not None:
        (workspace / against).write_text(text)
    with pytest.raises(ProblemsError) as refused:
        tied(workspace, against)
    (problem,) = refused.value.problems
    assert problem.code == code and message in problem.what
    assert problem.hint


def test_every_kind_of_bad_row_of_a_file_is_reported_together(workspace: Path) -> None:
    (workspace / "f.csv").write_text("account_id,balance\na,1.005\nb,x\nc,1\nc,2\n,3\n")
    with pytest.raises(ProblemsError) as refused:
        tied(workspace, "f.csv")
    reported = {problem.code: problem.what for problem in refused.value.problems}
    assert reported == {
        "RS101": "account_id is null (1 row, the first is row 5 after the header).",
        "RS102": "balance is not an amount of money (1 row, the first is row 2 after the header).",
        "RS103": "balance has more than 2 decimals (1 row, the first is row 1 after the header).",
        "RS104": "account_id occurs twice (2 rows, the first is row 3 after the header).",
    }


def test_without_bills_it_is_refused(workspace: Path) -> None:
    (workspace / "riskseg.toml").write_text('[source.accounts]\nfrom = "accounts.csv"\n')
    with pytest.raises(ProblemsError, match="Ageing needs bills"):
        ageing(workspace, D, here=workspace)


def test_an_attribute_that_is_not_there_is_refused(workspace: Path) -> None:
    with pytest.raises(ProblemsError, match=r'no attribute "bookz".*books'):
        ageing(workspace, D, by="bookz", here=workspace)
