"""The portfolio that responds: paired luck, effects of actions, rows that add up."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from riskseg.synthetic.luck import Keyed
from riskseg.synthetic.responding import Responding, known_action
from riskseg.synthetic.world import Action, Ints

FIRST = date(2026, 1, 1)
NOBODY: Ints = np.empty(0, np.int64)


@pytest.fixture(scope="module")
def portfolio() -> Responding:
    made = Responding(600, 7, date(2025, 1, 1), FIRST, FIRST + timedelta(59))
    made.tables()
    return made


def lived(portfolio: Responding, account: Ints, action: Action, days: int = 60) -> pa.Table:
    """The payments of so many days, the first of which sees an action taken for some accounts."""
    world, payments = portfolio.copy(), []
    for day in range(days):
        world.begin_day()
        whom = account if day == 0 else NOBODY
        world.end_day(whom, np.full(len(whom), action.value))
        payments += [tables["payments"] for tables in world.later()]
    return pa.concat_tables(payments).drop_columns(["payment_id", "reverses"])


def test_luck_follows_from_account_day_and_purpose() -> None:
    luck, everyone = Keyed(7, 0), np.arange(100_000)
    shares = luck.shares(everyone, 3, "reason")
    assert abs(shares.mean() - 0.5) < 0.005
    assert abs(shares.std() - 12**-0.5) < 0.005
    some = everyone[::7]
    assert (luck.shares(some, 3, "reason") == shares[some]).all()
    for other in (
        luck.shares(everyone, 4, "reason"),
        luck.shares(everyone, 3, "part"),
        Keyed(8, 0).shares(everyone, 3, "reason"),
        shares[np.roll(everyone, 1)],
    ):
        assert abs(np.corrcoef(shares, other)[0, 1]) < 0.02
    assert (Keyed(7, 5).shares(everyone[:10], 3, "x") == luck.shares(everyone[5:15], 3, "x")).all()
    numbers = luck.numbers(everyone, 3, "promise", 5, 15)
    assert set(numbers) == set(range(5, 15))


def test_only_those_who_are_called_live_otherwise(portfolio: Responding) -> None:
    called = np.arange(1, 601, 3)
    alone, with_calls = (lived(portfolio, whom, Action.CALL) for whom in (NOBODY, called))
    assert alone != with_calls
    ids = [f"A{n:08d}" for n in called]
    others = [
        table.filter(pc.invert(pc.is_in(table["account_id"], pa.array(ids)))).sort_by(
            [("account_id", "ascending"), ("paid_on", "ascending"), ("amount", "ascending")]
        )
        for table in (alone, with_calls)
    ]
    assert others[0] == others[1]
    assert len(others[0]) > 300


def test_calls_are_answered_by_more_payments(portfolio: Responding) -> None:
    everyone = np.arange(1, 601)
    paid = [
        pc.sum(lived(portfolio, whom, Action.CALL, 30)["amount"]).as_py()
        for whom in (NOBODY, everyone)
    ]
    assert paid[1] > paid[0]


@pytest.mark.parametrize(
    ("name", "channel", "known"),
    [
        ("call", "desk", Action.CALL),
        ("reminder", "post", Action.LETTER),
        ("email", "email", None),
    ],
)
def test_what_an_action_of_a_strategy_is(name: str, channel: str, known: Action | None) -> None:
    assert known_action(name, channel) is known
