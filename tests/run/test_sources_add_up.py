"""Ids that meet nothing, accounts with rows set apart, control totals and feeds, in whole runs."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from riskseg.cli import app
from riskseg.domain.problems import Problem, ProblemsError
from riskseg.pipeline.control_totals import Controls, ControlTotalsError
from riskseg.pipeline.stages import Progress
from riskseg.results.runs import Decisions
from riskseg.run.assign import assign
from riskseg.run.check import check
from riskseg.run.explain import explain
from riskseg.workspace.expectations import bounds
from tests.support import small

AS_OF = date(2025, 12, 1)
BILLS = "account_id,bill_id,due_on,amount\na,INV-1,2025-11-01,100\nb,0042,2025-11-01,100\n"


def workspace(root: Path, settings: str = "", **files: str) -> Path:
    """The smallest workspace, without accounts and events; `settings` stand in [workspace]."""
    small.make(root, **{"bills": BILLS, "payments": "account_id,paid_on,amount\n", **files})
    toml = f'[workspace]\nstrategy = "rules/s"\n{settings}\n'
    for table in ("bills", "payments"):
        toml += f'[source.{table}]\nfrom = "data/{table}.csv"\n'
    (root / "riskseg.toml").write_text(toml)
    return root


def expecting(root: Path, text: str) -> None:
    with (root / "riskseg.toml").open("a") as file:
        file.write(f"[source.payments.expect]\n{text}\n")


def assigned(root: Path, as_of: date = AS_OF, **options: Any) -> Decisions:
    at = datetime(2025, 12, 2, tzinfo=UTC)
    return assign(root, as_of, str(root / "d.csv"), at=at, **options)


def refused(root: Path, as_of: date = AS_OF) -> list[Problem]:
    with pytest.raises(ProblemsError) as error:
        assigned(root, as_of)
    return list(error.value.problems)


def paying(bill_id: str, account: str = "a") -> str:
    return f"account_id,paid_on,amount,bill_id\n{account},2025-11-01,100,{bill_id}\n"


@pytest.mark.parametrize(
    ("bill_id", "reason"),
    [
        ("42.0", "without decimals, blanks, letter case and leading zeros"),
        ("0042.0", "without the decimals of a whole number"),
        ('"0042 "', "without blanks around it"),
        ("\u00a00042\u200b", "without blanks around it"),
        ("42", "without leading zeros"),
        ("INV-1", "as a bill of another account"),
        ("00", "as the beginning of a bill's id"),
    ],
)
def test_a_payment_that_names_no_bill_is_a_problem_with_the_likely_reason(
    tmp_path: Path, bill_id: str, reason: str
) -> None:
    (problem,) = refused(workspace(tmp_path / "w", payments=paying(bill_id, "b")))
    assert (problem.code, problem.file) == ("RS112", "riskseg.toml")
    assert f"1 would match {reason}" in problem.what


def test_the_hint_for_ids_can_be_pasted(tmp_path: Path) -> None:
    payments = paying("INV-1.0").replace("bill_id", "Rechnungsnr")
    root = workspace(tmp_path / "w", payments=payments)
    toml = root / "riskseg.toml"
    before = toml.read_text()
    toml.write_text(before + 'bill_id = "Rechnungsnr"\n')
    (problem,) = refused(root)
    toml.write_text(f"{before}{problem.hint.split('`')[1]}\n")
    assert not assigned(root).unmatched


def test_below_the_share_it_is_said_all_the_same(tmp_path: Path) -> None:
    root = workspace(tmp_path / "w", "max_unmatched = 1", payments=paying("inv-1"))
    (said,) = assigned(root).unmatched
    assert "1 of 1 row" in said
    assert "in the other's letter case" in said
    assert said in check(root).notes


def test_whole_floats_are_the_ids_that_they_stand_for(tmp_path: Path) -> None:
    root = workspace(tmp_path / "w")
    toml = (root / "riskseg.toml").read_text().replace(".csv", ".parquet")
    (root / "riskseg.toml").write_text(toml)
    day = date(2025, 11, 1)
    bills = {"account_id": [7, 8], "bill_id": [1, 2], "due_on": [day] * 2, "amount": [100, 100]}
    pq.write_table(pa.table(bills), root / "data/bills.parquet")
    payments = {
        "account_id": [7.0, 8.0],
        "bill_id": [1.0, float("nan")],
        "paid_on": [day] * 2,
        "amount": [100, 30],
    }
    pq.write_table(pa.table(payments), root / "data/payments.parquet")
    done = assigned(root)
    assert done.rows == 2
    assert not done.unmatched
    assert {s.segment: s.overdue for s in done.segments} == {
        "late": Decimal("70.00"),
        "rest": Decimal("0.00"),
    }


def test_an_id_that_is_empty_is_set_apart(tmp_path: Path) -> None:
    files = {"payments": 'account_id,paid_on,amount,payment_id\na,2025-11-01,100," \u00a0"\n'}
    (problem,) = refused(workspace(tmp_path / "w", **files))
    assert problem.code == "RS101"
    assert "payment_id is an empty text" in problem.what


REVERSED = (
    "account_id,paid_on,amount,payment_id,reverses\na,2025-11-01,9,{},\na,2025-11-05,9,R,{}\n"
)


@pytest.mark.parametrize(
    ("payment_id", "reverses", "reported"),
    [
        ("1", "1.0", "without the decimals of a whole number. Map it in [source.payments]: `reve"),
        ("1.0", "1", "without the decimals of a whole number. Map it in [source.payments]: `paym"),
        ("1", '"1 "', "without blanks around it. Map it in [source.payments]: `reverses = "),
        ('" 1"', "1", "without blanks around it. Map it in [source.payments]: `payment_id = "),
        ("X", "x", "in the other's letter case. Map it in [source.payments]: `reverses = \"upp"),
        ("x", "X", "in the other's letter case. Map it in [source.payments]: `reverses = \"low"),
        ("101", "10", "as the beginning of a payment's id. Correct"),
        ("1", "2", ""),
    ],
)
def test_a_reversal_of_no_payment_says_the_likely_spelling(
    tmp_path: Path, payment_id: str, reverses: str, reported: str
) -> None:
    root = workspace(tmp_path / "w", payments=REVERSED.format(payment_id, reverses))
    (problem,) = refused(root)
    assert problem.code == "RS110"
    assert problem.hint.startswith(f"1 would match {reported}" if reported else "Correct the id")
    if "Map it" in reported:
        toml = root / "riskseg.toml"
        toml.write_text(f"{toml.read_text()}{problem.hint.split('`')[1]}\n")
        assigned(root)


def test_an_account_of_no_list_says_the_likely_spelling(tmp_path: Path) -> None:
    accounts = "account_id\na\n\u00a0b\n"
    root = workspace(tmp_path / "w", accounts=accounts)
    with (root / "riskseg.toml").open("a") as file:
        file.write('[source.accounts]\nfrom = "data/accounts.csv"\n')
    (problem,) = refused(root)
    assert problem.code == "RS106"
    assert problem.hint.startswith("1 would match without blanks around it. Map it in [source.acc")


def test_an_account_with_a_row_set_apart_is_marked(tmp_path: Path) -> None:
    rows = "account_id,paid_on,amount\na,2025-11-01,x\nb,2025-11-01,100\n"
    root = workspace(tmp_path / "w", "max_bad_rows = 1", payments=rows)
    tiers = "t:\n  - {tier: late, when: has_quarantined_rows}\n  - {tier: fine, otherwise: true}\n"
    (root / "rules/s/tiers.yaml").write_text(tiers)
    done = assigned(root)
    assert {s.segment: s.accounts for s in done.segments} == {"late": 1, "rest": 1}
    assert done.control_totals is not None
    assert done.control_totals.accounts_set_apart == 1
    assert done.control_totals.rows["payments"].model_dump() == {
        "read": 2,
        "used": 1,
        "set_apart": 1,
    }
    (reported,) = explain(root, "a", AS_OF).set_apart
    assert reported == "data/payments.csv:2: in payments, amount is not an amount of money."
    assert not explain(root, "b", AS_OF).set_apart


@pytest.mark.parametrize(
    ("header", "own", "other"),
    [
        ("curr", "gbp", "JPY"),
        ("ccy", "\u00a3", "\u20ac"),
        ("waers", "GBP ", "EUR"),
        ("Document Currency", "826", "978"),
        ("CurrencyIsoCode", "826.0", "$"),
        ("invoice_currency", "", "XXX"),
    ],
)
def test_another_currency_is_a_bad_row(header: str, own: str, other: str, tmp_path: Path) -> None:
    rows = f"a,2025-11-01,1,{own}\nb,2025-11-01,1,{other}\n"
    files = {"payments": f"account_id,paid_on,amount,{header}\n{rows}"}
    (problem,) = refused(workspace(tmp_path / "w", **files))
    assert (problem.code, problem.line) == ("RS108", 3)


def test_a_sign_that_currencies_share_is_that_of_the_workspace(tmp_path: Path) -> None:
    rows = "account_id,paid_on,amount,ccy\na,2025-11-01,1,$\nb,2025-11-01,1,36\n"
    assert not check(workspace(tmp_path / "w", 'currency = "aud"', payments=rows)).problems


def test_columns_that_nothing_reads_are_reported(tmp_path: Path) -> None:
    root = workspace(tmp_path / "w", bills=BILLS.replace("amount\n", "amount,invoice_date,hue\n"))
    text = (root / "data/bills.csv").read_text().replace(",100\n", ",100,2025-10-01,red\n")
    (root / "data/bills.csv").write_text(text)
    reported = "bills: columns that are not used: invoice_date (did you mean issued_on?), hue."
    assert reported in check(root).notes


PAYMENTS = """account_id,paid_on,amount,payment_id,status,reverses
a,2025-11-01,60.00,1,settled,
a,2025-11-02,x,2,settled,
b,2025-11-01,150.00,3,settled,
b,2025-11-04,20.00,4,refund,
b,2025-11-05,10.00,5,pending,
b,2025-11-05,11.00,6,failed,
b,2025-11-05,30.00,7,settled,
b,2025-11-06,25.00,8,reversed,7
b,2025-12-06,12.00,9,settled,
"""


def test_what_comes_in_is_what_is_made_of_it(tmp_path: Path) -> None:
    root = workspace(tmp_path / "w", "max_bad_rows = 1", payments=PAYMENTS)
    done = assigned(root)
    controls = done.control_totals
    assert controls is not None
    assert controls.money is not None
    amounts = {name: str(amount) for name, amount in controls.money.model_dump().items()}
    assert amounts == {
        "paid_in": "273.00",
        "settled": "240.00",
        "pending": "10.00",
        "failed": "11.00",
        "later": "12.00",
        "no_account": "0.00",
        "set_apart": "0.00",
        "credit_notes": "0.00",
        "taken_back": "25.00",
        "allocated": "160.00",
        "paid_out": "20.00",
        "credit": "35.00",
    }
    assert str(controls.overdue_by_account) == str(controls.overdue_by_segment) == "40.00"
    manifest = json.loads((root / "d.csv.manifest.json").read_text())
    assert manifest["control_totals"]["money"] == amounts


def test_totals_that_do_not_agree_are_our_own_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = workspace(tmp_path / "w")
    add = Controls.add

    def lose(self: Controls, accounts: tuple[int, int]) -> None:
        add(self, accounts)
        self.sums["overdue"] -= 1

    monkeypatch.setattr(Controls, "add", lose)
    with pytest.raises(ControlTotalsError, match=r"199\.99 is not 200\.00"):
        assigned(root)
    assert not (root / "d.csv").exists()


def paid(count: int) -> str:
    rows = "".join(f"a,2025-11-{n + 1:02d},{n + 1}.00\n" for n in range(count))
    return f"account_id,paid_on,amount\n{rows}"


def test_a_feed_that_is_half_missing_stops_the_run(tmp_path: Path) -> None:
    root = workspace(tmp_path / "w", payments=paid(20))
    expecting(root, 'rows = "0.6x..2x"\nsum = "1..1000"\nnewest = "30 days"')
    assigned(root)
    (root / "data/payments.csv").write_text(paid(10))
    (problem,) = refused(root, date(2025, 12, 2))
    assert problem.code == "RS650"
    assert problem.line is not None
    assert "there are 10 rows, where earlier runs had 20" in problem.what
    done = assigned(root, date(2025, 12, 2), accept_feeds=True)
    assert done.accepted_feeds == (problem.what,)


def test_an_accepted_feed_is_not_the_norm_and_a_run_of_the_same_day_is(tmp_path: Path) -> None:
    root, notes = workspace(tmp_path / "w", payments=paid(20)), list[str]()
    expecting(root, 'rows = "0.6x..2x"')
    assigned(root, progress=Progress(note=notes.append))
    assert any("no earlier run had another input" in note for note in notes)
    (root / "data/payments.csv").write_text(paid(10))
    assigned(root, accept_feeds=True)
    (root / "data/payments.csv").write_text(paid(9))
    (problem,) = refused(root, date(2025, 12, 2))
    assert "there are 9 rows, where earlier runs had 20" in problem.what


def test_a_copy_of_a_file_is_a_problem(tmp_path: Path) -> None:
    root = workspace(tmp_path / "w")
    (root / "riskseg.toml").write_text(
        (root / "riskseg.toml").read_text().replace("data/payments.csv", "data/payments*.csv")
    )
    (root / "data/payments (1).csv").write_text("account_id,paid_on,amount\n")
    assigned(root)
    for name in ("payments", "payments (1)"):
        (root / f"data/{name}.csv").write_text(paid(3))
    (problem,) = refused(root)
    assert problem.code == "RS113"
    assert "data/payments (1).csv and data/payments.csv hold the same bytes" in problem.what
    assert problem in check(root).problems


@pytest.mark.parametrize(
    ("expected", "reported"),
    [
        ('newest = "5 days"', "the newest row is of 2025-11-20, 11 days before 2025-12-01"),
        ('rows = "1..19"', "there are 20 rows; 1..19 are expected"),
        ('sum = "211.."', "there are amounts of 210.00; 211.. are expected"),
    ],
)
def test_bounds_hold_without_earlier_runs(tmp_path: Path, expected: str, reported: str) -> None:
    root = workspace(tmp_path / "w", payments=paid(20))
    expecting(root, expected)
    (problem,) = refused(root)
    assert reported in problem.what
    ended = CliRunner().invoke(
        app, ["-w", str(root), "assign", "--as-of", str(AS_OF), "--out", str(root / "e.csv")]
    )
    assert ended.exit_code == 5


@pytest.mark.parametrize(
    ("copies", "reported"),
    [
        (20, "40 of 40 rows stand there more than once, alike in everything but their id."),
        (18, "36 of 38 rows"),
        (7, "14 of 27 rows"),
        (6, "12 of 26 rows"),
        (2, "4 of 22 rows"),
        (1, ""),
    ],
)
@pytest.mark.parametrize("table", ["payments", "bills"])
def test_rows_that_stand_there_twice_are_reported(
    tmp_path: Path, table: str, copies: int, reported: str
) -> None:
    """With ids of their own; past a share of the rows it is a Problem, by chance it is nothing."""
    rows = [f"a,2025-11-{n + 1:02d},{n + 1}.00" for n in range(20)]
    rows = [f"{row},{n}" for n, row in enumerate(rows + rows[:copies])]
    header = {"payments": "paid_on,amount,payment_id", "bills": "due_on,amount,bill_id"}[table]
    files = {table: "\n".join([f"account_id,{header}", *rows, ""])}
    root = workspace(tmp_path / "w", **files)
    if 2 * copies > 13:
        (problem,) = refused(root)
        assert problem.code == "RS111"
        assert f"In {table}, {reported}" in problem.what
        (root / "riskseg.toml").write_text(
            (root / "riskseg.toml").read_text().replace("[workspace]", "[workspace]\nmax_alike = 1")
        )
    notes = list[str]()
    assigned(root, progress=Progress(note=notes.append))
    found = [note for note in notes if note.startswith(f"In {table}")]
    assert [note for note in check(root).notes if note in found] == found
    assert (bool(found), reported in "".join(found)) == (bool(reported), True)


@pytest.mark.parametrize(
    "text", ["many", "2x..1x", "0.5x..", "..", "5..4", "1.000..50.000", "..1,000"]
)
def test_what_is_no_bounds_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="it"):
        bounds(text)


def test_ids_of_any_type_that_meet_nothing_are_counted(tmp_path: Path) -> None:
    """Whole numbers, as databases and pandas have them."""
    day = date(2025, 6, 1)
    bills = {"account_id": [1, 2], "bill_id": [11, 12], "due_on": [day] * 2, "amount": [40.0, 50.0]}
    payments = {
        "account_id": [1, 2],
        "bill_id": [99, 12],
        "paid_on": [day] * 2,
        "amount": [4.0] * 2,
    }
    pq.write_table(pa.table(bills), tmp_path / "bills.parquet")
    pq.write_table(pa.table(payments), tmp_path / "payments.parquet")
    (tmp_path / "riskseg.toml").write_text(
        '[source.bills]\nfrom = "bills.parquet"\n[source.payments]\nfrom = "payments.parquet"\n'
    )
    found = check(tmp_path)
    assert any("1 of 2 rows that name a bill" in problem.what for problem in found.problems)


def test_an_amount_that_is_no_number_is_a_bad_row(tmp_path: Path) -> None:
    """NaN too, which a Parquet file's statistics say nothing of; and what only the engine reads."""
    day = date(2025, 6, 1)
    for name, amounts in {
        "nan": [math.nan, 1.0],
        "words": ["1_000", "1"],
        "truth": [True, None],
    }.items():
        bills = {"account_id": ["1", "2"], "bill_id": ["1", "2"], "due_on": [day] * 2}
        pq.write_table(pa.table({**bills, "amount": amounts}), tmp_path / "bills.parquet")
        (tmp_path / "riskseg.toml").write_text('[source.bills]\nfrom = "bills.parquet"\n')
        codes = [
            problem.code for problem in check(tmp_path).problems if "amount is not" in problem.what
        ]
        assert codes == ["RS102"], name


@pytest.mark.parametrize("partitions", [1, 3])
def test_accounts_of_a_party_are_counted_once(tmp_path: Path, partitions: int) -> None:
    """Facts of a party look at its other accounts: in another partition, or not yet opened."""
    small.make(
        tmp_path,
        accounts="account_id,party_id,opened_on\na,p,2025-01-01\nb,p,2025-01-01\nc,p,2026-01-01\n",
        bills="account_id,bill_id,due_on,amount\na,1,2025-11-01,100\nb,2,2025-11-01,50\n"
        "c,3,2025-11-01,10\n",
        payments="account_id,paid_on,amount\na,2025-11-01,10\nb,2025-11-01,20\nc,2025-11-01,5\n",
    )
    tiers = tmp_path / "rules" / "s" / "tiers.yaml"
    tiers.write_text(tiers.read_text().replace("balance_overdue", "party_balance_overdue"))
    with (tmp_path / "riskseg.toml").open("a") as toml:
        toml.write(f"[engine]\npartitions = {partitions}\n")
    controls = assigned(tmp_path).control_totals
    assert controls is not None and controls.money is not None
    assert controls.overdue_by_account == controls.overdue_by_segment == Decimal(120)
    assert controls.money.allocated == controls.money.settled == Decimal(30)
    assert controls.money.no_account == Decimal(5)
