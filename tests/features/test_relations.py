"""What is warranted between features: which relations are found, and that they hold."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pytest

from riskseg.domain.facts import Fact
from riskseg.domain.problems import Problems
from riskseg.engine import DuckDB
from riskseg.expressions import Expression, to_sql
from riskseg.features.catalogue import Catalogue, read_catalogue
from riskseg.features.relations import relations
from riskseg.pipeline.invariants import between
from riskseg.strategy.check.scope import AS_OF as AS_OF_FACT
from riskseg.treatment.episodes import EPISODE_STARTED_ON
from tests.ledger.loading import LACKING, random_ledger
from tests.ledger.random_accounts import AS_OF


def named(found: Iterable[Expression]) -> set[str]:
    return {known.text.replace('"', "") for known in found}


def facts_of(catalogue: Catalogue) -> dict[str, Fact]:
    features = {n: f.fact for n, f in catalogue.available().items()}
    return {**features, EPISODE_STARTED_ON.name: EPISODE_STARTED_ON, AS_OF_FACT.name: AS_OF_FACT}


def test_between_features() -> None:
    catalogue = read_catalogue(None, Problems())
    facts = {n: f.fact for n, f in catalogue.features.items()}
    reported = named(relations(catalogue.features.values(), facts))
    assert {
        "late_bills_3m <= late_bills_12m",
        "late14_bills_6m <= late_bills_6m",
        "max_dpd_3m <= max_dpd_12m",
        "missed_bills <= overdue_bills",
        "days_past_due = 0 or balance_overdue > 0",
        "overdue_bills = 0 or days_past_due > 0",
        "max_dpd_12m = 0 or late_bills_12m > 0",
    } <= reported
    assert not reported & {
        "late_bills_12m <= late_bills_3m",
        "late_bills_6m <= late14_bills_6m",
        "late14_bills_6m <= late30_bills_12m",
        "overdue_1_30 <= overdue_31_60",
        # A residue too small to be an arrear is overdue, and nobody is past due for it.
        "balance_overdue = 0 or days_past_due > 0",
        "late_bills_12m = 0 or late_bills_3m > 0",
        "days_past_due = 0 or late_bills_12m > 0",
    }


def test_what_is_rounded_shows_nothing(tmp_path: Path) -> None:
    """A thousandth of an amount is kept as 0.00, and a number of pence as no pound."""
    own = tmp_path / "features.yaml"
    rows = {
        "all": "value: amount, unit: money",
        "thousandth": "value: amount * 0.001, unit: money",
        "pounds": "value: amount, type: integer",
        "exact": "value: amount, type: decimal",
        "more": "value: amount + paid, unit: money",
        "late": "value: amount, unit: money, filter: days_past_due > 9",
    }
    text = [
        f"- {{name: {n}, range: bills, aggregate: sum, words: w, {v}}}" for n, v in rows.items()
    ]
    own.write_text("\n".join(text), encoding="utf-8")
    problems = Problems()
    features = read_catalogue(own, problems).features
    assert not len(problems), list(problems)
    mine = [features[name] for name in rows]
    reported = named(relations(mine, {f.name: f.fact for f in mine}))
    assert {"late <= all", "all = 0 or more > 0", "thousandth = 0 or all > 0"} <= reported
    assert "pounds = 0 or exact > 0" in reported
    assert not reported & {
        *("all = 0 or thousandth > 0", "all = 0 or pounds > 0", "exact = 0 or pounds > 0"),
        *("pounds <= all", "all <= pounds", "pounds <= exact"),
    }


@pytest.mark.slow  # the values themselves are compared every time
@pytest.mark.parametrize(
    "name",
    LACKING,
)
def test_they_hold_of_every_account(name: str) -> None:
    loaded = random_ledger(name)
    facts = facts_of(loaded.catalogue)
    found = between(loaded.catalogue, facts)
    assert len(found) > 50
    rows = [row for day in AS_OF for row in loaded.facts_of(loaded.as_of(day))]
    with DuckDB(threads=1) as engine:
        engine.register("facts", pa.Table.from_pylist(rows))
        broken = engine.rows(
            "select "
            + ", ".join(
                f"count(*) filter (where not coalesce({to_sql(known)}, false))" for known in found
            )
            + " from facts"
        )[0]
        assert {known.text for known, count in zip(found, broken, strict=True) if count} == set()
