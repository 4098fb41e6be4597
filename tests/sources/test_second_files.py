"""`init --from` on folders with a second file of bills or payments, one row for each account."""

from __future__ import annotations

import random
import sqlite3
import tomllib
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from riskseg.run.match import Matching, Question, match
from riskseg.workspace.undecided import undecided
from tests.sources.test_matching import FILES, perturbed

BILLS = """\
cust_no,inv_no,inv_date,due_date,inv_amount
C1,I1,2026-01-01,2026-01-31,10.00
C1,I2,2026-02-01,2026-02-28,20.00
C2,I3,2026-02-01,2026-02-28,30.50
"""
PAYMENTS = """\
cust_no,inv_no,payment_date,amount
C1,I1,2026-02-03,10.00
C1,I2,2026-03-03,20.00
C2,I3,2026-03-01,30.50
"""
PEOPLE = """\
cust_no,opened,credit_limit,last_payment_date,balance,name
C1,2020-01-01,100.00,2026-01-01,5.50,A
C2,2021-01-01,100.00,2026-01-02,7.50,B
"""


def matched(folder: Path, files: Mapping[str, str]) -> Matching:
    exports = folder / "exports"
    exports.mkdir(parents=True)
    for name, text in files.items():
        (exports / name).write_text(text, encoding="utf-8")
    return match(folder, str(exports))


def read(matching: Matching) -> dict[str, Any]:
    """What is read without a decision of a person."""
    return {
        table: source.get("from") if isinstance(source, dict) else source
        for table, source in tomllib.loads(matching.toml).get("source", {}).items()
    }


def header_and(*lines: str, of: str) -> str:
    return "\n".join([of.splitlines()[0], *lines]) + "\n"


MORE_PAYMENTS = header_and("C1,I9,2025-03-03,1.00", "C2,I8,2025-03-01,3.50", of=PAYMENTS)
MORE_BILLS = header_and(
    "C1,J1,2025-01-01,2025-01-31,10.00", "C2,J3,2025-02-01,2025-02-28,3.50", of=BILLS
)
BANK = "customer,booking_date,value\nC1,2025-03-01,4.00\nC2,2025-03-02,4.50\n"


@pytest.mark.parametrize(
    ("more", "expected", "written"),
    [
        # Of one shape: read together, once a person says so.
        (
            {"cash_old.csv": MORE_PAYMENTS},
            {"bills": "exports/invoices.csv", "payments": None},
            '# ? from       = "exports/cash*.csv"',
        ),
        (
            {"old.csv": MORE_BILLS},
            {"bills": None, "payments": "exports/cash.csv"},
            "all_varchar = true) union all by name select * from read_csv('exports/old.csv'",
        ),
        # Of another shape: a person says which is meant.
        (
            {"bank.csv": BANK},
            {"bills": "exports/invoices.csv", "payments": None},
            "exports/cash.csv and exports/bank.csv are all like payments",
        ),
        # A copy adds nothing.
        (
            {"cash (2).csv": PAYMENTS.replace("C1,I1,2026-02-03,10.00\n", "")},
            {"bills": "exports/invoices.csv", "payments": "exports/cash.csv"},
            "# Not read: exports/cash (2).csv: all its rows are in exports/cash.csv.",
        ),
        # Days and amounts of which nothing is known may be those of payments.
        (
            {"zq.csv": "cust_no,wann,was\nC1,2026-01-01,1.50\nC2,2026-01-02,2.50\n"},
            {"bills": "exports/invoices.csv", "payments": "exports/cash.csv"},
            "# ? [source.accounts]",
        ),
        # A list of accounts has days and amounts of its own.
        (
            {"people.csv": PEOPLE},
            {
                "accounts": "exports/people.csv",
                "bills": "exports/invoices.csv",
                "payments": "exports/cash.csv",
            },
            "opened_on",
        ),
    ],
)
def test_a_second_file_is_never_taken_as_the_list_of_accounts(
    more: Mapping[str, str], expected: Mapping[str, str | None], written: str, tmp_path: Path
) -> None:
    matching = matched(tmp_path, {"invoices.csv": BILLS, "cash.csv": PAYMENTS, **more})
    assert read(matching) == expected
    assert written in matching.toml


def test_tables_of_one_shape_in_a_database_are_put_together_by_a_select(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'erp.db'}"
    with closing(sqlite3.connect(tmp_path / "erp.db")) as erp:
        for name, text in (("invoices", BILLS), ("invoices_2025", MORE_BILLS), ("cash", PAYMENTS)):
            header, *lines = text.splitlines()
            erp.execute(f"create table {name} ({header})")
            marks = ",".join("?" * len(header.split(",")))
            erp.executemany(
                f"insert into {name} values ({marks})", [line.split(",") for line in lines]
            )
        erp.commit()
    matching = match(tmp_path, database)
    assert read(matching) == {"url": database, "bills": None, "payments": "cash"}
    assert "select * from invoices union all select * from invoices_2025" in matching.toml


def test_bills_and_payments_of_files_of_one_shape_are_both_asked_about(tmp_path: Path) -> None:
    header = "account,bill_no,due_date,bill_amount,paid_date,amount_paid\n"
    rows = "{0},1,2026-01-31,5.50,2026-02-01,5.50\n{0},2,2026-02-28,6.50,,\n"
    files = {f"{name}.csv": header + rows.format(name) for name in ("north", "south")}
    assert read(matched(tmp_path, files)) == {"bills": None, "payments": None}


def test_at_a_terminal_a_person_is_asked_which_file_is_meant(tmp_path: Path) -> None:
    files = {"invoices.csv": BILLS, "cash.csv": PAYMENTS, "cash_old.csv": MORE_PAYMENTS}
    matched(tmp_path, files)
    for number, expected in enumerate(("exports/cash*.csv", "exports/cash.csv")):

        def ask(question: Question, number: int = number) -> str | None:
            return question.options[number] if question.column == "from" else None

        matching = match(tmp_path, str(tmp_path / "exports"), ask=ask)
        assert read(matching)["payments"] == expected


VALUES = {
    "i": lambda luck, row: f"K{row}{luck.randrange(10**6)}",
    "d": lambda luck, row: f"2026-0{row % 9 + 1}-{luck.randrange(10, 28)}",
    "m": lambda luck, row: f"{luck.randrange(1, 900)}.{luck.randrange(1, 10)}5",
    "w": lambda luck, row: luck.choice(("alpha", "beta", "gamma")),
}


def second_file(luck: random.Random) -> str:
    """A file of bills or payments with one row for each account and faults in its names."""
    columns = luck.choice([*FILES["bills"], *FILES["payments"]])
    headers, cells = [], []
    for name, look, column in columns:
        # The id of the account is well named: else nothing would be taken as their list.
        faulty = column != "account_id" and luck.random() < 0.5
        headers.append(perturbed(name, luck) if faulty else name)
        is_account = column == "account_id"
        cells.append([f"C{row}" if is_account else VALUES[look](luck, row) for row in range(1, 13)])
    return "\n".join(",".join(row) for row in [headers, *zip(*cells, strict=True)]) + "\n"


def wrong(seed: int, folder: Path) -> list[str]:
    luck = random.Random(seed)  # noqa: S311 - of names, nothing secret
    rows = range(1, 25)
    bills = header_and(
        *(f"C{n % 12 + 1},I{n},2026-01-01,2026-01-31,{n}.50" for n in rows), of=BILLS
    )
    files = {"a.csv": bills, "b.csv": second_file(luck)}
    if luck.random() < 0.5:
        paid = (f"C{n % 12 + 1},I{n},2026-02-{n + 2:02},{n}.50" for n in rows)
        files["c.csv"] = header_and(*paid, of=PAYMENTS)
    sources = read(matched(folder / str(seed), files))
    return [] if sources.get("accounts") is None else [f"{seed}: {files['b.csv'].splitlines()[0]}"]


def test_a_second_file_with_faulty_names_is_asked_about(tmp_path: Path) -> None:
    assert [fault for seed in range(6) for fault in wrong(seed, tmp_path)] == []


@pytest.mark.slow
def test_hundreds_of_second_files_with_faulty_names_are_asked_about(tmp_path: Path) -> None:
    assert [fault for seed in range(6, 200) for fault in wrong(seed, tmp_path)] == []


def test_without_bills_it_is_said_why_no_file_is_the_list_of_accounts(tmp_path: Path) -> None:
    several = matched(tmp_path / "1", {"x.csv": "cust_no,inv,score\nC1,1,7\nC1,1,8\n"}).toml
    assert '"cust_no" is called as ids of accounts are, and one of its values is in' in several
    payments = matched(tmp_path / "2", {"x.csv": MORE_PAYMENTS})
    assert read(payments) == {}
    assert [(point.table, point.column) for point in undecided(payments.toml)][1:] == [
        ("accounts", None)
    ]


def test_a_name_that_a_file_has_twice_is_reported_of(tmp_path: Path) -> None:
    files = {"invoices.csv": BILLS, "cash.csv": PAYMENTS.replace("inv_no", "Cust_No")}
    matching = matched(tmp_path, files)
    assert read(matching) == {"bills": "exports/invoices.csv"}
    assert 'columns with the same name: "cust_no" and "Cust_No"' in matching.not_read[0]
