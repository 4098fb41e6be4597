"""A damaged or edited journal is RS603, whatever the damage: it is never read as something else."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from riskseg.domain.problems import ProblemsError
from riskseg.store import events
from riskseg.store.journal import Journal
from riskseg.store.journal_entries import add, values_of
from riskseg.store.journal_opening import bring_up_to_date
from riskseg.store.journal_tables import METADATA, TABLES, VERSION_TABLE
from riskseg.store.records import (
    ActivationRecord,
    ErasureRecord,
    ModelRecord,
    MoveRecord,
    RunRecord,
    StrategyRecord,
    text_hash,
)
from riskseg.store.sqlite_journal import SqliteJournal
from tests.support.sampled import one_in

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
DAYS = [date(2026, 3, day) for day in (1, 5, 9)]


def run_of(day: date) -> RunRecord:
    return RunRecord(
        run_id=f"run{day.day}",
        command="assign",
        at=AT,
        riskseg_version="0.1.0",
        as_of=day,
        arguments={"keep": True},
        output="out.csv",
        output_sha256="ab" * 32,
        rows=12,
        strategy="f1",
        models={"m": "v1"},
        sources={"bills": "cafe"},
        activated=True,
        definitions={"f": "aa"},
    )


def model_of(version: str) -> ModelRecord:
    return ModelRecord(model="m", version=version, fingerprint=version, metrics={"a": 1}, at=AT)


def activation_of(number: int) -> tuple[StrategyRecord, ActivationRecord]:
    files = {"strategy.yaml": f"name: s{number}\n", "tiers.yaml": "x" * 5000}
    text, fingerprint = text_hash(files), f"f{number}"
    return (
        StrategyRecord(fingerprint=fingerprint, text=text, name="s", files=files, at=AT),
        ActivationRecord(
            fingerprint=fingerprint,
            text=text,
            at=AT,
            by="ann",
            effective_from=DAYS[number],
            proof={"proved": 3, "unproved": []},
            reason="why",
            definitions={"f": "aa"},
            riskseg_version="0.1.0",
        ),
    )


def event_of(day: date) -> dict[str, str | None]:
    event: dict[str, str | None] = dict.fromkeys(events.COLUMNS, "x")
    days = ("happened_on", "recorded_on", "until", "due_on", "episode")
    return event | dict.fromkeys(days, day.isoformat()) | {"event_id": f"event {day}"}


def fill(journal: Journal) -> None:
    for day in DAYS:
        journal.record_run(run_of(day))
    for version in ("v1", "v2"):
        journal.record_model(model_of(version))
        journal.promote("m", version, at=AT, by="ann", reason="better")
    for number in range(3):
        journal.activate(*activation_of(number))
    for account in ("aa", "bb"):
        journal.record_erasure(
            ErasureRecord(at=AT, by="ann", account=account, runs=["run1"]), account
        )
    with journal._writing() as connection:
        for arrived in (False, True):
            add(connection, MoveRecord(at=AT, by="ann", source="a", target="b", arrived=arrived))
    for day in DAYS[:2]:
        journal.record_events([event_of(day)], command="worklist issue", at=AT, recorded_on=day)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "journal.db"
    with Journal.open(path) as journal:
        fill(journal)
    return path


READING: dict[str, Callable[[Journal], Any]] = {
    "runs": lambda j: j.runs(),
    "run": lambda j: j.run("run5"),
    "no run": lambda j: j.run("absent"),
    "models": lambda j: j.models(),
    "promotions": lambda j: j.promotions("m"),
    "champion": lambda j: j.champion("m"),
    "champion then": lambda j: j.champion("m", date(2026, 1, 1)),
    "strategies": lambda j: j.strategies(),
    "activations": lambda j: j.activations(),
    "in force": lambda j: [j.in_force(day) for day in DAYS],
    "text": lambda j: [j.strategy(a) for a in j.activations()],
    "erasures": lambda j: j.erasures(),
    "moves": lambda j: j.moves(),
    "batches": lambda j: j.event_batches(),
    "events": lambda j: j.events().to_pylist(),
}
WRITING: dict[str, Callable[[Journal], None]] = {
    "run": lambda j: j.record_run(run_of(date(2026, 3, 20))),
    "same run": lambda j: j.record_run(run_of(DAYS[0])),
    "model": lambda j: j.record_model(model_of("v3")),
    "promote": lambda j: j.promote("m", "v1", at=AT, by="bob", reason=""),
    "activate": lambda j: j.activate(*activation_of(1)),
    "erasure": lambda j: j.record_erasure(ErasureRecord(at=AT, by="", account="c", runs=[]), "c"),
}


def answers(path: Path) -> list[tuple[str, Any]]:
    """What each reading operation says; RS603 where it says none."""
    reported: list[tuple[str, Any]] = []
    for open_it in (Journal.open_to_read, Journal.open):
        try:
            with open_it(path) as journal:
                reported += [(name, attempt(path, ask, journal)) for name, ask in READING.items()]
        except ProblemsError as error:
            reported += [(name, code(path, error)) for name in READING]
    return reported


def attempt(path: Path, use: Callable[[Journal], Any], journal: Journal) -> Any:
    try:
        return use(journal)
    except ProblemsError as error:
        return code(path, error)


def code(path: Path, error: ProblemsError) -> str:
    [found] = error.problems
    assert (found.code, found.file) == ("RS603", str(path))
    return found.code


@pytest.fixture(scope="module")
def right(whole: Path) -> list[tuple[str, Any]]:
    reported = answers(whole)
    assert not [name for name, answer in reported if answer == "RS603"]
    return reported


def check(path: Path, right: list[tuple[str, Any]], *, writes: bool = True) -> int:
    """How many answers are RS603; every other is right. Writing meets no other fault."""
    reported = answers(path)
    wrong = [(n, a) for (n, a), e in zip(reported, right, strict=True) if a not in ("RS603", e[1])]
    assert not wrong
    if writes:
        with suppress(ProblemsError), Journal.open(path) as journal:
            for write in WRITING.values():
                attempt(path, write, journal)
    return sum(answer == "RS603" for _, answer in reported)


def test_bytes_that_are_flipped(whole: Path, right: list[tuple[str, Any]], tmp_path: Path) -> None:
    content = whole.read_bytes()
    rng = random.Random(10)  # noqa: S311
    # Most of a small journal is empty pages: those that hold something are of interest.
    held = [n for n, byte in enumerate(content) if byte]
    places = [*range(0, 100, 7), *rng.sample(held, 60)]
    found = 0
    for number, place in enumerate(places):
        path = tmp_path / f"{place}.db"
        flipped = bytes([content[place] ^ (0xFF, 0x01, 0x20)[number % 3]])
        path.write_bytes(content[:place] + flipped + content[place + 1 :])
        found += check(path, right, writes=number % 3 == 0) > 0
    assert found > len(places) // 2  # it is not that nothing is looked at


def test_journals_that_are_cut_short(
    whole: Path, right: list[tuple[str, Any]], tmp_path: Path
) -> None:
    content = whole.read_bytes()
    for length in (1, 15, 16, 50, 100, 1000, 4096, 8192, len(content) // 2, len(content) - 1):
        path = tmp_path / f"{length}.db"
        path.write_bytes(content[:length])
        assert check(path, right) > 0, length
    path = tmp_path / "zeros.db"
    path.write_bytes(content[:8192] + bytes(len(content) - 8192))
    assert check(path, right) > 0


WRONG = ("'2026-13-45'", "'{'", "x'ff00'", "17", "'[]'", "cast(x'c328' as text)")
COLUMNS = [(t.name, c.name) for t in METADATA.sorted_tables for c in t.columns]


def edited(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


@pytest.mark.parametrize(("table", "column"), one_in(3, COLUMNS))
def test_each_column_that_is_edited(
    table: str, column: str, whole: Path, right: list[tuple[str, Any]], tmp_path: Path
) -> None:
    number = COLUMNS.index((table, column))
    last = f"where number = (select max(number) from {table})"
    for value in (WRONG[number % len(WRONG)], f'"{column}" || 1', "null"):
        path = tmp_path / "journal.db"
        shutil.copyfile(whole, path)
        try:
            edited(path, f'update {table} set "{column}" = {value} {last}')
        except sqlite3.IntegrityError:
            continue
        assert check(path, right, writes=value == "null") > 0, value


@pytest.mark.parametrize(
    "statements",
    [
        *([f"delete from {t} where number = 1"] for t in METADATA.tables),
        *([f"delete from {t} where number = 2"] for t in METADATA.tables),
        *([f"delete from {t}"] for t in METADATA.tables),
        *([f"drop table {t}"] for t in METADATA.tables),
        *([f'alter table {t.name} rename column "at" to then_at'] for t in TABLES.values()),
        ["alter table events rename column reason to because"],
        [
            "insert into promotions (model, version, at, by, reason) "
            "select model, version, at, by, reason from promotions where number = 1"
        ],
        ["update activations set number = number + 10 where number = 3"],
        [
            "update activations set effective_from = '2026-01-01', digest = "
            "(select digest from activations where number = 1) where number = 2"
        ],
        ["delete from sqlite_sequence"],
        *([f"update {VERSION_TABLE} set version_num = '{v}'"] for v in ("0002", "0001", "9", "")),
        [f"delete from {VERSION_TABLE}"],
        [f"update {VERSION_TABLE} set version_num = x'00ff'"],
        [f"insert into {VERSION_TABLE} values ('0002')"],
        [f"drop table {VERSION_TABLE}"],
    ],
    ids=lambda statements: statements[0][:60],
)
def test_entries_and_tables_that_are_edited(
    statements: list[str], whole: Path, right: list[tuple[str, Any]], tmp_path: Path
) -> None:
    path = tmp_path / "journal.db"
    shutil.copyfile(whole, path)
    edited(path, *statements)
    assert check(path, right) > 0


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal as the version of riskseg before digests left it."""
    path = tmp_path_factory.mktemp("earlier") / "journal.db"
    journal = Journal(SqliteJournal.to_write(path))
    with journal._database.writing() as connection:
        bring_up_to_date(journal._database, connection, to="0002")
        for record in (run_of(DAYS[0]), model_of("v1"), *activation_of(0)):
            table = TABLES[type(record)]
            values = values_of(record)
            for name in ("definitions", "riskseg_version")[: 2 if table.name != "runs" else 1]:
                values.pop(name, None)
            connection.execute(table.insert().values(values))
    journal.close()
    return path


EARLIER = [
    (table, column)
    for table, column in COLUMNS
    if column not in ("digest", "definitions", "number")
    and (table, column) != ("activations", "riskseg_version")
    and table not in ("events", "event_batches", "moves")
]


@pytest.mark.parametrize("value", ["'{'", "'[1]'", "x'ff00'", "'2026-13-45'"])
def test_a_journal_that_was_damaged_before_it_had_digests(
    value: str, earlier: Path, tmp_path: Path
) -> None:
    """Whatever was damaged then, no reading of it fails otherwise than with RS603."""
    for table, column in EARLIER[len(value) % 3 :: 3]:
        path = tmp_path / f"{table}-{column}.db"
        shutil.copyfile(earlier, path)
        edited(path, f'update {table} set "{column}" = {value}')
        answers(path)


def test_a_text_that_was_edited_before_it_had_a_digest(earlier: Path, tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    shutil.copyfile(earlier, path)
    edited(path, "update strategies set files = replace(files, 's0', 's9')")
    with Journal.open(path) as journal, pytest.raises(ProblemsError, match=r"RS603.*text of s f0"):
        journal.strategies()
