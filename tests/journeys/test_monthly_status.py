"""Monthly status tables: accounts observed again and again, validated out of time."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskseg.domain.problems import ProblemsError
from riskseg.run.check import check
from riskseg.run.compare import compare
from riskseg.run.recalibrate import recalibrate
from riskseg.run.score import score
from riskseg.run.train import train

AT = datetime(2026, 1, 1, tzinfo=UTC)
MONTHS = [date(2024 + m // 12, m % 12 + 1, 1) for m in range(14)]
SPEC = """\
name: worse
target: {column: worse, positive: 1, horizon_days: 30}
hold_out: {last: 80 days}
learners: [scorecard]
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    rows = []
    for n in range(60):
        draw = random.Random(n)  # noqa: S311
        for month in MONTHS:
            dpd = draw.choice((0, 0, 0, 10, 40))
            rows.append((f"A{n:02d}", month, dpd, int(draw.random() < 0.1 + dpd / 60)))
    names = ("account_id", "month", "dpd", "worse")
    table = pa.table({k: list(v) for k, v in zip(names, zip(*rows, strict=True), strict=True)})
    pq.write_table(table, tmp_path / "status.parquet")
    (tmp_path / "riskseg.toml").write_text(
        '[workspace]\nmodels = "models"\n[source.accounts]\nfrom = "status.parquet"\n'
        'observed_on = "month"\n'
    )
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "worse.yaml").write_text(SPEC)
    return tmp_path


def test_the_last_months_validate_and_the_row_in_force_is_scored(workspace: Path) -> None:
    reported = train(workspace, [], at=AT)[0].summary
    assert (reported.hold_out.from_, reported.hold_out.until) == ("2024-12-01", "2025-02-01")
    assert (reported.training.from_, reported.training.until) == ("2024-01-01", "2024-10-01")
    out = workspace / "scores.parquet"
    score(workspace, date(2024, 3, 20), str(out))
    scores = {r["account_id"]: r["p_worse"] for r in pq.read_table(out).to_pylist()}
    status = pq.read_table(workspace / "status.parquet").to_pylist()
    march = {r["account_id"]: r["dpd"] for r in status if r["month"] == date(2024, 3, 1)}
    by_dpd = {d: {scores[a] for a in march if march[a] == d} for d in (0, 40)}
    assert max(by_dpd[0]) < min(by_dpd[40])


def test_back_tests_use_outcomes_known_by_then(workspace: Path) -> None:
    reported = train(workspace, [], at=AT, as_of=date(2024, 12, 15))[0].summary
    assert reported.hold_out.until == "2024-11-01"


Row = dict[str, Any]


def altered(workspace: Path, alter: Callable[[Row], Row | None]) -> None:
    """Changes every row of the status table, or takes it away."""
    table = pq.read_table(workspace / "status.parquet")
    rows = [row for old in table.to_pylist() if (row := alter(dict(old))) is not None]
    pq.write_table(pa.Table.from_pylist(rows, table.schema), workspace / "status.parquet")


@pytest.mark.parametrize("known", [(), (1,)])
def test_months_whose_outcomes_are_not_known_yet_validate_nothing(
    workspace: Path, known: tuple[int, ...]
) -> None:
    """Not even those bad outcomes that were quick to show."""
    open_still = lambda row: row["month"] > MONTHS[-3] and row["worse"] not in known  # noqa: E731
    altered(workspace, lambda row: row | {"worse": None} if open_still(row) else row)
    reported = train(workspace, [], at=AT)[0].summary
    assert reported.hold_out.until == str(MONTHS[-3]) == "2024-12-01"
    assert reported.training.until == "2024-08-01"


def test_an_outcome_missing_here_and_there_cuts_nothing_off(workspace: Path) -> None:
    here = {("A07", MONTHS[-1]), ("A11", MONTHS[-1]), ("A30", MONTHS[3])}
    missing = lambda row: (row["account_id"], row["month"]) in here  # noqa: E731
    altered(workspace, lambda row: row | {"worse": None} if missing(row) else row)
    assert train(workspace, [], at=AT)[0].summary.hold_out.until == "2025-02-01"


def test_outcomes_not_known_yet_and_written_as_good_are_a_problem(workspace: Path) -> None:
    altered(workspace, lambda row: row | ({"worse": 0} if row["month"] > MONTHS[-4] else {}))
    with pytest.raises(ProblemsError) as found:
        train(workspace, [], at=AT)
    (problem,) = found.value.problems
    assert problem.code == "RS408" and "None of the 180 accounts observed from" in problem.what
    # Its cure, obeyed:
    altered(workspace, lambda row: row | ({"worse": None} if row["month"] > MONTHS[-4] else {}))
    assert train(workspace, [], at=AT)[0].summary.hold_out.until == str(MONTHS[-4])


@pytest.mark.parametrize("dated", [True, False])
def test_an_outcome_that_is_empty_for_all(workspace: Path, dated: bool) -> None:
    altered(workspace, lambda row: row | {"worse": None})
    if not dated:
        altered(workspace, lambda row: row if row["month"] == MONTHS[0] else None)
        (workspace / "riskseg.toml").write_text('[source.accounts]\nfrom = "status.parquet"\n')
        spec = "name: worse\ntarget: {column: worse}\n"
        (workspace / "models" / "worse.yaml").write_text(spec)
    with pytest.raises(ProblemsError) as found:
        train(workspace, [], at=AT)
    (problem,) = found.value.problems
    assert (
        problem.code == "RS408" and problem.what == '"worse" is empty: no account has an outcome.'
    )


@pytest.mark.parametrize("more", ["", "sample: {goods: 500}\n"])
def test_training_by_a_day_is_training_on_what_was_there(workspace: Path, more: str) -> None:
    """Later rows may hold codes or outcomes of their own, or not be there at all."""
    day = date(2024, 12, 15)
    (workspace / "models" / "worse.yaml").write_text(f"{SPEC}{more}")

    def another(row: Row) -> Row:
        code = int(row["account_id"][1:]) % 3 == 0
        return row | (
            {"dpd": 999 if code else row["dpd"], "worse": 2} if row["month"] > day else {}
        )

    altered(workspace, another)
    whole = train(workspace, [], at=AT, as_of=day)[0]
    altered(workspace, lambda row: row if row["month"] <= day else None)
    assert train(workspace, [], at=AT, as_of=day)[0].version == whole.version
    assert not any("999" in note for note in whole.summary.notes)


def test_versions_are_compared_by_rows_that_neither_learned_from(workspace: Path) -> None:
    spec = workspace / "models" / "worse.yaml"
    by_date = train(workspace, [], at=AT)[0]
    spec.write_text(SPEC.replace("hold_out: {last: 80 days}\n", ""))
    by_share = train(workspace, [], at=AT)[0]
    spec.write_text(f"{SPEC}refit: true\n")
    of_all = train(workspace, [], at=AT)[0]

    def rows(*versions: str) -> int:
        return int(compare(workspace, *(f"worse@{v}" for v in versions), cut=None).rows)

    held = by_share.summary.hold_out.rows
    assert rows(by_share.version, by_share.version) == held < 14 * 60 / 2
    # From a full label after the last day of training, 2024-10-01.
    assert rows(by_date.version, by_date.version) == 4 * 60
    assert 0 < rows(by_date.version, by_share.version) < min(held, 4 * 60)
    with pytest.raises(ProblemsError) as found:
        rows(by_date.version, of_all.version)
    (problem,) = found.value.problems
    assert problem.code == "RS402" and "There are 0 rows" in problem.what
    assert "from 2025-03-03 on" in problem.hint


def test_a_version_is_recalibrated_by_rows_it_did_not_learn_from(workspace: Path) -> None:
    train(workspace, [], at=AT)
    done = recalibrate(workspace, "worse", since=MONTHS[0], at=AT)
    assert (done.rows, done.first) == (4 * 60, "2024-11-01")
    assert done.notes == ("Left out: 600 accounts that the version had learned from.",)
    with pytest.raises(ProblemsError) as found:
        recalibrate(workspace, "worse", at=AT)
    assert [p.code for p in found.value.problems] == ["RS402"]
    assert "--since, from 2024-10-31 on" in found.value.problems[0].hint
    spec = workspace / "models" / "worse.yaml"
    spec.write_text(f"{SPEC}refit: true\n")
    version = train(workspace, [], at=AT, promote=True)[0].version
    with pytest.raises(ProblemsError) as found:
        recalibrate(workspace, "worse", version, since=MONTHS[0], at=AT)
    assert found.value.problems[0].hint.endswith("observed from 2025-03-03 on.")


@pytest.mark.parametrize("refit", [False, True])
def test_accounts_without_days_that_a_version_held_out(workspace: Path, refit: bool) -> None:
    altered(workspace, lambda row: row | {"account_id": row["account_id"] + str(row["month"])})
    (workspace / "riskseg.toml").write_text(
        "[source.accounts]\nfrom = 'select * exclude (month) from \"status.parquet\"'\n"
    )
    refitted = "refit: true\n" if refit else ""
    spec = f"name: worse\ntarget: {{column: worse}}\nlearners: [scorecard]\n{refitted}"
    (workspace / "models" / "worse.yaml").write_text(spec)
    reported = train(workspace, [], at=AT)[0].summary
    if refit:
        with pytest.raises(ProblemsError) as found:
            recalibrate(workspace, "worse", at=AT)
        assert [p.code for p in found.value.problems] == ["RS402"]
        assert "train without it" in found.value.problems[0].hint
        return
    done = recalibrate(workspace, "worse", at=AT)
    assert (done.rows, done.bad) == (reported.hold_out.rows, reported.hold_out.bad)
    again = recalibrate(workspace, "worse", done.version, at=AT)
    assert "It had been recalibrated to some of these accounts before." in again.notes


def test_one_row_an_account_and_day(workspace: Path) -> None:
    table = pq.read_table(workspace / "status.parquet")
    pq.write_table(pa.concat_tables([table, table.slice(0, 1)]), workspace / "status.parquet")
    assert "RS104" in [p.code for p in check(workspace).problems]


def test_last_days_need_a_date(workspace: Path) -> None:
    (workspace / "riskseg.toml").write_text('[source.accounts]\nfrom = "one.parquet"\n')
    table = pq.read_table(workspace / "status.parquet").drop_columns(["month"])
    pq.write_table(table.take(list(range(0, len(table), len(MONTHS)))), workspace / "one.parquet")
    spec = workspace / "models" / "worse.yaml"
    without_horizon = SPEC.replace(", horizon_days: 30", "")
    for text, codes in ((SPEC, ["RS004", "RS405"]), (without_horizon, ["RS405"])):
        spec.write_text(text)
        with pytest.raises(ProblemsError) as found:
            train(workspace, [], at=AT)
        for problems in (found.value.problems, check(workspace).problems):
            found_codes = [p.code for p in problems if "models" in (p.file or "")]
            assert found_codes == codes
            assert all("observed_on" in p.hint for p in problems if p.code in codes)


def test_two_dates_of_a_row_are_a_problem(workspace: Path) -> None:
    toml = workspace / "riskseg.toml"
    toml.write_text(toml.read_text() + 'valid_from = "month"\n')
    assert "RS011" in [p.code for p in check(workspace).problems]
