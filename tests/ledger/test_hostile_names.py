"""Headers are data: whatever a column is called, its values come back, and nothing is run."""

from __future__ import annotations

import csv
import random
import unicodedata
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskseg.domain.facts import folded
from riskseg.domain.problems import Problem, Problems
from riskseg.engine import DuckDB
from riskseg.pipeline.load import load
from riskseg.pipeline.workspace_facts import workspace_facts
from riskseg.sources.unchanged import readable
from riskseg.workspace import open_workspace
from tests.ledger.loading import load_workspace, shipped_catalogue

INTERNAL = [
    *("fault", "row_no", "account_no", "snap", "s", "a", "t", "i", "e", "o", "r", "n", "reported"),
    *("amount_minor", "known_on", "focus_bill", "_null_opened_on", "_more_amount"),
    *("x", "x0", "=", "=0"),
    *("@", "@fault", "@x", "~due", "#t", "accounts", "account_ids", "ledger_accounts", "facts"),
    *("snapshots", "account_rows", "rowid", "reverses", "amount", "bill_id", "label", "place", "p"),
]
KEYWORDS = ["select", "from", "order", "group by", "null", "true", "case", "end", "table", "*", "1"]
WICKED = [
    'size "m2"',
    "it's",
    "a;b",
    "drop table accounts; --",
    '"); drop table accounts; --',
    "a,b",
    "a\tb",
    "a\nb",
    "[a]",
    "{a}",
    "(a)",
    "$1",
    "?",
    "%s",
    "a.b",
    "a -- b",
    "/* a",
    "\\",
    "''",
    '""',
    "größe",
    "Straße",
    "İstanbul",
    "名前",
    "имя",
    "e\u0301te\u0301",
    "☂",
    "column0",
    "a_1",
]
EVIL = (
    'a") as q from (select 1 as "account_id", 2 as "a")); copy (select 1) to \'{out}\'; '
    'select * from (select 1 as x0, ("b'
)


def _cased(draw: random.Random, name: str) -> str:
    return "".join(c.swapcase() if draw.random() < 0.3 else c for c in name)


def _headers(draw: random.Random) -> list[str]:
    chosen = [_cased(draw, n) for n in draw.sample([*INTERNAL, *KEYWORDS, *WICKED], 12)]
    return list({folded(name): name for name in chosen}.values())


def _write(path: Path, headers: list[str], rows: list[list[str]]) -> None:
    if path.suffix == ".parquet":
        columns = [pa.array(list(values), pa.string()) for values in zip(*rows, strict=True)]
        pq.write_table(pa.Table.from_arrays(columns, headers), path)
        return
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([headers, *rows])


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("seed", range(12))
def test_values_come_back_under_any_header(tmp_path: Path, form: str, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 (invented names)
    headers = _headers(draw)
    rows = [[f"{i}/{h}"[:9].strip() for h in headers] for i in "xyz"]
    key = draw.choice(["account_id", "Account_ID", "ACCOUNT_ID"])
    # One bad row besides: the rows are then numbered and read a second time.
    _write(
        tmp_path / f"a.{form}",
        [*headers, key, "Closed_On"],
        [[*row, i, "2020-01-01"] for i, row in zip("xyz", rows, strict=True)],
    )
    (tmp_path / "riskseg.toml").write_text(
        f'[workspace]\nmax_bad_rows = 1\n[source.accounts]\nfrom = "a.{form}"\n'
    )
    loaded = load_workspace(tmp_path)
    found = loaded.facts_of(loaded.as_of(date(2026, 1, 1)))
    assert [r["account_id"] for r in found] == ["x", "y", "z"]
    for name, values in zip(headers, zip(*rows, strict=True), strict=True):
        assert [r[folded(name)] for r in found] == list(values), name
    assert set(loaded.ledger.attributes) == set(map(folded, headers))
    assert {r["closed_on"] for r in found} == {date(2020, 1, 1)}


def problems_of(folder: Path, accounts: str, toml: str = "") -> list[Problem]:
    (folder / "a.csv").write_text(accounts, encoding="utf-8")
    (folder / "riskseg.toml").write_text(f'[source.accounts]\nfrom = "a.csv"\n{toml}')
    problems = Problems()
    workspace = open_workspace(folder, problems)
    assert workspace is not None
    with DuckDB(reads=readable(workspace)) as engine:
        ledger = load(engine, workspace, problems)
        if ledger is not None:
            workspace_facts(shipped_catalogue(), ledger, problems)
    return list(problems)


def test_sql_in_a_header_is_not_run(tmp_path: Path) -> None:
    out = tmp_path / "out.txt"
    header = EVIL.format(out=out).replace('"', '""')
    assert problems_of(tmp_path, f'account_id,"{header}"\nA1,x\n') == []
    assert not out.exists()


@pytest.mark.parametrize(
    ("accounts", "toml", "code", "both"),
    [
        ("account_id,Region,region\na,1,2\n", "", "RS011", ("Region", "region")),
        ("account_id,region,region\na,1,2\n", "", "RS011", ("region", "region")),
        ("account_id,É,é\na,1,2\n", "", "RS011", ("É", "é")),
        ("account_id,\u00e9,e\u0301\na,1,2\n", "", "RS011", ("\u00e9", "e\u0301")),
        ("account_id,ACCOUNT_ID\na,1\n", "", "RS011", ("account_id", "ACCOUNT_ID")),
        ("account_id,Closed_On,e\na,,\n", 'closed_on = "e"\n', "RS011", ("closed_on", "Closed_On")),
        ("account_id,region,zone\na,1,2\n", 'Region = "zone"\n', "RS011", ("Region", "region")),
        (
            "id\na\n",
            'account_id = "id"\nAccount_Id = "id"\n',
            "RS009",
            ("account_id", "Account_Id"),
        ),
        ("account_id,Lifecycle\na,1\n", "", "RS503", ("Lifecycle", "lifecycle")),
        ("account_id,x\na,1\n", 'LIFECYCLE = "x"\n', "RS503", ("LIFECYCLE", "lifecycle")),
        ("account_id,As_Of\na,1\n", "", "RS503", ("As_Of", "as_of")),
    ],
)
def test_names_that_are_one_are_a_problem_that_tells_both(
    tmp_path: Path, accounts: str, toml: str, code: str, both: tuple[str, str]
) -> None:
    [problem] = problems_of(tmp_path, accounts, toml)
    assert problem.code == code
    assert problem.file == "riskseg.toml"
    assert problem.line is not None
    for name in both:
        assert name in problem.what


@pytest.mark.parametrize("read", ["a.csv", "select * from read_csv('a.csv')", "from 'a.csv'"])
def test_a_name_that_the_engine_gave_a_column_is_not_taken_for_the_files(
    tmp_path: Path, read: str
) -> None:
    problems_of(tmp_path, "account_id,Region,region\na,1,2\n")
    (tmp_path / "riskseg.toml").write_text(f'[source.accounts]\nfrom = "{read}"\n')
    problems = Problems()
    workspace = open_workspace(tmp_path, problems)
    assert workspace is not None
    with DuckDB(reads=readable(workspace)) as engine:
        assert load(engine, workspace, problems) is None
    assert [p.code for p in problems] == ["RS011"]


def test_an_accented_name_has_one_spelling() -> None:
    assert folded(unicodedata.normalize("NFD", "Ümlaut")) == "ümlaut"
