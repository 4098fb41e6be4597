"""What a scheduled command needs: words for days, quiet, examples in every help, completion."""

from __future__ import annotations

import json
import re
import shlex
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from riskseg.api import arguments
from riskseg.cli import app, common
from riskseg.results.insights.answers import ANSWERS
from riskseg.store.journal import Journal
from riskseg.store.lock import workspace_lock
from tests.support import treated

# Their days are never the same.
FAR_WEST, FAR_EAST = "Etc/GMT+12", "Pacific/Kiritimati"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small workspace of yesterday's arrears, in a time zone far from everybody's."""
    day = date.today() - timedelta(days=9)
    return treated.write(
        tmp_path_factory.mktemp("every-day") / "w",
        paths={"chase": {"steps": [{"day": 3, "action": "sms"}]}},
        rows={
            "accounts": [{"account_id": "A1", "treatment": "chase"}],
            "bills": [{"account_id": "A1", "bill_id": "B1", "due_on": day, "amount": 50}],
        },
        settings={"timezone": FAR_EAST},
    )


def run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["-w", str(folder), *words])


# Days


@pytest.mark.parametrize(("days", "warned"), [(-2, False), (3, True)])
def test_a_day_that_has_not_come_is_said_to_be_one(
    workspace: Path, days: int, warned: bool
) -> None:
    day = date.today() + timedelta(days=days)
    assigned = ["assign", "--as-of", day.isoformat(), "--out", "d.csv", "--plan"]
    assert (f"{day} has not come yet" in run(workspace, *assigned).stderr) is warned


@pytest.mark.parametrize("zone", [FAR_WEST, FAR_EAST, None])
def test_today_is_a_day_of_the_workspace(
    tmp_path: Path, zone: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting = "" if zone is None else f'timezone = "{zone}"\n'
    (tmp_path / "riskseg.toml").write_text(
        f'[workspace]\ncurrency = "GBP"\nstrategy = "rules/s"\n{setting}'
        '[source.accounts]\nfrom = "a.csv"\n'
    )
    monkeypatch.setenv("TZ", "Etc/GMT+12")
    time.tzset()
    common.work_in(tmp_path)
    try:
        before = datetime.now(ZoneInfo(zone or FAR_WEST)).date()
        today, yesterday = common.day("today").date(), common.day("yesterday").date()
        assert before in (today, today - timedelta(days=1))
        assert yesterday == today - timedelta(days=1)
        assert common.day_or_today(None) == today
        # From Python, too.
        assert [arguments.day(word, tmp_path) for word in ("today", "yesterday")] == [
            today,
            yesterday,
        ]
        assert arguments.today(None, tmp_path) == today
    finally:
        common.work_in(None)
        monkeypatch.undo()
        time.tzset()


def test_the_journal_has_the_date_and_not_the_word(workspace: Path) -> None:
    done = run(
        workspace, *("assign", "--as-of", "yesterday", "--out", str(workspace / "d.csv"), "--json")
    )
    assert done.exit_code == 0, done.output
    expected = datetime.now(ZoneInfo(FAR_EAST)).date() - timedelta(days=1)
    assert json.loads(done.stdout)["as_of"] == expected.isoformat()
    with Journal.open_to_read(workspace / ".riskseg" / "journal.db") as journal:
        assert [entry.as_of for entry in journal.runs()] == [expected]


# Quiet, and busy


def test_quiet_leaves_stderr_to_problems(workspace: Path) -> None:
    loud, quiet = run(workspace, "check"), run(workspace, "check", "--quiet")
    assert loud.stderr and not quiet.stderr
    assert loud.stdout == quiet.stdout
    failed = run(workspace, "insight", "nonsense", "--as-of", "today", "--quiet")
    assert failed.exit_code == 1 and re.match(r"RS\d{3}", failed.stderr)


def test_a_workspace_that_another_command_holds_is_4(workspace: Path) -> None:
    with workspace_lock(workspace):
        done = run(workspace, "assign", "--as-of", "today", "--out", "no.csv", "--quiet")
    assert done.exit_code == 4
    assert done.stderr.startswith("RS604")


# Help


def commands() -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []

    def walk(command: Any, path: str) -> None:
        found.append((path, command))
        for name, inner in getattr(command, "commands", {}).items():
            walk(inner, f"{path} {name}")

    walk(typer.main.get_command(app), "riskseg")
    return found


@pytest.mark.parametrize(("path", "command"), commands(), ids=[path for path, _ in commands()])
def test_every_help_has_an_example_that_can_be_given(path: str, command: Any) -> None:
    text = " ".join((command.help or "").split())
    examples = re.findall(r"`(riskseg [^`]+)`", text.partition("For instance")[2])
    assert examples, f"{path} --help has no example"
    if path != "riskseg":
        assert examples[0].replace("-w collections ", "").startswith(path)
    for example in examples:
        parse(shlex.split(example)[1:])


def parse(words: list[str]) -> None:
    """Read a command line as a command would; nothing is carried out."""
    command: Any = typer.main.get_command(app)
    context = None
    while True:
        context = command.make_context(command.name or "riskseg", list(words), parent=context)
        words = [*context._protected_args, *context.args]
        if not words or not hasattr(command, "commands"):
            return
        _, inner, words = command.resolve_command(context, words)
        assert inner is not None
        command = inner


# Completion


@pytest.mark.parametrize(
    ("words", "incomplete", "offered"),
    [
        (["models", "show"], "", ["default", "late_payment"]),
        (["models", "show"], "la", ["late_payment"]),
        (["train", "default"], "l", ["late_payment"]),
        (["models", "promote", "default"], "", ["VERSION"]),
        (["models", "compare"], "default@", ["default@VERSION"]),
        (["strategy", "check"], "", ["STRATEGY"]),
        (["strategy", "diff"], "", ["STRATEGY"]),
        (["strategy", "diff", "older"], "", ["STRATEGY"]),
        (["worklist", "--action"], "le", ["letter"]),
        (["worklist", "issue", "--channel"], "po", ["post"]),
        (["replay"], "la", ["last"]),
    ],
)
def test_a_shell_completes_what_the_workspace_has(
    trained: Path, words: list[str], incomplete: str, offered: list[str]
) -> None:
    (version,) = (folder.parent.name for folder in trained.glob("models/default/*/manifest.json"))
    (strategy,) = (folder.parent.name for folder in trained.glob("rules/*/strategy.yaml"))
    expected = [o.replace("VERSION", version).replace("STRATEGY", strategy) for o in offered]
    assert completed(trained, words, incomplete) == expected


def test_nothing_is_offered_where_there_is_no_workspace(tmp_path: Path) -> None:
    assert completed(tmp_path, ["models", "show"], "") == []


def test_questions_are_offered_without_a_workspace(tmp_path: Path) -> None:
    assert completed(tmp_path, ["insight"], "mo") == ["movement"]
    assert set(ANSWERS) <= set(completed(tmp_path, ["insight"], ""))


def completed(folder: Path, words: list[str], incomplete: str) -> list[str]:
    line = ["riskseg", "-w", str(folder), *words, incomplete]
    asked = {
        "_RISKSEG_COMPLETE": "complete_bash",
        "COMP_WORDS": shlex.join(line),
        "COMP_CWORD": str(len(line) - 1),
    }
    done = CliRunner().invoke(app, [], env=asked, prog_name="riskseg")
    return done.stdout.split()
