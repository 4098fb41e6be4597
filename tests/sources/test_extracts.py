"""What is kept of sources in databases: reading what has changed gives the rows that reading all of
them gives, and what cannot be found so is read as a whole."""

from __future__ import annotations

import errno
import json
import os
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from riskseg.domain.problems import Problems, ProblemsError
from riskseg.pipeline.load import load
from riskseg.pipeline.session import open_checked, scratch_engine
from riskseg.pipeline.staged_ledger import folder_of
from riskseg.run.assign import assign
from riskseg.run.check import check
from riskseg.sources.describe import fingerprints
from riskseg.sources.extracts import forget
from riskseg.store.files import part_token
from riskseg.store.lock import waiting_lock
from riskseg.workspace import open_workspace
from tests.sources.ledgers_in_databases import run
from tests.support.postgres import running
from tests.support.small import make

DAY, AT = date(2026, 1, 1), datetime(2026, 1, 1, 9, tzinfo=UTC)
TOML = """[workspace]
strategy = "rules/s"
max_alike = 1.0
[source]
url = "{url}"
[source.accounts]
from = "{s}accounts"
[source.bills]
from = "{s}bills"
[source.payments]
from = "{s}payments"
[source.payments.incremental]
watermark = "{watermark}"
{more}
"""
KEY = 'key = "payment_id"'


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with running() as url:
        yield url


@dataclass
class Place:
    """A database with payments whose `seen` is a number, a day or a time, and workspaces on it."""

    tmp: Path
    url: str
    type_: str
    schema: str = ""
    read: str = ""
    made: int = field(default=0)

    def __post_init__(self) -> None:
        self.read = self.read or self.url
        if self.schema:
            self.run(f"create schema {self.schema}")
        self.s = f"{self.schema}." if self.schema else ""
        self.run(
            f"create table {self.s}accounts (account_id varchar(10), region text)",
            f"insert into {self.s}accounts values ('a', 'north'), ('b', 'south')",
            f"create table {self.s}bills (account_id varchar(10), bill_id integer, due_on date, "
            "amount numeric(12, 2))",
            f"insert into {self.s}bills values ('a', 1, '2025-11-01', 100), "
            "('b', 2, '2025-11-01', 100)",
            f"create table {self.s}payments (payment_id integer, account_id varchar(10), "
            f"paid_on date, amount numeric(12, 2), seen {self.type_})",
        )

    def run(self, *statements: str) -> None:
        run(self.url, *statements)

    def workspace(self, more: str = KEY, watermark: str = "seen") -> Path:
        self.made += 1
        root = make(self.tmp / f"workspace-{self.made}")
        (root / ".riskseg").mkdir()
        toml = TOML.format(url=self.read, s=self.s, more=more, watermark=watermark)
        (root / "riskseg.toml").write_text(toml)
        return root

    def whole(self) -> Path:
        """A workspace that reads all rows."""
        root = self.workspace()
        text = (root / "riskseg.toml").read_text()
        (root / "riskseg.toml").write_text(text.partition("[source.payments.incremental]")[0])
        return root

    def moment(self, tick: int) -> str:
        """The watermark of a moment, as SQL has it: an hour is a tick."""
        if self.type_ == "integer":
            return str(tick)
        time = datetime(2025, 12, 1, tzinfo=UTC) + timedelta(hours=tick)
        return f"'{time.date()}'" if self.type_ == "date" else f"'{time:%Y-%m-%d %H:%M:%S}'"

    def insert(self, number: int, tick: int | None, many: int = 1) -> str:
        """Payments numbered from one on, a tick after the other."""

        def values(more: int) -> str:
            seen = "null" if tick is None else self.moment(tick + more)
            account, day = "ab"[(number + more) % 2], f"2025-11-0{1 + (number + more) % 9}"
            return f"({number + more}, '{account}', '{day}', 5, {seen})"

        return f"insert into {self.s}payments values {', '.join(map(values, range(many)))}"


def number_in_sqlite(tmp: Path, _: str) -> Place:
    return Place(tmp, f"sqlite:///{tmp}/ledger.db", "integer")


def text_in_sqlite(tmp: Path, _: str) -> Place:
    return Place(tmp, f"sqlite:///{tmp}/ledger.db", "datetime")


def in_postgres(type_: str) -> Any:
    def place(tmp: Path, url: str) -> Place:
        schema = f"s{abs(hash((str(tmp), type_))) % 10**9}"
        return Place(tmp, url, type_, schema)

    return place


PLACES = {
    "number in SQLite": number_in_sqlite,
    "text in SQLite": text_in_sqlite,
    "day in PostgreSQL": in_postgres("date"),
    "time in PostgreSQL": in_postgres("timestamp"),
    "instant in PostgreSQL": in_postgres("timestamptz"),
}


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path, postgres: str) -> Place:
    made: Place = PLACES[request.param](tmp_path, postgres)
    return made


@pytest.fixture
def sqlite(tmp_path: Path) -> Place:
    return number_in_sqlite(tmp_path, "")


@dataclass(frozen=True)
class Loaded:
    rows: list[Any]
    fingerprints: dict[str, str]
    kept: str | None
    notes: tuple[str, ...]


def loaded(root: Path) -> Loaded:
    """The ledger as a command loads it."""
    problems = Problems()
    workspace = open_workspace(root, problems)
    problems.raise_if_any()
    assert workspace is not None
    with scratch_engine(workspace) as engine:
        ledger = load(engine, workspace, problems)
        problems.raise_if_any()
        assert ledger is not None
        rows = engine.rows("select * from payments order by all")
        return Loaded(
            rows,
            fingerprints(engine, workspace),
            ledger.kept,
            ledger.sources["payments"].read_notes,
        )


def kept_parts(root: Path, source: str = "payments") -> tuple[int, int]:
    """How many rows of a source are kept as they were first read, and how many that changed."""
    (state,) = folder_of(open_checked(root)).glob(f"extracts/kept-{source}-*.json")
    parts = json.loads(state.read_text())
    return parts["base"]["rows"], (parts["changes"] or {"rows": 0})["rows"]


def test_the_next_command_reads_no_row_again_that_has_not_changed(place: Place) -> None:
    place.run(place.insert(0, 0, 1000))
    root = place.workspace()
    first = loaded(root)
    again = loaded(root)
    assert kept_parts(root) == (1000, 0)
    assert (first.rows, first.kept) == (again.rows, again.kept)
    assert first.kept is not None
    place.run(place.insert(1000, 1000))
    after = loaded(root)
    base, changes = kept_parts(root)
    assert base == 1000
    assert 1 <= changes <= 60
    assert after.rows == loaded(place.whole()).rows
    assert len(after.rows) == 1001
    assert after.kept != first.kept
    assert loaded(root).kept == after.kept


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 20))]
)
def test_what_has_changed_gives_the_rows_that_all_give(place: Place, seed: int) -> None:
    """Rows are added, late ones too; changed; taken away; without a watermark; in any order."""
    chance = random.Random(f"{seed} {place.type_}")  # noqa: S311 (nothing here is a secret)
    root, whole, number = place.workspace(), place.whole(), 0
    for day in range(1, 9):
        tick, statements = day * 24, []
        for _ in range(chance.choice((0, 1, 12))):
            number += 1
            late = chance.choice((0, 0, 0, 1)) if place.type_ != "integer" else 0
            statements.append(place.insert(number, None if number % 17 == 0 else tick - late))
        for _ in range(chance.choice((0, 0, 2))):
            changed = chance.randint(1, max(number, 1))
            statements.append(
                f"update {place.s}payments set amount = amount + 1, seen = {place.moment(tick)} "
                f"where payment_id = {changed}"
            )
        if chance.random() < 0.2:
            gone = chance.randint(1, max(number, 1))
            statements.append(f"delete from {place.s}payments where payment_id = {gone}")
        place.run(*statements)
        by_changes, by_all = loaded(root), loaded(whole)
        assert by_changes.rows == by_all.rows
        assert by_changes.fingerprints["accounts"] == by_all.fingerprints["accounts"]


def test_a_row_that_is_changed_takes_the_place_of_the_one_with_its_key(sqlite: Place) -> None:
    """Without all rows being read for it."""
    sqlite.run(sqlite.insert(0, 0, 100))
    root = sqlite.workspace()
    loaded(root)
    sqlite.run("update payments set amount = 7, seen = 100 where payment_id = 3")
    after = loaded(root)
    assert after.rows == loaded(sqlite.whole()).rows
    assert after.notes == ()
    assert kept_parts(root)[1] > 0


def test_decisions_and_fingerprints_are_those_of_all_rows(sqlite: Place) -> None:
    sqlite.run(sqlite.insert(0, 0, 50))
    root, whole = sqlite.workspace(), sqlite.whole()
    assign(root, DAY, str(root / "first.csv"), at=AT)
    sqlite.run(sqlite.insert(50, 50), "update payments set amount = 70, seen = 51 where amount = 5")
    for folder in (root, whole):
        assign(folder, DAY, str(folder / "d.csv"), at=AT)
    assert kept_parts(root)[1] == 0  # so many rows were changed that there is one file of them
    assert (root / "d.csv").read_bytes() == (whole / "d.csv").read_bytes()
    assert loaded(root).fingerprints == loaded(sqlite.workspace()).fingerprints


@pytest.mark.parametrize(
    "statement", ["delete from payments where payment_id = 3", "update payments set seen = 99"]
)
def test_rows_that_the_watermark_does_not_show_are_found_by_their_number(
    sqlite: Place, statement: str
) -> None:
    """A row that is gone; and, without a key, one that was changed and is there twice then."""
    sqlite.run(sqlite.insert(0, 0, 40))
    root = sqlite.workspace(more="")
    loaded(root)
    statement = statement if "delete" in statement else f"{statement} where payment_id = 3"
    sqlite.run(statement)
    after = loaded(root)
    assert after.rows == loaded(sqlite.whole()).rows
    (note,) = after.notes
    assert "payments was read as a whole" in note
    assert "name their `key`" in note
    assert note in check(sqlite.workspace(more="")).notes or not loaded(root).notes


def test_a_row_that_is_changed_without_a_higher_watermark_is_seen_when_all_are_read(
    sqlite: Place,
) -> None:
    sqlite.run(sqlite.insert(0, 0, 40))
    root = sqlite.workspace()
    loaded(root)
    sqlite.run("update payments set amount = 7 where payment_id = 3")
    assert loaded(root).rows != loaded(sqlite.whole()).rows
    check(root, reread=True)
    assert loaded(root).rows == loaded(sqlite.whole()).rows


def test_nothing_is_kept_where_nothing_may_be(sqlite: Place) -> None:
    sqlite.run(sqlite.insert(1, 1))
    root = sqlite.workspace()
    toml = root / "riskseg.toml"
    toml.write_text(toml.read_text() + "[engine]\nkeep_staged = false\n")
    assert loaded(root).kept is None
    assert not folder_of(open_checked(root)).exists()
    bare = sqlite.workspace()
    (bare / ".riskseg").rmdir()
    assert loaded(bare).kept is None
    assert not (bare / ".riskseg").exists()


def test_what_is_kept_is_for_its_owner_alone_and_goes_when_it_is_used_no_more(
    sqlite: Place,
) -> None:
    sqlite.run(sqlite.insert(0, 0, 40))
    root = sqlite.workspace()
    folder = folder_of(open_checked(root)) / "extracts"
    for more in range(3):
        loaded(root)
        sqlite.run(sqlite.insert(100 * more + 50, 50 + more, 9))
    loaded(root)
    files = sorted(folder.iterdir())
    assert all(file.stat().st_mode & 0o077 == 0 for file in [folder, *files])
    assert len([*folder.glob("payments-*.parquet")]) <= 2
    assert not [*folder.glob("in-use-*")]


def test_what_another_command_reads_is_not_removed(sqlite: Place) -> None:
    sqlite.run(sqlite.insert(0, 0, 40))
    root = sqlite.workspace()
    workspace = open_checked(root)
    with scratch_engine(workspace) as engine:
        assert load(engine, workspace, Problems()) is not None
        sqlite.run("delete from payments where payment_id > 20")
        assert len(loaded(root).rows) == 21
        before = fingerprints(engine, workspace)
    assert before != loaded(root).fingerprints


@pytest.mark.parametrize("damage", ["half", "gone", "state"])
def test_a_file_that_is_damaged_is_read_anew(sqlite: Place, damage: str) -> None:
    sqlite.run(sqlite.insert(0, 0, 40))
    root = sqlite.workspace()
    first = loaded(root)
    folder = folder_of(open_checked(root)) / "extracts"
    (part,) = folder.glob("payments-*.parquet")
    if damage == "half":
        part.write_bytes(part.read_bytes()[:100])
    elif damage == "gone":
        part.unlink()
    else:
        (state,) = folder.glob("kept-payments-*.json")
        state.write_text('{"base": 1')
    assert loaded(root).rows == first.rows


MISTAKES = {
    "no such column": ('watermark = "sen"', 'cannot be "sen"'),
    "a text": ('watermark = "account_id"', "no days or times"),
    "no such key": ('watermark = "seen"\nkey = "payment"', '`key` cannot be "payment"'),
    "another lookback": ('watermark = "seen"\nlookback = "2 hours"', "`lookback` cannot be"),
    "no lookback": ('watermark = "seen"\nlookback = "soon"', "`2 hours`"),
    "another key": ('watermarc = "seen"', "watermark"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_what_cannot_be_is_a_problem_at_its_line(sqlite: Place, case: str) -> None:
    lines, message = MISTAKES[case]
    sqlite.run(sqlite.insert(1, 1))
    root = sqlite.workspace()
    toml = root / "riskseg.toml"
    toml.write_text(toml.read_text().partition("watermark =")[0] + lines + "\n")
    problems = Problems()
    with pytest.raises(ProblemsError) as raised:
        for _ in range(2):  # the second time something is kept
            loaded(root)
    problems.extend(raised.value.problems)
    assert any(message in f"{p.what} {p.hint}" and (p.line or 0) >= 12 for p in problems), problems


def test_files_are_not_read_incrementally(tmp_path: Path) -> None:
    root = make(tmp_path / "w")
    toml = root / "riskseg.toml"
    toml.write_text(toml.read_text() + '[source.bills.incremental]\nwatermark = "due_on"\n')
    (problem,) = check(root).problems
    assert problem.code == "RS004"
    assert "bills is read from files" in problem.what


def test_a_transaction_of_another_that_ends_late_is_read_by_the_lookback(
    tmp_path: Path, postgres: str
) -> None:
    place = in_postgres("timestamp")(tmp_path, postgres)
    place.run(place.insert(0, 0, 100))
    root = place.workspace(KEY + '\nlookback = "3 hours"')
    engine = sa.create_engine(postgres, poolclass=sa.NullPool)
    with engine.begin() as late:
        late.exec_driver_sql(place.insert(200, 97))
        assert len(loaded(root).rows) == 100
    after = loaded(root)
    assert len(after.rows) == 101
    assert not after.notes


def test_texts_of_times_in_another_form_are_compared_by_their_days(tmp_path: Path) -> None:
    place = text_in_sqlite(tmp_path, "")
    place.run(place.insert(0, 0, 40), "update payments set seen = '2025-12-03T09:00:00'")
    root = place.workspace()
    loaded(root)
    place.run("update payments set amount = 70, seen = '2025-12-03 21:00' where payment_id = 3")
    place.run(
        "update payments set amount = 7, seen = '2025-12-02T23:00-05:00' where payment_id = 4"
    )
    after = loaded(root)
    assert after.rows == loaded(place.whole()).rows
    assert not after.notes


def test_a_key_that_rows_share_is_a_problem(sqlite: Place) -> None:
    """One would replace the others, and a row that was deleted could hide that."""
    sqlite.run(sqlite.insert(0, 0, 40))
    root = sqlite.workspace('key = ["account_id"]')
    with pytest.raises(ProblemsError, match="more than one row of payments has a"):
        loaded(root)


def test_a_row_whose_key_is_null_is_replaced_as_others_are(sqlite: Place) -> None:
    sqlite.run(sqlite.insert(0, 0, 40), "update payments set payment_id = null where seen = 3")
    root = sqlite.workspace()
    loaded(root)
    sqlite.run("update payments set amount = 70, seen = 90 where payment_id is null")
    after = loaded(root)
    assert after.rows == loaded(sqlite.whole()).rows
    assert not after.notes


def test_the_first_of_all_days_can_be_the_watermark_of_all_rows(tmp_path: Path) -> None:
    place = text_in_sqlite(tmp_path, "")
    place.run(place.insert(0, 0, 40), f"update {place.s}payments set seen = '0001-01-01'")
    root = place.workspace()
    assert len(loaded(root).rows) == len(loaded(root).rows) == 40
    assert not loaded(root).notes


def test_what_is_kept_of_one_database_is_not_taken_for_another(
    tmp_path: Path, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the addresses differ only in what is not shown of them, or in the environment."""
    one = in_postgres("integer")(tmp_path / "1", postgres)
    other = in_postgres("integer")(tmp_path / "2", postgres)
    for place in (one, other):
        place.run(place.insert(0, 0, 40))
    other.run(f"update {other.s}payments set amount = 77 where payment_id = 3")
    root = one.workspace()
    toml = root / "riskseg.toml"
    text = toml.read_text().replace(one.s, "")
    by_address = [f"{postgres}&options=-csearch_path%3D{place.schema}" for place in (one, other)]
    rows = []
    for address in by_address:
        toml.write_text(text.replace(postgres, address))
        rows.append(loaded(root).rows)
    toml.write_text(text)
    for place in (one, other):
        monkeypatch.setenv("PGOPTIONS", f"-csearch_path={place.schema}")
        rows.append(loaded(root).rows)
    assert rows[0] == rows[2] != rows[1]
    assert rows[1] == rows[3]


def test_rows_that_another_command_keeps_meanwhile_are_forgotten_too(sqlite: Place) -> None:
    """What is kept is forgotten while no other command reads from the databases."""
    sqlite.run(sqlite.insert(0, 0, 40))
    root = sqlite.workspace()
    loaded(root)
    kept_files = folder_of(open_checked(root))
    with ThreadPoolExecutor(1) as others:
        with waiting_lock(kept_files / "extracts" / "lock"):
            forgetting = others.submit(forget, kept_files)
            with pytest.raises(TimeoutError):
                forgetting.result(timeout=0.05)
            assert kept_parts(root) == (40, 0)
        forgetting.result()
    assert not [*kept_files.glob("extracts/*.*")]


def test_what_a_killed_command_read_goes_with_the_next(sqlite: Place) -> None:
    """Even where a process of the same number is alive, or it was on another machine."""
    sqlite.run(sqlite.insert(0, 0, 40))
    root = sqlite.workspace()
    loaded(root)
    folder = folder_of(open_checked(root)) / "extracts"
    (old,) = folder.glob("payments-*.parquet")
    (folder / f"in-use-{part_token()}-1.json").write_text(json.dumps([old.name]))
    sqlite.run("delete from payments where payment_id = 3")
    loaded(root)
    assert not old.exists()
    assert not [*folder.glob("in-use-*")]


def test_what_was_kept_goes_when_nothing_may_be_kept_any_more(sqlite: Place) -> None:
    sqlite.run(sqlite.insert(0, 0, 40))
    root = sqlite.workspace()
    loaded(root)
    toml = root / "riskseg.toml"
    toml.write_text(toml.read_text() + "[engine]\nkeep_staged = false\n")
    loaded(root)
    kept = [*folder_of(open_checked(root)).rglob("*")]
    assert not [file for file in kept if file.suffix in (".parquet", ".json", ".duckdb", ".rows")]


def test_a_select_whose_rows_change_by_themselves_is_read_as_a_whole(sqlite: Place) -> None:
    sqlite.run(sqlite.insert(0, 0, 40))
    root = sqlite.workspace()
    toml = root / "riskseg.toml"
    select = "-- as of today\nselect p.*, current_date as today from payments p"
    toml.write_text(toml.read_text().replace('"payments"', f'"""{select}"""'))
    loaded(root)
    sqlite.run("update payments set amount = 7 where payment_id = 3")
    after = loaded(root)
    assert after.rows == loaded(sqlite.whole()).rows
    (note,) = after.notes
    assert "depends on the time" in note


@pytest.mark.parametrize("place", ["payments.parquet", "kept-payments", "in-use-"])
def test_a_command_goes_on_where_rows_cannot_be_kept(
    sqlite: Place, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full when the rows are written, when the file that lists the parts of an extract
    is, or when the file that lists the parts in use is."""
    sqlite.run(sqlite.insert(0, 0, 40))
    root = sqlite.workspace()
    loaded(root)
    sqlite.run("update payments set amount = 7, seen = 99 where payment_id = 3")
    touch, write_text = Path.touch, Path.write_text

    def full(path: Path) -> None:
        if path.parent.name == "extracts" and path.name.strip(".").startswith(place.strip(".")):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def touched(path: Path, *given: Any, **named: Any) -> None:
        full(path)
        touch(path, *given, **named)

    def written(path: Path, *given: Any, **named: Any) -> int:
        full(path)
        return write_text(path, *given, **named)

    monkeypatch.setattr(Path, "touch", touched)
    monkeypatch.setattr(Path, "write_text", written)
    assert loaded(root).rows == loaded(sqlite.whole()).rows
    monkeypatch.undo()
    assert loaded(root).rows == loaded(sqlite.whole()).rows


def test_monthly_balances_of_a_database_are_decided_on(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/balances.db"
    run(
        url,
        "create table balances (account_id text, as_of date, overdue numeric(12, 2), seen integer)",
        "insert into balances values ('a', '2025-11-30', 0, 1), ('a', '2025-12-31', 60, 2), "
        "('b', '2025-12-31', 0, 3)",
    )
    changed = '[source.balances.incremental]\nwatermark = "seen"\nkey = ["account_id", "as_of"]\n'
    roots = [make(tmp_path / "all"), make(tmp_path / "changed")]
    for root, more in zip(roots, ("", changed), strict=True):
        tiers = root / "rules/s/tiers.yaml"
        tiers.write_text(
            tiers.read_text().replace("balance_overdue > 50", "overdue > 50, unknown: skip")
        )
        (root / ".riskseg").mkdir()
        (root / "riskseg.toml").write_text(
            f'[workspace]\nstrategy = "rules/s"\nmax_alike = 1.0\n[source]\nurl = "{url}"\n'
            f'[source.balances]\nfrom = "balances"\nas_of = "as_of"\noverdue = "overdue"\n{more}'
        )
    assign(roots[1], DAY, str(tmp_path / "first.csv"), at=AT)
    run(url, "update balances set overdue = 70, seen = 9 where overdue = 60")
    decisions = []
    for root in roots:
        assign(root, DAY, str(root / "d.csv"), at=AT)
        decisions.append((root / "d.csv").read_bytes())
    assert decisions[0] == decisions[1]
    assert b"late" in decisions[0]
