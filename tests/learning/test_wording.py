"""Values in words, and which of them may be given as reasons."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems
from riskseg.features.catalogue import Feature, read_catalogue
from riskseg.learning.reasons import Ordinary, ranked_reasons
from riskseg.learning.wording import Currency, companions, sentences

GBP = Currency("GBP", 2)


def said(fact: Fact, *values: Any, usual: Any = None, **beside: float) -> list[str]:
    dtype: Any = object if fact.kind.is_textual else float
    batch = pd.DataFrame({fact.name: pd.Series(list(values), dtype=dtype), **beside})
    told: list[str] = sentences(batch[fact.name], fact, GBP, batch, usual).to_pylist()
    return told


def features() -> list[Feature]:
    problems = Problems()
    found = list(read_catalogue(None, problems).features.values())
    assert not len(problems)
    return found


@pytest.mark.parametrize("feature", features(), ids=lambda f: f.name)
def test_every_feature_of_the_catalogue_reads_well(feature: Feature) -> None:
    fact = feature.fact
    if fact.kind is Kind.DATE:
        return
    zero, one, many, none = said(fact, 0.0, 1.0, 7.0, np.nan)
    for text in (zero, one, many, none):
        assert text and not re.search(r"[{}|]", text) and "unknown" not in text, text
    assert not re.match(r"0 |0\.00 ", zero), zero
    assert "1 bills" not in one and "1 days" not in one
    if fact.nullable:
        assert none != f"{fact.name} is not known"
    names = {f.name: f.fact for f in features()}
    assert all(names[name].kind.is_numeric for name in companions(fact))


def test_money_has_its_currency_and_other_units_their_own() -> None:
    assert said(Fact("x", Kind.DECIMAL, words="{value} is overdue", unit="money"), 240.1, -3.0) == [
        "240.10 GBP is overdue",
        "-3.00 GBP is overdue",
    ]
    assert said(Fact("x", Kind.NUMBER, words="{value} used", unit="share"), 0.45) == ["45% used"]
    assert said(Fact("x", Kind.NUMBER, words="{value} used", unit="percent"), 45) == ["45% used"]


def test_labels_and_codes_stand_in_place_of_values() -> None:
    coded = Fact(
        "income",
        Kind.INTEGER,
        words="income is {value}",
        labels=(("0", "none"), ("998", "refused")),
        special_values=(998.0, 999.0),
    )
    assert said(coded, 0, 10, 998, 999) == [
        "income is none",
        "income is 10",
        "income is refused",
        "income is not known (code 999)",
    ]
    level = Fact("job", Kind.TEXT, words="job: {value}", labels=(("E1", "employed"),))
    assert said(level, "E1", "E2", None) == ["job: employed", "job: E2", "job is not known"]


def test_a_reason_counts_among_others_where_they_are_known() -> None:
    late = next(f.fact for f in features() if f.name == "late30_bills_12m")
    words = "bills of the last 12 months were more than 30 days late"
    assert said(late, 3.0, bills_12m=12.0) == [f"3 of 12 {words}"]
    assert said(late, 3.0) == said(late, 3.0, bills_12m=np.nan) == [f"3 {words}"]


def test_what_has_no_direction_is_said_beside_the_usual() -> None:
    bills = Fact("bills", Kind.INTEGER, words="{value} {bill|bills} fell due")
    assert said(bills, 2.0, 6.0, usual=6.0) == ["2 bills fell due (usual: 6)", "6 bills fell due"]


@pytest.mark.parametrize(
    ("fact", "value", "raises", "lowers"),
    [
        (Fact("x", Kind.INTEGER, direction=1), 0.0, False, True),
        (Fact("x", Kind.INTEGER, direction=1), 1.0, True, True),
        (Fact("x", Kind.INTEGER, direction=1), 4.0, True, False),
        (Fact("x", Kind.INTEGER, direction=-1), 0.0, True, False),
        (Fact("x", Kind.INTEGER, risky_side=1), 1.0, False, True),
        (Fact("x", Kind.INTEGER, risky_side=1), 3.0, True, False),
        (Fact("x", Kind.INTEGER), 0.0, True, True),
        (Fact("x", Kind.INTEGER, direction=1, special_values=(0.0,)), 0.0, True, False),
        (Fact("x", Kind.INTEGER, direction=1), np.nan, True, False),
    ],
)
def test_a_harmless_value_is_never_why_the_risk_is_higher(
    fact: Fact, value: float, raises: bool, lowers: bool
) -> None:
    """Whatever a model makes of it: here it moves the margin as it is asked to."""
    ordinary = Ordinary({"x": 2.0}, {"x": 2.0}, {"x": 2.0}, {"x": (0.0, 4.0)})
    batch = pd.DataFrame({"x": [value]})
    for sign, may in ((1, raises), (-1, lowers)):

        def margin(rows: pd.DataFrame, sign: int = sign) -> Any:
            return np.where(rows["x"].to_numpy() == 2.0, 0.0, float(sign))

        found = ranked_reasons(batch, np.array([[float(sign)]]), [fact], ordinary, margin, top=1)
        assert bool(found.of(0)) == may
