"""What riskseg.toml may say in SQL: a select over files, an expression over columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskseg.domain.problems import Problem, Problems
from riskseg.engine import DuckDB
from riskseg.pipeline.load import load
from riskseg.sources.reader import open_source
from riskseg.sources.unchanged import readable
from riskseg.workspace import open_workspace


def loaded(folder: Path, toml: str) -> tuple[list[tuple[str, str | None]], list[Problem]]:
    """Ids and the attribute `x` of accounts, in order; and the Problems."""
    (folder / "riskseg.toml").write_text(f"[source.accounts]\n{toml}\n", encoding="utf-8")
    problems = Problems()
    workspace = open_workspace(folder, problems)
    problems.raise_if_any()
    assert workspace is not None
    with DuckDB(reads=readable(workspace)) as engine:
        ledger = load(engine, workspace, problems)
        if ledger is None:
            return [], list(problems)
        x = '"@x"' if "x" in ledger.attributes else "null"
        sql = f"select account_id, {x} from ledger_accounts join account_ids using (account_no)"
        return [(i, x if x is None else str(x)) for i, x in engine.rows(sql + " order by 1")], []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "w" / "data").mkdir(parents=True)
    for name, row in {"a": "1,one", "b": "2,two", "c[1]": "3,three", "ü": "4,four"}.items():
        (tmp_path / "w" / "data" / f"{name}.csv").write_text(f"account_id,x\n{row}\n")
    (tmp_path / "outside.csv").write_text("account_id,x\n9,nine\n")
    return tmp_path / "w"


@pytest.mark.parametrize(
    ("read", "ids"),
    [
        ("data/a.csv", "1"),
        ("data/[ab].csv", "12"),
        ("data/c[1].csv", "3"),  # the file of this very name, not a pattern for c1.csv
        ("data/?.csv", "124"),
        ("**/*.csv", "1234"),
        ("../outside.csv", "9"),
        ("{outside}", "9"),
        ("select * from 'data/a.csv'", "1"),
        ('select * from "data/a.csv"', "1"),
        ("from 'data/a.csv';", "1"),
        ("select a.* from 'data/a.csv' a", "1"),
        ("select * from 'data/[ab].csv'", "12"),
        ("select * from 'data/c[1].csv'", "3"),
        ("select 'ü' as y, * from read_csv( 'data/ü.csv' /* this */, all_varchar = true)", "4"),
        ("select * from read_csv(['data/a.csv', 'data/b.csv'])", "12"),
        ("select * from read_csv(['data/[ab].csv', 'data/ü.csv'])", "124"),
        ("select * from read_csv('data/[ab].csv', types = {{'x': 'VARCHAR'}}) where x > 'p'", "2"),
        ("select * from read_csv('../outside.csv')", "9"),
        ("select a.* from read_csv('data/a.csv', nullstr = ')') a", "1"),
        ("from read_csv('data/a.csv', all_varchar = true) as a(account_id, x)", "1"),
        (
            "select a.* from read_csv('data/a.csv') a join read_csv('data/[ab].csv') b "
            "using (account_id) where b.x <> '('",
            "1",
        ),
        ("with t as (from 'data/a.csv') select * from t union all from 'data/b.csv'", "12"),
        ("select * from (select * from 'data/a.csv') -- the first", "1"),
        (
            "select * from 'data/a.csv' where account_id in (select account_id from 'data/a.csv')",
            "1",
        ),
        ("select i as account_id, 'x' as x from range(1, 3) t(i)", "12"),
    ],
)
def test_a_select_over_files(folder: Path, read: str, ids: str) -> None:
    text = read.format(outside=folder.parent / "outside.csv")
    found, problems = loaded(folder, f"from = '''{text}'''")
    assert problems == []
    assert [i for i, _ in found] == list(ids)


@pytest.mark.parametrize(
    ("read", "code"),
    [
        ("select * from 'data/a.csv'; select 1", "RS006"),
        ("select * from 'data/a.csv'; copy (select 1) to 'out.csv'", "RS006"),
        ("with t as (select 1) copy (select 1) to 'out.csv'", "RS006"),
        ("select * from read_text('/etc/hostname')", "RS012"),
        ("select content as account_id from read_blob('data/a.csv')", "RS012"),
        ("select file as account_id from glob('/etc/*')", "RS012"),
        ("select * from query('select 1 as account_id')", "RS012"),
        ("select * from query_table('account_ids')", "RS012"),
        ("select name as account_id from duckdb_settings()", "RS012"),
        ("select * from read_csv('data/' || 'a.csv')", "RS012"),
        ("select * from read_csv((select 'data/a.csv'))", "RS012"),
        ("select * from read_csv(['data/a.csv', 'data/' || 'b.csv'])", "RS012"),
        ("select (select content from read_text('/etc/hostname')) as account_id", "RS012"),
        ("select * from sniff_csv('data/a.csv')", "RS012"),
        ("select * from (describe select 1)", "RS012"),
        ("select * from account_ids", "RS006"),
        ("select * from information_schema.tables", "RS006"),
        ("select * from 'https://example.org/a.csv'", "RS006"),
        ("select * from read_parquet('s3://b/a.parquet')", "RS006"),
        ("select account_id, x, X from 'data/a.csv'", "RS011"),
        ("select * from 'data/a.csv' where x = ?", "RS006"),
    ],
)
def test_a_select_that_does_more_is_refused(folder: Path, read: str, code: str) -> None:
    found, problems = loaded(folder, f"from = '''{read}'''")
    assert found == []
    assert [(p.code, p.line) for p in problems] == [(code, 2)]
    assert not (folder / "out.csv").exists()


@pytest.mark.parametrize(
    ("expression", "x"),
    [
        ("upper(x)", "ONE"),
        ("X", "one"),
        ("x || ')' -- a comment", "one)"),
        ("case x when 'one' then 'a' else 'b' end", "a"),
        ("replace(x, 'one', 'a; b, c')", "a; b, c"),
        ("x = 'one' and not account_id is null", "True"),
        ("list_transform([x], lambda y: y || '!')[1]", "one!"),
        ("length(x) + 2", "5"),
    ],
)
def test_an_expression_over_the_columns(folder: Path, expression: str, x: str) -> None:
    found, problems = loaded(folder, f"from = 'data/a.csv'\nx = '''{expression}'''")
    assert problems == []
    assert found == [("1", x)]


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("x, account_id", "RS012"),
        ("x) , (x", "RS007"),
        ("x) as y from 'data/b.csv' where (true", "RS007"),
        ("x from 'data/b.csv'", "RS012"),
        ("x where true", "RS012"),
        ("x as y", "RS012"),
        ("x; drop table accounts", "RS007"),
        ("(select x from 'data/b.csv')", "RS012"),
        ("exists (select 1)", "RS012"),
        ("x in (select content from read_text('/etc/hostname'))", "RS012"),
        ("*", "RS012"),
        ("columns(*)", "RS012"),
        ("#1", "RS012"),
        ("?", "RS012"),
        ("unnest([1, 2])", "RS012"),
        ("x +", "RS007"),
        ("/* x", "RS007"),
        ("", "RS007"),
        ("(" * 2_000 + "x" + ")" * 2_000, "RS007"),
    ],
)
@pytest.mark.parametrize("name", ["x", "account_id"])
def test_an_expression_that_does_more_is_refused(
    folder: Path, name: str, expression: str, code: str
) -> None:
    found, problems = loaded(folder, f"from = 'data/a.csv'\n{name} = '''{expression}'''")
    assert found == []
    assert [(p.code, p.line) for p in problems] == [(code, 3)]


def test_a_sum_over_rows_is_no_expression_even_alone(folder: Path) -> None:
    """It would leave one row of all."""
    found, problems = loaded(folder, "from = 'select account_id as i from \"data/a.csv\"'\n"
                             "account_id = 'max(i)'")  # fmt: skip
    assert found == []
    assert [p.code for p in problems] == ["RS007"]
    assert "several rows" in problems[0].what


@pytest.mark.parametrize(
    ("read", "rows"),
    [
        ("select * from 'data/h.csv'", [("#1", "#x"), ("2", "y")]),
        ("select h.* from 'data/h.csv' where h.x <> 'y'", [("#1", "#x")]),
        ("select t.* from 'data/h.csv' as t", [("#1", "#x"), ("2", "y")]),
        ("select * from read_csv('data/h.csv', all_varchar = true -- all\n)",
         [("#1", "#x"), ("2", "y")]),
        ("select * from read_csv('data/h.csv', comment := '#')", [("2", "y")]),
        ("select * from read_csv('data/s.csv')", [("1", "Müller;")]),
        ("select * from read_csv('data/s.csv', delim = ';', quote = '\"')", [("1", "Müller;")]),
        ("select * from read_csv(['data/h.csv', 'data/[ab].csv'])",
         [("#1", "#x"), ("1", "one"), ("2", "two"), ("2", "y")]),
        ("select * from 'data/s.csv' union all by name select * from 'data/a.csv'",
         [("1", "Müller;"), ("1", "one")]),
    ],
)  # fmt: skip
def test_csv_in_a_select_is_pinned_as_elsewhere(
    folder: Path, read: str, rows: list[tuple[str, str]]
) -> None:
    (folder / "data/h.csv").write_text("account_id,x\n#1,#x\n2,y\n")
    (folder / "data/s.csv").write_bytes('sep=;\r\naccount_id;x\r\n1;"Müller;"\r\n'.encode())
    (folder / "riskseg.toml").write_text(f"[source.accounts]\nfrom = '''{read}'''\n")
    workspace = open_workspace(folder, Problems())
    assert workspace is not None
    source = open_source(workspace.settings.sources["accounts"], folder)
    with DuckDB(reads=readable(workspace)) as engine:
        relation = source.relation(engine)
        assert sorted(engine.rows(f"select cast(account_id as varchar), x from {relation}")) == rows


@pytest.mark.parametrize(
    ("values", "options", "kind"),
    [
        (["Yes", "No"], "", "text"),
        (["true", "false"], "", "text"),
        (["true", "false"], ", types = {'x': 'BOOLEAN'}", "boolean"),
        (["1", "20"], "", "int64"),
        (["1", "2.5"], "", "float64"),
        (["2026-01-31"], "", "date"),
        # The first of February, or the second of January.
        (["01/02/2026"], "", "text"),
        (["01/02/2026"], ", dateformat = '%d/%m/%Y'", "date"),
        (["2026-01-31 12:00"], "", "text"),
        (["1"], ", all_varchar = true", "text"),
    ],
)  # fmt: skip
def test_what_a_select_takes_a_column_for(
    folder: Path, values: list[str], options: str, kind: str
) -> None:
    (folder / "data/k.csv").write_text("account_id,x\n" + "".join(f"1,{x}\n" for x in values))
    read = f"select x from read_csv('data/k.csv'{options})"
    (folder / "riskseg.toml").write_text(f'[source.accounts]\nfrom = "{read}"\n')
    workspace = open_workspace(folder, Problems())
    assert workspace is not None
    source = open_source(workspace.settings.sources["accounts"], folder)
    with DuckDB(reads=readable(workspace)) as engine:
        assert {name: str(type_) for name, type_ in source.describe(engine).items()} == {"x": kind}


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (b"account_id,x\n1,2\nEnd\n", "RS021", 3),
        (b"account_id,x\n1,\xfc\n", "RS020", 2),
        (b"account_id,x\n1,\"2\n", "RS021", 2),
        (b"", "RS109", None),
    ],
)  # fmt: skip
def test_csv_in_a_select_that_cannot_be_read_is_reported_with_its_line(
    folder: Path, content: bytes, code: str, line: int | None
) -> None:
    (folder / "data/b.csv").write_bytes(content)
    _, problems = loaded(folder, "from = \"select * from read_csv(['data/a.csv', 'data/b.csv'])\"")
    assert [(p.code, p.file, p.line) for p in problems] == [(code, "data/b.csv", line)]


def test_files_of_several_delimiters_in_one_call_are_refused(folder: Path) -> None:
    (folder / "data/b.csv").write_text("account_id;x\n1;2\n")
    _, problems = loaded(folder, "from = \"select * from 'data/[ab].csv'\"")
    assert [(p.code, p.file) for p in problems] == [("RS022", "data/b.csv")]


def test_the_encoding_of_csv_in_a_select_is_stated_as_elsewhere(folder: Path) -> None:
    (folder / "data/b.csv").write_bytes("account_id,x\n1,Müller\n".encode("cp1252"))
    toml = "from = \"select * from 'data/b.csv'\"\nread = {encoding = 'windows-1252'}"
    assert loaded(folder, toml) == ([("1", "Müller")], [])
