"""Whatever things are called, a strategy decides what its files say, and what is proved is true."""

from __future__ import annotations

from typing import Any

import pytest

from riskseg.rules.proof_account import Granted
from riskseg.strategy.proof.ask import Asker
from riskseg.strategy.proof.prove import prove
from tests.support.accounts import decided
from tests.support.deciding import decide
from tests.support.hostile import AS_OF, Made, hostile_strategy
from tests.support.sampled import one_in

NAMES = ("segment", "path", "path_day", "step", "action", "channel", "template")
NAMES = (*NAMES, "next_action", "next_on", "guards", "rows_matched")


def agree(seed: int, most: int) -> None:
    made = hostile_strategy(seed)
    accounts = list(made.accounts())
    accounts = accounts[:: max(1, len(accounts) // most)]
    own = [*(b.name for b in made.strategy.bands), *(s.name for s in made.strategy.schemes)]
    for account, found in zip(accounts, decided(made.strategy, accounts, AS_OF), strict=True):
        expected = decide(made.strategy, account, AS_OF, made.readings)
        assert {n: found[n] for n in (*own, *NAMES)} == {n: expected[n] for n in (*own, *NAMES)}


@pytest.mark.parametrize("seed", one_in(5, range(120)))
def test_the_engine_and_a_plain_interpreter_agree(seed: int) -> None:
    agree(seed, 60)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_they_agree_on_a_thousand(block: int) -> None:
    for seed in range(1_000 + 100 * block, 1_100 + 100 * block):
        agree(seed, 200)


def verdicts(made: Made) -> dict[str, bool]:
    """What each claim is worth, by deciding every account there can be."""
    strategy = made.strategy
    seen = []
    for account in made.accounts():
        decision = decide(strategy, account, AS_OF, made.readings)
        seen.append({**account, **decision})
    found: dict[str, bool] = {}
    for name, (_, reading) in made.properties.items():
        found[f"declared {name}"] = all(reading(s) is True for s in seen)
    for guard in strategy.guards:

        def holds(s: dict[str, Any], guard: Any = guard) -> bool:
            value = made.readings[guard.when.expression.text](s)
            return bool(guard.when.unknown if value is None else value)

        claim = "hold-stops" if guard.kind == "hold" else "guard-holds"
        found[f"{claim} {guard.name}"] = not any(
            holds(s) and s["action"] in guard.never for s in seen
        )
        found[f"guard-used {guard.name}"] = any(map(holds, seen))
    matched = {s["rows_matched"].rsplit("segments#", 1)[1] for s in seen}
    for row in strategy.rows:
        found[f"row-reached segments {row.id}"] = row.id in matched
    on = {s["path"] for s in seen}
    by_segment = {p.name: {s["segment"] for s in seen} & set(p.segments) for p in strategy.paths}
    for path in strategy.paths:
        found[f"path-reached {path.name}"] = path.name in on or bool(by_segment[path.name])
        for number, step in enumerate(path.steps, start=1):
            taken = any(
                (s["path"], s["step"], s["action"]) == (path.name, number, step.action)
                and not _replaced(s)
                for s in seen
            )
            found[f"step-taken {path.name} day {step.day} {step.action}"] = taken
    return found


def _replaced(seen: dict[str, Any]) -> bool:
    """An action that a guard put in the place of another has no template."""
    return seen["template"] is None


def compare(seed: int) -> int:
    made = hostile_strategy(seed)
    results = {
        r.name: r.verdict
        for r in prove(made.strategy, Granted(begins=AS_OF, ends=AS_OF), Asker(10.0))
    }
    expected = verdicts(made)
    assert set(expected) <= set(results), set(expected) - set(results)
    for name, true in expected.items():
        assert results[name] == ("proved" if true else "refuted"), name
    return len(expected)


@pytest.mark.parametrize("seed", one_in(3, range(30)))
def test_what_is_proved_holds_of_every_account_there_can_be(seed: int) -> None:
    assert compare(seed) > 4


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2_000, 2_300))
def test_many_verdicts_hold(seed: int) -> None:
    compare(seed)
