"""Models observed at the issue of each bill, and models of what was known by a date."""

from __future__ import annotations

import json
import random
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from riskseg.cli.app import app
from riskseg.domain.problems import Problems, ProblemsError
from riskseg.learning.frame import TrainingFrame
from riskseg.learning.spec import read_spec
from riskseg.pipeline.buckets import bucket_ledger
from riskseg.pipeline.labelled_rows import Observed, labelled, observe
from riskseg.pipeline.labelling import WantedRows
from riskseg.pipeline.models import check_spec
from riskseg.pipeline.observation_points import Asked, asked
from riskseg.pipeline.session import Session, begin, open_checked, scratch_engine
from riskseg.pipeline.stages import Progress
from riskseg.pipeline.training_rows import training_frame, wanted_rows
from riskseg.pipeline.work_on_buckets import Observing, observe_bucket
from riskseg.run.score import score
from riskseg.run.train import train
from tests.ledger.facts import Account, Bill, Payment, write_workspace
from tests.support.in_buckets import of_each
from tests.support.sampled import only
from tests.support.training_frames import assert_same

AT = datetime(2026, 1, 1, tzinfo=UTC)
START = date(2024, 1, 1)
TODAY = START + timedelta(days=720)
SPEC = """\
name: late
target: {event: late, days_past_due: 5, horizon_days: 30}
observe: {at: issue, for: 420 days, history: 60 days}
hold_out: {last: 120 days}
learners: [scorecard]
"""


def accounts(count: int) -> list[Account]:
    """A bill a month each; some pay late often. The first two have two bills and none today."""
    found = []
    for n in range(count):
        draw = random.Random(n)  # noqa: S311
        issued = [TODAY - timedelta(days=30 * k + (n % 2)) for k in range(22)]
        if n == 0:
            issued.append(TODAY)
        bills = tuple(
            Bill(f"B{n}-{k}", on + timedelta(days=14), 5_000 + 100 * k, on)
            for k, on in enumerate(issued)
        )
        payments = tuple(
            Payment(
                bill.due_on
                + timedelta(days=25 if draw.random() < 0.1 + 0.6 * (n % 3 == 0) else -2),
                bill.amount,
                bill_id=bill.bill_id,
            )
            for bill in bills[1:]
        )
        found.append(Account(f"A{n:02d}", bills, payments))
    return found


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_workspace(
        tmp_path_factory.mktemp("observing"), accounts(60), tables=("bills", "payments")
    )
    (root / "models").mkdir()
    (root / "models" / "late.yaml").write_text(SPEC)
    train(root, ["late"], at=AT)
    return root


def test_scores_are_of_the_bills_issued_that_day(workspace: Path) -> None:
    out = workspace / "scores.parquet"
    done = score(workspace, TODAY, str(out))
    rows = pq.read_table(out).to_pylist()
    issued = {f"B{n}-0" for n in range(0, 60, 2)} | {"B0-22"}
    assert {row["bill_id"] for row in rows} == issued
    assert len(rows) == done.rows == done.scored["late"] == len(issued)
    assert all(row["account_id"] == f"A{int(row['bill_id'][1:].split('-')[0]):02d}" for row in rows)
    assert all(0 < row["p_late"] < 1 for row in rows)
    assert done.of_bills


def test_a_day_on_which_no_bill_is_issued_has_no_rows(workspace: Path) -> None:
    out, notes = workspace / "none.parquet", list[str]()
    day = TODAY - timedelta(days=10)
    done = score(workspace, day, str(out), progress=Progress(note=notes.append))
    assert done.rows == 0
    assert f"late: no bill that it covers was issued on {day}, so no row" in notes
    assert not any("is before that" in note for note in notes)
    assert "bill_id" in pq.read_schema(out).names


def test_what_became_known_later_changes_nothing(workspace: Path) -> None:
    day = TODAY - timedelta(days=60)
    then = train(workspace, ["late"], at=AT, as_of=day)[0]
    manifest = json.loads(
        (workspace / "models" / "late" / then.version / "manifest.json").read_text()
    )
    assert manifest["known_by"] == day.isoformat() == then.summary.known_by
    label = timedelta(days=35)
    assert date.fromisoformat(then.summary.hold_out.until) + label <= day


def test_training_by_a_date_is_training_on_what_was_there(tmp_path: Path) -> None:
    """Facts of later days may be anything, or not be there at all."""
    day = TODAY - timedelta(days=60)
    versions = []
    for name in ("all", "then"):
        root = tmp_path / name
        root.mkdir()
        reported = accounts(60)
        if name == "then":
            reported = [
                Account(
                    a.account_id,
                    tuple(b for b in a.bills if b.issued_on is not None and b.issued_on <= day),
                    tuple(p for p in a.payments if p.paid_on <= day),
                )
                for a in reported
            ]
        write_workspace(root, reported, tables=("bills", "payments"))
        (root / "models").mkdir()
        (root / "models" / "late.yaml").write_text(SPEC)
        versions.append(train(root, [], at=AT, as_of=day)[0].version)
    assert versions[0] == versions[1]


def test_a_date_before_all_history_is_a_problem(workspace: Path) -> None:
    with pytest.raises(ProblemsError) as found:
        train(workspace, ["late"], at=AT, as_of=START - timedelta(days=900))
    assert [p.code for p in found.value.problems] == ["RS602"]


LATE = "target: {event: late, days_past_due: 5, horizon_days: 30}"
DEFAULT = "target: {event: default, days_past_due: 20, horizon_days: 45}"
LOOKS = {
    "late": f"{LATE}\nobserve: {{every: 40 days, for: 400 days, history: 60 days}}",
    "default": f"{DEFAULT}\nobserve: {{every: 40 days, for: 370 days, history: 60 days}}",
    "few": f"{LATE}\nobserve: {{every: 40 days, for: 400 days, history: 90 days}}\n"
    "features: {exclude: [tenure_days]}\npopulation: bills_12m >= 9",
    "seldom": f"{LATE}\nobserve: {{every: 50 days, for: 400 days, history: 60 days}}",
    "seeded": f"{LATE}\nobserve: {{every: 40 days, for: 400 days, history: 60 days}}\nseed: 3",
    "issue": f"{LATE}\nobserve: {{at: issue, for: 420 days, history: 60 days}}",
    "issue_default": f"{DEFAULT}\nobserve: {{at: issue, for: 420 days, history: 60 days}}",
    "once": f"{LATE}\nobserve: {{at: 2025-06-01}}\nhold_out: {{share: 0.3}}",
}


@contextmanager
def every_look(
    workspace: Path, names: Collection[str] = LOOKS
) -> Iterator[tuple[Session, list[Asked]]]:
    """A session, and what models of all these looks ask of it."""
    specs = []
    for name in names:
        text = LOOKS[name]
        held = "" if "hold_out" in text else "hold_out: {last: 120 days}\n"
        path = workspace / f"{name}.txt"
        path.write_text(f"name: {name}\n{text}\n{held}learners: [scorecard]\n")
        spec = read_spec(path, problems := Problems(), shown=path.name)
        assert spec is not None, list(problems)
        specs.append(spec)
    opened = open_checked(workspace)
    with scratch_engine(opened) as engine:
        session = begin(opened, engine)
        models = []
        for spec in specs:
            condition = check_spec(spec, session.facts, session.catalogue.lacking, Problems())
            models.append(asked(session, spec, condition, Problems()))
        wanted = [model for model in models if model is not None]
        assert len(wanted) == len(names)
        yield session, wanted


def frames_of(
    session: Session, wanted: list[Asked], rows: list[WantedRows] | None = None
) -> tuple[list[Observed], list[TrainingFrame]]:
    """The tables that facts of models are in, and what the models learn from."""
    rows = rows or [wanted_rows(session, model) for model in wanted]
    observed = observe(session, rows, session.partitions())
    return observed, [
        training_frame(session, model, labelled(session, row, facts), embargo=False)
        for model, row, facts in zip(wanted, rows, observed, strict=True)
    ]


def test_models_that_look_alike_share_facts_and_learn_from_what_they_would_alone(
    workspace: Path,
) -> None:
    with every_look(workspace) as (session, wanted):
        shared, frames = frames_of(session, wanted)
        for model, frame in zip(wanted, frames, strict=True):
            _, [alone] = frames_of(session, [model])
            assert len(alone) > 30
            assert_same(frame, alone)
    tables = [one.table for one in shared]
    one, two, three = tables[0], tables[5], tables[7]
    assert tables == [one, one, one, tables[3], tables[4], two, two, three]
    assert len(set(tables)) == 5


@pytest.mark.parametrize(
    ("count", "most", "names"),
    only(
        (3, (40, 20), ("late", "issue", "once")),
        [(n, most, (*LOOKS,)) for n in (1, 8, 64) for most in ((10**6, 10**6), (40, 20))],
    ),
)
def test_rows_of_any_number_of_buckets_are_those_of_the_whole(
    workspace: Path, count: int, most: tuple[int, int], names: tuple[str, ...]
) -> None:
    with every_look(workspace, names) as (session, wanted):
        asked_rows = [replace(wanted_rows(session, model), most=most) for model in wanted]
        _, expected = frames_of(session, wanted, asked_rows)
        given = Observing(asked_rows, bucket_ledger(session))
        buckets = of_each(session, given.ledger, count, partial(observe_bucket, given))
        drawn = next(buckets)
        for more in buckets:
            for rows, others in zip(drawn, more, strict=True):
                rows.include(others)
        for model, rows, frame in zip(wanted, drawn, expected, strict=True):
            assert_same(training_frame(session, model, rows, embargo=False), frame)
    sizes = [len(frame) for frame in expected]
    assert max(sizes) == min(sum(most), max(sizes)) and max(sizes) > 50


def test_a_date_after_all_history_is_reported(workspace: Path) -> None:
    notes: list[str] = []
    day = TODAY + timedelta(days=900)
    train(workspace, ["late"], at=AT, as_of=day, progress=Progress(note=notes.append))
    assert any("nothing became known from" in note and str(day) in note for note in notes)


def test_the_command_says_what_the_date_is(workspace: Path) -> None:
    shown = CliRunner().invoke(app, ["train", "--help"])
    assert "--as-of" in shown.output
