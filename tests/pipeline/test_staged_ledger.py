"""The staged ledger is kept for the next command, and gives it the very same decisions."""

from __future__ import annotations

import csv
import errno
import logging
import os
import re
import shutil
import signal
import sys
from datetime import date
from multiprocessing import get_context
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from riskseg.domain.problems import Problems, ProblemsError
from riskseg.engine import DuckDB
from riskseg.pipeline import staged_ledger
from riskseg.pipeline.load import load
from riskseg.pipeline.session import open_checked, scratch_engine
from riskseg.run.assign import assign
from riskseg.run.explain import explain
from riskseg.run.history import history
from riskseg.run.retention import erase
from riskseg.store.sinks import InMemory
from tests.support import treated
from tests.support.small import make

DAY = date(2026, 2, 1)
STAGES_BILLS = re.compile(r"create or replace table (stored_)?bills\b")


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that a test has just written count as settled."""
    monkeypatch.setattr(staged_ledger, "_SETTLED_AFTER_NS", -(10**9))


def write(root: Path, *, settings: str | None = None) -> Path:
    accounts = [{"account_id": f"a{n}", "treatment": "gentle"} for n in range(5)]
    bills = [
        {"account_id": f"a{n}", "bill_id": f"b{n}", "due_on": "2026-01-01", "amount": 100 + n}
        for n in range(5)
    ]
    payments = [
        {"account_id": "a0", "payment_id": "p1", "paid_on": "2026-01-05", "amount": 100},
        {"account_id": "a1", "payment_id": "p2", "paid_on": "2026-01-05", "amount": 101},
        {"account_id": "a1", "payment_id": "p3", "paid_on": "2026-01-09", "amount": -101}
        | {"reverses": "p2"},
    ]
    root = treated.write(
        root,
        paths={"gentle": {"steps": [{"day": 3, "action": "sms"}]}},
        rows={"accounts": accounts, "bills": bills, "payments": payments},
    )
    (root / ".riskseg").mkdir(exist_ok=True)
    if settings is not None:
        with (root / "riskseg.toml").open("a") as toml:
            toml.write(f"[engine]\n{settings}\n")
    return root


def decide(root: Path, caplog: pytest.LogCaptureFixture) -> tuple[bytes, bool]:
    """The bytes of the decisions, and whether the rows of the sources were read for them."""
    caplog.clear()
    target = InMemory()
    with caplog.at_level(logging.DEBUG, logger="riskseg.engine"):
        assign(root, DAY, target, at=treated.AT)
    statements = [str(getattr(record, "sql", "")) for record in caplog.records]
    read = [sql for sql in statements if STAGES_BILLS.search(sql)]
    return target.parquet, bool(read)


def kept_by_a_run(root: Path, caplog: pytest.LogCaptureFixture) -> tuple[Path, bytes]:
    """The file that a run kept, and the bytes of its decisions."""
    decisions, _ = decide(root, caplog)
    (name,) = kept(root)
    return root / ".riskseg/staged" / name, decisions


def kept(root: Path) -> list[str]:
    return sorted(path.name for path in (root / ".riskseg/staged").glob("*.duckdb*"))


def test_the_next_command_reads_what_was_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = write(tmp_path / "w")
    first, read = decide(root, caplog)
    assert read and len(kept(root)) == 1
    again, read = decide(root, caplog)
    assert not read and again == first
    shutil.rmtree(root / ".riskseg/staged")
    without = write(tmp_path / "without", settings="keep_staged = false")
    anew, read = decide(without, caplog)
    assert read and anew == first and kept(without) == []


@pytest.mark.parametrize("change", ["written to", "replaced", "another line in riskseg.toml"])
def test_what_has_changed_is_read_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, change: str
) -> None:
    root = write(tmp_path / "w")
    first, _ = decide(root, caplog)
    bills = root / "data/bills.csv"
    before = bills.stat()
    text = bills.read_text()
    assert "100" in text
    if change == "written to":
        bills.write_text(text.replace("100", "700"))
    elif change == "replaced":
        # As long as before, and of the same time: the file system still knows that it is another.
        other = root / "data/other.csv"
        other.write_text(text.replace("100", "700"))
        os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
        other.replace(bills)
    else:
        toml = root / "riskseg.toml"
        toml.write_text(toml.read_text().replace("[source.bills]", '[source.bills]\namount = "7"'))
    changed, read = decide(root, caplog)
    assert read and changed != first


def test_a_file_that_may_still_be_written_to_is_not_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staged_ledger, "_SETTLED_AFTER_NS", 2_000_000_000)
    root = write(tmp_path / "w")
    decide(root, caplog)
    assert kept(root) == []


def test_bad_rows_are_kept_with_what_is_wrong_with_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = write(tmp_path / "w")
    bills, toml = root / "data/bills.csv", root / "riskseg.toml"
    lines = bills.read_text().splitlines()
    # A value that is no amount, and a row that stands there twice.
    bills.write_text("\n".join([*lines[:-1], lines[-1].replace("104", "x104"), lines[1]]) + "\n")
    toml.write_text(toml.read_text().replace("[workspace]\n", "[workspace]\nmax_bad_rows = 1\n"))
    quarantine = root / ".riskseg/quarantine/bills.csv"
    first, read = decide(root, caplog)
    assert read and len(kept(root)) == 1
    set_apart = quarantine.read_text()
    assert "x104" in set_apart and set_apart.count("RS104") == 1
    quarantine.unlink()
    again, read = decide(root, caplog)
    assert not read and again == first and quarantine.read_text() == set_apart


def test_what_is_asked_of_staged_tables_is_asked_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    asked = "bool_or(amount_minor < 0)"
    root = write(tmp_path / "w")

    def decided() -> tuple[bytes, bool]:
        decisions, _ = decide(root, caplog)
        return decisions, any(asked in str(getattr(r, "sql", "")) for r in caplog.records)

    first, in_engine = decided()
    assert in_engine
    assert decided() == (first, False)
    (answers,) = (root / ".riskseg/staged").glob("*-answers-*.rows")
    answers.write_text(answers.read_text().replace("false", "true"))
    assert decided() == (first, True)


@pytest.mark.parametrize("without", ["", "reverses", "payment_id"])
def test_an_account_is_shown_with_the_ids_of_its_sources(tmp_path: Path, without: str) -> None:
    root = write(tmp_path / "w")
    payments = root / "data/payments.csv"
    rows = [*csv.DictReader(payments.read_text().splitlines())]
    rows = [row for row in rows if not (without and row["reverses"])]
    with payments.open("w", newline="") as file:
        columns = [name for name in rows[0] if name != without]
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    other = tmp_path / "x"
    shutil.copytree(root, other)
    with (other / "riskseg.toml").open("a") as toml:
        toml.write("[engine]\nkeep_staged = false\n")
    assign(root, DAY, InMemory(), at=treated.AT)
    explained = [explain(folder, "a1", DAY, fresh=True) for folder in (root, root, other)]
    assert kept(root) and not kept(other)
    assert [bill.bill_id for bill in explained[0].bills] == ["b1"]
    assert explained[0] == explained[1] == explained[2]
    stories = [history(folder, "a1", DAY).entries for folder in (root, other)]
    known = [entry for entry in stories[0] if entry.kind != "decision"]
    assert {entry.ref for entry in known} == {"b1", None if without == "payment_id" else "p2"}
    assert known == [*stories[1]]


@pytest.mark.parametrize(
    "expression",
    [
        "current_date",
        "now()",
        "TODAY ()",
        "localtimestamp",
        "age(cast(due_on as timestamp))",
        "random()",
        "uuid()",
    ],
)
def test_what_depends_on_the_clock_or_on_chance_is_not_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, expression: str
) -> None:
    root = write(tmp_path / "w")
    toml = root / "riskseg.toml"
    # Beside the column, so that the expression stands in the statement and changes no decision.
    amount = f'amount = "if(cast({expression} as varchar) is null, null, amount)"'
    toml.write_text(toml.read_text().replace("[source.bills]", f"[source.bills]\n{amount}"))
    for _ in range(2):
        _, read = decide(root, caplog)
        assert read and kept(root) == []


def test_a_column_may_have_the_name_of_a_function(tmp_path: Path) -> None:
    with DuckDB() as engine:
        assert engine.repeatable("select age, random, sample from accounts where now = 1")
        assert not engine.repeatable("select * from accounts using sample 10%")


def test_what_was_kept_is_not_read_where_it_is_turned_off(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = write(tmp_path / "w")
    first, _ = decide(root, caplog)
    with (root / "riskseg.toml").open("a") as toml:
        toml.write("[engine]\nkeep_staged = false\n")
    again, read = decide(root, caplog)
    assert read and again == first


@pytest.mark.parametrize("error", ["no room", "the engine's"])
def test_a_command_goes_on_where_the_ledger_cannot_be_kept(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    error: str,
) -> None:
    first, _ = decide(write(tmp_path / "elsewhere"), caplog)
    root = write(tmp_path / "w")
    execute = DuckDB._execute

    def full(self: DuckDB, sql: str) -> int | None:
        if sql == "checkpoint keeping":
            if error == "no room":
                raise OSError(errno.ENOSPC, "No space left on device")
            raise duckdb.IOException('Database "keeping" has been invalidated')
        return execute(self, sql)

    monkeypatch.setattr(DuckDB, "_execute", full)
    again, read = decide(root, caplog)
    assert read and again == first and kept(root) == []


def test_what_another_command_removes_is_made_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write(tmp_path / "w")
    first, _ = decide(root, caplog)
    (root / "data/bills.csv").touch()
    monkeypatch.setattr(staged_ledger, "_remove_others", lambda place: place.unlink())
    again, read = decide(root, caplog)
    assert read and again == first


def test_another_kept_file_may_go_while_they_are_listed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = write(tmp_path / "w")
    (root / ".riskseg/staged").mkdir()
    (root / ".riskseg/staged/gone.duckdb").symlink_to("nowhere")
    _, read = decide(root, caplog)
    assert read and len(kept(root)) == 2


def test_a_kept_file_that_is_a_link_is_replaced(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = write(tmp_path / "w")
    place, first = kept_by_a_run(root, caplog)
    place.rename(tmp_path / "moved")
    place.symlink_to(tmp_path / "moved")
    again, _ = decide(root, caplog)
    assert again == first and not place.is_symlink()


def test_damage_that_shows_later_is_a_problem_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = write(tmp_path / "w")
    place, first = kept_by_a_run(root, caplog)
    # The engine reads the last blocks of a file only with the rows that stand in them.
    place.write_bytes(place.read_bytes()[:-1])
    with pytest.raises(ProblemsError) as raised:
        decide(root, caplog)
    assert [found.code for found in raised.value.problems] == ["RS617"] and kept(root) == []
    again, read = decide(root, caplog)
    assert read and again == first


@pytest.mark.parametrize("damage", [b"", b"no database", None])
def test_what_cannot_be_read_is_made_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: bytes | None
) -> None:
    root = write(tmp_path / "w")
    place, first = kept_by_a_run(root, caplog)
    place.write_bytes(place.read_bytes()[:5000] if damage is None else damage)
    again, read = decide(root, caplog)
    assert read and again == first and kept(root) == [place.name]


def test_the_latest_two_are_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = write(tmp_path / "w")
    seen: list[str] = []
    for _ in range(3):
        (root / "data/bills.csv").touch()
        decide(root, caplog)
        seen += [name for name in kept(root) if name not in seen]
    assert len(seen) == 3 and set(kept(root)) == {*seen[1:]}


def test_erasing_an_account_removes_what_is_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = write(tmp_path / "w")
    decide(root, caplog)
    assert kept(root)
    erase(root, "a1", by="ann", at=treated.AT)
    assert kept(root) == []


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")
def test_what_a_killed_command_left_is_swept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = write(tmp_path / "w")

    def killed() -> None:
        DuckDB._execute = kill_at_bills  # type: ignore[method-assign]
        assign(root, DAY, InMemory(), at=treated.AT)

    def kill_at_bills(self: DuckDB, sql: str) -> int | None:
        if STAGES_BILLS.search(sql):
            os.kill(os.getpid(), signal.SIGKILL)
        self._connection.execute(sql)
        return None

    process = get_context("fork").Process(target=killed)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert any(".part" in name for name in kept(root))
    _, read = decide(root, caplog)
    (name,) = kept(root)
    assert read and name.endswith(".duckdb")


def test_several_engines_read_one_kept_file(tmp_path: Path) -> None:
    place = tmp_path / "kept.duckdb"
    with DuckDB(tmp_path / "s.duckdb", keeps=tmp_path) as engine:
        with engine.keeping(place):
            engine.run("create table numbers as select range as n from range(3)")
        assert engine.read_kept(place) and engine.value("select count(*) from numbers") == 3
        with DuckDB(keeps=tmp_path) as other:
            assert other.read_kept(place) and other.read_kept(place)
            other.run("create view odd as select n from numbers where n % 2 = 1")
            assert other.rows("select n from odd") == [(1,)]
            assert list(other.columns("numbers")) == ["n"]


def test_an_engine_that_has_what_no_file_has_keeps_nothing(tmp_path: Path) -> None:
    with DuckDB(tmp_path / "s.duckdb", keeps=tmp_path) as engine:
        assert engine.can_keep
        engine.new_file("copy.csv")
        assert engine.can_keep
        engine.register("rows", pa.table({"n": [1]}))
        assert not engine.can_keep
    with DuckDB(tmp_path / "t.duckdb") as engine:
        assert not engine.can_keep


def test_rows_that_are_read_by_way_of_a_copy_are_kept(tmp_path: Path) -> None:
    """A file in another encoding is copied for each command, and staged once; another file, and
    another way of reading it, is staged anew."""
    root = write(tmp_path / "w")
    accounts, toml = root / "data/accounts.csv", root / "riskseg.toml"
    text = accounts.read_text().replace("treatment", "treatment,town").replace("gentle", "gentle,ü")
    accounts.write_bytes(text.encode("windows-1252"))

    def towns(encoding: str) -> list[str]:
        settings = toml.read_text().partition("[source.accounts.read]")[0]
        read = f'\n[source.accounts.read]\nencoding = "{encoding}"\n'
        toml.write_text(f"{settings.rstrip()}\n{read}")
        assign(root, DAY, InMemory(), at=treated.AT)
        workspace = open_checked(root)
        with scratch_engine(workspace) as engine:
            assert load(engine, workspace, Problems()) is not None
            return [town for (town,) in engine.rows('select distinct "@town" from accounts')]

    assert towns("windows-1252") == ["ü"]
    first = kept(root)
    assert len(first) == 1
    assert towns("windows-1252") == ["ü"]
    assert kept(root) == first
    assert towns("windows-1251") == ["ь"]
    assert len(kept(root)) == 2
    accounts.write_bytes(text.replace("ü", "ö").encode("windows-1252"))
    assert towns("windows-1252") == ["ö"]


def test_files_of_one_name_that_change_places_are_read_anew(tmp_path: Path) -> None:
    """Copies in the form that the engine reads have the names of the originals, not their
    folders."""
    root = make(tmp_path / "w")
    for folder, rows in (("x", "a,2025-11-01,30"), ("y", "b,2025-11-01,40")):
        (root / folder).mkdir()
        (root / folder / "rows.csv").write_bytes(
            f"account_id,paid_on,amount\n{rows}\n".encode("windows-1252")
        )
    (root / ".riskseg").mkdir()
    toml = root / "riskseg.toml"
    text = toml.read_text().partition("[source.bills]")[0] + "".join(
        f'[source.{table}]\nfrom = "{{}}/rows.csv"\n{more}'
        f'[source.{table}.read]\nencoding = "windows-1252"\n'
        for table, more in (
            ("bills", 'bill_id = "account_id"\ndue_on = "paid_on"\n'),
            ("payments", ""),
        )
    )

    def billed(*folders: str) -> list[tuple[str, int]]:
        toml.write_text(text.format(*folders))
        workspace = open_checked(root)
        with scratch_engine(workspace) as engine:
            assert load(engine, workspace, Problems(), limit=False) is not None
            return engine.rows("select bill_id, amount_minor from bills order by all")

    assert billed("x", "y") != billed("y", "x")


def test_files_that_settle_while_they_are_read_are_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write(tmp_path / "w")
    bills, toml = root / "data/bills.csv", root / "riskseg.toml"
    bills.write_text(bills.read_text().replace("104", "x104"))
    toml.write_text(toml.read_text().replace("[workspace]\n", "[workspace]\nmax_bad_rows = 1\n"))
    answers = iter([False, True])
    monkeypatch.setattr(staged_ledger, "_settled", lambda *_: next(answers))
    done = assign(root, DAY, InMemory(), at=treated.AT)
    assert done.quarantined == {"bills": 1}
    assert list(answers) == [True]  # nothing more is kept


@pytest.mark.parametrize(("worth_waiting_for", "waited", "kept_now"), [(0, 2, 1), (10**9, 0, 0)])
def test_a_run_waits_until_large_files_have_settled(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    worth_waiting_for: int,
    waited: int,
    kept_now: int,
) -> None:
    monkeypatch.setattr(staged_ledger, "_SETTLED_AFTER_NS", 10**9)
    monkeypatch.setattr(staged_ledger, "_WORTH_WAITING_FOR", worth_waiting_for)
    # No clock decides: the files have settled once it was waited for them twice.
    waits: list[float] = []
    monkeypatch.setattr(staged_ledger.time, "sleep", waits.append)
    monkeypatch.setattr(staged_ledger, "_settled", lambda *_: len(waits) >= 2)
    root = write(tmp_path / "w")
    assign(root, DAY, InMemory(), at=treated.AT)
    assert len(waits) == waited
    assert len(kept(root)) == kept_now
