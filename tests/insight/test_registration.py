"""An insight that riskseg does not know is added from outside, by registration alone."""

from __future__ import annotations

import json
import shutil
from datetime import date
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
from tests.support import treated

DAY = "2026-02-01"
STRATEGY = "rules/treated"
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
        before = subject.engine.value(
            "select coalesce(sum(accounts), 0) from decided_before where action = 'letter'"
        )
        added, removed = subject.engine.rows(f"""
            select
                count(*) filter (where {new("action")} = 'letter'),
                count(*) filter (where {old("action")} = 'letter')
            from decided_otherwise
            where {differs(["action"])}
        """)[0]
        return LetterCounts(
            letters_before=before,
            letters_after=before + added - removed,
            accounts=added + removed,
        )


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port, "INSIGHTS", {**port.INSIGHTS})
    port.register(Letters())


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """With a second strategy beside the first, in which the text of the path `gentle` is a
    letter."""
    paths = {
        "gentle": {"steps": [{"day": 1, "action": "sms"}]},
        "firm": {"steps": [{"day": 5, "action": "letter"}, {"day": 300, "action": "call"}]},
    }
    rows = {
        "accounts": [
            {"account_id": f"a{n}", "valid_from": DAY, "treatment": name}
            for n, name in enumerate(["gentle", "gentle", "firm", "none"])
        ],
        "bills": [
            {"account_id": f"a{n}", "bill_id": "b", "due_on": "2026-01-01", "amount": 100}
            for n in range(4)
        ],
    }
    folder = treated.write(tmp_path / "workspace", paths=paths, rows=rows)
    shutil.copytree(folder / STRATEGY, folder / OTHER)
    gentle = folder / OTHER / "paths.yaml"
    gentle.write_text(gentle.read_text().replace("action: sms", "action: letter"))
    return folder


def actions(workspace: Path, strategy: str) -> dict[str, str]:
    """What `assign` does about each account with a strategy."""
    settings = workspace / "riskseg.toml"
    text = settings.read_text()
    settings.write_text(text.replace(f'"{STRATEGY}"', f'"{strategy}"'))
    decisions = treated.decide(workspace, date.fromisoformat(DAY))
    settings.write_text(text)
    return {row["account_id"]: row["action"] for row in decisions}


def test_a_registered_insight_is_answered_and_shown(workspace: Path, letters: None) -> None:
    before, after = (actions(workspace, strategy) for strategy in (STRATEGY, OTHER))
    changed = sum(
        before[account] != after[account] and "letter" in (before[account], after[account])
        for account in before
    )
    assert changed == 2
    answer = LetterCounts(
        letters_before=list(before.values()).count("letter"),
        letters_after=list(after.values()).count("letter"),
        accounts=changed,
    )

    strategy = riskseg.open(workspace).strategy(STRATEGY)
    (asked,) = strategy.diff(OTHER, as_of=DAY).insights
    assert (asked.name, asked.answer) == ("letters", answer)
    assert strategy.diff(OTHER).insights == ()

    call = ["-w", str(workspace), "strategy", "diff", STRATEGY, OTHER, "--as-of", DAY]
    result = json.loads(CliRunner().invoke(app, [*call, "--json"]).stdout)
    assert result["insights"] == [
        {"name": "letters", "question": Letters.question, "answer": answer.model_dump()}
    ]
    assert result["moves"]["moved"] >= changed
    shown = CliRunner().invoke(app, call).stdout
    assert f"{Letters.question}\n  letters_before: {answer.letters_before}\n" in shown


def test_an_insight_that_nobody_registered_is_not_asked(workspace: Path) -> None:
    strategy = riskseg.open(workspace).strategy(STRATEGY)
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
