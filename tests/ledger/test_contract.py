"""The data contract: every fault is found, counted, located and set apart; nothing else is."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskseg.domain.problems import CODES, Problem, Problems
from riskseg.domain.source_tables import SOURCE_TABLES
from riskseg.engine import DuckDB, Engine
from riskseg.ledger.checks import Fault, hint_for, how_to_map
from riskseg.ledger.contract import CONTRACT
from riskseg.pipeline.load import Ledger, load
from riskseg.pipeline.quarantine import bad_row_counts, quarantine
from riskseg.sources.unchanged import readable
from riskseg.workspace import open_workspace

Row = dict[str, str | None]

# A sound row of each table, as text. A case changes some of its columns.
SOUND: dict[str, Row] = {
    "accounts": {
        "account_id": "?",
        "opened_on": "2025-01-01",
        "closed_on": None,
        "written_off_on": None,
    },
    "bills": {
        "account_id": "a",
        "bill_id": "?",
        "due_on": "2026-01-20",
        "amount": "10.50",
        "issued_on": "2026-01-01",
        "recorded_on": None,
        "kind": "charge",
        "disputed_amount": None,
        "cancelled_on": None,
    },
    "payments": {
        "account_id": "a",
        "paid_on": "2026-02-01",
        "amount": "10.00",
        "payment_id": "?",
        "status": "settled",
        "reverses": None,
    },
    "events": {
        "account_id": "a",
        "happened_on": "2026-02-01",
        "kind": "promise",
        "amount": None,
        "until": None,
    },
    "instalments": {
        "account_id": "a",
        "plan_id": "?",
        "due_on": "2026-02-01",
        "amount": "10.00",
    },
}
KEYS = {
    "accounts": "account_id",
    "bills": "bill_id",
    "payments": "payment_id",
    "instalments": "plan_id",
}


@dataclass(frozen=True)
class Case:
    """Changes to a sound row, and the code and words they must be reported with (None: sound)."""

    changes: Mapping[str, str | None]
    code: str | None = None
    reported: str = ""


OFF = "is a date before 1900 or after 2199"
CASES: dict[str, tuple[Case, ...]] = {
    "accounts": (
        Case({"account_id": None}, "RS101", "account_id is null"),
        Case({"opened_on": "soon"}, "RS102", "opened_on is not a date"),
        Case({"closed_on": "2026-02-30"}, "RS102", "closed_on is not a date"),
        Case({"written_off_on": "9999-12-31"}, "RS102", f"written_off_on {OFF}"),
        Case({"closed_on": "2024-12-31"}, "RS105", "closed_on is before opened_on"),
        Case({"written_off_on": "2024-12-31"}, "RS105", "written_off_on is before opened_on"),
        Case({"account_id": "a"}, "RS104", "account_id occurred in an earlier row"),
        Case({"opened_on": None, "closed_on": "1999-01-01"}),
        Case({"closed_on": "2025-01-01"}),
    ),
    "bills": (
        Case({"account_id": None}, "RS101", "account_id is null"),
        Case({"bill_id": None}, "RS101", "bill_id is null"),
        Case({"due_on": None}, "RS101", "due_on is null"),
        Case({"amount": None}, "RS101", "amount is null"),
        Case({"due_on": "20/01/2026"}, "RS102", "due_on is not a date"),
        Case({"issued_on": "x"}, "RS102", "issued_on is not a date"),
        Case({"recorded_on": "x"}, "RS102", "recorded_on is not a date"),
        Case({"due_on": "2206-01-20"}, "RS102", f"due_on {OFF}"),
        Case({"issued_on": "1026-01-20"}, "RS102", f"issued_on {OFF}"),
        Case({"amount": "ten"}, "RS102", "amount is not an amount of money"),
        Case({"amount": "1,000.00"}, "RS102", "amount is not an amount of money"),
        Case({"amount": "nan"}, "RS102", "amount is not an amount of money"),
        Case({"amount": "10.001"}, "RS103", "amount has more than 2 decimals"),
        Case({"amount": "100000000000.01"}, "RS103", "amount is beyond 100,000,000,000"),
        Case({"disputed_amount": "-1"}, "RS103", "disputed_amount is negative"),
        Case({"kind": "instalment"}, "RS107", "kind is not one of charge"),
        Case({"issued_on": "2026-01-21"}, "RS105", "due_on is before issued_on"),
        Case({"cancelled_on": "2025-12-31"}, "RS105", "cancelled_on is before issued_on"),
        Case({"account_id": "nobody"}, "RS106", "the account is not in accounts"),
        Case({"bill_id": "b0"}, "RS104", "account_id, bill_id occurred in an earlier row"),
        Case({"bill_id": "b0"}, "RS104", "account_id, bill_id occurred in an earlier row"),
        Case({"bill_id": "b0", "account_id": "b"}),
        Case({"amount": "-10.50"}),
        Case({"amount": "0"}),
        Case({"amount": "10.500"}),
        Case({"amount": " 7 "}),
        Case({"issued_on": None, "kind": None}),
        Case({"kind": "CHARGE"}),
        Case({"issued_on": "2026-01-20"}),
    ),
    "payments": (
        Case({"account_id": None}, "RS101", "account_id is null"),
        Case({"paid_on": None}, "RS101", "paid_on is null"),
        Case({"amount": None}, "RS101", "amount is null"),
        Case({"paid_on": "01.02.2026"}, "RS102", "paid_on is not a date"),
        Case({"amount": "£10"}, "RS102", "amount is not an amount of money"),
        Case({"amount": "-10"}, "RS103", "amount is negative"),
        Case({"amount": "0.005"}, "RS103", "amount has more than 2 decimals"),
        Case(
            {"status": "paid"},
            "RS107",
            "status is not one of settled, pending, failed, reversed, refund",
        ),
        Case({"account_id": "nobody"}, "RS106", "the account is not in accounts"),
        Case({"payment_id": "p0"}, "RS104", "account_id, payment_id occurred in an earlier row"),
        Case({"reverses": "p999"}, "RS110", "reverses names no payment of the account"),
        # Of another account, of a bad row, and of a row that is itself a reversal.
        Case(
            {"reverses": "p0", "account_id": "b"},
            "RS110",
            "reverses names no payment of the account",
        ),
        Case({"reverses": "p6"}, "RS110", "reverses names no payment of the account"),
        Case({"reverses": "p15"}),  # what was taken back is won back
        Case({"amount": "-10", "reverses": "p0"}),
        Case({"amount": "3", "reverses": "p0", "payment_id": None}),
        Case({"payment_id": None}),
        Case({"payment_id": None}),
        Case({"status": None}),
        Case({"status": "Settled "}),
        Case({"amount": "0"}),
    ),
    "instalments": (
        Case({"account_id": None}, "RS101", "account_id is null"),
        Case({"plan_id": None}, "RS101", "plan_id is null"),
        Case({"due_on": "2026-02-30"}, "RS102", "due_on is not a date"),
        Case({"amount": None}, "RS101", "amount is null"),
        Case({"amount": "-1"}, "RS103", "amount is negative"),
        Case({"account_id": "nobody"}, "RS106", "the account is not in accounts"),
    ),
    "events": (
        Case({"account_id": None}, "RS101", "account_id is null"),
        Case({"happened_on": None}, "RS101", "happened_on is null"),
        Case({"kind": None}, "RS101", "kind is null"),
        Case({"happened_on": "x"}, "RS102", "happened_on is not a date"),
        Case({"until": "x"}, "RS102", "until is not a date"),
        Case({"amount": "x"}, "RS102", "amount is not an amount of money"),
        Case({"amount": "1.234"}, "RS103", "amount has more than 2 decimals"),
        Case({"until": "2026-01-31"}, "RS105", "until is before happened_on"),
        Case(
            {"kind": "party"},
            "RS107",
            "kind is not one of contact, promise, plan, dispute, visit, action, hold, complaint, "
            "bereavement, breathing_space, adviser",
        ),
        Case({"account_id": "nobody"}, "RS106", "the account is not in accounts"),
        Case({"kind": "Promise"}),
        Case({"amount": "-5"}),
        Case({"until": "2026-02-01"}),
    ),
}


def rows_of(table: str) -> list[Row]:
    """A sound row, then a row a case; ids are the key's first letter and the row's number."""
    key = KEYS.get(table)
    rows = []
    for number, case in enumerate((Case({}), *CASES[table])):
        own = {key: f"{table[0]}{number}"} if key else {}
        rows.append({**SOUND[table], **own, **case.changes})
    if table == "accounts":
        rows[0]["account_id"] = "a"
    return rows


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    lines = [",".join(rows[0])]
    for row in rows:
        # Quoted where need be; a null is nothing at all between two commas.
        lines.append(",".join("" if v is None else f'"{v}"' for v in row.values()))
    text = "\n".join(lines) + "\n"
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8")


def write_parquet(path: Path, rows: Sequence[Row]) -> None:
    columns = {name: pa.array([r[name] for r in rows], pa.string()) for name in rows[0]}
    pq.write_table(pa.table(columns), path)


def write(path: Path, rows: Sequence[Row]) -> None:
    (write_parquet if path.suffix == ".parquet" else write_csv)(path, rows)


def workspace(folder: Path, sources: Mapping[str, str], settings: str = "max_bad_rows = 1") -> None:
    """A riskseg.toml; `sources` gives what stands under each [source.TABLE]."""
    toml = f"[workspace]\n{settings}\n"
    for table, text in sources.items():
        toml += f"[source.{table}]\n{text}\n"
    (folder / "riskseg.toml").write_text(toml, encoding="utf-8")


def loaded(folder: Path) -> tuple[Engine, Ledger | None, list[Problem]]:
    problems = Problems()
    opened = open_workspace(folder, problems)
    problems.raise_if_any()
    assert opened is not None
    engine = DuckDB(reads=readable(opened), threads=2)
    ledger = load(engine, opened, problems, texts=True)
    return engine, ledger, list(problems)


def sound(table: str, **changes: str | None) -> Row:
    return {**SOUND[table], **changes}


def around(folder: Path, table: str, name: str, rows: Sequence[Row], settings: str) -> None:
    """A workspace with `rows` as one table, in a file of that name, and sound others."""
    others = {
        "accounts": [sound("accounts", account_id=i) for i in ("a", "b")],
        "bills": [sound("bills", bill_id="1")],
    }
    sources = {}
    for other, sound_rows in others.items():
        write_csv(folder / f"sound_{other}.csv", sound_rows)
        sources[other] = f'from = "sound_{other}.csv"'
    write(folder / name, rows)
    sources[table] = f'from = "{name}"'
    workspace(folder, sources, settings)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("table", CASES)
def test_every_fault_is_found_counted_and_set_apart(
    tmp_path: Path, table: str, ending: str
) -> None:
    rows = rows_of(table)
    around(tmp_path, table, f"data.{ending}", rows, "max_bad_rows = 1")
    engine, ledger, problems = loaded(tmp_path)
    assert not problems
    assert ledger is not None

    faulty = [(n, c) for n, c in enumerate(CASES[table], start=2) if c.code]
    wanted: dict[tuple[str | None, str], list[int]] = {}
    for number, case in faulty:
        wanted.setdefault((case.code, case.reported), []).append(number)
    head = 1 if ending == "csv" else 0
    found = {
        (b.fault.code, b.fault.message): (b.table, b.file, b.count, b.first, b.line)
        for b in ledger.bad
    }
    assert found == {
        what: (table, f"data.{ending}", len(at), at[0], at[0] + head) for what, at in wanted.items()
    }

    ((name, apart),) = quarantine(engine, ledger.sources, ledger.bad)
    reported = apart.to_pylist()
    assert name == table
    assert [(r["row"], r["code"], r["reason"]) for r in reported] == [
        (number, case.code, case.reported) for number, case in faulty
    ]
    contract = set(SOUND[table])
    assert [json.loads(r["content"]) for r in reported] == [
        {k: v for k, v in rows[number - 1].items() if k in contract} for number, _ in faulty
    ]

    # The rest is used, and nothing else.
    used = engine.rows(f"select row_no from {table} where fault is null order by 1")
    assert [r[0] for r in used] == [
        n for n in range(1, len(rows) + 1) if n not in {number for number, _ in faulty}
    ]
    assert ledger.rows[table] == len(rows)


# What rows hold besides being sound, and all that is said of them.
SEVERAL: dict[str, tuple[tuple[Mapping[str, str | None], str, str], ...]] = {
    "accounts": (
        (
            {"opened_on": "x", "closed_on": "y"},
            "RS102",
            "opened_on is not a date; closed_on is not a date (RS102)",
        ),
        # That the order is wrong only follows from a date that is.
        ({"opened_on": "2206-01-01", "closed_on": "2025-01-01"}, "RS102", f"opened_on {OFF}"),
    ),
    "bills": (
        (
            {"account_id": "nobody", "amount": "10.001", "kind": "fee", "due_on": "2025-01-01"},
            "RS103",
            "amount has more than 2 decimals; kind is not one of charge (RS107); "
            "due_on is before issued_on (RS105); the account is not in accounts (RS106)",
        ),
        # An account that is not named is not one that is not in accounts.
        (
            {"account_id": None, "amount": "ten"},
            "RS101",
            "account_id is null; amount is not an amount of money (RS102)",
        ),
        (
            {"amount": "-0.001", "bill_id": "b0"},
            "RS103",
            "amount has more than 2 decimals; "
            "account_id, bill_id occurred in an earlier row (RS104)",
        ),
        ({"bill_id": "b0"}, "RS104", "account_id, bill_id occurred in an earlier row"),
    ),
    "payments": (
        (
            {"amount": "-10", "reverses": None, "paid_on": "x"},
            "RS102",
            "paid_on is not a date; amount is negative (RS103)",
        ),
        (
            {"paid_on": None, "reverses": "p9"},
            "RS101",
            "paid_on is null; reverses names no payment of the account (RS110)",
        ),
        # The payment that it takes back is there, though it is bad itself.
        ({"paid_on": None, "reverses": "p1"}, "RS101", "paid_on is null"),
        (
            {"payment_id": "p0", "reverses": "p9"},
            "RS104",
            "account_id, payment_id occurred in an earlier row; "
            "reverses names no payment of the account (RS110)",
        ),
    ),
    "instalments": (
        (
            {"due_on": "x", "amount": "y", "plan_id": "i0"},
            "RS102",
            "due_on is not a date; amount is not an amount of money (RS102)",
        ),
        (
            {"plan_id": "i0", "amount": "-1"},
            "RS103",
            "amount is negative; account_id, plan_id, due_on occurred in an earlier row (RS104)",
        ),
    ),
    "events": (
        (
            {"kind": "party", "until": "2026-01-01", "account_id": " "},
            "RS101",
            "account_id is an empty text; kind is not one of "
            + ", ".join(CONTRACT["events"].column("kind").words)
            + " (RS107); until is before happened_on (RS105)",
        ),
    ),
}


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("table", SEVERAL)
def test_all_faults_of_a_row_are_reported_at_once(tmp_path: Path, table: str, ending: str) -> None:
    key = KEYS.get(table)
    own = [{key: f"{table[0]}{n}"} if key else {} for n in range(len(SEVERAL[table]) + 1)]
    changes = [{}, *(changed for changed, _, _ in SEVERAL[table])]
    rows = [{**SOUND[table], **i, **c} for i, c in zip(own, changes, strict=True)]
    if table == "accounts":
        rows[0]["account_id"] = "a"
    around(tmp_path, table, f"data.{ending}", rows, "max_bad_rows = 1")
    engine, ledger, problems = loaded(tmp_path)
    assert not problems
    assert ledger is not None

    ((_, apart),) = quarantine(engine, ledger.sources, ledger.bad)
    reported = [(r["row"], r["code"], r["reason"]) for r in apart.to_pylist()]
    assert reported == [(n, *said) for n, (_, *said) in enumerate(SEVERAL[table], start=2)]
    # Each reason is counted, and each row once.
    reasons = sum(reason.count(";") + 1 for _, _, reason in SEVERAL[table])
    assert sum(group.count for group in ledger.bad) == reasons
    assert bad_row_counts(ledger.bad) == {table: len(SEVERAL[table])}


@pytest.mark.parametrize(("allowed", "codes"), [("0.2", []), ("0.19", ["RS102", "RS102", "RS105"])])
def test_rows_count_against_what_is_allowed_and_not_their_faults(
    tmp_path: Path, allowed: str, codes: list[str]
) -> None:
    bills = [sound("bills", bill_id=f"{n}") for n in range(10)]
    bills[4] |= {"amount": "x", "recorded_on": "y"}
    bills[7] |= {"amount": "z", "issued_on": "2026-02-01"}
    around(tmp_path, "bills", "b.csv", bills, f"max_bad_rows = {allowed}")
    _, _, problems = loaded(tmp_path)
    assert [problem.code for problem in problems] == codes


def test_the_quarantine_shows_the_attribute_that_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("account_id,Age,town\n1,x,Bath\n", encoding="utf-8")
    text = 'from = "a.csv"\ncolumns = {Age = {kind = "integer"}}'
    workspace(tmp_path, {"accounts": text})
    engine, ledger, problems = loaded(tmp_path)
    assert not problems
    assert ledger is not None
    ((_, apart),) = quarantine(engine, ledger.sources, ledger.bad)
    assert [json.loads(c) for c in apart.column("content").to_pylist()] == [
        {"account_id": "1", "age": "x"}
    ]


def test_the_cases_reach_every_code_that_a_row_can_have() -> None:
    codes = {c.code for cases in CASES.values() for c in cases if c.code}
    assert codes == {f"RS10{n}" for n in range(1, 8)} | {"RS110"}
    assert codes <= set(CODES)


@pytest.mark.parametrize(
    ("allowed", "stops"),
    [("0", True), ("0.19", True), ("0.2", False), ("1", False)],
)
def test_more_bad_rows_than_allowed_stop_the_load(
    tmp_path: Path, allowed: str, stops: bool
) -> None:
    """Two bad rows of ten; then each kind of fault is a Problem at its first row."""
    bills = [sound("bills", bill_id=f"{n}") for n in range(10)]
    bills[4]["amount"] = "x"
    bills[7]["amount"] = "y"
    around(tmp_path, "bills", "b.csv", bills, f"max_bad_rows = {allowed}")
    _, ledger, problems = loaded(tmp_path)
    assert (ledger is None) is stops
    if stops:
        (problem,) = problems
        assert (problem.code, problem.file, problem.line) == ("RS102", "b.csv", 6)
        assert "2 rows" in problem.what
        assert "replace(" in problem.hint
    else:
        assert problems == []


def test_a_share_is_of_each_tables_own_rows(tmp_path: Path) -> None:
    """One bad payment of two is too many, however many bills are sound."""
    write_csv(tmp_path / "b.csv", [sound("bills", bill_id=f"{n}") for n in range(50)])
    payments = [sound("payments", payment_id="1"), sound("payments", payment_id="2", paid_on=None)]
    write_csv(tmp_path / "p.csv", payments)
    workspace(
        tmp_path,
        {"bills": 'from = "b.csv"', "payments": 'from = "p.csv"'},
        "max_bad_rows = 0.1\nmax_alike = 1",
    )
    _, ledger, problems = loaded(tmp_path)
    assert ledger is None
    assert [(p.code, p.file, p.line) for p in problems] == [("RS101", "p.csv", 3)]


def test_a_source_without_rows_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("account_id,bill_id,due_on,amount\n", encoding="utf-8")
    workspace(tmp_path, {"bills": 'from = "b.csv"'})
    _, ledger, problems = loaded(tmp_path)
    assert ledger is None
    assert [(p.code, p.file, p.line) for p in problems] == [("RS109", "riskseg.toml", 4)]


def test_all_words_that_are_not_allowed_are_named(tmp_path: Path) -> None:
    """Whoever maps them needs each, and not the first alone."""
    words = ["OK", "OK", "REV", "settled", *(f"w{n:02}" for n in range(9))]
    rows = [sound("payments", payment_id=f"{n}", status=w) for n, w in enumerate(words)]
    write_csv(tmp_path / "b.csv", [sound("bills")])
    write_csv(tmp_path / "p.csv", rows)
    sources = {"bills": 'from = "b.csv"', "payments": 'from = "p.csv"'}
    workspace(tmp_path, sources, "max_bad_rows = 0\nmax_alike = 1")
    _, _, (problem,) = loaded(tmp_path)
    assert 'refund: "OK" 2, "REV" 1, "w00" 1, ' in problem.what
    assert '"w05" 1, … (12 rows, the first of which is here).' in problem.what


@pytest.mark.parametrize("empty", ["accounts", "bills"])
def test_what_follows_from_a_source_without_rows_is_not_said_too(
    tmp_path: Path, empty: str
) -> None:
    """Not that no account is in accounts, nor that no event names a bill."""
    sources = {}
    for table in ("accounts", "bills", "payments", "events"):
        bill = {"bill_id": "b0"} if table in ("bills", "events") else {}
        write_csv(tmp_path / f"{table}.csv", [sound(table, account_id="a", **bill)])
        sources[table] = f'from = "{table}.csv"'
    file = tmp_path / f"{empty}.csv"
    file.write_text(file.read_text().splitlines()[0] + "\n")
    workspace(tmp_path, sources, "max_bad_rows = 0")
    _, _, problems = loaded(tmp_path)
    assert [(p.code, p.what) for p in problems] == [("RS109", f"{empty} has no rows.")]


def test_of_rows_with_one_key_the_first_is_kept(tmp_path: Path) -> None:
    amounts = ["1", "2", "3", "4", "5"]
    ids = ["x", "y", "x", "y", "x"]
    bills = [sound("bills", bill_id=i, amount=a) for i, a in zip(ids, amounts, strict=True)]
    around(tmp_path, "bills", "b.parquet", bills, "max_bad_rows = 1")
    engine, ledger, _ = loaded(tmp_path)
    assert ledger is not None
    kept = engine.rows("select bill_id, amount_minor from ledger_bills order by 1")
    assert kept == [("x", 100), ("y", 200)]
    assert [(b.count, b.first) for b in ledger.bad] == [(3, 3)]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_row_numbers_hold_where_bills_are_few_and_accounts_many(
    tmp_path: Path, ending: str
) -> None:
    """The engine then looks bills up for accounts, not accounts for bills, in its own order."""
    accounts = [sound("accounts", account_id=f"{n}") for n in range(60_000)]
    bills = [sound("bills", account_id=f"{n * 7 % 60_000}", bill_id="b") for n in range(5_000)]
    bills[1_234]["amount"] = "x"
    bills[4_000]["account_id"] = bills[17]["account_id"]
    write_parquet(tmp_path / "a.parquet", accounts)
    write(tmp_path / f"b.{ending}", bills)
    workspace(tmp_path, {"accounts": 'from = "a.parquet"', "bills": f'from = "b.{ending}"'})
    engine, ledger, _ = loaded(tmp_path)
    assert ledger is not None
    assert {b.fault.code: b.first for b in ledger.bad} == {"RS102": 1_235, "RS104": 4_001}
    ((_, apart),) = quarantine(engine, ledger.sources, ledger.bad)
    reported = [json.loads(c)["account_id"] for c in apart.column("content").to_pylist()]
    assert reported == [bills[1_234]["account_id"], bills[17]["account_id"]]


# The forms a source can have


BILLS = (
    sound("bills", account_id="007", bill_id="0001", amount="10.5"),
    sound("bills", account_id="7", bill_id="1", amount="20"),
)
EXPECTED = [("007", "0001", 1_050), ("7", "1", 2_000)]  # in the order of the ids
LEDGER = (
    "select account_id, bill_id, amount_minor from ledger_bills "
    "join account_ids using (account_no) order by bill_id"
)


@pytest.mark.parametrize("ending", ["csv", "CSV", "csv.gz", "tsv", "txt", "parquet"])
def test_files_of_every_ending_keep_leading_zeros(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"bills.{ending}"
    write(path, BILLS)
    if ending == "tsv":
        path.write_text(path.read_text(encoding="utf-8").replace(",", "\t"), encoding="utf-8")
    workspace(tmp_path, {"bills": f'from = "bills.{ending}"'})
    engine, ledger, problems = loaded(tmp_path)
    assert ledger is not None, problems
    assert not ledger.bad
    assert engine.rows(LEDGER) == EXPECTED


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "parquet"])
def test_a_glob_reads_its_files_one_after_the_other(tmp_path: Path, ending: str) -> None:
    """The first bad row is reported with its own file and its line there."""
    for number, bill in enumerate(BILLS):
        bad = {**bill, "bill_id": f"bad{number}", "amount": "x"}
        write(tmp_path / f"bills-{number}.{ending}", [bill, bad])
    workspace(tmp_path, {"bills": f'from = "bills-*.{ending}"'})
    engine, ledger, problems = loaded(tmp_path)
    assert ledger is not None, problems
    assert engine.rows(LEDGER) == EXPECTED
    (bad_rows,) = ledger.bad
    line = 2 if ending == "parquet" else 3
    assert (bad_rows.count, bad_rows.first) == (2, 2)
    reported = bad_rows.as_problem()
    assert reported.where == f"bills-0.{ending}:{line}"
    assert "2 rows, the first of which is here" in reported.what
    ((_, apart),) = quarantine(engine, ledger.sources, ledger.bad)
    assert apart.column("row").to_pylist() == [2, 4]


def test_a_select_over_files(tmp_path: Path) -> None:
    for number, bill in enumerate(BILLS):
        write_parquet(tmp_path / f"part-{number}.parquet", [bill])
    (tmp_path / "more.csv").write_text(
        "customer;no;due;pounds;shown\n009;5;21/01/2026;1.234,50;yes\n010;6;21/01/2026;2;no\n",
        encoding="utf-8",
    )
    select = (
        "select account_id as customer, bill_id as no, due_on as due, amount as pounds from "
        "'part-*.parquet' union all select customer, no, "
        "cast(strptime(due, '%d/%m/%Y') as date)::varchar, "
        "replace(replace(pounds, '.', ''), ',', '.') from "
        "read_csv('more.csv', all_varchar = true, delim = ';') where shown = 'yes';"
    )
    workspace(
        tmp_path,
        {
            "bills": f'from = """{select}"""\naccount_id = "customer"\nbill_id = "no"\n'
            'due_on = "due"\namount = "pounds"'
        },
    )
    engine, ledger, problems = loaded(tmp_path)
    assert ledger is not None, problems
    assert not ledger.bad
    assert sorted(engine.rows(LEDGER)) == [*EXPECTED[:1], ("009", "5", 123_450), EXPECTED[1]]


MONEY: dict[str, tuple[pa.DataType, Sequence[Any], list[int | str]]] = {
    "text": (pa.string(), ["10.5", "0.01", "0.001", "-3"], [1050, 1, "RS103", -300]),
    "double": (
        pa.float64(),
        [10.5, 0.29, 1.005, float("nan"), float("inf"), 19.99, 1e300],
        [1050, 29, "RS103", "RS102", "RS102", 1999, "RS102"],
    ),
    "float": (pa.float32(), [10.5, 19.99], [1050, 1999]),
    "decimal": (pa.decimal128(10, 2), [Decimal("10.50"), Decimal("-0.01")], [1050, -1]),
    "finer decimal": (
        pa.decimal128(18, 4),
        [Decimal("10.5000"), Decimal("10.5050")],
        [1050, "RS103"],
    ),
    "wide decimal": (
        pa.decimal128(38, 10),
        [Decimal("10.5"), Decimal("1234567890123456789012345678.5")],
        [1050, "RS102"],
    ),
    "large decimal": (
        pa.decimal128(18, 2),
        [Decimal("10.5"), Decimal("9999999999999999.99"), Decimal("100000000000")],
        [1050, "RS103", 10**13],
    ),
    "tiny whole": (pa.int8(), [127, -1], [12_700, -100]),
    "small whole": (pa.int16(), [32_000], [3_200_000]),
    "whole": (pa.int32(), [2_000_000_000], [200_000_000_000]),
    "long whole": (pa.int64(), [7, 9_000_000_000_000_000_000], [700, "RS102"]),
    "unsigned whole": (pa.uint64(), [7], [700]),
}


@pytest.mark.parametrize("form", MONEY)
def test_money_in_every_form_is_exact_or_refused(tmp_path: Path, form: str) -> None:
    type_, amounts, wanted = MONEY[form]
    table = pa.table(
        {
            "account_id": ["a"] * len(amounts),
            "bill_id": [f"{n}" for n in range(len(amounts))],
            "due_on": pa.array([date(2026, 1, 1)] * len(amounts)),
            "amount": pa.array(amounts, type_),
        }
    )
    pq.write_table(table, tmp_path / "b.parquet")
    workspace(tmp_path, {"bills": 'from = "b.parquet"'})
    engine, ledger, problems = loaded(tmp_path)
    assert ledger is not None, problems
    codes = {
        row: code
        for _, t in quarantine(engine, ledger.sources, ledger.bad)
        for row, code in _codes(t)
    }
    minor = dict(engine.rows("select row_number() over (), amount_minor from bills"))
    assert [codes.get(n) or minor[n] for n in range(1, len(amounts) + 1)] == wanted


def _codes(table: pa.Table) -> list[tuple[int, str]]:
    return [(r["row"], r["code"]) for r in table.to_pylist()]


@pytest.mark.parametrize(
    ("scale", "amount", "wanted"),
    [(0, "12", 12), (0, "12.5", "RS103"), (3, "12.345", 12_345), (4, "12.34567", "RS103")],
)
def test_money_of_other_scales(tmp_path: Path, scale: int, amount: str, wanted: int | str) -> None:
    write_csv(tmp_path / "b.csv", [sound("bills", bill_id="1", amount=amount)])
    workspace(tmp_path, {"bills": 'from = "b.csv"'}, f"scale = {scale}\nmax_bad_rows = 1")
    engine, ledger, _ = loaded(tmp_path)
    assert ledger is not None
    if ledger.bad:
        assert [b.fault.code for b in ledger.bad] == [wanted]
    else:
        assert engine.rows("select amount_minor from ledger_bills") == [(wanted,)]


@pytest.mark.parametrize(
    ("type_", "cell"),
    [
        (pa.string(), "2026-01-20"),
        (pa.date32(), date(2026, 1, 20)),
        (pa.timestamp("us"), datetime(2026, 1, 20)),
        (pa.timestamp("ns"), datetime(2026, 1, 20, 23, 59)),
    ],
)
def test_dates_of_every_type(tmp_path: Path, type_: pa.DataType, cell: object) -> None:
    day = date(2026, 1, 20)
    table = {"account_id": ["a"], "bill_id": ["1"], "amount": [1.0]}
    pq.write_table(pa.table({**table, "due_on": pa.array([cell], type_)}), tmp_path / "b.parquet")
    workspace(tmp_path, {"bills": 'from = "b.parquet"'})
    engine, ledger, problems = loaded(tmp_path)
    assert ledger is not None, problems
    assert engine.rows("select due_on, issued_on, known_on from ledger_bills") == [(day,) * 3]


def test_ids_may_be_numbers(tmp_path: Path) -> None:
    table = pa.table(
        {"account_id": [7], "bill_id": [1], "due_on": [date(2026, 1, 1)], "amount": [1.0]}
    )
    pq.write_table(table, tmp_path / "b.parquet")
    workspace(tmp_path, {"bills": 'from = "b.parquet"'})
    engine, _, _ = loaded(tmp_path)
    assert engine.rows(LEDGER) == [("7", "1", 100)]


@pytest.mark.parametrize(
    ("text", "code", "line", "says"),
    [
        ('from = "nosuch.csv"', "RS006", 4, "no file"),
        ('from = "nosuch-*.csv"', "RS006", 4, "no file"),
        ('from = "b.pdf"', "RS006", 4, "not a file that can be loaded"),
        ('from = "select * from nosuch"', "RS006", 4, "nosuch"),
        ('from = "b.csv"\nbill_id = "bill_number"', "RS007", 5, "bill_number"),
        ('from = "b.csv"\nbil_id = "bill_id"', "RS003", 5, "bil_id"),
        ("from = \"select account_id, bill_id, amount from 'b.csv'\"", "RS005", 4, "due_on"),
        ('from = "b.csv"\namount = "due_on + 1"', "RS007", 5, "due_on + 1"),
    ],
)
def test_a_mapping_that_does_not_fit_is_a_problem_at_its_line(
    tmp_path: Path, text: str, code: str, line: int, says: str
) -> None:
    write_csv(tmp_path / "b.csv", [sound("bills", bill_id="1")])
    workspace(tmp_path, {"bills": text})
    _, ledger, problems = loaded(tmp_path)
    assert ledger is None
    assert [(p.code, p.file, p.line) for p in problems] == [(code, "riskseg.toml", line)]
    assert says in problems[0].what


def test_an_infinite_attribute_is_a_bad_row_and_one_that_is_no_number_is_unknown(
    tmp_path: Path,
) -> None:
    """In every column, of accounts and of bills, however many there are; huge is not infinite."""
    numbers = [float("inf"), float("-inf"), float("nan"), 1e308, None]
    ids = [f"a{n}" for n in range(len(numbers))]
    wide = {f"x{n}": pa.array([1.0] * len(ids)) for n in range(300)}
    accounts = {
        "account_id": pa.array(ids),
        **wide,
        "Used Share": pa.array(numbers),
        "single": pa.array([0.5, 0.5, 0.5, float("inf"), 0.5], pa.float32()),
    }
    pq.write_table(pa.table(accounts), tmp_path / "accounts.parquet")
    bills = {
        "account_id": pa.array([ids[-1]] * len(ids)),
        "bill_id": pa.array(ids),
        "due_on": pa.array([date(2026, 1, 20)] * len(ids)),
        "amount": pa.array([10.0] * len(ids)),
        "rate": pa.array(numbers),
    }
    pq.write_table(pa.table(bills), tmp_path / "bills.parquet")
    files = {"accounts": 'from = "accounts.parquet"'}
    files["bills"] = 'from = "bills.parquet"\nrate = "rate"'
    workspace(tmp_path, files)
    engine, ledger, problems = loaded(tmp_path)
    assert ledger is not None and not problems
    assert [(b.table, b.fault.code, b.fault.message, b.count, b.first) for b in ledger.bad] == [
        ("accounts", "RS103", "used share is infinite", 2, 1),
        ("accounts", "RS103", "single is infinite", 1, 4),
        ("bills", "RS103", "rate is infinite", 2, 1),
    ]
    assert (
        ledger.bad[0]
        .as_problem()
        .hint.endswith(
            'map it to unknown: `case when isfinite("Used Share") then "Used Share" end`.'
        )
    )
    assert engine.rows(
        'select account_no, "@used share", row_no from ledger_accounts order by row_no, 1'
    ) == [
        (3, None, 3),
        (5, None, 5),
        *((number, None, None) for number in (1, 2, 4)),  # an account all the same
    ]
    assert engine.rows('select row_no, "@rate" from ledger_bills order by 1') == [
        (3, None),
        (4, 1e308),
        (5, None),
    ]


def test_the_contract_is_of_the_tables_that_a_workspace_may_have() -> None:
    assert tuple(CONTRACT) == SOURCE_TABLES


def test_a_declared_kind_holds_whatever_the_file_suggests(tmp_path: Path) -> None:
    """Values of another kind are bad rows; nothing is rounded; NaN and nothing are unknown."""
    rows = [
        # account, whole, number, day, flag, code
        ("a1", "7", "0.5", "2026-01-31", "true", "007"),
        ("a2", "7.0", "-1e3", "", "no", "8"),
        ("a3", "", "NaN", "", "", ""),
        ("a4", "7.5", "1", "", "", ""),
        ("a5", "1", "1,5", "", "", ""),
        ("a6", "1", "1", "2026-02-30", "", ""),
        ("a7", "1", "1", "", "perhaps", ""),
        ("a8", "1", "inf", "", "", ""),
        ("a9", "1", "1", "-infinity", "", ""),
    ]
    names = ("account_id", "whole", "number", "day", "flag", "code")
    write_csv(tmp_path / "accounts.csv", [dict(zip(names, row, strict=True)) for row in rows])
    declared = "\n".join(
        f'{name} = {{kind = "{kind}"}}'
        for name, kind in [
            ("Whole", "integer"),
            ("number", "number"),
            ("day", "date"),
            ("flag", "boolean"),
            ("code", "text"),
        ]
    )
    text = f'from = "accounts.csv"\n[source.accounts.columns]\n{declared}'
    workspace(tmp_path, {"accounts": text})
    engine, ledger, problems = loaded(tmp_path)
    assert ledger is not None and not problems
    assert [(b.fault.code, b.fault.message, b.count, b.line) for b in ledger.bad] == [
        ("RS102", "whole is not a whole number", 1, 5),
        ("RS102", "number is not a number", 1, 6),
        ("RS102", "day is not a date", 2, 7),
        ("RS102", "flag is not true or false", 1, 8),
        ("RS103", "number is infinite", 1, 9),
    ]
    kinds = {name: str(fact.kind) for name, fact in ledger.attributes.items()}
    assert kinds == {
        "whole": "integer",
        "number": "number",
        "day": "date",
        "flag": "boolean",
        "code": "text",
    }
    sound = engine.rows(
        'select "@whole", "@number", "@day", "@flag", "@code" from ledger_accounts '
        "order by account_no"
    )
    assert sound == [
        (7, 0.5, date(2026, 1, 31), True, "007"),
        (7, -1000.0, None, False, "8"),
        *[(None,) * 5] * 7,  # nothing is known where the row is bad
    ]


@pytest.mark.parametrize(
    ("table", "changes", "reported"),
    [
        ("bills", {"amount": "ten"}, 'amount is not an amount of money: "ten" (1 row).'),
        ("bills", {"due_on": "31/01/2026"}, 'due_on is not a date: "31/01/2026" (1 row).'),
        ("bills", {"amount": "1.005"}, 'amount has more than 2 decimals: "1.005" (1 row).'),
        (
            "bills",
            {"amount": "x" * 99},
            f'amount is not an amount of money: "{"x" * 40}…" (1 row).',
        ),
        ("bills", {"due_on": None}, "due_on is null (1 row)."),
        ("payments", {"status": "paid"}, 'refund: "paid" (1 row).'),
        ("payments", {"reverses": "p9"}, 'reverses names no payment of the account: "p9" (1 row).'),
        ("payments", {"account_id": "c"}, 'the account is not in accounts: "c" (1 row).'),
    ],
)
def test_a_message_shows_the_value_that_is_wrong(
    tmp_path: Path, table: str, changes: dict[str, str | None], reported: str
) -> None:
    key = KEYS[table]
    rows = [sound(table), {**sound(table), key: "2", **changes}]
    around(tmp_path, table, "rows.csv", rows, "max_bad_rows = 0")
    (problem,) = loaded(tmp_path)[2]
    assert problem.what.endswith(reported)


@pytest.mark.parametrize(
    ("value", "forms"),
    [
        ("18.11.2024", ["%d.%m.%Y"]),
        ("05.04.24", ["%d.%m.%y"]),
        ("17/01/2026", ["%d/%m/%Y"]),
        ("01/17/2026", ["%m/%d/%Y"]),
        ("03/04/2026", ["%d/%m/%Y", "%m/%d/%Y"]),
    ],
)
def test_the_hint_of_a_date_reads_the_date_that_stands_there(value: str, forms: list[str]) -> None:
    column = CONTRACT["bills"].column("due_on")
    assert column is not None
    fault = Fault("RS102", "due_on", "due_on is not a date", "", how_to_map(column))
    named = re.findall("'(%[^']+)'", hint_for(fault, value))
    assert named == forms
    for form in named:
        datetime.strptime(value, form)
    assert hint_for(fault, "Bank Transfer") == fault.hint
