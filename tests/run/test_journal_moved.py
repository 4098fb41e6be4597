"""A workspace whose journal is moved from its file to PostgreSQL, and back: every command goes on
from what was there."""

from __future__ import annotations

import json
import shutil
import signal
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

import riskseg
from riskseg.cli import app
from riskseg.domain.problems import ProblemsError
from riskseg.pipeline.session import locked, open_checked
from riskseg.results.schema import json_schema
from riskseg.run.assign import assign
from riskseg.run.check import check
from riskseg.run.journal_move import move
from riskseg.run.replay import replay
from riskseg.run.retention import listed
from riskseg.store.journal_place import PostgresPlace
from riskseg.store.postgres_journal import PostgresJournal
from tests.journeys.killing import Door, begin_command
from tests.support import treated
from tests.support.postgres import keep_journal_in

FIRST = date(2026, 1, 5)
FILE = ".riskseg/journal.db"
PATHS = {
    "two": {
        "steps": [
            {"day": 1, "action": "sms"},
            {"day": 4, "action": "letter"},
            {"day": 9, "action": "call"},
        ]
    }
}
ROWS: dict[str, list[dict[str, Any]]] = {
    "accounts": [{"account_id": "a1", "valid_from": "2000-01-01", "treatment": "two"}],
    "bills": [{"account_id": "a1", "bill_id": "b1", "due_on": FIRST, "amount": 50}],
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return treated.write(tmp_path / "workspace", paths=PATHS, rows=ROWS)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def issued(root: Path, number: int) -> list[str]:
    return [row["step"] for row in treated.issue(root, day(number))[1]]


def moved(root: Path, to: str, schema: str | None = None) -> Any:
    return move(root, to, schema=schema, at=treated.AT, by="ann")


def settings(root: Path) -> Path:
    return root / "riskseg.toml"


def refused(root: Path) -> str:
    with pytest.raises(ProblemsError, match="RS603") as raised:
        issued(root, 3)
    assert "RS603" in [found.code for found in check(root).problems]
    return str(raised.value)


def test_every_command_goes_on(root: Path, postgres_place: PostgresPlace) -> None:
    at_first = settings(root).read_text()
    ws = riskseg.open(root)
    first = ws.strategy().activate(by="ann", effective_from=FIRST, at=treated.AT)
    assign(root, day(2), str(root / "d.parquet"), at=treated.AT)
    assert issued(root, 2) == ["sms"]
    ws.promise("a1", amount="10", until=day(3), on=day(2), by="ann", at=treated.AT)
    paths = root / "rules" / "treated" / "paths.yaml"
    paths.write_text(paths.read_text().replace("day: 9", "day: 10"))
    ws.strategy().activate(by="ann", effective_from=day(20), at=treated.AT)
    result = moved(root, postgres_place.url, postgres_place.schema)
    assert result.settings and not result.settings_current and result.events
    assert "ann moved this journal to postgresql" in refused(root)

    settings(root).write_text(at_first + result.settings)
    assert treated.issue(root, day(2))[0].new == 0  # nothing is issued twice
    assert issued(root, 7) == ["letter"]
    assert [e.step for e in ws.history("a1", as_of=day(8)).entries if e.step] == ["sms", "letter"]
    assert replay(root, "last").verdict == "same bytes"
    assert ws.explain("a1", as_of=day(2)).decision["segment"] == "two"
    ws.strategy(first.version).activate(by="bob", effective_from=day(20), at=treated.AT)
    back = ws.strategy().activations()
    assert [entry.by for entry in back] == ["bob", "ann", "ann"]
    assert back[0].version == first.version
    other = Path(shutil.copytree(root, root.with_name("another machine")))
    assert treated.issue(other, day(7))[0].new == 0

    result = moved(root, FILE)
    assert result.settings == "" and not result.settings_current
    # What another machine is to do is no invitation to begin anew in a file of its own.
    assert "Work in the workspace that has this file" in refused(other)
    settings(root).write_text(at_first)
    assert issued(root, 12) == ["call"]
    assert [move.target.partition(":")[0] for move in listed(root).moves] == [
        str(root / FILE),
        "postgresql+psycopg",
    ]


def test_where_riskseg_toml_names_the_database_already(
    root: Path, postgres_place: PostgresPlace
) -> None:
    """The command that the Problem shows is the one that helps."""
    issued(root, 2)
    keep_journal_in(root, postgres_place)
    shown = refused(root)
    assert f"riskseg journal move --to '{postgres_place.url}' --schema" in shown.replace("\n", " ")
    result = moved(root, postgres_place.url)
    assert result.settings_current and result.source == str(root / FILE)
    assert treated.issue(root, day(2))[0].new == 0
    assert moved(root, postgres_place.url).done_before
    with pytest.raises(ProblemsError, match="RS619"):
        moved(root.parent / "workspace", FILE + ".old")


def test_an_account_is_erased_from_the_file_too(root: Path, postgres_place: PostgresPlace) -> None:
    issued(root, 2)
    moved(root, postgres_place.url, postgres_place.schema)
    keep_journal_in(root, postgres_place)
    [still] = riskseg.open(root).erase("a1", by="ann").problems
    assert still.code == "RS619" and still.file == FILE and "2 events of the account" in still.what
    for file in (root / ".riskseg").glob("journal.db*"):
        file.unlink()
    assert riskseg.open(root).erase("a1", by="ann").problems == ()


def test_a_database_that_lost_the_journal(root: Path, postgres_place: PostgresPlace) -> None:
    """The file that it was moved from is no journal to go on with."""
    issued(root, 2)
    result = moved(root, postgres_place.url, postgres_place.schema)
    with settings(root).open("a") as toml:
        toml.write(result.settings.replace(postgres_place.schema, "elsewhere"))
    said = refused(root)
    assert "There is no journal in the database" in said and "ann moved this journal to" in said


COMMIT = ("sqlalchemy.engine.default.DefaultDialect", "do_commit")
# The three transactions of a move, and where the journal goes on when it is killed there.
DOORS = [
    ("before", 1, "file"),
    ("after", 1, "file"),
    ("before", 2, "file"),
    ("after", 2, "nowhere"),
    ("before", 3, "nowhere"),
    ("after", 3, "database"),
]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")
@pytest.mark.parametrize(
    ("when", "call", "goes_on"),
    [pytest.param(*d, marks=[] if d[:2] == ("after", 2) else pytest.mark.slow) for d in DOORS],
)
def test_killed_half_way(
    root: Path, postgres_place: PostgresPlace, when: str, call: int, goes_on: str
) -> None:
    issued(root, 2)
    words = ("--to", postgres_place.url, "--schema", postgres_place.schema)
    process = begin_command(root, "journal", "move", *words, door=Door(*COMMIT, when, call))
    process.join()
    assert process.exitcode == -signal.SIGKILL
    letters = 0
    for place in ("file", "database"):
        before = settings(root).read_text()
        if place == "database":
            keep_journal_in(root, postgres_place)
        if place == goes_on:
            assert issued(root, 7) == ["letter"]
            letters = 1
        else:
            refused(root)
        settings(root).write_text(before)
    again = moved(root, postgres_place.url, postgres_place.schema)
    assert again.done_before == (goes_on == "database")
    refused(root)
    keep_journal_in(root, postgres_place)
    assert treated.issue(root, day(7))[0].new == 1 - letters
    ws = riskseg.open(root)
    assert [e.step for e in ws.history("a1", as_of=day(8)).entries if e.step] == ["sms", "letter"]


def run(root: Path, *words: str) -> Any:
    return CliRunner().invoke(app, ["-w", str(root), "journal", "move", *words])


def test_the_command(
    root: Path, postgres_place: PostgresPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued(root, 2)
    monkeypatch.setenv("SECRET", "hunter2")
    address = postgres_place.url.replace("postgres@", "postgres:${SECRET}@")
    words = ("--to", address, "--schema", postgres_place.schema)
    with locked(open_checked(root)):
        busy = run(root, *words)
    assert busy.exit_code == 4 and "RS604" in busy.output
    server = PostgresJournal.to_write(postgres_place)
    with server.only_writer():
        busy = run(root, *words)
    server.close()
    assert busy.exit_code == 4
    done = run(root, *words)
    assert done.exit_code == 0, done.output
    assert f'[journal]\nurl = "{address}"\nschema = "{postgres_place.schema}"\n' in done.output
    again = run(root, *words, "--json")
    result = json.loads(again.stdout)
    schema = json_schema()
    jsonschema.validate(result, {**schema, **schema["commands"]["journal move"]})
    assert result["done_before"] and result["entries"] > 1
    outputs = (busy.output, done.output, again.output, refused(root))
    assert not any("hunter2" in output for output in outputs)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("postgresql://ann:hunter2@h/x",), "RS004 --to: A password does not belong on a command"),
        (("postgresql://ann:${NOT_SET}@h/x",), "the environment has no NOT_SET"),
        (("postgresql://h/x", "--schema", "A;b"), "RS004 --schema:"),
        (("mysql://ann@h/x",), "not the address of a PostgreSQL"),
        (("postgresql://ann@127.0.0.1:1/x",), "does not answer"),
        ((FILE,), "RS619: riskseg.toml keeps the journal in .riskseg/journal.db already"),
        (("elsewhere.db",), "is no place for the journal"),
    ],
)
def test_places_that_are_wrong(root: Path, words: Sequence[str], says: str) -> None:
    issued(root, 2)
    done = run(root, "--to", *words)
    assert done.exit_code == 1 and says in done.output.replace("\n", " ")
    assert "hunter2" not in done.output
    assert treated.issue(root, day(2))[0].new == 0
