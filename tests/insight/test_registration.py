"""An insight that riskseg does not know is added from outside, by registration alone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from typer.testing import CliRunner

import riskseg
from riskseg.cli import app
from riskseg.engine import DuckDB
from riskseg.insight import insight as port
from riskseg.insight.decided_twice import DecidedTwice, differs, new, old
from riskseg.insight.differences import DIFFERENCES, TwoTables
from riskseg.insight.insight import Insight
from riskseg.insight.migration import MIGRATION
from riskseg.results.part import Part
from riskseg.run.assign import assign
from tests.support import portfolio as p

DAY = p.AS_OF.isoformat()
OTHER = "rules/other"


class LetterCounts(Part):
    """Accounts that get a letter with each strategy, and those for which that differs."""

    letters_before: int
    letters_after: int
    accounts: int


class Letters(Insight[DecidedTwice, LetterCounts]):
    """How many accounts get a letter, and for how many that changes."""

    name = "letters"
    question = "How many accounts get a letter, and for how many does that change?"
    about = DecidedTwice

    def answer(self, subject: DecidedTwice) -> LetterCounts:
        before, after, accounts = subject.engine.rows(f"""
            select
                count(*) filter (where {old("action")} = 'letter'),
                count(*) filter (where {new("action")} = 'letter'),
                count(*) filter (where {differs(["action"])}
                    and 'letter' in ({old("action")}, {new("action")}))
            from decided_twice
        """)[0]
        return LetterCounts(letters_before=before, letters_after=after, accounts=accounts)


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port, "INSIGHTS", {**port.INSIGHTS})
    port.register(Letters())


@pytest.fixture
def workspace(trained: Path, copy_of: Callable[[Path], Path]) -> Path:
    """With a second strategy beside the first, in which the reminder of a bill is a letter that is
    due on more days."""
    folder = copy_of(trained)
    shutil.copytree(folder / p.STRATEGY, folder / OTHER)
    for old_text, new_text in (
        ("{day: -5, action: sms, ", "{day: -5, action: letter, "),
        ("starts: next_due_on", "starts: next_due_on\n  due_for: 30"),
    ):
        p.replace(folder, f"{OTHER}/paths.yaml", old_text, new_text)
    p.replace(folder, "riskseg.toml", "threads = 1", "threads = 1\npartitions = 3")
    return folder


def actions(workspace: Path, strategy: str) -> dict[str, str]:
    """What `assign` does about each account with a strategy."""
    p.replace(workspace, "riskseg.toml", f'"{p.STRATEGY}"', f'"{strategy}"')
    done = assign(workspace, p.AS_OF, str(workspace / "d.parquet"), at=p.AT, reasons="none")
    p.replace(workspace, "riskseg.toml", f'"{strategy}"', f'"{p.STRATEGY}"')
    table = done.to_arrow().select(["account_id", "action"])
    return {row["account_id"]: row["action"] for row in table.to_pylist()}


def test_a_registered_insight_is_answered_and_shown(workspace: Path, letters: None) -> None:
    before, after = (actions(workspace, strategy) for strategy in (p.STRATEGY, OTHER))
    changed = sum(
        before[account] != after[account] and "letter" in (before[account], after[account])
        for account in before
    )
    assert changed > 0
    answer = LetterCounts(
        letters_before=list(before.values()).count("letter"),
        letters_after=list(after.values()).count("letter"),
        accounts=changed,
    )

    strategy = riskseg.open(workspace).strategy(p.STRATEGY)
    (asked,) = strategy.diff(OTHER, as_of=DAY).insights
    assert (asked.name, asked.answer) == ("letters", answer)
    assert strategy.diff(OTHER).insights == ()

    call = ["-w", str(workspace), "strategy", "diff", p.STRATEGY, OTHER, "--as-of", DAY]
    result = json.loads(CliRunner().invoke(app, [*call, "--json"]).stdout)
    assert result["insights"] == [
        {"name": "letters", "question": Letters.question, "answer": answer.model_dump()}
    ]
    assert result["moves"]["moved"] >= changed
    shown = CliRunner().invoke(app, call).stdout
    assert f"{Letters.question}\n  letters_before: {answer.letters_before}\n" in shown


def test_an_insight_that_nobody_registered_is_not_asked(workspace: Path) -> None:
    strategy = riskseg.open(workspace).strategy(p.STRATEGY)
    difference = strategy.diff(OTHER, as_of=DAY)
    assert difference.moves is not None and difference.insights == ()


def test_two_insights_cannot_have_one_name(letters: None) -> None:
    with pytest.raises(ValueError, match="letters"):
        port.register(Letters())


def test_an_insight_is_asked_of_what_it_is_about() -> None:
    assert port.INSIGHTS["migration"] is MIGRATION
    assert port.INSIGHTS["differences"] is DIFFERENCES
    with DuckDB() as engine:
        engine.register("monday", pa.table({"account_id": ["a", "b"], "action": ["sms", "letter"]}))
        engine.register("tuesday", pa.table({"account_id": ["b", "c"], "action": ["sms", "sms"]}))
        tables = TwoTables(engine, "monday", "tuesday")
        assert list(port.insights_about(tables)) == [DIFFERENCES]
        differences = DIFFERENCES.answer(tables)
    assert (differences.rows, differences.columns) == (1, {"action": 1})
    assert (differences.appeared, differences.vanished) == (1, 1)
    assert differences.accounts == ("a", "b", "c")
