"""What `score` and `assign` say of a batch beside training: one line when all is well."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from riskseg.pipeline.stages import Progress
from riskseg.results.runs import Scores
from riskseg.run.assign import assign
from riskseg.run.init import init
from riskseg.run.recalibrate import recalibrate
from riskseg.run.score import score
from riskseg.run.train import train
from tests.support import portfolio as p

Copy = Callable[[Path], Path]
TOML = """\
[workspace]
[engine]
threads = 1
[source.bills]
from = "bills.parquet"
[source.payments]
from = "payments.parquet"
"""
SPEC = """\
name: late_payment
target: {event: late, days_past_due: 5, horizon_days: 30}
observe: {every: 30 days, for: 330 days, history: 180 days}
hold_out: {last: 60 days}
learners: [scorecard]
scorecard: {form: classic}
"""


def tables(accounts: int = 250, months: int = 24) -> dict[str, pd.DataFrame]:
    """Every account is billed on the first of the month, due on the fifteenth; a third of them
    are often late."""
    random = np.random.default_rng(3)
    number, month = np.repeat(np.arange(accounts), months), np.tile(np.arange(months), accounts)
    issued = pd.date_range("2024-01-01", periods=months, freq="MS")[month]
    amount = random.gamma(4, 15, len(number)).round(2) + 10
    late = random.random(len(number)) < np.where(number % 3 == 0, 0.45, 0.04)
    paid = issued + pd.to_timedelta(np.where(late, 25, random.integers(5, 13, len(number))), "D")
    ids = [f"A{n:04d}" for n in number]
    bills = pd.DataFrame(
        {
            "account_id": ids,
            "bill_id": [f"{a}-{m}" for a, m in zip(ids, month, strict=True)],
            "issued_on": issued.date,
            "due_on": (issued + pd.Timedelta(days=14)).date,
            "amount": amount,
        }
    )
    payments = pd.DataFrame({"account_id": ids, "paid_on": paid.date, "amount": amount})
    return {"bills": bills, "payments": payments}


def write(root: Path, table: str, frame: pd.DataFrame) -> None:
    frame.to_parquet(root / f"{table}.parquet", index=False)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("cycle") / "w"
    init(root, toml=TOML)
    for table, frame in tables().items():
        write(root, table, frame)
    for spec in (root / "models").glob("*.yaml"):
        spec.unlink()
    (root / "models/late_payment.yaml").write_text(SPEC)
    train(root, (), at=p.AT, promote=True)
    return root


def scores(root: Path, day: date) -> tuple[Scores, list[str]]:
    """What scoring gives, and the lines it says."""
    notes: list[str] = []
    done = score(root, day, str(root / "s.csv"), progress=Progress(note=notes.append))
    return done, notes


@pytest.mark.parametrize("day", [2, 14, 20, 30])
def test_one_line_on_any_day_of_the_billing_cycle(workspace: Path, copy_of: Copy, day: int) -> None:
    done, notes = scores(copy_of(workspace), date(2025, 11, day))
    assert done.differences == {"late_payment": []}
    (note,) = notes
    assert note.startswith("late_payment: ") and "are as in training (largest PSI" in note


def test_dearer_bills_are_a_difference_on_any_day(workspace: Path, copy_of: Copy) -> None:
    root = copy_of(workspace)
    bills = pd.read_parquet(root / "bills.parquet")
    write(root, "bills", bills.assign(amount=bills.amount * 5))
    done, notes = scores(root, date(2025, 11, 2))
    found = done.differences["late_payment"]
    assert any("is distributed differently than in training" in one for one in found)
    assert [f"late_payment: {one}" for one in found] == notes


@pytest.fixture(scope="module")
def account_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("columns") / "w"
    init(root, "account-file")
    random = np.random.default_rng(4)
    rows = 500
    frame = pd.DataFrame(
        {
            "account_id": [f"C{n:05d}" for n in range(rows)],
            "income": random.normal(30, 9, rows).round(1),
            "years": random.integers(0, 20, rows),
            "tariff": random.choice(["day", "night"], rows),
        }
    )
    frame["outcome"] = (random.random(rows) < 1 / (1 + np.exp(frame.income / 4 - 7))).astype(int)
    write(root, "accounts", frame)
    (root / "riskseg.toml").write_text(
        '[workspace]\nstrategy = "rules/account-file"\n[engine]\nthreads = 1\n'
        '[source.accounts]\nfrom = "accounts.parquet"\n'
    )
    (root / "models/outcome.yaml").write_text(
        "name: outcome\ntarget: {column: outcome}\nlearners: [scorecard]\n"
        "features: {exclude: [tariff]}\nscorecard: {form: classic}\n"
    )
    train(root, (), at=p.AT)
    return root


def test_columns_that_are_new_or_gone_are_reported_as_that(
    account_file: Path, copy_of: Copy
) -> None:
    root = copy_of(account_file)
    frame = pd.read_parquet(root / "accounts.parquet").drop(columns=["outcome", "tariff"])
    write(root, "accounts", frame.assign(channel="web", income=np.nan))
    done = assign(root, p.AS_OF, str(root / "d.csv"), at=p.AT)
    found = done.differences["p_bad"]
    # The spec excludes the tariff: it makes no difference whether it is there.
    assert [one for one in found if "since training" in one] == [
        "new since training, and not used: channel"
    ]
    of_income = [one for one in found if one.startswith("income ")]
    assert of_income == ["income is gone: it is unknown for all 500 accounts; in training it was "
                         "known for 100%"]  # fmt: skip


def test_a_recalibration_to_part_of_a_cycle_says_so(workspace: Path, copy_of: Copy) -> None:
    root = copy_of(workspace)
    whole = recalibrate(root, "late_payment", since=date(2025, 8, 1), at=p.AT)
    # Some of these days are of training: the rows since then are of a whole cycle all the same.
    (left_out,) = whole.notes
    assert left_out.startswith("Left out: ") and whole.first is not None
    assert whole.first > "2025-08-01"
    part = recalibrate(root, "late_payment", since=date(2025, 10, 28), at=p.AT)
    assert part.last is not None and len(part.notes) == 1
    assert "days, and a cycle has 30" in part.notes[0]
