"""Treatment by cohort, against plain Python over the same decisions."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

from riskseg.pipeline.asked import Asked
from riskseg.results.insights.fairness import CohortTreatment, TreatmentByCohort
from riskseg.run.assign import assign
from riskseg.run.insight import insight
from tests.support import treated

FIRST, LAST = date(2026, 2, 1), date(2026, 2, 2)
DECLARED = "\n[source.accounts.columns.region]\nprotected = true\n"


def workspace(place: Path, *, declared: bool = True) -> Path:
    """40 accounts in arrears. Of the 20 in the north, 15 are sent texts on both days; of the
    others, 5. Four live elsewhere."""
    accounts = [
        {
            "account_id": f"a{number}",
            "valid_from": FIRST,
            "treatment": "texts" if number < 15 or number >= 35 else "none",
            "region": "north" if number < 20 else "south" if number < 36 else "west",
        }
        for number in range(40)
    ]
    bills = [
        {"account_id": f"a{n}", "bill_id": "b", "due_on": "2026-01-20", "amount": 10}
        for n in range(40)
    ]
    root = treated.write(
        place,
        paths={"texts": {"steps": [{"day": 1, "action": "sms"}]}},
        rows={"accounts": accounts, "bills": bills},
    )
    if declared:
        with (root / "riskseg.toml").open("a", encoding="utf-8") as toml:
            toml.write(DECLARED)
    for day in (FIRST, LAST):
        assign(root, day, str(root / f"{day}.parquet"), at=treated.AT)
    return root


def answer(root: Path) -> TreatmentByCohort:
    answered = insight(root, "fairness", Asked(LAST)).answer
    assert isinstance(answered, TreatmentByCohort)
    return answered


def test_shares_are_those_of_days_in_arrears(tmp_path: Path) -> None:
    found = answer(workspace(tmp_path / "w"))
    assert found.compared == ("region",)
    contacted: dict[str, CohortTreatment] = {
        row.level: row for row in found.cohorts if row.measure == "contacted"
    }
    north = contacted["north"]
    assert (north.accounts, north.here, north.elsewhere) == (20, Decimal("0.75"), Decimal("0.25"))
    # By accounts, not by days: 20 and 20 shares of 0 or 1, with the standard errors of their means.
    reach = 1.96 * (2 * 0.75 * 0.25 / 19) ** 0.5
    assert abs(float(north.low) - (0.5 - reach)) < 1e-3
    assert abs(float(north.high) - (0.5 + reach)) < 1e-3
    assert north.is_clear and "region = south, contacted on 6.2%" in found.words()
    assert {row.here for row in found.cohorts if row.measure != "contacted"} == {0}


def test_few_accounts_are_not_compared(tmp_path: Path) -> None:
    found = answer(workspace(tmp_path / "w"))
    assert {row.level for row in found.cohorts} == {"north", "south"}


def test_without_a_cohort_it_says_how_to_declare_one(tmp_path: Path) -> None:
    found = answer(workspace(tmp_path / "w", declared=False))
    assert found.cohorts == () and "declare a column as `protected`" in found.words()
