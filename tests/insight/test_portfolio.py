"""Sizes of segments and movement between them, against the decisions that `assign` wrote."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.main import get_command

from riskseg.cli.app import app
from riskseg.domain.problems import ProblemsError
from riskseg.pipeline.asked import Asked
from riskseg.report.segments.charts.flows import flows
from riskseg.results.insights.movement import Movement
from riskseg.results.insights.report import SegmentReport
from riskseg.results.insights.roll_rates import Roll
from riskseg.results.insights.sizes import SegmentSizes
from riskseg.run.assign import assign
from riskseg.run.insight import insight, questions
from tests.support import treated
from tests.support.small_numbers import FEW

FIRST, LAST = date(2026, 2, 1), date(2026, 3, 1)
# Their segments on the two days; an account that is not there yet has none. Each stands for
# `COPIES` accounts, enough for shares to be shown.
COPIES = 10
SEGMENTS = {
    "a1": ("gentle", "firm"),
    "a2": ("gentle", "gentle"),
    "a3": ("firm", "gentle"),
    "a4": ("left_alone", "firm"),
    "a5": (None, "gentle"),
}


def workspace(place: Path, copies: int) -> Path:
    accounts = [
        {"account_id": f"{account}-{copy}", "valid_from": day, "treatment": segment}
        for copy in range(copies)
        for account, (before, after) in SEGMENTS.items()
        for day, segment in ((FIRST, before), (LAST, after))
        if segment is not None
    ]
    bills = [
        {
            "account_id": f"{account}-{copy}",
            "bill_id": "b",
            "due_on": due_on,
            "amount": 10 * number,
        }
        for copy in range(copies)
        for number, account in enumerate(SEGMENTS, start=1)
        for due_on in ["2026-02-20" if account == "a5" else "2026-01-20"]
    ]
    paths = {
        "gentle": {"steps": [{"day": 1, "action": "sms"}]},
        "firm": {"steps": [{"day": 1, "action": "letter"}]},
    }
    return treated.write(place, paths=paths, rows={"accounts": accounts, "bills": bills})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return workspace(tmp_path / "w", COPIES)


def decided(root: Path, day: date, *, keep: bool = True) -> list[dict[str, Any]]:
    place = root / f"{day}.parquet"
    assign(root, day, str(place), at=treated.AT, keep=keep)
    rows: list[dict[str, Any]] = pq.read_table(place).to_pylist()
    return rows


def sizes(root: Path, **options: Any) -> SegmentSizes:
    answer = insight(root, "size", Asked(LAST, **options)).answer
    assert isinstance(answer, SegmentSizes)
    return answer


def movement(root: Path, **options: Any) -> Movement:
    answer = insight(root, "movement", Asked(LAST, **options)).answer
    assert isinstance(answer, Movement)
    return answer


def test_sizes_are_those_of_the_decisions(root: Path) -> None:
    by_day = {day: decided(root, day) for day in (FIRST, LAST)}
    answer = sizes(root)
    assert {s.segment: s.accounts for s in answer.segments} == Counter(
        row["segment"] for row in by_day[LAST]
    )
    for size in answer.segments:
        own = [row for row in by_day[LAST] if row["segment"] == size.segment]
        assert size.overdue == sum(row["balance_overdue"] for row in own)
        assert size.due == sum(row["action"] != "none" for row in own)
        assert size.share == Decimal(len(own)) / (5 * COPIES)
    assert sum(s.overdue for s in answer.segments) == answer.overdue == 150 * COPIES
    assert {(s.day, s.segment): s.accounts for s in answer.trend} == Counter(
        (day, row["segment"]) for day, rows in by_day.items() for row in rows
    )


@pytest.mark.parametrize("source", ["file", "kept inputs", "sources"])
def test_movement_is_that_of_accounts(root: Path, source: str) -> None:
    """Whether the decisions are those of the runs' files, of what the runs kept, or made anew."""
    if source != "sources":
        for day in (FIRST, LAST):
            decided(root, day)
            if source == "kept inputs":
                (root / f"{day}.parquet").unlink()
    done = insight(root, "movement", Asked(LAST, compare=FIRST if source == "sources" else None))
    assert [day.run is None for day in done.days] == [source == "sources"] * 2
    answer = done.answer
    assert isinstance(answer, Movement)
    assert {(f.before, f.after): f.accounts for f in answer.flows} == Counter(
        [(before or "absent", after) for before, after in SEGMENTS.values()] * COPIES
    )
    assert (answer.moved, answer.stayed) == (3 * COPIES, COPIES)
    of_gentle = [flow.share for flow in answer.flows if flow.before == "gentle"]
    assert of_gentle == [Decimal("0.5"), Decimal("0.5")]
    assert {(d.before, d.after, d.fact, d.change) for d in answer.drivers} == {
        (before, after, "treated_as", f"{before} → {after}")
        for before, after in SEGMENTS.values()
        if before and before != after
    }


def test_a_day_beside_itself_moves_nobody(root: Path) -> None:
    decided(root, LAST)
    answer = movement(root, compare=LAST)
    assert (answer.moved, answer.stayed) == (0, 5 * COPIES)
    assert answer.stability_index == 0
    assert all(flow.before == flow.after and flow.share == 1 for flow in answer.flows)


def test_a_file_that_was_changed_does_not_count(root: Path) -> None:
    decided(root, LAST)
    pq.write_table(pq.read_table(root / f"{LAST}.parquet").slice(0, 2), root / f"{LAST}.parquet")
    assert sizes(root).accounts == 5 * COPIES


def test_a_copied_workspace_reads_decisions_of_its_own(root: Path, tmp_path: Path) -> None:
    decided(root, LAST, keep=False)
    copy = tmp_path / "copy"
    shutil.copytree(root, copy)
    (copy / f"{LAST}.parquet").unlink()
    assert [day.run is None for day in insight(copy, "size", Asked(LAST)).days] == [True]
    assert [day.run is None for day in insight(root, "size", Asked(LAST)).days] == [False]


def test_a_run_of_which_nothing_is_left_is_said(root: Path) -> None:
    for day in (FIRST, LAST):
        decided(root, day, keep=False)
    (root / f"{FIRST}.parquet").unlink()
    done = insight(root, "size", Asked(LAST))
    assert [day.day for day in done.days] == [LAST]
    assert any(str(FIRST) in note and "not kept" in note for note in done.notes)


@pytest.mark.parametrize("earlier", [False, True])
def test_a_day_that_is_asked_about_is_decided_anew_where_nothing_is_left_of_its_run(
    root: Path, earlier: bool
) -> None:
    wanted = [row["segment"] for row in decided(root, LAST, keep=False)]
    if earlier:
        decided(root, FIRST)
    (root / f"{LAST}.parquet").unlink()
    done = insight(root, "size", Asked(LAST))
    assert [(day.day, day.run is None) for day in done.days][-1] == (LAST, True)
    assert done.as_of == LAST
    assert isinstance(done.answer, SegmentSizes)
    assert {s.segment: s.accounts for s in done.answer.segments} == Counter(wanted)
    (note,) = [note for note in done.notes if str(LAST) in note]
    assert note.endswith("are not kept in this workspace: it was decided for this answer.")


def test_past_months_are_decided_anew(root: Path) -> None:
    decided(root, LAST)
    done = insight(root, "size", Asked(LAST, months=1))
    assert [(day.day, day.run is None) for day in done.days] == [
        (date(2026, 2, 28), True),
        (LAST, False),
    ]


@pytest.mark.parametrize(("name", "code"), [("sise", "RS642"), ("movement", "RS643")])
def test_what_cannot_be_asked(root: Path, name: str, code: str) -> None:
    with pytest.raises(ProblemsError) as raised:
        insight(root, name, Asked(LAST))
    assert [problem.code for problem in raised.value.problems] == [code]


def test_all_questions_are_listed_where_none_is_called_so(root: Path) -> None:
    with pytest.raises(ProblemsError) as raised:
        insight(root, "zzz", Asked(LAST))
    assert all(name in raised.value.problems[0].hint for name in questions())


def test_a_day_after_the_as_of_date_is_no_earlier_day(root: Path) -> None:
    for day in (FIRST, LAST):
        decided(root, day)
    with pytest.raises(ProblemsError, match=r"RS643 .* is after"):
        insight(root, "movement", Asked(FIRST, compare=LAST))


def test_rolls_are_those_of_the_decisions(root: Path) -> None:
    """Bills due on 20 January and 20 February, none of them paid."""
    by_day = {day: decided(root, day) for day in (FIRST, LAST)}
    answer = insight(root, "roll", Asked(LAST)).answer
    assert isinstance(answer, Roll)
    assert {row["days_past_due"] for row in by_day[FIRST]} == {12}
    assert {row["days_past_due"] for row in by_day[LAST]} == {40, 9}
    assert {(r.before, r.after): (r.accounts, r.share) for r in answer.rates} == {
        ("1-30", "31-60"): (4 * COPIES, 1),
        ("absent", "1-30"): (COPIES, 1),
    }
    assert (answer.late, answer.cured, answer.better, answer.worse) == (
        4 * COPIES,
        0,
        0,
        4 * COPIES,
    )


def test_of_few_accounts_there_are_counts_and_no_shares(tmp_path: Path) -> None:
    root = workspace(tmp_path / "w", 3)
    for day in (FIRST, LAST):
        decided(root, day)
    moved = movement(root)
    sizes = Counter(before or "absent" for before, _ in SEGMENTS.values())
    assert {(f.before, f.after, f.accounts, f.share, f.overdue_after) for f in moved.flows} == {
        (before, "not shown", 3 * count, None, None) for before, count in sizes.items()
    }
    assert sum(flow.overdue_before or 0 for flow in moved.flows) == 3 * (10 + 20 + 30 + 40)
    assert moved.drivers == ()
    assert f"Where accounts went is not shown{FEW}absent, firm, gentle" in moved.words()
    rolled = insight(root, "roll", Asked(LAST)).answer
    assert isinstance(rolled, Roll)
    # That of the other state, less the three, would be what became of them.
    assert [(r.before, r.after, r.accounts, r.share) for r in rolled.rates] == [
        ("1-30", "not shown", 12, None),
        ("absent", "not shown", 3, None),
    ]
    assert f"Where accounts went is not shown{FEW}1-30, absent." in rolled.words()


def test_the_chart_of_flows_draws_those_that_are_shown(root: Path) -> None:
    for day in (FIRST, LAST):
        decided(root, day)
    answer = movement(root)
    moved = [flow for flow in answer.flows if flow.before != flow.after]
    few = moved[0].model_copy(update={"before": "few", "after": "not shown"})
    answer = answer.model_copy(update={"flows": (*answer.flows, few)})
    drawn = flows(answer, SegmentReport.model_construct())
    assert drawn is not None and drawn.count("<path") == len(moved)


def test_a_draft_decides_nothing(root: Path) -> None:
    assign(root, LAST, str(root / "d.parquet"), at=treated.AT)
    assign(root, FIRST, str(root / "draft.parquet"), at=treated.AT, draft=True)
    assert [day.day for day in insight(root, "size", Asked(LAST)).days] == [LAST]


def test_what_a_run_kept_is_held_to_the_journal(root: Path) -> None:
    decided(root, LAST)
    (root / f"{LAST}.parquet").unlink()
    (texts,) = (root / ".riskseg" / "runs").glob("*/strategy/strategy.yaml")
    texts.write_text(texts.read_text().replace("to be followed", "to be read"))
    with pytest.raises(ProblemsError, match=r"RS610 .* was changed"):
        insight(root, "size", Asked(LAST))


def test_the_help_names_every_question() -> None:
    parameters = get_command(app).commands["insight"].params  # type: ignore[attr-defined]
    question = next(parameter for parameter in parameters if parameter.name == "question")
    named = re.findall(r"\w+", question.help)
    assert [word for word in named if word != "or"] == [*questions()]


def test_it_is_said_where_the_rules_changed_in_between(root: Path) -> None:
    decided(root, FIRST)
    assert "The rules changed" not in movement(root, compare=FIRST).words()
    (head,) = root.glob("rules/*/strategy.yaml")
    head.write_text(head.read_text().replace("priority: ", "priority: 2 * "))
    decided(root, LAST)
    answer = movement(root)
    before, after = answer.strategies
    assert before != after
    assert f"The rules changed in between (version {before}, then {after})" in answer.words()
