"""`init --from`: small folders of our own, and the riskseg.toml that comes of each."""

from __future__ import annotations

import sqlite3
import tomllib
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from riskseg.domain.problems import Problems, ProblemsError
from riskseg.run.check import check
from riskseg.run.init import init
from riskseg.run.match import Matching, Question, match
from riskseg.sources.matching.forms import is_total
from riskseg.workspace import open_workspace
from riskseg.workspace.undecided import undecided

BILLS = """\
cust_no,inv_no,inv_date,due_date,inv_amount
C1,I1,2026-01-01,2026-01-31,10.00
C1,I2,2026-02-01,2026-02-28,20.00
C2,I3,2026-02-01,2026-02-28,30.50
"""
PAYMENTS = """\
cust_no,inv_no,payment_date,amount
C1,I1,2026-02-03,10.00
C2,I3,2026-03-01,30.50
"""


def written(folder: Path, files: Mapping[str, str], **how: Any) -> Matching:
    """What is proposed for a workspace in `folder` from files below it."""
    (folder / "exports").mkdir()
    for name, text in files.items():
        (folder / "exports" / name).write_text(text, encoding="utf-8")
    return match(folder, str(folder / "exports"), **how)


def sources(matching: Matching) -> dict[str, Any]:
    """The [source] of the riskseg.toml: what holds without a decision."""
    return dict(tomllib.loads(matching.toml).get("source", {}))


def open_points(matching: Matching) -> list[tuple[str, str | None]]:
    return [(point.table, point.column) for point in undecided(matching.toml)]


def test_bills_and_payments_are_found_and_mapped(tmp_path: Path) -> None:
    matching = written(tmp_path, {"invoices.csv": BILLS, "cash.csv": PAYMENTS})
    assert sources(matching) == {
        "bills": {
            "from": "exports/invoices.csv",
            "account_id": "cust_no",
            "bill_id": "inv_no",
            "due_on": "due_date",
            "amount": "inv_amount",
            "issued_on": "inv_date",
        },
        "payments": {
            "from": "exports/cash.csv",
            "account_id": "cust_no",
            "bill_id": "inv_no",
            "paid_on": "payment_date",
        },
    }
    assert open_points(matching) == [("workspace", "currency")]
    assert matching.strategy == "household-utility"


def test_the_files_of_several_months_are_one_table(tmp_path: Path) -> None:
    files = {f"bills-2026-0{month}.csv": BILLS.replace("I", f"M{month}") for month in (1, 2)}
    assert sources(written(tmp_path, files))["bills"]["from"] == "exports/bills-*-*.csv"


@pytest.mark.parametrize(
    ("written_so", "expected"), [("\u20ac", "EUR"), ("978", "EUR"), ("SEK", "SEK"), ("$", None)]
)
def test_the_currency_is_that_of_a_column(
    written_so: str, expected: str | None, tmp_path: Path
) -> None:
    header, *lines = BILLS.splitlines()
    text = "\n".join([f"{header},Invoice Currency", *(f"{line},{written_so}" for line in lines)])
    toml = tomllib.loads(written(tmp_path, {"invoices.csv": text + "\n"}).toml)
    assert toml["workspace"].get("currency") == expected


@pytest.mark.parametrize(
    ("amount", "expected"),
    [("amount_usd", "USD"), ("Amount (EUR)", "EUR"), ("inv_amount", None), ("net_amount", None)],
)
def test_the_currency_is_part_of_the_name_of_the_amount(
    amount: str, expected: str | None, tmp_path: Path
) -> None:
    text = BILLS.replace("inv_amount", amount)
    toml = tomllib.loads(written(tmp_path, {"invoices.csv": text}).toml)
    assert toml["workspace"].get("currency") == expected


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ('[source.bills]\n# ? from = "b.csv"', "proposed it on line 3 and was not sure"),
        ('# ? [source.bills]\n# ? from = "b.csv"', "proposed it on line 2 and was not sure"),
        ("[source.bills]\n", "Add `from = "),
        ("", "Add a [source.bills]"),
    ],
)
def test_a_source_that_is_not_decided_is_pointed_at(table: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "riskseg.toml").write_text(f"[workspace]\n{table}\n")
    problems = Problems()
    assert open_workspace(tmp_path, problems) is None
    (found,) = problems
    assert found.code == "RS005" and says in (found.hint or "")


def test_a_bill_without_an_id_gets_one_that_is_unique(tmp_path: Path) -> None:
    text = (
        "customer,period_end,due,total\nA,2026-01-31,2026-02-14,5.10\nA,2026-02-28,2026-03-14,6\n"
    )
    bills = sources(written(tmp_path, {"bills.csv": text}))["bills"]
    assert bills["bill_id"] == "concat_ws('-', customer, period_end)"


def test_a_sheet_with_the_day_of_payment_gives_bills_and_payments(tmp_path: Path) -> None:
    text = "account,bill_no,due_date,bill_amount,paid_date\nA,1,2026-01-31,5.00,2026-02-01\n"
    text += "A,2,2026-02-28,6.50,\n"
    found = sources(written(tmp_path, {"ledger.csv": text}))
    assert found["payments"]["paid_on"] == "paid_date"
    assert "amount" not in found["payments"]  # nothing says how much was paid
    assert (
        "where paid_date is not null and trim(cast(paid_date as varchar)) <> ''"
        in found["payments"]["from"]
    )


@pytest.mark.parametrize(
    ("headers", "values", "expected", "open_columns"),
    [
        ("Paid Date;Amount Paid", "2025-10-20;50.00", '"Amount Paid"', []),
        ("Paid Date;Paid", "2025-10-20;50.00", "Paid", []),
        ("Paid", "50.00", "Paid", ["paid_on"]),
        ("Paid Date;Paid so far here", "2025-10-20;50.00", None, ["amount"]),
        ("Paid Date;Region", "2025-10-20;5", None, ["amount"]),
    ],
)
def test_what_was_paid_is_used_or_asked_about(
    headers: str, values: str, expected: str | None, open_columns: list[str], tmp_path: Path
) -> None:
    text = f"Customer;Invoice No;Due Date;Amount;{headers}\nK1;1;2025-10-15;200.00;{values}\n"
    matching = written(tmp_path, {"invoices.csv": text + f"K2;2;2025-10-16;300.00;{values}\n"})
    payments = sources(matching)["payments"]
    assert payments.get("amount") == expected
    assert [name for table, name in open_points(matching) if table == "payments"] == open_columns
    # The name alone would take the whole as paid before it is decided.
    assert ("exclude (Amount)" in payments["from"]) is ("amount" in open_columns)


@pytest.mark.parametrize(
    ("header", "expected"),
    [("booking_date", "booking_date"), ("Buchungsdatum", "Buchungsdatum"), ("zq", None)],
)
def test_a_file_called_payments_is_read_whatever_its_day_is_called(
    header: str, expected: str | None, tmp_path: Path
) -> None:
    files = {"invoices.csv": BILLS, "payments.csv": PAYMENTS.replace("payment_date", header)}
    matching = written(tmp_path, files)
    assert sources(matching)["payments"].get("paid_on") == expected
    assert (("payments", "paid_on") in open_points(matching)) is (expected is None)


def test_bills_without_payments_are_reported_of(tmp_path: Path) -> None:
    matching = written(tmp_path, {"invoices.csv": BILLS, "zq.csv": "a,b\n1.5,x\n"})
    assert [line.partition(":")[0] for line in matching.not_read] == ["exports/zq.csv", "payments"]


def test_decimal_commas_are_read_as_they_are_written(tmp_path: Path) -> None:
    text = "account;bill_no;due_date;Gross Amount\nA;1;2026-01-31;185,33\nA;2;2026-02-28;1.234,50\n"
    bills = sources(written(tmp_path, {"bills.csv": text}))["bills"]
    assert bills["amount"] == """replace(replace("Gross Amount", '.', ''), ',', '.')"""


def test_a_day_that_may_be_a_month_is_asked_about(tmp_path: Path) -> None:
    text = "account,bill_no,due_date,amount\nA,1,03/04/2026,5.00\nA,2,05/06/2026,6.00\n"
    assert ("bills", "due_on") in open_points(written(tmp_path, {"bills.csv": text}))


def test_a_day_of_issue_after_the_day_due_is_asked_about(tmp_path: Path) -> None:
    text = BILLS.replace("2026-01-01", "2026-03-01").replace("2026-02-01", "2026-03-05")
    assert ("bills", "issued_on") in open_points(written(tmp_path, {"bills.csv": text}))


def test_payments_that_meet_no_bill_are_not_said_to_name_them(tmp_path: Path) -> None:
    files = {"invoices.csv": BILLS, "cash.csv": PAYMENTS.replace("I", "X")}
    assert ("payments", "bill_id") in open_points(written(tmp_path, files))


def test_what_events_mean_is_for_a_person_to_say(tmp_path: Path) -> None:
    events = "account,event_date,action\nA,2026-02-20,Promise made\nA,2026-02-21,Zq\n"
    matching = written(tmp_path, {"invoices.csv": BILLS, "actions.csv": events})
    assert "events" not in sources(matching)
    assert ("events", None) in open_points(matching)
    assert "when 'Promise made' then 'promise' when 'Zq' then '?'" in matching.toml


def test_an_account_file_alone_is_one(tmp_path: Path) -> None:
    text = "id,age,defaulted\n1,30,0\n2,40,1\n3,50,0\n"
    matching = written(tmp_path, {"people.csv": text})
    assert matching.strategy == "account-file"
    assert sources(matching)["accounts"] == {
        "from": "exports/people.csv",
        "account_id": "id",
        "outcome": "defaulted",
        "columns": {"age": {"kind": "number"}, "outcome": {"kind": "integer"}},
    }


def test_days_counted_from_an_unknown_day_are_asked_about(tmp_path: Path) -> None:
    rows = ["loan_id,number,days_instalment,days_payment,amt_instalment,amt_payment"]
    rows += [f"{n % 3},{n},{-400 + n},{-395 + n},10.50,10.50" for n in range(12)]
    files = {"instalments.csv": "\n".join(rows) + "\n"}
    matching = written(tmp_path, files)
    assert {("bills", "from"), ("payments", "from")} <= {*open_points(matching)}

    def ask(question: Question) -> str | None:
        return "2026-06-30" if question.column is None else None

    answered = match(tmp_path, str(tmp_path / "exports"), ask=ask)
    assert "date '2026-06-30' + cast(max(days_instalment)" in sources(answered)["bills"]["from"]
    assert "date '2026-06-30'" in sources(answered)["payments"]["from"]


def test_an_answer_becomes_a_line(tmp_path: Path) -> None:
    text = BILLS.replace("inv_amount", "zq").replace("inv_date", "posting_date")
    asked: list[Question] = []

    def ask(question: Question) -> str | None:
        asked.append(question)
        return question.options[0] if question.options else None

    bills = sources(written(tmp_path, {"invoices.csv": text}, ask=ask))["bills"]
    assert [(question.column, question.options) for question in asked] == [("amount", ("zq",))]
    assert bills["amount"] == "zq"


def test_a_layout_is_recognised_by_its_files(tmp_path: Path) -> None:
    from tests.layouts.extracts import EXTRACTS

    files = {f"{name}.csv": text for name, text in EXTRACTS["sap-fica"].files.items()}
    matching = written(tmp_path, files)
    assert matching.layout == "sap-fica"
    assert sources(matching) == {"layout": "sap-fica", "folder": "exports"}


@pytest.mark.parametrize("name", ["quickbooks", "xero", "invoice-sheet"])
def test_a_report_is_recognised_by_its_columns_whatever_its_name(name: str, tmp_path: Path) -> None:
    from tests.layouts.extracts import EXTRACTS

    [text] = EXTRACTS[name].files.values()
    matching = written(tmp_path, {"export (3).csv": text})
    if name != "invoice-sheet":  # of which names and values alone tell what it is
        assert matching.layout == name
    assert "bills" in sources(matching)


def test_what_is_not_there_or_holds_nothing_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for place, says in (("nowhere", "does not exist"), ("empty", "holds no file of data")):
        with pytest.raises(ProblemsError, match=says):
            match(tmp_path, str(tmp_path / place))


def test_files_without_rows_are_reported_of(tmp_path: Path) -> None:
    files = {"invoices.csv": BILLS, "payments.csv": PAYMENTS.splitlines()[0] + "\n"}
    assert "# Not read: exports/payments.csv: it has no rows." in written(tmp_path, files).toml
    (tmp_path / "exports" / "zero.csv").touch()
    assert "zero.csv: The file is empty." in match(tmp_path, str(tmp_path / "exports")).toml
    with pytest.raises(ProblemsError, match="The file is empty"):
        match(tmp_path, str(tmp_path / "exports" / "zero.csv"))


def test_a_file_that_is_not_read_as_it_is_stops_nothing(tmp_path: Path) -> None:
    titled = "Export of the year\n\n" + BILLS
    files = {"invoices.csv": titled, "notes.txt": "Hello, all\nof this, is, text\nonly\n"}
    written(tmp_path, files)
    cash = PAYMENTS.replace("C1", "Zoë")
    (tmp_path / "exports" / "cash.csv").write_bytes(cash.encode("windows-1252"))
    matching = match(tmp_path, str(tmp_path / "exports"))
    assert sources(matching)["bills"]["read"] == {"header_row": 3}
    assert sources(matching)["payments"]["read"] == {"encoding": "windows-1252"}
    assert [line.partition(":")[0] for line in matching.not_read] == ["exports/notes.txt"]


def test_the_same_files_give_the_same_text(tmp_path: Path) -> None:
    first = written(tmp_path, {"invoices.csv": BILLS, "cash.csv": PAYMENTS})
    assert match(tmp_path, str(tmp_path / "exports")).toml == first.toml


def test_open_points_are_found_by_their_lines() -> None:
    text = """\
[workspace]
# ? currency = "GBP"  # no file says it
[source.bills]
# ? from       = "x.csv"
# ? due_on     = "due"  # 55%: as likely as another
# amount: 100%: it has this name
# ? [source.events]
# ? kind       = "action"  # 50%: say what it means
"""
    assert [(p.line, p.table, p.column, p.why) for p in undecided(text)] == [
        (2, "workspace", "currency", "no file says it"),
        (4, "bills", "from", ""),
        (5, "bills", "due_on", "55%: as likely as another"),
        (7, "events", None, ""),
    ]
    assert not list(undecided("[source.bills]\nfrom = 'x.csv'\n"))


def test_the_sheets_of_a_workbook_are_tables(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for name, text in (("Invoices", BILLS), ("Cash", PAYMENTS)):
        sheet = book.create_sheet(name)
        for line in text.splitlines():
            sheet.append(line.split(","))
    book.remove(book["Sheet"])
    book.create_sheet("Notes")
    book.save(tmp_path / "ledger.xlsx")
    found = sources(match(tmp_path, str(tmp_path / "ledger.xlsx")))
    assert {table: source["from"] for table, source in found.items()} == {
        "bills": "ledger.xlsx",
        "payments": "ledger.xlsx",
    }
    assert found["bills"]["read"] == {"sheet": "Invoices"}
    assert found["payments"]["read"] == {"sheet": "Cash"}
    assert found["bills"]["amount"] == "inv_amount"


def test_the_tables_of_a_database_are_found(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "erp.db")) as database:
        for name, text in (("invoices", BILLS), ("receipts", PAYMENTS)):
            header, *lines = text.splitlines()
            database.execute(f"create table {name} ({header})")
            marks = ",".join("?" * len(header.split(",")))
            rows = [line.split(",") for line in lines]
            database.executemany(f"insert into {name} values ({marks})", rows)
        database.execute("create table log (at text, said text)")
        database.commit()
    matching = match(tmp_path, f"sqlite:///{tmp_path / 'erp.db'}")
    found = sources(matching)
    assert found.pop("url") == f"sqlite:///{tmp_path / 'erp.db'}"
    assert {table: source["from"] for table, source in found.items()} == {
        "bills": "invoices",
        "payments": "receipts",
    }
    assert found["bills"]["due_on"] == "due_date"
    assert open_points(matching) == [("workspace", "currency")]


def test_how_changes_of_a_table_are_found_is_proposed_as_a_comment(tmp_path: Path) -> None:
    """Taking the marks away makes it hold."""
    with closing(sqlite3.connect(tmp_path / "erp.db")) as database:
        database.execute(f"create table invoices ({BILLS.splitlines()[0]}, updated_at datetime)")
        for n, line in enumerate(BILLS.splitlines()[1:]):
            row = [*line.split(","), f"2026-01-02 10:00:{n % 60:02}"]
            database.execute(f"insert into invoices values ({','.join('?' * len(row))})", row)
        database.commit()
    text = match(tmp_path, f"sqlite:///{tmp_path / 'erp.db'}").toml
    comment = [line for line in text.splitlines() if "incremental" in line]
    assert comment == ["# [source.bills.incremental]"]
    rest = text.partition("# [source.bills.incremental]\n")[2]
    lines = [line.removeprefix("# ") for line in rest.splitlines()[:2]]
    assert lines[0] == 'watermark = "updated_at"'
    assert tomllib.loads("\n".join(lines))["key"] in BILLS.splitlines()[0]


def test_a_password_is_not_taken_into_a_file(tmp_path: Path) -> None:
    with pytest.raises(ProblemsError, match="password does not belong") as raised:
        match(tmp_path, "postgresql://me:hunter2@nowhere/erp")
    assert "hunter2" not in str(raised.value)


def _loans(*columns: str) -> str:
    rows = [f"{100 + n},{n % 2},{20 + n},0{n % 9},{n * 1.5}" for n in range(30)]
    return "\n".join([",".join(columns), *rows, ""])


def test_numbers_in_the_texts_of_an_account_file_are_declared(tmp_path: Path) -> None:
    text = _loans("customer_id", "defaulted", "age", "branch", "debt")
    accounts = sources(written(tmp_path, {"loans.csv": text}))["accounts"]
    # A code with a leading zero is none, and an id is none.
    assert accounts == {
        "from": "exports/loans.csv",
        "account_id": "customer_id",
        "outcome": "defaulted",
        "columns": {
            "age": {"kind": "number"},
            "debt": {"kind": "number"},
            "outcome": {"kind": "integer"},
        },
    }


def test_what_is_proposed_of_an_account_file_can_be_learned_from(tmp_path: Path) -> None:
    matching = written(tmp_path, {"loans.csv": _loans("customer_id", "defaulted", "age", "b", "c")})
    init(tmp_path / "w", matching.strategy, toml=matching.toml.replace('"exports', '"../exports'))
    assert not [problem for problem in check(tmp_path / "w").problems if problem.code == "RS408"]


def test_a_column_with_another_value_in_every_row_may_be_the_id(tmp_path: Path) -> None:
    text = _loans("alpha", "defaulted", "age", "branch", "debt")
    matching = written(tmp_path, {"history.csv": text})
    assert "row_number" not in matching.toml
    assert '# ? account_id = "alpha"' in matching.toml.replace("  ", " ")


@pytest.mark.parametrize(
    ("dates", "mapped"),
    [
        (("31/01/2026", "28/02/2026", "15/02/2026"), "strptime(due_date, '%d/%m/%Y')"),
        (("31.01.2026", "28.02.2026", "15.02.2026"), "strptime(due_date, '%d.%m.%Y')"),
        (("01-31-2026", "02-28-2026", "02-15-2026"), "strptime(due_date, '%m-%d-%Y')"),
        (("31/01/2026", "28.02.2026", "5/2/2026"), "strptime(due_date, ['%d.%m.%Y', '%d/%m/%Y'])"),
        (("20260131", "20260228", "20260215"), "strptime(cast(due_date as varchar), '%Y%m%d')"),
    ],
)
def test_dates_are_mapped_as_people_would(
    tmp_path: Path, dates: tuple[str, str, str], mapped: str
) -> None:
    bills = BILLS
    for iso, date in zip(("2026-01-31", "2026-02-28", "2026-02-28"), dates, strict=True):
        bills = bills.replace(iso, date, 1)
    matching = written(tmp_path, {"invoices.csv": bills, "cash.csv": PAYMENTS})
    assert sources(matching)["bills"]["due_on"] == mapped
    init(tmp_path / "w", toml=matching.toml.replace('"exports', '"../exports'))
    checked = check(tmp_path / "w")
    assert checked.rows["bills"] == 3 and not checked.bad


@pytest.mark.parametrize(
    ("header", "values", "mapped"),
    [
        ("Priority Services", "YNN", """"Priority Services" = 'Y'"""),
        ("PSR", "011", "PSR = '1'"),
        ("Vulnerability", "ABA", None),
        ("Town", "YNN", None),
    ],
)
def test_a_flag_that_may_protect_is_left_to_a_person(
    tmp_path: Path, header: str, values: str, mapped: str | None
) -> None:
    rows = "".join(f"C{n},{value}\n" for n, value in enumerate(values, start=1))
    files = {
        "invoices.csv": BILLS,
        "cash.csv": PAYMENTS,
        "customers.csv": f"cust_no,{header}\n{rows}",
    }
    matching = written(tmp_path, files)
    point = ("accounts", "is_vulnerable")
    assert (point in open_points(matching)) == (mapped is not None)
    assert mapped is None or mapped in matching.toml.replace('\\"', '"')


RECHNUNGEN = """\
Aktenzeichen;Personenkonto;Bescheiddatum;Fällig am;Betrag EUR;Tatbestand
A/1;K1;02.01.2026;30.01.2026;1.028,50;Rotlicht
A/2;K1;15.02.2026;15.03.2026;30,00;Parken
A/3;K2;20.02.2026;20.03.2026;55,00;Parken
"""


@pytest.mark.parametrize("below", ["Summe;;;;1.113,50;\n", "Ende der Liste\n", ""])
def test_a_german_export_is_mapped_as_it_is(below: str, tmp_path: Path) -> None:
    (tmp_path / "Bescheide.csv").write_bytes((RECHNUNGEN + below).encode("windows-1252"))
    matching = match(tmp_path, str(tmp_path / "Bescheide.csv"))
    bills = sources(matching)["bills"]
    assert bills["read"] == {"encoding": "windows-1252"} | ({"footer_rows": 1} if below else {})
    assert (bills["account_id"], bills["bill_id"]) == ("Personenkonto", "Aktenzeichen")
    assert bills["issued_on"] == "strptime(Bescheiddatum, '%d.%m.%Y')"
    assert bills["due_on"] == "strptime(\"Fällig am\", '%d.%m.%Y')"
    assert "as 55,00 has" in matching.toml
    assert ("# The last row, below the table, is left out" in matching.toml) is bool(below)
    assert tomllib.loads(matching.toml)["workspace"]["currency"] == "EUR"


def test_of_several_files_no_last_row_is_left_out(tmp_path: Path) -> None:
    files = {"bills-1.csv": BILLS, "bills-2.csv": BILLS + "Total,,,,60.50\n"}
    matching = written(tmp_path, files)
    assert matching.toml.count("bills-*.csv") == 1
    assert "footer_rows" not in matching.toml


def test_a_sheet_below_a_title_and_above_its_total_is_read_without_them(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (["Cash book, June"], [], *(line.split(",") for line in PAYMENTS.splitlines())):
        book.active.append(row)
    book.active.append(["Total", None, None, 40.5])
    book.save(tmp_path / "Cash.xlsx")
    (tmp_path / "invoices.csv").write_text(BILLS, encoding="utf-8")
    matching = match(tmp_path, str(tmp_path))
    read = {"sheet": "Sheet", "header_row": 3, "footer_rows": 1}
    assert sources(matching)["payments"]["read"] == read
    assert not matching.not_read


@pytest.mark.parametrize(
    ("last", "is_footer"),
    [
        (("Total", None, None, "40.50"), True),
        (("Grand total:", "", "", "3"), True),
        (("Total Energy Ltd", "I9", "2026-03-01", "40.50"), False),
        (("C2", None, None, "40.50"), False),
        ((None, None, None, None), False),
    ],
)
def test_a_row_of_totals_says_so_and_little_else(
    last: tuple[str | None, ...], is_footer: bool
) -> None:
    assert is_total(last) is is_footer
