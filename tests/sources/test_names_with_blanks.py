"""Lines of riskseg.toml over columns whose names have blanks and signs, and values that an
expression cannot convert."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from riskseg.run.check import check
from riskseg.run.init import init
from riskseg.sources.mapping_lines import meant, with_quotes

BILLS = """\
Inv No,Cust Ref,Pay By,Gross (GBP)
i1,007,15/03/2026,10.00
i2,007,31/02/2026,20.00
i3,008,16/03/2026,30.00
"""
DUE = """'''strptime("Pay By", '%d/%m/%Y')'''"""


def workspace(root: Path, *, due: str = DUE, bills: str = BILLS, share: str = "0.5") -> Path:
    init(root)
    (root / "riskseg.toml").write_text(f"""\
[workspace]
max_bad_rows = {share}
[engine]
threads = 1
[source.bills]
from       = "bills.csv"
account_id = "Cust Ref"
bill_id    = "inv no"
due_on     = {due}
amount     = "Gross (GBP)"
[source.payments]
from       = "payments.csv"
""")
    (root / "bills.csv").write_text(bills)
    (root / "payments.csv").write_text("account_id,paid_on,amount\n")
    return root


def test_a_name_to_the_letter_is_the_column(tmp_path: Path) -> None:
    found = check(workspace(tmp_path / "w", bills=BILLS.replace("31/02", "28/02")))
    assert not found.problems and found.rows["bills"] == 3
    assert found.last_day == date(2026, 3, 16)


@pytest.mark.parametrize(
    ("text", "headers", "expression"),
    [
        ("Cust Ref", ["Cust Ref"], '"Cust Ref"'),
        ("cust ref", ["Cust Ref"], '"Cust Ref"'),
        ("Gross (GBP)", ["Gross (GBP)"], '"Gross (GBP)"'),
        ("net-vat", ["net-vat"], '"net-vat"'),
        ("net-vat", ["net-vat", "net", "vat"], "net-vat"),  # an expression that works stays one
        ("amount", ["amount"], "amount"),
    ],
)
def test_what_a_line_means(text: str, headers: list[str], expression: str) -> None:
    assert meant(text, headers)[0] == expression


@pytest.mark.parametrize(
    ("text", "corrected"),
    [
        ("strptime(Pay By, '%d/%m/%Y')", """strptime("Pay By", '%d/%m/%Y')"""),
        ("strptime(pay by, '%d/%m/%Y')", """strptime("Pay By", '%d/%m/%Y')"""),
        ("Pay By is 'Pay By'", ""),
        ("strptime(Due, '%d/%m/%Y'", ""),
    ],
)
def test_the_hint_is_the_line_in_quotes(text: str, corrected: str) -> None:
    hint = with_quotes(text, ["Pay By", "Inv No"])
    assert hint.partition("'''")[2].removesuffix("'''.") == corrected


def test_a_value_that_cannot_be_converted_is_a_fault_of_its_row(tmp_path: Path) -> None:
    root = workspace(tmp_path / "w")
    found = check(root)
    (problem,) = found.problems
    assert (problem.code, problem.file, problem.line) == ("RS102", "bills.csv", 3)
    assert '"31/02/2026 (cannot be converted)"' in problem.what
    assert found.bad == {"bills": 1} and found.rows["bills"] == 3


@pytest.mark.parametrize(
    ("due", "bad"),
    [
        # Of another form: no row is taken for a date that it is not.
        ("""'''strptime("Pay By", '%Y-%m-%d')'''""", 3),
        ("""'''cast("Pay By" as date)'''""", 3),
        ("""'''strptime("Pay By", '%m/%d/%Y')'''""", 3),
    ],
)
def test_a_wrong_form_is_no_date(tmp_path: Path, due: str, bad: int) -> None:
    found = check(workspace(tmp_path / "w", due=due, share="1"))
    assert found.bad == {"bills": bad}
    assert {problem.code for problem in found.problems} == {"RS102"}


def test_an_iso_day_in_a_column_of_another_form_is_not_taken(tmp_path: Path) -> None:
    bills = BILLS.replace("31/02/2026", "2026-03-04")
    (problem,) = check(workspace(tmp_path / "w", bills=bills)).problems
    assert '"2026-03-04 (cannot be converted)"' in problem.what
