"""A workspace whose journal is a schema of a PostgreSQL database."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import riskseg
from riskseg.domain.problems import ProblemsError
from riskseg.pipeline.asked import Asked
from riskseg.pipeline.open_journal import name_of_journal, read_journal
from riskseg.pipeline.session import locked, open_checked
from riskseg.run.assign import assign
from riskseg.run.check import check
from riskseg.run.explain import explain
from riskseg.run.insight import insight
from riskseg.run.replay import replay
from riskseg.run.worklist import worklist
from riskseg.store.journal_place import PostgresPlace
from riskseg.store.sinks import InMemory
from tests.support import treated
from tests.support.postgres import keep_journal_in

FIRST = date(2026, 1, 5)
PATHS = {"two": {"steps": [{"day": 1, "action": "sms"}, {"day": 4, "action": "letter"}]}}
ROWS: dict[str, list[dict[str, Any]]] = {
    "accounts": [{"account_id": "a1", "valid_from": "2000-01-01", "treatment": "two"}],
    "bills": [{"account_id": "a1", "bill_id": "b1", "due_on": FIRST, "amount": 50}],
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return treated.write(tmp_path / "workspace", paths=PATHS, rows=ROWS)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def steps(rows: list[dict[str, Any]]) -> list[str]:
    return [row["step"] for row in rows]


def test_machines_that_share_a_journal_go_on_from_each_other(
    root: Path, postgres_place: PostgresPlace
) -> None:
    keep_journal_in(root, postgres_place)
    other = Path(shutil.copytree(root, root.with_name("another machine")))
    assert treated.listed(root, day(2))  # there is no schema yet
    assert steps(treated.issue(root, day(2))[1]) == ["sms"]
    assert treated.issue(other, day(3))[1] == []
    assert steps(treated.issue(other, day(5))[1]) == ["letter"]
    assert treated.listed(root, day(6)) == []
    ws = riskseg.open(other)
    assert [e.step for e in ws.history("a1", as_of=day(7)).entries if e.step] == ["sms", "letter"]
    assert not (root / ".riskseg" / "journal.db").exists()
    assert postgres_place.url not in repr(postgres_place)
    with locked(open_checked(root)), pytest.raises(ProblemsError, match="RS604"):
        treated.issue(other, day(6))
    treated.issue(other, day(6))


def test_an_account_is_erased(root: Path, postgres_place: PostgresPlace) -> None:
    keep_journal_in(root, postgres_place)
    treated.issue(root, day(2))
    riskseg.open(root).erase("a1", by="ann")
    with read_journal(open_checked(root)) as journal:
        assert journal.events().num_rows == 0
        assert journal.event_batches()
    engine = sa.create_engine(postgres_place.url)
    with engine.connect() as connection:
        table = f"{postgres_place.schema}.events"
        rows = connection.exec_driver_sql(f"select account_id, step from {table}").all()
    engine.dispose()
    assert len(rows) == 2 and all(len(account) == 64 and not step for account, step in rows)


def test_a_journal_that_is_gone(root: Path, postgres_place: PostgresPlace) -> None:
    keep_journal_in(root, postgres_place)
    assign(root, day(2), InMemory(), at=treated.AT)
    engine = sa.create_engine(postgres_place.url)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"drop schema {postgres_place.schema} cascade")
    engine.dispose()
    assert "RS603" in [found.code for found in check(root).problems]
    with pytest.raises(ProblemsError, match=r"RS603 .*The journal is gone, though 1 run has kept"):
        treated.issue(root, day(3))


def test_a_journal_in_the_file_is_not_forgotten_for_an_empty_database(
    root: Path, postgres_place: PostgresPlace
) -> None:
    """Without it, what was issued would be issued again."""
    assert steps(treated.issue(root, day(2))[1]) == ["sms"]
    settings = (root / "riskseg.toml").read_text()
    keep_journal_in(root, postgres_place)
    with pytest.raises(ProblemsError, match=r"RS603 .*has one in \.riskseg/journal\.db"):
        treated.issue(root, day(2))
    assert "RS603" in [found.code for found in check(root).problems]
    (root / "riskseg.toml").write_text(settings)
    assert treated.issue(root, day(2))[0].new == 0


def test_inputs_that_another_machine_keeps(root: Path, postgres_place: PostgresPlace) -> None:
    keep_journal_in(root, postgres_place)
    other = Path(shutil.copytree(root, root.with_name("another machine")))
    assign(root, day(2), str(root / "d.parquet"), at=treated.AT)
    with pytest.raises(ProblemsError, match=r"RS609 .*not in this workspace"):
        replay(other, "last")
    (note,) = explain(other, "a1", day(2)).notes
    assert "what it kept is not here" in note
    with pytest.raises(ProblemsError, match=r"RS643 .*are kept in this workspace"):
        insight(other, "movement", Asked(day(3)))


def addressed(root: Path, url: str) -> Path:
    with (root / "riskseg.toml").open("a", encoding="utf-8") as settings:
        settings.write(f'[journal]\nurl = "{url}"\n')
    return root


@pytest.mark.parametrize(
    ("url", "code", "says"),
    [
        ("postgresql://ann:s3cret@localhost/x", "RS004", "A password does not belong in a file"),
        ("postgresql://localhost/x?password=s3cret", "RS004", "A password does not belong"),
        ("postgresql://ann:${NOT_SET}@localhost/x", "RS004", "the environment has no NOT_SET"),
        ("mysql://ann:${SECRET}@localhost/x", "RS004", "not the address of a PostgreSQL"),
        ("postgresql://ann:${SECRET}@127.0.0.1:1/x", "RS603", "does not answer"),
    ],
)
def test_addresses_that_are_wrong(
    root: Path, monkeypatch: pytest.MonkeyPatch, url: str, code: str, says: str
) -> None:
    monkeypatch.setenv("SECRET", "s3cret")
    addressed(root, url)
    [found] = check(root).problems
    assert found.code == code and says in str(found)
    with pytest.raises(ProblemsError) as raised:
        treated.issue(root, day(2))
    assert [(p.code, p.what) for p in raised.value.problems] == [(code, found.what)]
    assert "s3cret" not in str(found) and "s3cret" not in str(raised.value)


def test_what_the_environment_holds_stands_in_the_address(
    root: Path, monkeypatch: pytest.MonkeyPatch, postgres_place: PostgresPlace
) -> None:
    monkeypatch.setenv("RISKSEG_JOURNAL", postgres_place.url)
    addressed(root, "${RISKSEG_JOURNAL}")
    with (root / "riskseg.toml").open("a", encoding="utf-8") as settings:
        settings.write(f'schema = "{postgres_place.schema}"\n')
    treated.issue(root, day(2))
    workspace = open_checked(root)
    assert name_of_journal(workspace) == "${RISKSEG_JOURNAL}"
    with read_journal(workspace) as journal:
        assert len(journal.event_batches()) == 1


def test_a_list_is_a_table_of_the_database(root: Path, postgres_url: str) -> None:
    for number in (2, 3):
        worklist(root, day(number), f"{postgres_url}#days_list")
        engine = sa.create_engine(postgres_url)
        with engine.connect() as connection:
            rows = connection.exec_driver_sql(
                "select as_of, account_id, step, due_on from days_list order by as_of"
            ).all()
        engine.dispose()
        # Rows of another day stay.
        assert rows == [(day(n), "a1", "sms", day(2)) for n in (2, 3) if n <= number]
