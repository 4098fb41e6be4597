"""`worklist approve` and `reject`: a significant action is issued once people approve of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from riskseg.cli import app
from riskseg.domain.problems import ProblemsError
from riskseg.results.worklist import Approvals, Decided
from riskseg.run.approve import approve
from riskseg.run.history import history
from riskseg.run.worklist import worklist
from riskseg.store.sinks import InMemory
from tests.support import small

DAY, NEXT = date(2025, 12, 1), date(2025, 12, 2)
AT = datetime(2025, 12, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A letter is due of account a, which two people must approve of, and a text message of b."""
    root = small.make(tmp_path / "w")
    strategy = root / "rules" / "s" / "strategy.yaml"
    significant = "{name: letter, channel: post, significant: true, four_eyes: true}"
    text = strategy.read_text()
    strategy.write_text(text.replace("{name: letter, channel: post}", significant))
    return root


def issue(root: Path, day: date = DAY) -> tuple[int, int]:
    """How many were issued on a day, and how many wait."""
    done = worklist(root, day, InMemory(), at=AT)
    return done.issued or 0, done.waiting


def decide(
    root: Path,
    outcome: Decided,
    by: str,
    ids: Sequence[str] = (),
    day: date = DAY,
    actions: Sequence[str] = (),
) -> Approvals:
    return approve(root, day, ids, outcome, on=NEXT, at=AT, by=by, reason="agreed", actions=actions)


def ids(root: Path) -> dict[str, str]:
    done = InMemory()
    rows = worklist(root, DAY, done).to_arrow().to_pylist()
    return {row["action"]: row["id"] for row in rows}


def test_two_different_people_approve(root: Path) -> None:
    assert issue(root) == (1, 1)
    (letter,) = decide(root, "approved", "ann").actions
    assert (letter.account_id, letter.action, letter.new, letter.waiting) == (
        "a",
        "letter",
        True,
        1,
    )
    assert issue(root) == (1, 1)
    (again,) = decide(root, "approved", "ann").actions
    assert (again.new, again.waiting) == (False, 1)
    assert issue(root) == (1, 1)
    (second,) = decide(root, "approved", "bob").actions
    assert (second.new, second.waiting) == (True, 0)
    assert issue(root) == (2, 0)


def test_what_is_rejected_is_off_the_list_until_it_is_approved_anew(root: Path) -> None:
    letter = ids(root)["letter"]
    decide(root, "approved", "ann", [letter])
    decide(root, "rejected", "bob", [letter])
    assert issue(root) == (1, 0)
    assert decide(root, "approved", "carl").actions == ()
    (one,) = decide(root, "approved", "carl", [letter]).actions
    assert one.waiting == 1, "what was approved before it was rejected counts no more"
    assert issue(root) == (1, 1)
    decide(root, "approved", "ann", [letter])
    assert issue(root) == (2, 0)


def test_an_approval_counts_from_the_day_of_its_list(root: Path) -> None:
    letter = ids(root)["letter"]
    for by in ("ann", "bob"):
        decide(root, "approved", by, [letter], day=DAY)
    assert issue(root, date(2025, 11, 30)) == (1, 1)
    assert issue(root, DAY) == (2, 0)
    story = history(root, "a", as_of=DAY).entries
    said = [(e.day, e.recorded_on, e.made_by) for e in story if e.kind == "approval"]
    assert said == [(NEXT, NEXT, "ann"), (NEXT, NEXT, "bob")]


def test_anybody_may_take_any_action_off_the_list(root: Path) -> None:
    decide(root, "rejected", "ann", [ids(root)["sms"]])
    assert issue(root) == (0, 1)


def test_what_cannot_be_decided_says_why(root: Path) -> None:
    found = ids(root)
    issue(root)
    for chosen, outcome, codes in (
        ([found["letter"], "x", "y"], "approved", ["RS631", "RS631"]),
        ([found["sms"]], "approved", ["RS632"]),
        ([found["sms"]], "rejected", ["RS632"]),
    ):
        with pytest.raises(ProblemsError) as error:
            decide(root, outcome, "ann", chosen)  # type: ignore[arg-type]
        assert [p.code for p in error.value.problems] == codes
    with pytest.raises(ProblemsError, match="RS209"):
        decide(root, "approved", "ann", actions=["leter"])
    assert issue(root) == (1, 1), "nothing was recorded"


def test_four_eyes_are_for_significant_actions(root: Path) -> None:
    strategy = root / "rules" / "s" / "strategy.yaml"
    strategy.write_text(strategy.read_text().replace("significant: true, ", ""))
    with pytest.raises(
        ProblemsError, match=r"RS004 rules/s/strategy.yaml:4: .*has `four_eyes: true`"
    ):
        issue(root)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--all"], 0, "1 action still waits for a second person's approval."),
        (["--all", "--action", "sms"], 0, "0 actions approved by ann."),
        ([], 2, "Give the ids of actions, or --all."),
        (["x", "--all"], 2, "Give the ids of actions, or --all."),
        (["x", "--action", "sms"], 2, "--action is for --all."),
        (["x"], 1, "RS631"),
    ],
)
def test_the_command(root: Path, words: list[str], code: int, message: str) -> None:
    command = ["-w", str(root), "worklist", "approve", "--as-of", str(DAY), "--by", "ann"]
    done = CliRunner().invoke(app, [*command, "--reason", "agreed", *words])
    assert done.exit_code == code and message in done.output.replace("\n", " "), done.output
