"""`journal prune` removes nothing that nobody agreed to."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from riskseg.cli import app
from riskseg.domain.problems import ProblemsError
from riskseg.run.assign import assign
from riskseg.run.retention import listed, prune, span
from tests.pipeline.test_definitions import DAY, FILES

AT = datetime(2026, 7, 1, 9, 0, tzinfo=UTC)
LATER = AT + timedelta(days=100)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One with two runs, a hundred days old and ten."""
    for name, text in FILES.items():
        path = tmp_path / "w" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for name, days in (("old", 0), ("young", 90)):
        out = str(tmp_path / f"{name}.csv")
        assign(tmp_path / "w", DAY, out, at=AT + timedelta(days=days))
    monkeypatch.setattr("riskseg.cli.journal.now", lambda: LATER)
    return tmp_path / "w"


def kept(workspace: Path) -> list[bool]:
    """Of the younger run, then of the older."""
    return [run.kept for run in listed(workspace).runs]


def run(workspace: Path, *words: str, answer: str | None = None) -> tuple[int, str]:
    command = ["-w", str(workspace), "journal", "prune", *words]
    done = CliRunner().invoke(app, command, input=answer)
    return done.exit_code, done.output


@pytest.mark.parametrize(
    ("words", "answer", "code", "left"),
    [
        (["--older-than", "90 days"], None, 2, 2),
        (["--older-than", "90 days", "--json"], None, 2, 2),
        (["--older-than", "0 days"], None, 2, 2),
        (["--older-than", "90 days", "--dry-run"], None, 0, 2),
        (["--older-than", "90d", "--dry-run", "--yes"], None, 0, 2),
        (["--older-than", "90 days", "--yes"], None, 0, 1),
        (["--older-than", "90d", "--yes"], None, 0, 1),
        (["--older-than", "0 days", "--yes"], None, 0, 0),
        (["--older-than", "101 days"], None, 0, 2),  # there is nothing to ask
        (["--older-than", "soon", "--yes"], None, 1, 2),
        (["--yes"], None, 2, 2),
        (["--older-than", "90 days"], "n\n", 1, 2),
        (["--older-than", "90 days"], "\n", 1, 2),
        (["--older-than", "90 days"], "y\n", 0, 1),
    ],
)
def test_what_is_removed(
    workspace: Path,
    words: list[str],
    answer: str | None,
    code: int,
    left: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if answer is not None:
        monkeypatch.setattr("riskseg.cli.journal._can_ask", lambda: True)
    done, reported = run(workspace, *words, answer=answer)
    assert (done, sum(kept(workspace))) == (code, left), reported
    if left == 1:
        assert kept(workspace) == [True, False]


def test_what_a_dry_run_says(workspace: Path) -> None:
    _, reported = run(workspace, "--older-than", "90 days", "--dry-run")
    assert "The inputs of 1 run" in reported and "would be removed" in reported
    code, reported = run(workspace, "--older-than", "90 days", "--dry-run", "--json")
    found = json.loads(reported)
    assert (code, found["runs"], found["left"], found["dry_run"]) == (0, 1, 1, True)
    code, reported = run(workspace, "--older-than", "90 days", "--yes", "--json")
    assert (json.loads(reported)["runs"], json.loads(reported)["dry_run"]) == (1, False)
    assert prune(workspace, "90 days", at=LATER).runs == 0


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("90 days", (90, "days")),
        ("90d", (90, "days")),
        (" 1 day ", (1, "day")),
        ("24 Months", (24, "months")),
        ("2years", (2, "years")),
        ("90", None),
        ("", None),
        ("-1 days", None),
        ("1.5 days", None),
        ("9999999999 days", None),
        ("٣ days", None),
    ],
)
def test_a_span_of_time(text: str, meaning: tuple[int, str] | None) -> None:
    if meaning is None:
        with pytest.raises(ProblemsError, match="RS612"):
            span(text)
    else:
        assert span(text) == meaning
