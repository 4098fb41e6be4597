"""What an analyst asks of the bins holds in the card, for both forms."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest

from riskseg.domain.facts import Fact, Kind
from riskseg.learning.scorecard import classic
from riskseg.learning.scorecard.additive import fit_additive
from riskseg.learning.scorecard.classic import fit_classic
from riskseg.learning.scorecard.controls import Controls, coarser
from riskseg.learning.scorecard.edits import Edit
from riskseg.learning.scorecard.optimal import load_optbinning
from riskseg.learning.scorecard.tables import Scorecard, Table
from riskseg.learning.split import folds_by_party

FACTS = (
    Fact("income", Kind.NUMBER, nullable=True),
    Fact("late", Kind.INTEGER, direction=1),
    Fact("wave", Kind.NUMBER),
    Fact("region", Kind.TEXT),
)
ROWS = 3_000
Fit = Callable[..., tuple[Scorecard, Any, Any]]


def portfolio() -> tuple[pd.DataFrame, Any]:
    random = np.random.default_rng(4)
    table = pd.DataFrame(
        {
            "income": random.gamma(3.0, 900.0, ROWS).round(-1),
            "late": random.poisson(1.2, ROWS).astype(float),
            "wave": random.uniform(0, 6, ROWS).round(2),
            "region": random.choice([f"r{n}" for n in range(9)], ROWS).astype(object),
        }
    )
    odds = (
        -1.6
        - 0.0006 * (table.income - 2700)
        + 0.5 * table.late
        + 1.3 * np.cos(2 * table.wave)
        + 0.25 * table.region.str[1:].astype(int)
        - 1.0
    )
    label = (random.random(ROWS) < 1 / (1 + np.exp(-odds.to_numpy()))).astype(np.int8)
    table.loc[random.random(ROWS) < 0.04, "income"] = np.nan
    return table, label


TABLE, LABEL = portfolio()
GROUP = np.array([f"P{n}" for n in range(ROWS)], dtype=object)


@pytest.fixture(autouse=True)
def few_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classic, "CUTTING", classic.CUTTING[-2:])
    monkeypatch.setattr(classic, "WEIGHING", classic.WEIGHING[-1:])


FREE = Controls()


def card_of(fit: Fit, controls: Controls = FREE, **more: Any) -> Scorecard:
    folds = folds_by_party(GROUP, 2, 1)
    weight = np.ones(ROWS)
    return fit(TABLE, LABEL, weight, FACTS, folds, controls=controls, **more)[0]


def table_of(card: Scorecard, name: str) -> Table:
    return next(table for table in card.tables if table.bins.name == name)


def along(table: Table) -> int:
    """Bins along the value or the levels: neither other levels nor nulls."""
    return len(table.bins.cuts) + 1


def shares(table: Table) -> Any:
    return np.array(table.counts[: along(table)]) / sum(table.counts)


def rises(table: Table) -> set[bool]:
    """Whether points rise from one bin to the next."""
    points = table.points[: along(table)]
    return {high > low for low, high in pairwise(points) if high != low}


@pytest.mark.parametrize("fit", [fit_classic, fit_additive])
def test_the_most_bins_and_the_least_share(fit: Fit) -> None:
    free = card_of(fit)
    assert max(along(table) for table in free.tables) > 4
    assert min(shares(table).min() for table in free.tables) < 0.08
    edits = {"wave": Edit(max_bins=6, min_bin_share=0.02), "late": Edit(max_bins=2)}
    card = card_of(fit, Controls(4, 0.08, edits=edits))
    for table in card.tables:
        name = table.bins.name
        most = {"wave": 6, "late": 2}.get(name, 4)
        assert 2 <= along(table) <= most, name
        assert shares(table).min() >= (0.02 if name == "wave" else 0.08), name
    assert along(table_of(card, "wave")) > 4  # the exception is used


@pytest.mark.parametrize("fit", [fit_classic, fit_additive])
def test_shapes(fit: Fit) -> None:
    more: dict[str, Any] = {"most_pairs": 0} if fit is fit_additive else {}
    assert rises(table_of(card_of(fit, **more), "wave")) == {True, False}
    always = card_of(fit, Controls(monotone="always"), **more)
    for name in ("income", "late", "wave"):
        assert len(rises(table_of(always, name))) == 1, name
    assert rises(table_of(always, "late")) == {False}  # as declared
    up = card_of(fit, Controls(edits={"wave": Edit(monotone="increasing")}), **more)
    down = card_of(fit, Controls(edits={"wave": Edit(monotone="decreasing")}), **more)
    for card, sign in ((up, False), (down, True)):
        assert [rises(t) for t in card.tables if t.bins.name == "wave"] in ([], [{sign}])


def test_any_shape_at_all() -> None:
    """Left to itself a classic bad rate turns once; `none` lets it turn as often as it does."""

    def turns(table: Table) -> int:
        steps = np.sign(np.diff(np.array(table.points[: along(table)])))
        return int((np.diff(steps[steps != 0]) != 0).sum())

    assert turns(table_of(card_of(fit_classic), "wave")) <= 1
    free = card_of(fit_classic, Controls(monotone="none"))
    assert turns(table_of(free, "wave")) >= 2


def test_left_out_of_an_additive_card() -> None:
    card = card_of(fit_additive, Controls(edits={"wave": Edit(drop=True)}))
    assert "wave" not in card.features
    assert card.dropped["wave"] == "left out by hand"


def test_coarser_bins_are_the_cheapest_of_all() -> None:
    from itertools import combinations

    random = np.random.default_rng(2)
    rows = random.integers(1, 30, 7).astype(float)
    cost = random.random((8, 8))
    for most, least in ((3, 0.0), (3, 40.0), (7, 25.0), (1, 0.0), (7, 1e9)):
        reported = []
        for many in range(most):
            for begins in combinations(range(1, 7), many):
                ends = [*begins, 7]
                runs = list(zip([0, *begins], ends, strict=True))
                if all(rows[i:j].sum() >= least for i, j in runs):
                    reported.append((sum(cost[i, j] for i, j in runs), [0, *begins]))
        assert coarser(cost, rows, most, least) == (min(reported)[1] if reported else [0])


def trend(fact: Fact) -> str:
    return {1: "ascending", -1: "descending", 0: "auto"}[fact.direction]


def test_the_bins_of_optbinning() -> None:
    """Its own cuts and groups, to the last digit; the weights and the points are ours."""
    optbinning = load_optbinning()
    card = card_of(fit_classic, Controls(optimal=True))
    assert not [note for note in card.notes if "optbinning" in note]
    for fact in FACTS:
        table = table_of(card, fact.name)
        textual = fact.kind is Kind.TEXT
        theirs = optbinning.OptimalBinning(
            dtype="categorical" if textual else "numerical",
            monotonic_trend="ascending" if textual else trend(fact),
        ).fit(TABLE[fact.name].to_numpy(), LABEL)
        if textual:
            assert table.bins.levels is not None
            ours = [set(b["levels"]) for b in table.bins.described() if "levels" in b]
            assert ours == [set(group) for group in theirs.splits]
        else:
            assert list(table.bins.cuts) == list(theirs.splits)
        assert table.woe is not None
    again = card_of(fit_classic, Controls(optimal=True), threads=3)
    assert again.as_json() == card.as_json()


def test_optbinning_within_bounds() -> None:
    edits = {"wave": Edit(monotone="increasing"), "income": Edit(specials=(2700,), max_bins=5)}
    card = card_of(fit_classic, Controls(3, 0.1, optimal=True, edits=edits))
    for table in card.tables:
        if table.bins.name != "income":
            assert along(table) <= 3
            assert shares(table).min() >= 0.1
        assert table.bins.name != "wave" or rises(table) == {False}
    assert 2700.0 in table_of(card, "income").bins.cuts


def test_where_optbinning_fails_the_bins_are_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    optbinning = load_optbinning()

    def fail(*_: object, **__: object) -> None:
        raise ValueError("no bins today")

    monkeypatch.setattr(optbinning.OptimalBinning, "fit", fail)
    card = card_of(fit_classic, Controls(optimal=True))
    assert "late: optbinning cannot bin it (no bins today); these bins are riskseg's" in card.notes
    assert {table.bins.name for table in card.tables} >= {"late", "income"}
