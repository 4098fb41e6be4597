"""Roll rates: by hand, and those of real monthly statuses with plain pandas."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from riskseg.engine import DuckDB
from riskseg.insight.roll_rates import ABSENT, roll_rates
from riskseg.results.insights.roll_rates import RollRate

JANUARY, FEBRUARY = date(2025, 1, 31), date(2025, 2, 28)
STATUSES = Path(__file__).parents[3] / "shared" / "data" / "cc_monthly_status"


def rates(states: pa.Table, first: date, last: date) -> tuple[RollRate, ...]:
    with DuckDB() as engine:
        engine.register("states", states)
        return roll_rates(engine, "states", first, last)


def test_roll_rates_worked_out_by_hand() -> None:
    rows = [
        ("a", JANUARY, "1-30"),
        ("a", FEBRUARY, "31-60"),
        ("b", JANUARY, "1-30"),
        ("b", FEBRUARY, "current"),
        ("c", JANUARY, "1-30"),
        ("d", FEBRUARY, "current"),
        ("e", date(2025, 3, 31), "current"),
    ]
    names = ("account_id", "day", "state")
    table = pa.table({n: list(v) for n, v in zip(names, zip(*rows, strict=True), strict=True)})
    third = Decimal("0.333333")
    assert [tuple(dict(r).values()) for r in rates(table, JANUARY, FEBRUARY)] == [
        ("1-30", "31-60", 1, third),
        ("1-30", ABSENT, 1, third),
        ("1-30", "current", 1, third),
        (ABSENT, "current", 1, Decimal("1.000000")),
    ]


@pytest.mark.skipif(not STATUSES.is_dir(), reason=f"the real data is not in {STATUSES}")
@pytest.mark.parametrize(("before", "after"), [(-3, -1)])
def test_roll_rates_of_real_statuses_equal_pandas(before: int, after: int) -> None:
    frame = pd.read_parquet(STATUSES)
    frame = frame[frame.MONTHS_BALANCE.isin([before, after])]
    wide = frame.pivot(index="ID", columns="MONTHS_BALANCE", values="STATUS").fillna(ABSENT)
    counts = wide.groupby([before, after]).size()
    expected = {
        pair: (n, round(Decimal(n) / Decimal(int(counts[pair[0]].sum())), 6))
        for pair, n in counts.items()
    }
    days = {before: JANUARY, after: FEBRUARY}
    states = pa.table(
        {
            "account_id": frame.ID.astype(str).tolist(),
            "day": [days[month] for month in frame.MONTHS_BALANCE],
            "state": frame.STATUS.tolist(),
        }
    )
    found = rates(states, JANUARY, FEBRUARY)
    assert {(r.before, r.after): (r.accounts, r.share) for r in found} == expected
    assert len(expected) > 20
