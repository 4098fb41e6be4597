from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory

from riskseg.domain.problems import ProblemsError
from riskseg.store import chain, journal_opening, postgres_journal, sqlite_journal
from riskseg.store.events import EVENTS, digest_of, digest_of_batch
from riskseg.store.journal import Journal
from riskseg.store.journal_database import JournalDatabase
from riskseg.store.journal_entries import values_of
from riskseg.store.journal_opening import bring_up_to_date, kind_of_database
from riskseg.store.journal_place import JournalPlace, PostgresPlace
from riskseg.store.journal_tables import METADATA, REVISION, TABLES, VERSION_TABLE
from riskseg.store.records import (
    ActivationRecord,
    ErasureRecord,
    EventBatchRecord,
    ModelRecord,
    PromotionRecord,
    RunRecord,
    StrategyRecord,
    text_hash,
)

Run = Callable[..., subprocess.CompletedProcess[str]]

AT = datetime(2026, 3, 2, 9, 30, 15, 123456, tzinfo=timezone(timedelta(hours=2)))

RUN = RunRecord(
    run_id="a1",
    command="assign",
    at=AT,
    riskseg_version="0.1.0",
    as_of=date(2026, 3, 1),
    arguments={"reasons": "all", "limits": [1, 2.5, None], "é": {"deep": True}},
    output="out/décisions.parquet",
    output_sha256="ab" * 32,
    rows=1_000_000,
    strategy="f00d",
    models={"late_payment": "v1"},
    sources={"bills": "cafe"},
    activated=True,
)
BARE = RunRecord(
    run_id="b2",
    command="check",
    at=datetime(2026, 3, 2),
    riskseg_version="0.1.0",
    arguments={},
    models={},
    sources={},
)
MODEL = ModelRecord(
    model="late_payment", version="v1", fingerprint="aa", metrics={"auc": 0.71}, at=AT
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a 100%25 folder" / "journal.db"


@pytest.fixture(autouse=True)
def folder(path: Path) -> None:
    path.parent.mkdir()


def sql(path: Path, *statements: str) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            rows = connection.execute(statement).fetchall()
        connection.commit()
    return rows


def test_runs_come_back_as_given_the_latest_first(place: JournalPlace) -> None:
    with Journal.open(place) as journal:
        journal.record_run(RUN)
        journal.record_run(BARE)
    with Journal.open(place) as journal:
        assert journal.runs() == [BARE, RUN]
        assert journal.runs(limit=1) == [BARE]
        assert journal.run("a1") == RUN
        assert journal.run("absent") is None
        assert journal.runs()[1].at.utcoffset() == timedelta(hours=2)
        assert journal.runs()[0].at.tzinfo is None


def test_the_same_run_again_is_one_run_and_other_content_is_kept_beside_it(
    place: JournalPlace,
) -> None:
    later = dataclasses.replace(RUN, at=AT + timedelta(days=1))
    other = dataclasses.replace(later, output_sha256="cd" * 32)
    with Journal.open(place) as journal:
        for entry in (RUN, RUN, later):
            journal.record_run(entry)
        assert journal.runs() == [RUN]
        journal.record_run(other)
        assert journal.runs() == [other, RUN]
        assert journal.run("a1") == other


@pytest.mark.parametrize(
    ("output", "kept", "in_the_copy"),
    [
        ("{root}/out/d.parquet", "out/d.parquet", "{copy}/out/d.parquet"),
        ("{root}-b/d.parquet", "{root}-b/d.parquet", "{root}-b/d.parquet"),
        ("sqlite:///{root}/d.db#d", "sqlite:///{root}/d.db#d", "sqlite:///{root}/d.db#d"),
        (None, None, None),
    ],
)
def test_a_copied_workspace_has_the_files_of_its_own(
    tmp_path: Path, output: str | None, kept: str | None, in_the_copy: str | None
) -> None:
    root, copy = tmp_path.resolve() / "w", tmp_path.resolve() / "copy"

    def place(text: str | None) -> str | None:
        return text and text.format(root=root, copy=copy)

    run = dataclasses.replace(RUN, output=place(output))
    (root / ".riskseg").mkdir(parents=True)
    with Journal.open(root / ".riskseg" / "journal.db", root) as journal:
        journal.record_run(run)
        journal.record_run(run)
        assert journal.runs() == [run]
    with Journal.open_to_read(root / ".riskseg" / "journal.db") as journal:
        assert [entry.output for entry in journal.runs()] == [place(kept)]
    shutil.copytree(root, copy)
    with Journal.open_to_read(copy / ".riskseg" / "journal.db", copy) as journal:
        assert [entry.output for entry in journal.runs()] == [place(in_the_copy)]


def test_a_full_path_that_was_recorded_before_stays_and_is_the_same_run(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    run = dataclasses.replace(RUN, output=f"{root}/d.parquet")
    with Journal.open(root / "journal.db") as journal:
        journal.record_run(run)
    with Journal.open(root / "journal.db", root) as journal:
        journal.record_run(run)
        assert journal.runs() == [run]


def test_what_json_cannot_hold_is_refused(path: Path) -> None:
    with Journal.open(path) as journal:
        with pytest.raises(sa.exc.StatementError, match="Out of range float"):
            journal.record_run(dataclasses.replace(RUN, arguments={"x": float("nan")}))
        assert journal.runs() == []


def test_a_model_version_is_one_thing(place: JournalPlace) -> None:
    newer = dataclasses.replace(MODEL, version="v2", fingerprint="bb")
    other = dataclasses.replace(MODEL, model="default")
    with Journal.open(place) as journal:
        for model in (MODEL, newer, MODEL, other):
            journal.record_model(model)
        assert journal.models() == [other, newer, MODEL]
        assert journal.models("late_payment") == [newer, MODEL]
        with pytest.raises(ProblemsError, match=r"RS010 .*already has a version v1"):
            journal.record_model(dataclasses.replace(MODEL, fingerprint="cc"))
        assert journal.models("late_payment") == [newer, MODEL]


def test_the_champion_is_the_one_promoted_last_by_then(place: JournalPlace) -> None:
    newer = dataclasses.replace(MODEL, version="v2", fingerprint="bb")
    with Journal.open(place) as journal:
        journal.record_model(MODEL)
        journal.record_model(newer)
        assert journal.champion("late_payment") is None
        days = [("v1", 1), ("v2", 5), ("v1", 9)]
        for version, day in days:
            moment = datetime(2026, 3, day, 23, 59, tzinfo=UTC)
            journal.promote("late_payment", version, at=moment, by="ann", reason="better")
        expected = {None: "v1", 9: "v1", 8: "v2", 5: "v2", 4: "v1", 1: "v1"}
        for day_asked, version in expected.items():
            champion = journal.champion("late_payment", day_asked and date(2026, 3, day_asked))
            assert champion is not None
            assert champion.version == version, day_asked
        assert journal.champion("late_payment", date(2026, 2, 28)) is None
        assert journal.champion("default") is None
        assert [p.version for p in journal.promotions("late_payment")] == ["v1", "v2", "v1"]
        assert journal.promotions("default") == []
        assert journal.promotions()[2] == PromotionRecord(
            model="late_payment",
            version="v1",
            at=datetime(2026, 3, 1, 23, 59, tzinfo=UTC),
            by="ann",
            reason="better",
        )


@pytest.mark.parametrize(
    ("recorded", "model", "version", "hint"),
    [
        ([], "late_payment", "v1", "Train one first."),
        ([MODEL], "late_payment", "v9", "Known here: v1."),
        ([MODEL], "late_paymnt", "v1", 'Did you mean "late_payment"?'),
    ],
)
def test_promoting_what_does_not_exist(
    path: Path, recorded: list[ModelRecord], model: str, version: str, hint: str
) -> None:
    with Journal.open(path) as journal:
        for entry in recorded:
            journal.record_model(entry)
        with pytest.raises(ProblemsError) as raised:
            journal.promote(model, version, at=AT, by="ann", reason="")
        assert journal.promotions() == []
    (found,) = raised.value.problems
    assert (found.code, found.hint) == ("RS401", hint)


def strategy(fingerprint: str, named: str) -> StrategyRecord:
    files = {"strategy.yaml": f"name: é{named}\n"}
    return StrategyRecord(
        fingerprint=fingerprint, text=text_hash(files), name=named, files=files, at=AT
    )


def activation(fingerprint: str, named: str, first: date) -> ActivationRecord:
    return ActivationRecord(
        fingerprint=fingerprint,
        text=strategy(fingerprint, named).text,
        at=AT,
        by="ann",
        effective_from=first,
        proof={"proved": 3, "unproved": ["guards hold"]},
        reason="",
    )


def test_the_strategy_in_force_is_the_last_activated_of_those_that_have_begun(
    place: JournalPlace,
) -> None:
    made = [("f1", "t1", 1), ("f2", "t2", 10), ("f3", "t3", 20), ("f1", "t1b", 15)]
    with Journal.open(place) as journal:
        assert journal.in_force(date(2026, 3, 31)) is None
        for fingerprint, text, day in made:
            journal.activate(
                strategy(fingerprint, text), activation(fingerprint, text, date(2026, 3, day))
            )
        expected = {1: "t1", 9: "t1", 10: "t2", 14: "t2", 15: "t1b", 20: "t1b", 31: "t1b"}
        for day, text in expected.items():
            active = journal.in_force(date(2026, 3, day))
            assert active is not None
            found = journal.strategy(active)
            assert found.name == text, day
            assert found == strategy(active.fingerprint, text)
        assert journal.in_force(date(2026, 2, 28)) is None
        named = [journal.strategy(a).name for a in journal.activations()]
        assert named == ["t1b", "t3", "t2", "t1"]
        # The same text is kept once, an activation as often as it is made.
        journal.activate(strategy("f2", "t2"), activation("f2", "t2", date(2026, 3, 30)))
        assert [s.name for s in journal.strategies()] == ["t1b", "t3", "t2", "t1"]
        assert len(journal.activations()) == 5


def test_erasures_come_back_as_given(place: JournalPlace) -> None:
    with Journal.open(place) as journal:
        journal.record_erasure(dataclasses.replace(ERASURE, runs=("a1", "b2")), "a")
        assert journal.erasures() == [ERASURE]


def test_an_entry_has_the_same_digest_in_every_database(
    path: Path, postgres_place: PostgresPlace
) -> None:
    digests = []
    for place in (path, postgres_place):
        with Journal.open(place) as journal:
            journal.record_run(BARE)
            journal.record_run(RUN)
            journal.record_model(MODEL)
            journal.activate(strategy("f1", "t1"), activation("f1", "t1", date(2026, 3, 1)))
            with journal._reading() as connection:
                rows = [
                    connection.execute(sa.select(table.c.number, table.c.digest)).all()
                    for table in TABLES.values()
                ]
        digests.append(rows)
    assert digests[0] == digests[1]
    assert sum(map(len, digests[0])) == 5


def database(place: JournalPlace) -> JournalDatabase:
    return kind_of_database(place).to_write(place)


ERASURE = ErasureRecord(at=AT, by="ann", account="ab" * 32, runs=["a1", "b2"])
EVENT = {
    "event_id": "e1",
    "account_id": "a1",
    "kind": "action",
    "happened_on": "2026-03-01",
    "recorded_on": "2026-03-02",
    "reason": "é",
}
REVISIONS = [f"{number:04}" for number in range(1, int(REVISION))]


def earlier(place: JournalPlace, revision: str) -> list[Any]:
    """A journal as an earlier version of riskseg left it: an entry of each kind that it had."""
    promotion = PromotionRecord(model=MODEL.model, version="v1", at=AT, by="ann", reason="best")
    of_strategy = strategy("f1", "t1"), activation("f1", "t1", date(2026, 3, 1))
    entries: list[Any] = [RUN, MODEL, promotion, *of_strategy, ERASURE]
    kept = []
    journal = Journal(database(place))
    with journal._database.writing() as connection:
        bring_up_to_date(journal._database, connection, to=revision)
        tables = sa.inspect(connection).get_table_names()
        for entry in entries:
            table = TABLES[type(entry)]
            if table.name in tables:
                there = {
                    column["name"] for column in sa.inspect(connection).get_columns(table.name)
                }
                values = values_of(entry)
                values = {name: value for name, value in values.items() if name in there}
                connection.execute(table.insert().values(values))
                if "digest" in there:
                    chain.seal(connection, table)
                kept.append(entry)
        if EVENTS.name in tables:
            batch = EventBatchRecord(
                batch_id="b1",
                command="worklist issue",
                at=AT,
                recorded_on=date(2026, 3, 2),
                riskseg_version="0.1.0",
                rows=1,
                sha256=digest_of_batch([digest_of(EVENT)]),
            )
            connection.execute(TABLES[EventBatchRecord].insert().values(values_of(batch)))
            chain.seal(connection, TABLES[EventBatchRecord])
            row = EVENT | {"batch_id": "b1", "digest": digest_of(EVENT)}
            connection.execute(EVENTS.insert().values(row))
        if chain.LAST_NUMBERS.name in tables:
            kinds = {*map(type, kept), EventBatchRecord}
            rows = [{"name": TABLES[kind].name, "seq": 1} for kind in kinds]
            connection.execute(chain.LAST_NUMBERS.insert(), rows)
    journal.close()
    return kept


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_journal_of_before_is_brought_up_to_date(place: JournalPlace, revision: str) -> None:
    kept = earlier(place, revision)
    assert len(kept) == (3 if revision == "0001" else 6)
    for open_it in (Journal.open_to_read, Journal.open):
        with open_it(place) as journal:
            entries = journal.runs() + journal.models() + journal.promotions()
            entries += journal.strategies() + journal.activations() + journal.erasures()
            assert entries == kept
            events = journal.events().to_pylist()
            assert [event["reason"] for event in events] == ["é"] * (revision >= "0004")
    with Journal.open(place) as journal:
        journal.record_run(BARE)
        assert journal.runs() == [BARE, RUN]
        with journal._writing() as connection:
            connection.exec_driver_sql("UPDATE runs SET rows = rows + 1 WHERE run_id = 'a1'")
        with pytest.raises(ProblemsError, match="RS603"):
            journal.runs()


def test_an_entry_that_was_taken_away_is_missed(place: JournalPlace) -> None:
    with Journal.open(place) as journal:
        journal.record_run(RUN)
        journal.record_run(BARE)
        with journal._writing() as connection:
            connection.exec_driver_sql("DELETE FROM runs WHERE run_id = 'b2'")
        with pytest.raises(ProblemsError, match=r"RS603 .*last entry of runs is number 1, not 2"):
            journal.record_run(BARE)


def test_a_new_journal_has_the_tables_the_code_reads(
    path: Path, postgres_place: PostgresPlace
) -> None:
    path.touch()  # killed at the first moment: an empty file
    for place in (path, postgres_place):
        with Journal.open(place) as journal, journal._reading() as connection:
            context = MigrationContext.configure(
                connection,
                opts={
                    "version_table": VERSION_TABLE,
                    "compare_type": True,
                    "include_name": lambda name, *_: name != chain.LAST_NUMBERS.name,
                },
            )
            assert compare_metadata(context, METADATA) == []
            assert context.get_current_revision() == REVISION
    config = Config()
    config.set_main_option("script_location", str(journal_opening.MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == REVISION
    assert sql(path, "PRAGMA journal_mode") == [("wal",)]


def test_the_folder_of_a_journal_is_made_but_not_the_one_above(tmp_path: Path) -> None:
    Journal.open(tmp_path / ".riskseg" / "journal.db").close()
    with pytest.raises(ProblemsError, match=r"RS603 .*cannot be opened for writing"):
        Journal.open(tmp_path / "absent" / ".riskseg" / "journal.db")
    assert not (tmp_path / "absent").exists()


def test_an_installation_may_lie_in_a_folder_of_any_name(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = path.parent / "migrations"
    shutil.copytree(journal_opening.MIGRATIONS, elsewhere)
    monkeypatch.setattr(journal_opening, "MIGRATIONS", elsewhere)
    with Journal.open(path) as journal:
        assert journal.runs() == []


@contextmanager
def closed_to_writing(folder: Path) -> Iterator[None]:
    """A folder in which nobody may write, root included."""
    root = os.geteuid() == 0
    for one in [*folder.iterdir(), folder]:
        one.chmod(0o555 if one.is_dir() else 0o444)
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o755)
        for one in folder.iterdir():
            one.chmod(0o644)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """One that another user can look into, as those of `tmp_path` are not."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no seteuid")
def test_reading_where_nothing_may_be_written(open_folder: Path) -> None:
    path = open_folder / "journal.db"
    with Journal.open(path) as journal:
        journal.record_run(RUN)
    with closed_to_writing(open_folder):
        with Journal.open_to_read(path) as journal:
            assert journal.runs() == [RUN]
        with pytest.raises(ProblemsError, match="RS603"):
            Journal.open(path)
    # What a killed process had written but not yet put in the file counts too.
    with Journal.open(path) as journal:
        journal.record_run(BARE)
        kept = {f.name: f.read_bytes() for f in open_folder.iterdir()}
    assert set(kept) == {"journal.db", "journal.db-wal", "journal.db-shm"}
    for name, content in kept.items():
        (open_folder / name).write_bytes(content)
    with closed_to_writing(open_folder), Journal.open_to_read(path) as journal:
        assert journal.runs() == [BARE, RUN]
    # Without the file that is shared it cannot be read, which is better than to leave it out.
    (open_folder / "journal.db-shm").unlink()
    with closed_to_writing(open_folder), pytest.raises(ProblemsError, match="RS603"):
        Journal.open_to_read(path)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no seteuid")
def test_a_journal_of_before_that_may_not_be_written(open_folder: Path) -> None:
    path = open_folder / "journal.db"
    earlier(path, "0001")
    with (
        closed_to_writing(open_folder),
        pytest.raises(ProblemsError, match=r"RS603 .*An earlier version of riskseg wrote"),
    ):
        Journal.open_to_read(path)
    with Journal.open_to_read(path) as journal:  # it can be brought up to date here
        assert journal.erasures() == []


def test_reading_leaves_nothing_and_writes_nothing(path: Path) -> None:
    with Journal.open_to_read(path) as journal:
        assert (journal.runs(), journal.models(), journal.in_force(date(2026, 1, 1))) == (
            [],
            [],
            None,
        )
    assert list(path.parent.iterdir()) == []
    with Journal.open(path) as journal:
        journal.record_run(RUN)
    before = path.read_bytes()
    with Journal.open_to_read(path) as journal:
        assert journal.runs() == [RUN]
        with pytest.raises(ProblemsError, match="RS603"):
            journal.record_run(BARE)
        # Others write meanwhile, and what they wrote is read.
        with Journal.open(path) as other:
            other.record_run(BARE)
        assert journal.runs() == [BARE, RUN]
    assert [f.name for f in path.parent.iterdir()] == [path.name]
    assert path.read_bytes() != before


def test_foreign_keys_hold(path: Path) -> None:
    insert = "INSERT INTO promotions (model, version, at, by, reason) VALUES ('m','v','','','')"
    with (
        Journal.open(path) as journal,
        pytest.raises(sa.exc.IntegrityError),
        journal._writing() as connection,
    ):
        connection.exec_driver_sql(insert)


def test_opening_an_up_to_date_journal_loads_no_migrations(run: Run, path: Path) -> None:
    Journal.open(path).close()
    reported = run(
        """
        import sys
        from pathlib import Path
        from riskseg.store.journal import Journal
        with Journal.open(Path(sys.argv[1])) as journal:
            print(journal.runs(), "alembic" in sys.modules)
        """,
        path,
    )
    assert reported.stdout == "[] False\n", reported.stderr


def test_an_upgrade_is_all_or_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create = Operations.create_table

    def fail_at_the_last(self: Operations, name: str, *columns: object, **more: object) -> None:
        if name == "promotions":
            raise KeyboardInterrupt
        create(self, name, *columns, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr("alembic.operations.Operations.create_table", fail_at_the_last)
        with pytest.raises(KeyboardInterrupt):
            Journal.open(path)
    assert sql(path, "SELECT count(*) FROM sqlite_master") == [(0,)]
    with Journal.open(path) as journal:
        assert journal.runs() == []


def later(path: Path) -> None:
    Journal.open(path).close()
    sql(path, f"UPDATE {VERSION_TABLE} SET version_num = '9999'")


def text(path: Path) -> None:
    path.write_text("This is a text and no database at all. " * 40)


def torn(path: Path) -> None:
    with Journal.open(path) as journal:
        journal.record_run(RUN)
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + bytes(len(whole) - 4096))


def foreign(path: Path) -> None:
    sql(path, "CREATE TABLE alembic_version (version_num)", "CREATE TABLE runs (x)")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (later, "A later version of riskseg wrote this journal. Use that version."),
        (text, "This journal is damaged. Restore it"),
        (torn, "This journal is damaged. Restore it"),
        (foreign, "This database is not a journal. Restore it"),
        (lambda path: path.mkdir(), "The journal cannot be opened"),
    ],
)
def test_a_journal_that_cannot_be_used(path: Path, spoil: object, says: str) -> None:
    assert callable(spoil)
    spoil(path)
    for open_it in (Journal.open, Journal.open_to_read):
        with pytest.raises(ProblemsError) as raised, open_it(path) as journal:
            journal.runs()
        (found,) = raised.value.problems
        assert (found.code, found.file) == ("RS603", str(path))
        assert says in str(found)


def test_a_journal_that_another_writes_in(
    place: JournalPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (sqlite_journal, postgres_journal):
        monkeypatch.setattr(module, "BUSY_SECONDS", 0.05)
    with Journal.open(place) as one, Journal.open(place) as other:
        one.record_run(RUN)
        with one._writing():
            assert other.runs() == [RUN]  # reading goes on
            with pytest.raises(ProblemsError, match=r"RS604 .*Another process is writing"):
                other.record_run(BARE)
        other.record_run(BARE)


def test_killed_before_the_end_of_a_transaction_nothing_is_recorded(run: Run, path: Path) -> None:
    reported = run(
        """
        import os, signal, sys
        from datetime import datetime
        from pathlib import Path
        from riskseg.store import journal, journal_entries, journal_tables
        from riskseg.store.records import ModelRecord

        def model(version):
            return ModelRecord(
                model="m", version=version, fingerprint="", metrics={}, at=datetime(2026, 3, 2)
            )

        opened = journal.Journal.open(Path(sys.argv[1]))
        opened.record_model(model("v1"))
        with opened._writing() as connection:
            values = journal_entries.values_of(model("v2"))
            connection.execute(journal_tables.TABLES[ModelRecord].insert().values(values))
            os.kill(os.getpid(), signal.SIGKILL)
        """,
        path,
    )
    assert reported.returncode == -signal.SIGKILL, reported.stderr
    with Journal.open(path) as journal:
        assert [model.version for model in journal.models()] == ["v1"]
        journal.record_model(MODEL)
        assert len(journal.models()) == 2
