"""Values in words, and which of them may be given as reasons."""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems
from riskseg.domain.words import money
from riskseg.features.catalogue import read_catalogue
from riskseg.features.feature import Feature
from riskseg.learning.reasons import NOTHING, Ordinary, ranked_reasons
from riskseg.learning.wording import companions, sentences, whole_of
from riskseg.learning.words import Currency
from tests.support.tried import Tried

GBP = Currency("GBP", 2)


def said(fact: Fact, *values: Any, usual: Any = None, **beside: float) -> list[str]:
    dtype: Any = object if fact.kind.is_textual else float
    batch = pd.DataFrame({fact.name: pd.Series(list(values), dtype=dtype), **beside})
    reported: list[str] = sentences(batch[fact.name], fact, GBP, batch, usual).to_pylist()
    return reported


def fact_of(name: str) -> Fact:
    return next(f.fact for f in features() if f.name == name)


@functools.cache
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
        "GBP 240.10 is overdue",
        "GBP -3.00 is overdue",
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


@pytest.mark.parametrize("scale", [0, 2, 3])
def test_amounts_are_written_as_everywhere_else(scale: int) -> None:
    amounts = [0.0, 7.5, 999.994, 1000.0, 1374.0, -1234567.891, 20001002.25]
    fact = Fact("x", Kind.DECIMAL, words="{value}", unit="money")
    reported = sentences(pd.Series(amounts), fact, Currency("GBP", scale), pd.DataFrame(), None)
    assert reported.to_pylist() == [money(amount, "GBP", scale) for amount in amounts]


def test_an_amount_paid_is_named_beside_what_was_billed() -> None:
    paid = fact_of("settled_6m")
    assert said(paid, 300.0, billed_6m=1374.0) == [
        "GBP 300.00 of the GBP 1,374.00 billed in the last 6 months is paid"
    ]


def test_few_bills_are_a_short_history() -> None:
    words = "fell due in the last 6 months"
    assert said(fact_of("bills_6m"), 2.0, 6.0, 0.0, usual=6.0) == [
        f"a short history: 2 bills {words} (usual: 6)",
        f"6 bills {words}",
        f"no bill {words}",
    ]


USUAL = 20.0


def named(fact: Fact, value: float, *, usual: float = USUAL, **beside: float) -> tuple[str, str]:
    """What is said of a value where a model makes much of it: against, and in favour. Half of the
    accounts have the usual value, none has less than 0 or more than twice the usual."""
    ordinary = Ordinary(
        {"x": usual}, {"x": usual}, {"x": usual}, {"x": (0.0, 2 * usual)}, {"x": (0.0, 2 * usual)}
    )
    fact = replace(fact, name="x")
    batch = pd.DataFrame({"x": [value], **{name: [other] for name, other in beside.items()}})
    reported = []
    for sign in (1.0, -1.0):

        def margin(rows: pd.DataFrame, sign: float = sign) -> Any:
            return np.where(rows["x"].to_numpy() == usual, 0.0, sign)

        # What is equal to the usual cannot be distinguished from it by this margin.
        away = value + 0.0001 if value == usual else value
        found = ranked_reasons(
            batch.assign(x=away),
            np.array([[sign]]),
            [fact],
            ordinary,
            Tried([fact], margin),
            1,
            currency=GBP,
        )
        reported.append(found.of(0)[0].words if found.of(0) else "")
    return reported[0], reported[1]


@pytest.mark.parametrize(
    ("fact", "value", "raises", "lowers"),
    [
        # Declared, and judged beside the usual: 20, with the outermost at 0 and 40.
        (Fact("x", Kind.NUMBER, direction=1), 0.0, False, True),
        (Fact("x", Kind.NUMBER, direction=1), 19.0, False, False),
        (Fact("x", Kind.NUMBER, direction=1), 20.0, False, False),
        (Fact("x", Kind.NUMBER, direction=1), 21.0, False, False),
        (Fact("x", Kind.NUMBER, direction=1), 24.0, True, False),
        (Fact("x", Kind.NUMBER, direction=1), 40.0, True, False),
        (Fact("x", Kind.NUMBER, direction=-1), 0.0, True, False),
        (Fact("x", Kind.NUMBER, direction=-1), 30.0, False, True),
        (Fact("x", Kind.NUMBER, risky_side=1), 10.0, False, True),
        (Fact("x", Kind.NUMBER, risky_side=1), 30.0, True, False),
        # Without a side: whatever is not practically usual.
        (Fact("x", Kind.NUMBER), 19.0, False, False),
        (Fact("x", Kind.NUMBER), 30.0, True, True),
        (Fact("x", Kind.BOOLEAN), 1.0, True, True),
        # What is not known, codes included.
        (Fact("x", Kind.NUMBER, direction=1, special_values=(0.0,)), 0.0, True, False),
        (Fact("x", Kind.NUMBER, direction=1), np.nan, True, False),
        # What always hurts is never in favour, and up to there it is never one against.
        (Fact("x", Kind.NUMBER, direction=1, hurts_beyond=0.0), 0.0, False, True),
        (Fact("x", Kind.NUMBER, direction=1, hurts_beyond=0.0), 2.0, False, False),
        (Fact("x", Kind.NUMBER, direction=1, hurts_beyond=0.0), 20.0, True, False),
        (Fact("x", Kind.NUMBER, direction=1, hurts_beyond=0.0), 21.0, True, False),
    ],
)
def test_a_value_is_named_only_where_it_hurts_or_helps(
    fact: Fact, value: float, raises: bool, lowers: bool
) -> None:
    """Whatever a model makes of it: here it moves the margin as it is asked to."""
    against, favour = named(fact, value)
    assert (bool(against), bool(favour)) == (raises, lowers)


@pytest.mark.parametrize("feature", features(), ids=lambda f: f.name)
@pytest.mark.parametrize("usual", [0.0, 0.6, 1.0, 14.0, 2835.06])
def test_no_reason_contradicts_the_side_its_feature_declares(
    feature: Feature, usual: float
) -> None:
    """A model may make of any value what it likes: more risk is reported only of what hurts."""
    fact = feature.fact
    if fact.kind is Kind.DATE or not fact.kind.is_numeric:
        return
    beside = dict.fromkeys(companions(fact), 2835.06)
    for value in (
        -5.0,
        0.0,
        0.5,
        0.6,
        0.97,
        1.0,
        2.0,
        7.0,
        13.0,
        14.0,
        15.0,
        700.0,
        2727.88,
        2835.06,
    ):
        against, favour = named(fact, value, usual=usual, **beside)
        on_risky_side = fact.side * (value - usual)
        if not fact.side:
            assert bool(against) == bool(favour)
            assert not against or 0 in (usual, value) or "(usual: " in against
        elif whole_of(fact):
            assert bool(against) == (value < 0.9 * 2835.06) and bool(favour) != bool(against)
        elif fact.hurts_beyond is not None:
            hurts = fact.side * (value - fact.hurts_beyond) > 0
            assert not (against and not hurts), against
            assert not (favour and hurts), favour
        else:
            ends = (0.0, 2 * usual)  # nobody is worse, or better
            assert not against or on_risky_side > 0 or value in ends, against
            assert not favour or on_risky_side < 0 or value in ends, favour
        assert not (against and favour and fact.side), (against, favour)


@pytest.mark.parametrize(
    ("name", "value", "usual", "beside", "side"),
    [
        ("settled_6m", 2727.88, 2778.35, {"billed_6m": 2727.88}, "against"),  # all of it is paid
        ("billed_6m", 2727.88, 2835.06, {}, "against"),
        ("bills_6m", 13.0, 14.0, {}, "against"),
        ("late14_bills_6m", 2.0, 3.0, {"bills_6m": 15.0}, "favour"),
        ("payment_ratio_6m", 0.97, 1.0, {}, "against"),
        ("days_beyond_terms_6m", 0.5, 2.0, {}, "favour"),
        ("overdue_1_30", 0.0, 0.0, {}, "against"),
    ],
)
def test_reasons_that_contradicted_sense(
    name: str, value: float, usual: float, beside: dict[str, float], side: str
) -> None:
    against, favour = named(fact_of(name), value, usual=usual, **beside)
    assert (against if side == "against" else favour) == ""


def test_a_limit_used_as_usual_is_no_reason() -> None:
    used = Fact(
        "util", Kind.NUMBER, unit="share", direction=1, words="{value} of the limit is used"
    )
    assert named(used, 0.39, usual=0.38) == ("", "")
    assert named(used, 0.93, usual=0.38)[0] == "93% of the limit is used (usual: 38%)"


@pytest.mark.parametrize(("worth", "reported"), [(1.0, True), (20.0, True), (21.0, False)])
def test_a_reason_moves_the_odds_by_a_twentieth_at_least(worth: float, reported: bool) -> None:
    """Of points, `worth` make 1 of log-odds: here 1 point is contributed."""
    fact, at = Fact("x", Kind.NUMBER), {"x": USUAL}
    ordinary = Ordinary(at, at, at, {"x": (0.0, 40.0)}, {"x": (0.0, 40.0)})
    batch = pd.DataFrame({"x": [40.0]})

    def margin(rows: pd.DataFrame) -> Any:
        return np.where(rows["x"].to_numpy() == USUAL, 0.0, 1 / worth)

    found = ranked_reasons(
        batch, np.array([[1.0]]), [fact], ordinary, Tried([fact], margin), 1, worth=worth
    )
    assert bool(found.of(0)) == reported
    assert found.texts().to_pylist() == ["x is 40 (usual: 20)" if reported else NOTHING]


def test_the_fact_that_is_named_bears_its_part_of_the_family() -> None:
    facts = [Fact("x", Kind.NUMBER, family="f"), Fact("y", Kind.BOOLEAN, family="f")]
    at: dict[str, Any] = {"x": USUAL, "y": 0.0}
    ordinary = Ordinary(at, at, {"x": USUAL}, {"x": (0.0, 40.0)}, {"x": (0.0, 40.0)})
    batch = pd.DataFrame({"x": [21.0], "y": [1.0]})
    for own, reported in ((0.09, False), (0.11, True)):  # "x", practically usual, bears the rest
        found = ranked_reasons(
            batch,
            np.array([[1 - own, own]]),
            facts,
            ordinary,
            Tried(facts, lambda rows: (rows["x"] != USUAL).to_numpy().astype(float)),
            1,
        )
        assert bool(found.of(0)) == reported


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        ("", 92233720368547760.0, "92233720368547760"),
        ("", -(2.0**63), "-9223372036854775808"),
        ("", 1e308, "1e+308"),
        ("", -np.inf, "-inf"),
        ("", 1234.5, "1234.50"),
        ("money", 1e17, "GBP 100,000,000,000,000,000.00"),
        ("money", -99999999999999.99, "GBP -99,999,999,999,999.98"),
        ("share", 1e17, "10000000000000000000%"),
        ("share", 1e308, "inf%"),
        ("share", -0.001, "0%"),
        ("share", -0.256, "-26%"),
        ("percent", 1e22, "1e+22%"),
    ],
)
def test_huge_numbers_are_reported_as_they_are(unit: str, value: float, text: str) -> None:
    assert said(Fact("x", Kind.NUMBER, unit=unit), 1.0, value)[1] == f"x is {text}"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("value", "reported"), [(1.7e308, True), (-1.7e308, False), (1.6e308, True), (1e300, False)]
)
def test_a_huge_number_that_hurts_is_a_reason(value: float, reported: bool) -> None:
    fact, at = Fact("x", Kind.NUMBER, direction=1), {"x": 0.0}
    ends = {"x": (-1.7e308, 1.7e308)}
    batch = pd.DataFrame({"x": [value]})

    def margin(rows: pd.DataFrame) -> Any:
        return np.sign(rows["x"].to_numpy())

    found = ranked_reasons(
        batch, np.array([[1.0]]), [fact], Ordinary(at, at, at, ends, ends), Tried([fact], margin), 1
    )
    assert bool(found.of(0)) == reported


def test_a_half_is_rounded_up_as_where_features_are_kept() -> None:
    """0.48503 is kept as 0.4850, and is nearer to 49% than to 48%."""
    share = Fact("used", Kind.DECIMAL, unit="share", words="{value} used")
    assert said(share, 0.485, 0.484, 0.285, -0.485, 0.125, 1.0) == [
        "49% used",
        "48% used",
        "29% used",
        "-49% used",
        "13% used",
        "100% used",
    ]
