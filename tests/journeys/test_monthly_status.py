"""Monthly status tables: accounts observed again and again, validated out of time."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskseg.domain.problems import ProblemsError
from riskseg.run.check import check
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
    told = train(workspace, [], at=AT)[0].summary
    assert (told["hold_out"]["from"], told["hold_out"]["until"]) == ("2024-12-01", "2025-02-01")
    assert (told["training"]["from"], told["training"]["until"]) == ("2024-01-01", "2024-10-01")
    out = workspace / "scores.parquet"
    score(workspace, date(2024, 3, 20), str(out))
    scores = {r["account_id"]: r["p_worse"] for r in pq.read_table(out).to_pylist()}
    status = pq.read_table(workspace / "status.parquet").to_pylist()
    march = {r["account_id"]: r["dpd"] for r in status if r["month"] == date(2024, 3, 1)}
    by_dpd = {d: {scores[a] for a in march if march[a] == d} for d in (0, 40)}
    assert max(by_dpd[0]) < min(by_dpd[40])


def test_back_tests_use_outcomes_known_by_then(workspace: Path) -> None:
    told = train(workspace, [], at=AT, as_of=date(2024, 12, 15))[0].summary
    assert told["hold_out"]["until"] == "2024-11-01"


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
            assert all("observed_on" in p.mend for p in problems if p.code in codes)


def test_two_dates_of_a_row_are_a_problem(workspace: Path) -> None:
    toml = workspace / "riskseg.toml"
    toml.write_text(toml.read_text() + 'valid_from = "month"\n')
    assert "RS011" in [p.code for p in check(workspace).problems]
