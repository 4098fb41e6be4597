"""The truth beside the data is the truth: what it says is what the data do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pytest

from riskseg.synthetic import generate, world
from tests.synthetic.measure import Shape

SEEDS = (1, 2, 3)
UNTIL = date(2026, 3, 31)


def truth(shape: Shape, name: str) -> np.ndarray:
    return shape.tables["truth"][name].to_numpy(zero_copy_only=False)


@pytest.mark.slow
def test_the_chance_of_missing_a_bill_is_what_accounts_do(
    shape_of: Callable[[int], Shape],
) -> None:
    """Bills out of shock, of accounts that owed nothing before: the share unpaid two weeks after
    due grows with the stated chance, and no more are unpaid than it says were missed."""
    said, seen = [], []
    for shape in map(shape_of, SEEDS):
        owner, due = shape.owner_of_bill, shape.due
        start, end = (shape.day(shape.tables["truth"][f"shock_{w}"]) for w in ("from", "until"))
        calm = (due < start[owner]) | (due > end[owner])
        known, unpaid = shape.unpaid(1)
        before = shape.overdue[owner, np.maximum(np.minimum(due, shape.days - 1) - 15, 0)]
        counted = calm & known & (due > 30) & (before <= 0) & shape.live[owner, due * known]
        said.append(truth(shape, "miss_probability")[owner[counted]])
        seen.append((unpaid & shape.unpaid(14)[1])[counted])
    chance, missed = np.concatenate(said), np.concatenate(seen)
    tenths = np.searchsorted([0.02, 0.06, 0.15, 0.30], chance)
    rates = np.array([missed[tenths == t].mean() for t in range(5)])
    stated = np.array([chance[tenths == t].mean() for t in range(5)])
    assert (np.diff(rates) > 0).all(), rates
    # Some who missed it pay within two weeks.
    assert (rates < 1.1 * stated + 0.01).all(), (rates, stated)
    assert (rates[2:] > 0.45 * stated[2:]).all(), (rates, stated)


@pytest.mark.slow
def test_shocks_raise_missing_and_pass(shape_of: Callable[[int], Shape]) -> None:
    rates = {"before": [0, 0], "within": [0, 0], "long after": [0, 0]}
    for shape in map(shape_of, SEEDS):
        start, end = (shape.day(shape.tables["truth"][f"shock_{w}"]) for w in ("from", "until"))
        able = truth(shape, "type") == "can_pay_will_pay"
        owner, due = shape.owner_of_bill, shape.due
        known, unpaid = shape.unpaid(14)
        hit = known & able[owner] & (start[owner] < 10**6)
        for when, these in {
            "before": due < start[owner],
            "within": (due >= start[owner]) & (due <= end[owner]),
            "long after": due > end[owner] + 120,
        }.items():
            rates[when][0] += int(unpaid[hit & these].sum())
            rates[when][1] += int((hit & these).sum())
    share = {when: bad / of for when, (bad, of) in rates.items()}
    assert share["within"] > 3 * share["before"]
    assert share["long after"] < 0.5 * share["within"]


def test_what_helps_depends_on_why(shape_of: Callable[[int], Shape]) -> None:
    """Reminders suit the forgetful, support the strapped, firmness the unwilling."""
    shape = shape_of(1)
    kind = truth(shape, "type")
    uplift = {a: truth(shape, f"uplift_{a}") for a in world.ACTIONS}
    assert all((u > 0).all() and (u < 1).all() for u in uplift.values())
    means = {t.name: {a: u[kind == t.name].mean() for a, u in uplift.items()} for t in world.TYPES}
    assert means["forgetful"]["sms"] > 2 * means["crisis"]["sms"]
    assert max(means["crisis"], key=means["crisis"].__getitem__) == "support_review"
    assert means["strategic"]["final_notice"] > 1.5 * means["strategic"]["sms"]
    frail = truth(shape, "truly_vulnerable")
    forgets = kind == "forgetful"
    assert uplift["letter"][forgets & frail].mean() < uplift["letter"][forgets & ~frail].mean()


@pytest.mark.slow
def test_left_alone_at_random_the_forgetful_pay_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reminder goes out seven days after due and works for a fortnight: of the bills that the
    forgetful have not paid by day 13, more are paid by day 20 than in the control arm. The arms
    are halves here, for a twentieth would show noise. Over seeds the gap is 0.036, give or take
    0.005; without the response it is 0.004, likewise."""
    monkeypatch.setattr(world, "ARM_SHARES", (0.5, 0.5, 0.0))
    portfolio = generate(10_000, 24, 1, until=UNTIL)
    shape = Shape(portfolio.tables(), portfolio.since, portfolio.until)
    owner = shape.owner_of_bill
    control = shape.tables["accounts"]["trial_arm"].to_numpy(zero_copy_only=False) == "control"
    known, still = shape.unpaid(20)
    asked = shape.unpaid(13)[1] & known & (truth(shape, "type") == "forgetful")[owner]
    gap = still[asked & control[owner]].mean() - still[asked & ~control[owner]].mean()
    assert gap > 0.02


def test_hardship_differs_by_region(shape_of: Callable[[int], Shape]) -> None:
    ability, region = [], []
    for shape in map(shape_of, SEEDS):
        ability.append(truth(shape, "ability"))
        region.append(shape.tables["accounts"]["region"].to_numpy(zero_copy_only=False))
    able, where = np.concatenate(ability), np.concatenate(region)
    assert able[where == "coast"].mean() < able[where == "south"].mean() - 0.02
