"""`worklist done`: what a file says of issued actions is recorded, each outcome once."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from fsspec.implementations.memory import MemoryFileSystem

from riskseg.domain.problems import ProblemsError
from riskseg.results.worklist import RecordedOutcomes
from riskseg.run.outcomes import record
from riskseg.run.worklist import worklist
from riskseg.store import sinks
from riskseg.store.journal import Journal
from riskseg.store.sinks import InMemory
from tests.support import small

DAY, NEXT = date(2025, 12, 1), date(2025, 12, 2)
AT = datetime(2025, 12, 2, 9, 0, tzinfo=UTC)
HEAD = "account_id,action,outcome,happened_on,amount,until\n"
PROMISE = "a,letter,promise,2025-12-02,60.00,2025-12-20\n"

Reported = Callable[..., RecordedOutcomes]


@pytest.fixture
def reported(tmp_path: Path) -> Reported:
    """Records a file of outcomes in a workspace where a letter and a text message were issued."""
    root = small.make(tmp_path / "w")
    worklist(root, DAY, InMemory(), at=AT)

    def record_file(text: str, name: str = "out.csv", **toml: str) -> RecordedOutcomes:
        lines = "".join(f"{key} = '{value}'\n" for key, value in toml.items())
        with (root / "riskseg.toml").open("a") as file:
            file.write(f"[outcomes]\n{lines}" if lines else "")
        (root / name).write_text(text)
        return record(root, root / name, by="ann", on=NEXT, at=AT)

    return record_file


def events(root: Path, *kinds: str) -> list[dict[str, Any]]:
    with Journal.open_to_read(root / ".riskseg" / "journal.db") as journal:
        return [e for e in journal.events().to_pylist() if e["kind"] in kinds]


def problems(reported: Reported, text: str, **toml: str) -> list[str]:
    with pytest.raises(ProblemsError) as error:
        reported(text, **toml)
    return [f"{p.code} {p.what}" for p in error.value.problems]


def test_an_outcome_is_recorded_once_with_its_promise(reported: Reported, tmp_path: Path) -> None:
    done = reported(HEAD + PROMISE + "b,sms,delivered,2025-12-01,,\n")
    assert (done.rows, done.new, done.known, done.bad) == (2, 2, 0, 0)
    assert (done.contacts, done.promises) == (1, 1)
    (outcome,) = [e for e in events(tmp_path / "w", "outcome") if e["account_id"] == "a"]
    (action,) = [e for e in events(tmp_path / "w", "action") if e["account_id"] == "a"]
    (promise,) = events(tmp_path / "w", "promise")
    (contact,) = events(tmp_path / "w", "contact")
    assert outcome["ref"] == promise["ref"] == contact["ref"] == action["event_id"]
    assert (outcome["made_by"], outcome["recorded_on"]) == ("ann", NEXT)
    assert (promise["amount"], promise["until"]) == ("60.00", date(2025, 12, 20))
    assert (contact["channel"], contact["outcome"]) == ("post", "promise")
    again = reported(HEAD + PROMISE + "b,sms,delivered,2025-12-01,,\n")
    assert (again.new, again.known) == (0, 2)
    assert len(events(tmp_path / "w", "outcome", "contact", "promise")) == 4


def test_an_account_that_begins_like_a_formula_comes_back(tmp_path: Path) -> None:
    """The list of CSV has an apostrophe before it, which is taken away when it is read back."""
    account = "-7"
    files = {
        name: "".join(
            line.replace("a,", f"{account},", 1) if line.startswith("a,") else line
            for line in text.splitlines(keepends=True)
        )
        for name, text in small.FILES.items()
    }
    root = small.make(tmp_path / "w", **files)
    issued, done = root / "list.csv", root / "done.csv"
    worklist(root, DAY, str(issued), at=AT)
    assert f"'{account}," in issued.read_text(encoding="utf-8-sig")
    with issued.open(encoding="utf-8-sig") as file:
        rows = [row for row in csv.DictReader(file) if row["account_id"] == f"'{account}"]
    assert rows
    done.write_text(f"account_id,action,outcome\n'{account},{rows[0]['action']},done\n")
    assert record(root, done, by="ann", on=NEXT, at=AT).new == 1
    assert {e["account_id"] for e in events(root, "outcome")} == {account}


def test_a_file_may_be_named_by_its_url(reported: Reported, tmp_path: Path) -> None:
    reported(HEAD + PROMISE, "a#b.csv")
    place = f"file://{tmp_path}/w/a#b.csv"
    assert record(tmp_path / "w", place, by="ann", on=NEXT, at=AT).known == 1


def test_a_file_of_an_object_store(reported: Reported, tmp_path: Path) -> None:
    reported(HEAD + PROMISE)
    root, files = tmp_path / "w", MemoryFileSystem()

    def refused(place: str) -> list[str]:
        with pytest.raises(ProblemsError) as error:
            record(root, place, by="ann", on=NEXT, at=AT)
        return [f"{p.code} {p.what}" for p in error.value.problems]

    try:
        text = HEAD + PROMISE + "b,sms,delivered,2025-12-01,,\n"
        files.pipe("/bucket/out.csv", text.encode())
        files.pipe("/bucket/empty.csv", b"")
        done = record(root, "memory://bucket/out.csv", by="ann", on=NEXT, at=AT)
        assert (done.file, done.new, done.known) == ("memory://bucket/out.csv", 1, 1)
        assert refused("memory://bucket/out.json") == [
            'RS006 There is no file "memory://bucket/out.json".'
        ]
        assert refused("memory://bucket/*.csv") == ["RS006 The URL matches 2 files."]
        assert refused("memory://bucket/empty.csv") == ["RS109 The file of outcomes is empty."]
        assert refused("memory://bucket/out") == [
            "RS006 A database URL must say which table to read."
        ]
    finally:
        files.store.clear()
        files.pseudo_dirs[:] = [""]


def test_all_that_is_wrong_with_a_row_is_said_at_once(reported: Reported) -> None:
    (said,) = problems(reported, HEAD + "b,sms,gone,soon,ten,\n")
    assert said.startswith("RS107 In row 1 after the header, outcome is not one of ")
    assert said.endswith(
        ': "gone"; happened_on is not a date: "soon" (RS102); '
        'amount is not an amount of money: "ten" (RS102).'
    )


def test_an_empty_file_is_said_to_be_empty(reported: Reported) -> None:
    assert problems(reported, "") == ["RS109 The file of outcomes is empty."]


def test_two_attempts_of_one_day_are_two(reported: Reported) -> None:
    row = "b,sms,failed,2025-12-02,,\n"
    assert reported(HEAD + row * 2).new == 2
    assert reported(HEAD + row * 3).new == 1
    assert (
        reported("account_id,action,outcome,call_id\nb,sms,failed,c1\nb,sms,failed,c2\n").new == 2
    )


def test_a_file_in_its_own_words_is_read_through_the_mapping(reported: Reported) -> None:
    done = reported(
        '[{"Nr": "b", "What": "sms", "Code": "NA"}]',
        name="out.json",
        account_id="Nr",
        action="What",
        outcome="if(Code = $$NA$$, $$no_answer$$, Code)",
    )
    assert dict(done.outcomes) == {"no_answer": 1}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        # The value that is wrong is shown.
        ("b,sms,,2025-12-02,,", "RS101 In row 1 after the header, outcome is null"),
        ("b,,done,2025-12-02,,", "RS101 In row 1 after the header, there is neither an id"),
        ("b,sms,busy,2025-12-02,,", "RS107 In row 1 after the header, outcome is not one of done"),
        ("b,sms,done,soon,,", "RS102 In row 1 after the header, happened_on is not a date"),
        ("b,sms,done,2025-12-03,,", "RS105 In row 1 after the header, happened_on is after"),
        ("b,sms,promise,2025-12-02,,2025-12-09", "RS101 In row 1 after the header, a promise has"),
        ("b,sms,promise,2025-12-02,5,", "RS101 In row 1 after the header, a promise has no until"),
        ("b,sms,promise,2025-12-02,x,2025-12-09", "RS102 In row 1 after the header, amount is not"),
        ("b,sms,promise,2025-12-02,5.001,2025-12-09", "RS103 In row 1 after the header, amount"),
        ("b,sms,promise,2025-12-02,0,2025-12-09", "RS103 In row 1 after the header, a promise is"),
        ("b,sms,promise,2025-12-02,5,2025-12-01", "RS105 In row 1 after the header, until is bef"),
        ("b,letter,done,2025-12-02,,", "RS630 Row 1 after the header is of an action never issued"),
        ("b,sms,done,2025-11-30,,", "RS630 Row 1 after the header is of an action never issued"),
    ],
)
def test_a_row_that_cannot_be_recorded_says_why(reported: Reported, row: str, message: str) -> None:
    (problem,) = problems(reported, HEAD + row + "\n")
    assert problem.startswith(message)


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        ("b,sms,busy,2025-12-02,,", 'promise, refused: "busy". Map words of your own'),
        ("b,sms,done,soon,,", 'happened_on is not a date: "soon".'),
        ("b,sms,promise,2025-12-02,x,2025-12-09", 'is not an amount of money: "x".'),
        ("b,sms,promise,2025-12-02,5,2025-12-01", 'before happened_on: "2025-12-01".'),
    ],
)
def test_the_value_that_is_wrong_is_shown(reported: Reported, row: str, shown: str) -> None:
    with pytest.raises(ProblemsError) as raised:
        reported(HEAD + row + "\n")
    assert shown in str(raised.value)


def test_a_file_without_what_it_needs_says_which(reported: Reported) -> None:
    assert problems(reported, "x,y\n1,2\n") == [
        'RS007 The file has no column "outcome".',
        'RS007 The file has no column "id".',
    ]
    assert [p[:5] for p in problems(reported, HEAD, outcom="x", reason="nothing")] == [
        "RS003",
        "RS007",
    ]


def test_bad_rows_that_are_few_are_set_apart(reported: Reported, tmp_path: Path) -> None:
    toml = tmp_path / "w" / "riskseg.toml"
    toml.write_text(toml.read_text().replace("[workspace]\n", "[workspace]\nmax_bad_rows = 0.5\n"))
    done = reported(HEAD + PROMISE + "b,sms,busy,2025-12-02,,\n")
    assert (done.new, done.bad) == (1, 1)
    place = tmp_path / "w" / ".riskseg" / "quarantine" / "outcomes.csv"
    assert done.quarantine == str(place)
    assert "outcome is not one of" in place.read_text()
    worklist(tmp_path / "w", NEXT, InMemory(), at=AT)
    assert place.exists(), "what was no source's is not taken away with a source's bad rows"
    assert reported(HEAD + PROMISE).quarantine is None and not place.exists()


def test_a_workbook_is_read_with_the_same_mapping(tmp_path: Path) -> None:
    root = small.make(tmp_path / "w")
    settings = root / "riskseg.toml"
    text = settings.read_text().replace("[workspace]\n", "[workspace]\nmax_bad_rows = 0.5\n")
    settings.write_text(text + '[outcomes]\naccount_id = "Customer"\noutcome = "lower(Result)"\n')
    worklist(root, DAY, InMemory(), at=AT)
    book = openpyxl.Workbook()
    rows = [
        ["Customer", "action", "Result", "date", "amount", "until"],
        ["a", "letter", "Promise", date(2025, 12, 2), 60.5, datetime(2025, 12, 20)],
        ["b", "sms", "Gone", None, None, None],
    ]
    for row in rows:
        book.worksheets[0].append(row)
    book.save(root / "out.xlsx")
    done = record(root, root / "out.xlsx", by="ann", on=NEXT, at=AT)
    assert (done.rows, done.new, done.bad, done.promises) == (2, 1, 1, 1)
    (promise,) = events(root, "promise")
    assert (promise["amount"], promise["until"]) == ("60.50", date(2025, 12, 20))
    bad = (root / ".riskseg" / "quarantine" / "outcomes.csv").read_text()
    assert bad.splitlines()[1].startswith("2,")


def test_a_list_that_was_written_as_a_file_is_reported_back_in_it(tmp_path: Path) -> None:
    root = small.make(tmp_path / "w")
    for ending in (".xlsx", ".parquet"):
        place = root / f"list{ending}"
        worklist(root, DAY, str(place), at=AT)
        rows = pq.read_table(place) if ending == ".parquet" else sinks.texts(place)
        assert rows is not None
        reported = pa.table({"id": rows["id"], "outcome": ["done"] * len(rows)})
        answers = str(root / f"answers{ending}")
        sinks.write(answers, reported.schema, reported.to_batches(), token="run")
        done = record(root, Path(answers), by="ann", on=NEXT, at=AT)
        assert (done.rows, done.new + done.known) == (2, 2)


# From a table of a database


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind with the results of a dialler, in its own words."""
    address = f"sqlite:///{tmp_path}/d.db"
    if request.param == "postgresql":
        address = request.getfixturevalue("postgres_url")
    engine = sa.create_engine(address, poolclass=sa.NullPool)
    with engine.begin() as connection:
        for statement in (
            "drop table if exists results",
            "create table results (nr text, what text, outcome text, called_on date, "
            "amount numeric(12, 2), until date)",
            "insert into results values ('a', 'letter', 'promise', '2025-12-02', 60, '2025-12-20')",
            "insert into results values ('b', 'sms', 'delivered', '2025-12-01', null, null)",
        ):
            connection.exec_driver_sql(statement)
    return address


MAPPED = "\n[outcomes]\naccount_id = 'nr'\naction = 'what'\n"


@pytest.mark.parametrize(
    ("named", "rows"),
    [("results", 2), ("select nr, what, outcome from results where what = 'sms' -- #1", 1)],
)
def test_outcomes_are_read_from_a_table_or_a_select(
    reported: Reported, tmp_path: Path, url: str, named: str, rows: int
) -> None:
    root = tmp_path / "w"
    with (root / "riskseg.toml").open("a") as file:
        file.write(MAPPED)
    done = record(root, f"{url}#{named}", by="ann", on=NEXT, at=AT)
    assert (done.rows, done.new, done.bad) == (rows, rows, 0)
    again = record(root, f"{url}#{named}", by="ann", on=NEXT, at=AT)
    assert (again.new, again.known) == (0, rows)
    if rows == 2:
        (promise,) = events(root, "promise")
        assert (Decimal(promise["amount"]), promise["until"]) == (60, date(2025, 12, 20))


@pytest.mark.parametrize(
    ("named", "code", "says"),
    [
        ("", "RS006", "must say which table to read"),
        ("#", "RS006", "must say which table to read"),
        ("#reslts", "RS006", 'There is no table "reslts"'),
        ("#select 1 as x", "RS007", 'The table has no column "outcome".'),
        (
            "#select 'a' as account_id, 'sms' as action, 'x' as outcome",
            "RS107",
            "In row 1, outcome",
        ),
    ],
)
def test_a_table_that_cannot_be_read_is_a_problem(
    reported: Reported, tmp_path: Path, url: str, named: str, code: str, says: str
) -> None:
    with pytest.raises(ProblemsError) as raised:
        record(tmp_path / "w", f"{url}{named}", by="ann", on=NEXT, at=AT)
    assert raised.value.problems[0].code == code
    assert says in str(raised.value)


def test_a_database_file_is_looked_up_where_the_command_is_given(
    reported: Reported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with closing(sqlite3.connect("results.db")) as connection:
        connection.execute("create table results (account_id, action, outcome)")
        connection.execute("insert into results values ('b', 'sms', 'done')")
        connection.commit()
    assert record(tmp_path / "w", "sqlite:///results.db#results", by="ann", on=NEXT, at=AT).new == 1
