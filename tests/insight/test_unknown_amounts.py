"""What is not known is shown as not known, in every answer about an account file: never as 0."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from riskseg.domain.problems import ProblemsError
from riskseg.pipeline.asked import Asked
from riskseg.report.segments import page
from riskseg.results.insights.movement import Movement
from riskseg.results.insights.profile import Profile
from riskseg.results.insights.roll_rates import Roll
from riskseg.results.insights.sizes import SegmentSizes
from riskseg.results.units import in_words
from riskseg.run.insight import insight
from riskseg.run.rehearse import rehearse
from riskseg.run.report import report
from tests.support import account_file, treated

STRATEGY = {
    "tiers.yaml": "kind:\n  - {tier: hit, when: score > 20, unknown: skip}\n"
    "  - {tier: miss, otherwise: true}\n",
    "segments.yaml": "columns: [kind]\nrows:\n  - {id: hit, match: [hit], segment: hit}\n"
    "  - {id: miss, match: [any], segment: miss}\n",
}
SPEC = """\
name: outcome
question: Will this account have the bad outcome that the file records?
target: {column: Went_Bad}
hold_out: {share: 0.25}
"""
LAST = date(2026, 2, 1)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An account file in which the outcome differs most between the segments, decided twice."""
    root = tmp_path_factory.mktemp("unknown") / "w"
    rows = [f"a{n},{n},{30 + n % 7},{int(n > 20)}" for n in range(40)]
    text = "\n".join(["id,score,age,went_bad", *rows]) + "\n"
    root.mkdir()
    account_file.write(
        root, text, STRATEGY, types=dict.fromkeys(("score", "age", "went_bad"), "integer")
    )
    (root / "models").mkdir()
    (root / "models" / "outcome.yaml").write_text(SPEC)
    for day in (account_file.DAY, LAST):
        account_file.decide(root, day, keep=True)
    return root


def answer(root: Path, question: str) -> Any:
    return insight(root, question, Asked(LAST)).answer


def test_what_segments_owe(root: Path) -> None:
    sizes = answer(root, "size")
    assert isinstance(sizes, SegmentSizes)
    assert sizes.overdue is None
    for size in sizes.segments:
        assert (size.overdue, size.share_of_overdue, size.expected_loss) == (None, None, None)
        assert in_words(size, "overdue", 2) == "–"
    assert {day.overdue for day in sizes.trend} == {None}
    assert [figure.name for figure in sizes.key_figures()] == ["accounts"]
    assert "What accounts owe is worked out from bills, and there are none." in sizes.words()


def test_what_moves(root: Path) -> None:
    movement = answer(root, "movement")
    assert isinstance(movement, Movement)
    assert {(flow.overdue_before, flow.overdue_after) for flow in movement.flows} == {(None, None)}


def test_how_late_accounts_are(root: Path) -> None:
    roll = answer(root, "roll")
    assert isinstance(roll, Roll)
    assert roll.words().startswith("Of no account is it known how many days")
    assert "0.0%" not in roll.words()


def test_the_outcome_does_not_describe_segments(root: Path) -> None:
    profile = answer(root, "profile")
    assert isinstance(profile, Profile)
    assert "went_bad" not in {difference.fact for difference in profile.differences}
    assert {difference.fact for difference in profile.differences} >= {"score"}
    assert profile.left_out == ("went_bad",)
    assert profile.words().endswith(" What came of accounts is not compared: went_bad.")


def test_the_report(root: Path) -> None:
    done = report(root, Asked(LAST))
    html = page(done)
    # Questions that this workspace can never answer stand together, with the reason once.
    ((reason, questions),) = done.unanswered().items()
    assert reason.startswith("This question needs bills and payments, and this workspace has none.")
    assert len(questions) == 10 and html.count("needs bills and payments") == 1
    assert done.fuller is None
    assert "accounts-by-segment" in html
    for nothing in ("£0.00", "0.00 GBP", "GBP 0.00", "overdue-over-time", "overdue-by-segment"):
        assert nothing not in html


def test_without_payments_nothing_is_said_of_what_was_paid(tmp_path: Path) -> None:
    """Every bill counts as unpaid then: 0% collected would be no finding."""
    root = treated.write(
        tmp_path / "w",
        paths={"gentle": {"steps": [{"day": 1, "action": "sms"}]}},
        rows={
            "accounts": [{"account_id": f"a{n}", "treatment": "gentle"} for n in range(20)],
            "bills": [
                {"account_id": f"a{n}", "bill_id": "b", "due_on": "2026-01-20", "amount": 10}
                for n in range(20)
            ],
        },
    )
    toml = (root / "riskseg.toml").read_text(encoding="utf-8")
    before, _, after = toml.partition("[source.payments]")
    _, _, after = after.partition("\n[")
    (root / "riskseg.toml").write_text(before + (f"[{after}" if after else ""), encoding="utf-8")
    sizes = answer(root, "size")
    assert [(size.overdue, size.paid) for size in sizes.segments] == [(200, None)]
    with pytest.raises(ProblemsError, match=r"RS640 .* bills and payments, .* has no payments"):
        answer(root, "collected")


def test_a_rehearsal(root: Path) -> None:
    done = rehearse(root, LAST, LAST + timedelta(days=6), ["rules/s", "rules/s"], here=root)
    for strategy in done.strategies:
        assert (strategy.cures, strategy.paid, strategy.overdue) == (None, None, None)
        assert strategy.issued > 0
    assert {week.in_arrears for week in done.weeks} == {week.cures for week in done.weeks} == {None}
    measures = [difference.measure for difference in done.differences]
    assert measures == ["actions", "contacts", "significant", "cost"]
