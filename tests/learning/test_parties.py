"""Rows of one party are not independent: they are counted, shuffled and weighed by party."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from riskseg.domain.facts import Fact, Kind
from riskseg.learning.levels import levels_by_risk
from riskseg.learning.parties import LEAST_PARTIES, Parties, alikeness, shuffled
from riskseg.learning.psi import significant
from riskseg.learning.scorecard.additive import fit_additive
from riskseg.learning.scorecard.classic import fit_classic
from riskseg.learning.scorecard.tables import Scorecard
from riskseg.learning.split import folds_by_party
from riskseg.learning.trees.boosted import Boosted
from riskseg.learning.trees.boosted_fit import fit_boosted
from riskseg.learning.trees.directions import refused

NUMBER, TEXT = Kind.NUMBER, Kind.TEXT
NOISE = ("office", "team", "dice")
KINDS = {"moves": NUMBER, "standing": NUMBER, "region": TEXT} | dict.fromkeys(
    ("office", "team"), TEXT
)


def portfolio(seed: int, parties: int = 400) -> tuple[pd.DataFrame, Any, Any]:
    """Nine to twelve rows of each party, which differ in ways of their own: `moves` differs between
    them, the rest is the same in all of them, and `NOISE` means nothing."""
    random = np.random.default_rng(seed)
    party = np.repeat(np.arange(parties), random.integers(9, 13, parties))
    own, standing = random.normal(size=(2, parties))
    region = random.integers(0, 3, parties)
    office, team = random.integers(0, 12, parties), random.integers(0, 8, parties)
    moves = random.normal(size=len(party)) + 0.7 * own[party]
    odds = (own + 0.9 * standing + 0.6 * (region - 1))[party] + 0.7 * moves - 1.5
    label = (random.random(len(party)) < 1 / (1 + np.exp(-odds))).astype(np.int8)
    rows = {
        "moves": moves,
        "standing": standing[party],
        "region": np.array(["a", "b", "c"], dtype=object)[region[party]],
        "office": np.array([f"O{n:02d}" for n in range(12)], dtype=object)[office[party]],
        "team": np.array([f"T{n}" for n in range(8)], dtype=object)[team[party]],
        "dice": random.normal(size=parties).round(3)[party],
    }
    return pd.DataFrame(rows), label, party


def learned(
    fit: Callable[..., Any], seed: int, parties: int = 400, accounts: int = 1
) -> Scorecard | Boosted:
    """`accounts` of the portfolio's parties are accounts of one party."""
    rows, label, account = portfolio(seed, parties)
    party = account // accounts
    facts = [Fact(name, KINDS.get(name, NUMBER)) for name in rows]
    folds = folds_by_party(np.array([f"p{n}" for n in party]), 5, 0)
    model, _, _ = fit(
        rows,
        label,
        np.ones(len(label)),
        facts,
        folds,
        party=Parties.of(party, rows, facts, account),
        seed=0,
        threads=1,
        say=lambda _: None,
    )
    assert isinstance(model, Scorecard | Boosted)
    return model


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("fit", [fit_classic, fit_additive])
def test_what_is_drawn_at_random_for_each_party_is_left_out(
    fit: Callable[..., Any], seed: int
) -> None:
    card = learned(fit, seed)
    assert set(card.features) == {"moves", "standing", "region"}
    assert set(card.dropped) == set(NOISE)


@pytest.mark.parametrize("fit", [fit_classic, fit_additive])
def test_what_is_drawn_at_random_for_each_account_of_a_party_is_left_out(
    fit: Callable[..., Any],
) -> None:
    card = learned(fit, 0, accounts=2)
    assert set(card.features) == {"moves", "standing", "region"}
    assert set(card.dropped) == set(NOISE)


def test_trees_leave_out_what_is_drawn_at_random_for_each_party() -> None:
    assert set(learned(fit_boosted, 0, 300).features) == {"moves", "standing", "region"}


def test_alike_is_what_is_the_same_in_all_rows_of_a_party() -> None:
    rows, _, party = portfolio(3)
    rows["free"] = np.random.default_rng(0).normal(size=len(party))
    known = {n: alikeness(rows[n], Fact(n, KINDS.get(n, NUMBER)), party) for n in rows}
    assert known["dice"] == known["office"] == known["standing"] == 1.0
    assert known["free"] < 0.05 and 0.2 < known["moves"] < 0.5
    spelt = pd.Series(np.where(rows["free"] > 0, "a", None), dtype=object)
    assert alikeness(spelt, Fact("spelt", TEXT), party) < 0.05
    # However large a party is, it counts for as much as its rows.
    lone = np.where(np.arange(len(party)) < 2000, 0, party)
    assert alikeness(rows["free"], Fact("free", NUMBER), lone) < 0.05


def test_rows_count_for_parties_where_a_feature_is_the_same_in_them() -> None:
    _, label, party = portfolio(4)
    parties = Parties(party, {"dice": 1.0, "free": 0.0})
    assert parties.counted("dice").sum() == pytest.approx(400)
    assert parties.counted("free").sum() == len(party)
    error = label - label.mean()
    assert parties.design_effects(error, [("dice",), ("free",)])[1] == 1.0
    assert parties.design_effect(error, "dice") > 2.0
    alone = Parties(np.arange(len(party)), {"dice": 1.0})
    assert alone.design_effect(error, "dice") == pytest.approx(1.0)


def test_nothing_is_counted_by_party_where_every_row_is_one() -> None:
    rows, _, party = portfolio(5)
    facts = [Fact("dice", NUMBER)]
    assert Parties.of(np.arange(len(party)), rows, facts) is None
    assert Parties.of(party, rows, facts) is not None


def test_the_values_of_a_party_are_shuffled_together() -> None:
    party = np.array([2, 0, 2, 1, 0, 2])
    source = shuffled(party, 6, np.random.default_rng(1))
    for number in range(3):
        given = party[source[party == number]]
        assert len(set(given)) == 1
    # As rows, where each is a party.
    rows = np.random.default_rng(7).permutation(6)
    assert (shuffled(np.arange(6), 6, np.random.default_rng(7)) == rows).all()
    assert (shuffled(None, 6, np.random.default_rng(7)) == rows).all()


def test_a_level_needs_parties() -> None:
    party = np.repeat(np.arange(2 * LEAST_PARTIES - 1), 10)
    values = pd.Series(np.where(party < LEAST_PARTIES, "many", "few").astype(object))
    label = (np.arange(len(party)) % 3 == 0).astype(np.int8)
    assert set(levels_by_risk(values, label)) == {"many", "few"}
    assert levels_by_risk(values, label, party=party) == ("many",)


def test_few_parties_do_not_refuse_a_direction() -> None:
    """Forty parties of fifty rows: the highest values happen to be those of the best."""
    random = np.random.default_rng(0)
    party = np.repeat(np.arange(40), 50)
    value = np.arange(40.0)
    rate = np.clip(0.3 - 0.004 * value + 0.15 * random.normal(size=40), 0.02, 0.9)
    label = (random.random(2000) < rate[party]).astype(np.int8)
    matrix, weight = value[party][:, None], np.ones(2000)
    assert refused(matrix, label, weight, (1,)) == (0,)
    parties = Parties(party, {"value": 1.0})
    assert refused(matrix, label, weight, (1,), parties, ["value"]) == (1,)
    # What really falls is refused still.
    falls = (random.random(2000) < np.linspace(0.9, 0.1, 40)[party]).astype(np.int8)
    assert refused(matrix, falls, weight, (1,), parties, ["value"]) == (0,)


def test_a_shift_between_few_parties_is_no_drift() -> None:
    party = np.repeat(np.arange(40), 50)
    later = party >= 20
    parties = Parties(party, {"office": 1.0, "free": 0.0})
    assert parties.times_chance("office", later) == pytest.approx(50.0)
    assert parties.times_chance("free", later) == pytest.approx(1.0)
    assert significant(0.4, 0.02)
    assert not significant(0.4, 0.02 * parties.times_chance("office", later))
