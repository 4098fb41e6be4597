"""Sources in SQLite and PostgreSQL: read as they are, or refused with the reason and no secret."""

from __future__ import annotations

import csv
import json
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from riskseg.domain.problems import Problem, Problems
from riskseg.engine import DuckDB, Engine
from riskseg.pipeline.load import load
from riskseg.run.assign import assign
from riskseg.run.check import check
from riskseg.run.planned_sources import planned_sources
from riskseg.run.replay import replay
from riskseg.sources.database_connections import Connections
from riskseg.sources.describe import fingerprints, map_sources
from riskseg.sources.reader import open_source
from riskseg.sources.unchanged import readable
from riskseg.workspace import open_workspace
from tests.journeys.killing import Door, begin_command
from tests.sources.ledgers_in_databases import edit, fill, reading, run
from tests.support.postgres import running

DAY = date(2026, 1, 1)
AT = datetime(2026, 1, 1, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with running() as url:
        fill(url, "billing")
        yield url


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    fill(f"sqlite:///{tmp_path / 'ledger.db'}")
    return "sqlite:///ledger.db"


@pytest.fixture
def in_postgres(tmp_path: Path, postgres: str) -> Path:
    return reading(tmp_path, postgres, "billing")


@pytest.fixture
def in_sqlite(tmp_path: Path, sqlite: str) -> Path:
    return reading(tmp_path, sqlite)


@pytest.fixture(params=["in_sqlite", "in_postgres"])
def root(request: pytest.FixtureRequest) -> Path:
    path: Path = request.getfixturevalue(request.param)
    return path


def asked(root: Path, ask: Callable[[Engine], Any] = lambda _: None) -> tuple[Any, list[Problem]]:
    """What is asked of the engine once the sources are loaded, and the Problems of loading them."""
    problems = Problems()
    workspace = open_workspace(root, problems)
    if workspace is None:
        return None, list(problems)
    zone = workspace.settings.timezone or "UTC"
    with DuckDB(reads=readable(workspace), threads=1, timezone=zone) as engine:
        ledger = load(engine, workspace, problems)
        return (ask(engine) if ledger else None), list(problems)


def faults(root: Path) -> list[tuple[str, int | None]]:
    return [(problem.code, problem.line) for problem in asked(root)[1]]


def test_tables_selects_and_files_are_read_together(root: Path) -> None:
    def rows(engine: Engine) -> Any:
        return (
            engine.rows("select due_on, amount_minor from bills order by account_no"),
            engine.rows("select paid_on, amount_minor from payments"),
            engine.rows(
                'select "@region", "@vip", "@score" from ledger_accounts order by account_no'
            ),
        )

    day = date(2025, 11, 1)
    values, problems = asked(root, rows)
    assert problems == []
    assert values == (
        [(day, 10_010), (day, 10_000)],
        [(day, 10_000)],
        [("north", True, Decimal("1.250")), ("south", False, None)],
    )


def test_decisions_can_be_repeated_from_the_source(in_postgres: Path) -> None:
    ran = assign(in_postgres, DAY, str(in_postgres / "d.csv"), at=AT)
    with (in_postgres / "d.csv").open(encoding="utf-8-sig") as file:
        actions = {row["account_id"]: row["action"] for row in csv.DictReader(file)}
    assert actions == {"a": "letter", "b": "sms"}
    since = replay(in_postgres, ran.run_id, from_source=True).since
    assert since is not None
    assert since.sources == ()


def test_rows_in_another_order_have_the_same_fingerprint(tmp_path: Path, sqlite: str) -> None:
    root = reading(tmp_path, sqlite)
    database = f"sqlite:///{tmp_path / 'ledger.db'}"

    def hashes() -> Any:
        problems = Problems()
        workspace = open_workspace(root, problems)
        assert workspace is not None
        return asked(root, lambda engine: fingerprints(engine, workspace))[0]

    before = hashes()
    run(database, "create table sorted as select * from receipts order by amount")
    run(database, "drop table receipts", "alter table sorted rename to receipts")
    # A column that nothing reads is no part of what was read.
    run(database, "update invoices set note = 'z'")
    assert hashes() == before
    run(database, "update receipts set amount = 99 where amount = 100")
    after = hashes()
    assert {name for name in before if before[name] != after[name]} == {"payments"}


def test_all_sources_are_of_one_moment(root: Path, request: pytest.FixtureRequest) -> None:
    """What another session commits while a reading goes on is not seen by it."""
    in_postgres = "billing" in (root / "riskseg.toml").read_text()
    url = request.getfixturevalue("postgres") if in_postgres else f"sqlite:///{root}/ledger.db"
    table = "billing.receipts" if in_postgres else "receipts"
    if not in_postgres:
        run(url, "pragma journal_mode = wal")
    workspace = open_workspace(root, Problems())
    assert workspace is not None
    sources = workspace.settings.sources
    with DuckDB(threads=1) as engine, Connections(root) as connections:
        readers = [open_source(sources[name], root) for name in ("bills", "payments")]
        for reader in readers:
            reader.connect(connections)
            reader.describe(engine)
        readers[0].read(engine, None)
        other = threading.Thread(target=run, args=(url, f"delete from {table} where amount > 0"))
        other.start()
        other.join()
        readers[1].read(engine, None)
        assert engine.value('select count(*) from "rows of payments"') == 1
    run(url, f"insert into {table} values ('b', '2025-11-01', 100)")


@pytest.mark.parametrize(
    ("old", "new", "code", "line", "words"),
    [
        ("invoices", "invoicess", "RS006", 8, "invoices"),
        ('"total"', '"totals"', "RS007", 12, "totals"),
        ("where amount", "where amounts", "RS006", 14, "amounts"),
        ("select account_id, paid_on, amount", "select 1 from (", "RS006", 14, "payments"),
    ],
)
def test_what_is_not_there_is_a_problem(
    root: Path, old: str, new: str, code: str, line: int, words: str
) -> None:
    edit(root, old, new)
    problems = asked(root)[1]
    assert [(p.code, p.line) for p in problems] == [(code, line)]
    assert words in f"{problems[0].what} {problems[0].hint}"


ADDRESSES = {
    "postgresql://u:${PW}@127.0.0.1:1/db": ("RS016", "check `url`"),
    "mysql+pymysql://u:${PW}@localhost/db": ("RS024", "pip install pymysql"),
    "nosuch://u:${PW}@localhost/db": ("RS016", "dialect"),
    "sqlite:///nowhere.db": ("RS016", "looked up from"),
    "postgresql://u:${PW}@a@b/db": ("RS004", "%40"),
    "postgresql://u:${NO_PW}@localhost/db": ("RS004", "set no_pw"),
    "postgresql://u:hush-hush@localhost/db": ("RS004", "${name}"),
    "ledger.db": ("RS004", "url"),
}


@pytest.mark.parametrize("url", ADDRESSES)
def test_addresses_that_lead_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("PW", "hush-hush")
    code, words = ADDRESSES[url]
    problems = asked(reading(tmp_path, url))[1]
    assert {(p.code, p.line) for p in problems} == {(code, 4)}
    assert words in problems[0].hint.lower()
    assert "hush" not in str(problems)


def test_no_secret_is_kept(tmp_path: Path, postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PW", "hush-hush")
    root = reading(tmp_path, postgres.replace("postgres@", "postgres:${PW}@"), "billing")
    assign(root, DAY, str(root / "d.csv"), at=AT)
    files = [path for path in root.rglob("*") if path.is_file()]
    assert any(path.name == "journal.db" for path in files)
    assert [path for path in files if b"hush-hush" in path.read_bytes()] == []


def test_a_source_says_what_it_reads_from(in_sqlite: Path) -> None:
    """One source of another database than the others; `url` of one overrules that of all."""
    fill(f"sqlite:///{in_sqlite / 'other.db'}")
    run(f"sqlite:///{in_sqlite / 'other.db'}", "update invoices set total = 7")
    edit(in_sqlite, "[source.bills]\n", '[source.bills]\nurl = "sqlite:///other.db"\n')
    amounts = asked(in_sqlite, lambda engine: engine.rows("select amount_minor from bills"))
    assert amounts == ([(700,), (700,)], [])


def test_bad_rows_of_a_table_are_set_apart(root: Path) -> None:
    edit(root, 'due_on = "due"', "due_on = \"case when no = 2 then 'soon' else due::text end\"")
    edit(root, "[workspace]\n", "[workspace]\nmax_bad_rows = 0.6\n")
    result = check(root)
    assert [(p.code, p.line) for p in result.problems] == [("RS102", 2)]


TYPES = {
    "numeric '12.3400'": ("account_score", "decimal(38, 9)", Decimal("12.34")),
    "numeric(12, 2) '12.30'": ("x", "decimal(12, 2)", Decimal("12.30")),
    "'a  '::char(5)": ("x", "text", "a"),
    "'12345678-1234-1234-1234-123456789012'::uuid": (
        "x",
        "text",
        "12345678-1234-1234-1234-123456789012",
    ),
    "12345678901234567890123456789012345678901234567890::numeric(50, 0)::text": (
        "x",
        "text",
        "12345678901234567890123456789012345678901234567890",
    ),
    "true": ("x", "boolean", True),
    "7::smallint": ("x", "int16", 7),
    "0.5::float8": ("x", "float64", 0.5),
    "'{\"a\": 1}'::jsonb": ("x", "text", '{"a": 1}'),
    "date 'infinity'": ("x", "date", date(9999, 12, 31)),
    "timestamptz '2025-06-14 22:00Z'": (
        "x",
        "timestamp with zone",
        datetime(2025, 6, 14, 22, tzinfo=UTC),
    ),
    "timestamp '2025-06-15 10:00'": ("x", "timestamp", datetime(2025, 6, 15, 10)),
    "'x'::name": ("x", "text", "x"),
    "null::date": ("x", "date", None),
}


def test_types_of_postgres(tmp_path: Path, postgres: str) -> None:
    """Every value comes as it is, under the type that its column says."""
    names = [f"c{number}" for number in range(len(TYPES))]
    listed = ", ".join(f"{sql} as {name}" for sql, name in zip(TYPES, names, strict=True))
    root = reading(tmp_path, postgres, "billing")
    edit(root, '"billing.accounts"', f"'''select 'a' as account_id, {listed}'''")
    workspace = open_workspace(root, Problems())
    assert workspace is not None
    source = workspace.settings.sources["accounts"]
    with DuckDB(threads=1) as engine, Connections(root) as connections:
        reader = open_source(source, root)
        reader.connect(connections)
        types = reader.describe(engine)
        reader.read(engine, None)
        values = engine.arrow('select * from "rows of accounts"').to_pylist()[0]
    found = [(str(types[name]), values[name]) for name in names]
    assert found == [expected[1:] for expected in TYPES.values()]


@pytest.mark.parametrize("value", ["1 / 3::numeric", "'NaN'::numeric", "1e30::numeric"])
def test_a_decimal_that_cannot_be_kept_is_not_rounded(
    tmp_path: Path, postgres: str, value: str
) -> None:
    root = reading(tmp_path, postgres, "billing")
    edit(root, "select account_id, paid_on, amount", f"select account_id, paid_on, {value} amount")
    problems = asked(root)[1]
    assert [(p.code, p.line) for p in problems] == [("RS006", 14)]
    assert ("exactly" in problems[0].what, "numeric(18, 2)" in problems[0].hint) == (True, True)


def test_a_select_that_fails_in_the_middle(in_postgres: Path) -> None:
    edit(in_postgres, "paid_on, amount", "paid_on, 1 / (amount - 100) as amount")
    edit(in_postgres, "where amount > 0", "where amount >= 0 order by amount")
    problems = asked(in_postgres)[1]
    assert [(p.code, p.line) for p in problems] == [("RS006", 14)]
    assert "division by zero" in problems[0].what


def test_rows_that_may_not_be_read(tmp_path: Path, postgres: str) -> None:
    run(postgres, "create role clerk login", "grant usage on schema billing to clerk")
    root = reading(tmp_path, postgres.replace("postgres@", "clerk@"), "billing")
    assert faults(root) == [("RS016", 6)]


def test_a_schema_that_may_not_be_used_is_no_missing_table(tmp_path: Path, postgres: str) -> None:
    run(postgres, "create role stranger login")
    root = reading(tmp_path, postgres.replace("postgres@", "stranger@"), "billing")
    assert {code for code, _ in faults(root)} == {"RS016"}


@pytest.mark.parametrize(
    ("select", "words"),
    [
        ("with gone as (delete from {0} returning *) select * from gone", ""),
        ("select * from", ""),
        ("select nothing from {0}", "nothing"),
    ],
)
def test_a_select_that_is_refused_is_the_fault_of_its_line(
    root: Path, select: str, words: str
) -> None:
    table = "billing.invoices" if "billing" in (root / "riskseg.toml").read_text() else "invoices"
    edit(root, f'"{table}"', f'"{select.format(table)}"')
    [problem] = asked(root)[1]
    assert (problem.code, problem.line) == ("RS006", 8)
    assert words in problem.what


def test_a_text_where_numbers_are_declared_is_said_to_be_one(in_sqlite: Path) -> None:
    run(f"sqlite:///{in_sqlite / 'ledger.db'}", "update invoices set total = 'n/a' where no = 1")
    [problem] = asked(in_sqlite)[1]
    assert problem.code == "RS006"
    assert "holds n/a, which is no number" in problem.what
    assert "as varchar" in problem.hint


def test_a_database_that_is_in_use_or_damaged_is_to_blame_and_no_select(in_sqlite: Path) -> None:
    file = in_sqlite / "ledger.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("begin exclusive")
        edit(in_sqlite, "ledger.db", "ledger.db?timeout=0")
        assert {code for code, _ in faults(in_sqlite)} == {"RS016"}
    edit(in_sqlite, "ledger.db?timeout=0", "ledger.db")
    file.write_bytes(b"no database" * 999)
    assert {code for code, _ in faults(in_sqlite)} == {"RS016"}


def test_a_table_with_a_dot_in_its_name(in_sqlite: Path) -> None:
    run(f"sqlite:///{in_sqlite / 'ledger.db'}", 'alter table invoices rename to "old.invoices"')
    edit(in_sqlite, '"invoices"', '"old.invoices"')
    [problem] = asked(in_sqlite)[1]
    assert problem.hint == 'Did you mean ""old.invoices""?'
    edit(in_sqlite, '"old.invoices"', "'\"old.invoices\"'")
    assert asked(in_sqlite, lambda e: e.value("select count(*) from bills")) == (2, [])


def test_an_overlay_may_lie_in_a_database(in_sqlite: Path) -> None:
    run(
        f"sqlite:///{in_sqlite / 'ledger.db'}",
        "create table census (area text, income integer)",
        "insert into census values ('north', 7), ('south', 8)",
    )
    toml = '[source.overlays.census]\nurl = "{}"\nfrom = "census"\non = "region"\nregion = "area"\n'
    with (in_sqlite / "riskseg.toml").open("a") as file:
        file.write(toml.format("sqlite:///ledger.db"))
    ask = 'select "@income" from ledger_accounts order by account_no'
    assert asked(in_sqlite, lambda e: e.rows(ask)) == ([(7,), (8,)], [])
    ran = assign(in_sqlite, DAY, str(in_sqlite / "d.csv"), at=AT)
    since = replay(in_sqlite, ran.run_id, from_source=True).since
    assert since is not None and since.sources == ()
    run(f"sqlite:///{in_sqlite / 'ledger.db'}", "update census set income = 9")
    since = replay(in_sqlite, ran.run_id, from_source=True).since
    assert since is not None and since.sources == ("overlays.census",)


def test_a_file_beside_a_database_needs_a_url_of_its_own(root: Path) -> None:
    table = "billing.invoices" if "billing" in (root / "riskseg.toml").read_text() else "invoices"
    edit(root, f'"{table}"', '"data/bills.csv"')
    [problem] = asked(root)[1]
    assert 'add `url = "files"` to [source.bills]' in problem.hint


def test_a_time_with_a_zone_has_the_day_of_the_workspace(tmp_path: Path, postgres: str) -> None:
    run(
        postgres,
        "create table billing.zoned as select 'a' as acc, 1 as no, 5.00::numeric(9, 2) as total, "
        "timestamptz '2025-06-14 22:00Z' as due",
    )
    root = reading(tmp_path, postgres, "billing")
    edit(root, "billing.invoices", "billing.zoned")
    assert faults(root) == [("RS017", 11)]
    edit(root, "[workspace]\n", '[workspace]\ntimezone = "Europe/Berlin"\n')
    assert asked(root, lambda engine: engine.value("select due_on from bills")) == (
        date(2025, 6, 15),
        [],
    )


def test_a_value_of_another_type_than_its_column_in_sqlite(in_sqlite: Path) -> None:
    run(f"sqlite:///{in_sqlite / 'ledger.db'}", "update invoices set no = 'x1' where no = 1")
    problems = asked(in_sqlite)[1]
    assert [(p.code, p.line) for p in problems] == [("RS006", 8)]
    assert "'x1' is not a whole number" in problems[0].what
    edit(in_sqlite, '"invoices"', '"select acc, cast(no as text) as no, due, total from invoices"')
    assert faults(in_sqlite) == []


def test_colons_and_percent_signs_of_a_select_are_its_own(in_sqlite: Path) -> None:
    edit(
        in_sqlite,
        "where amount > 0",
        "where account_id like '%b' and '10:30:00' <> ':name' and amount > 0; ",
    )
    assert asked(in_sqlite, lambda e: e.value("select count(*) from payments")) == (1, [])


def test_a_reading_that_is_killed_leaves_nothing_wrong_behind(
    in_postgres: Path, postgres: str
) -> None:
    """Killed after rows of a table were taken over: there is no output and no run, the server has
    no connection left, and the next run decides as if nothing had been."""
    out, sound = in_postgres / "d.csv", in_postgres / "sound.csv"
    words = ("assign", "--as-of", DAY.isoformat(), "--out")
    killed = begin_command(
        in_postgres,
        *words,
        str(out),
        door=Door("riskseg.engine.duck.DuckDB", "converted", "after", 2),
    )
    killed.join()
    assert killed.exitcode == -signal.SIGKILL
    assert not out.exists()
    ask = "select count(*) from pg_stat_activity where application_name = 'riskseg'"
    engine = sa.create_engine(postgres, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        for _ in range(100):  # the server finds out a little later
            if not connection.exec_driver_sql(ask).scalar():
                break
            time.sleep(0.05)
        assert connection.exec_driver_sql(ask).scalar() == 0
    assign(in_postgres, DAY, str(out), at=AT)
    fresh = reading(in_postgres / "fresh", postgres, "billing")
    assign(fresh, DAY, str(sound), at=AT)
    assert out.read_bytes() == sound.read_bytes()
    assert not [*(in_postgres / ".riskseg/scratch").iterdir()]


def test_connections_are_closed_when_a_reading_is_broken_off(
    in_postgres: Path, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    workspace = open_workspace(in_postgres, Problems())
    assert workspace is not None
    with DuckDB(reads=readable(workspace), threads=1) as engine:
        monkeypatch.setattr(engine, "converted", interrupted)
        with pytest.raises(KeyboardInterrupt):
            map_sources(engine, workspace, Problems())
    sessions = "select count(*) from pg_stat_activity where application_name = 'riskseg'"
    import sqlalchemy as sa

    with sa.create_engine(postgres, poolclass=sa.NullPool).connect() as connection:
        assert connection.exec_driver_sql(sessions).scalar() == 0


def test_what_is_decided_is_the_same_from_both(
    tmp_path: Path, postgres: str, request: pytest.FixtureRequest
) -> None:
    (tmp_path / "lite").mkdir()
    fill(f"sqlite:///{tmp_path / 'lite' / 'ledger.db'}")
    roots = [
        reading(tmp_path / "lite", "sqlite:///ledger.db"),
        reading(tmp_path / "post", postgres, "billing"),
    ]
    for root in roots:
        assign(root, DAY, str(root / "d.csv"), at=AT)
    first, second = ((root / "d.csv").read_bytes() for root in roots)
    assert first == second
    manifest = json.loads((roots[1] / "d.csv.manifest.json").read_text())
    assert "postgresql" not in json.dumps(manifest)


def test_a_plan_tells_what_is_read_from_where_and_no_secret(tmp_path: Path) -> None:
    root = reading(tmp_path, "postgresql://u:${PW}@db/ledger?sslpassword=hush", "billing")
    assert planned_sources(root) == [
        "accounts from billing.accounts in postgresql://u:***@db/ledger?sslpassword=***",
        "bills from billing.invoices in postgresql://u:***@db/ledger?sslpassword=***",
        "payments from a select in postgresql://u:***@db/ledger?sslpassword=***",
        "events from data/events.csv",
    ]


def test_numbers_are_ids_without_decimals(tmp_path: Path, postgres: str) -> None:
    """`numeric` without digits, as Oracle's NUMBER, is how some systems keep whole numbers."""
    root = reading(tmp_path, postgres, "billing")
    ids = "select (no * 100)::numeric as account_id, region from billing.accounts join "
    edit(root, '"billing.accounts"', f'"{ids}billing.invoices on acc = account_id"')
    edit(root, '"acc"', '"no * 100"')
    edit(root, "select account_id, paid_on", "select '200' as account_id, paid_on")
    (root / "data" / "events.csv").write_text("account_id,happened_on,kind\n")
    found = asked(root, lambda engine: engine.rows("select account_id from account_ids order by 1"))
    assert found == ([("100",), ("200",)], [])
