"""Holds from events: the compiled SQL, the terms of proofs and a plain walk agree."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from riskseg.domain.facts import Fact, Kind
from riskseg.rules.proof_account import Granted
from riskseg.strategy.proof.ask import Asker
from riskseg.strategy.proof.decision import decided as decided_by_terms
from riskseg.strategy.proof.prove import prove
from tests.strategy.test_guards import ALWAYS
from tests.strategy.test_route import AS_OF, FACTS, HEAD, READINGS, accounts, path
from tests.support.accounts import decided
from tests.support.deciding import decide
from tests.support.strategies import read, sound

GUARDS = """\
- {hold: complaint_open, event: complaint}
- {hold: breathing, event: hold, clock: stops}
- {hold: disputed, event: dispute, clock: stops}
- {hold: promised, event: promise, clock: stops}
- {hold: planned, event: plan}
"""


@pytest.mark.parametrize("seed", range(6))
def test_the_sql_the_terms_and_a_plain_walk_agree(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)  # noqa: S311
    days = sorted(rng.sample(range(-5, 25), 4))
    gone_on_to = sorted(rng.sample(range(12), 2))
    files = {
        "strategy.yaml": HEAD,
        "segments.yaml": "columns: [over_one]\nrows:\n  - {id: r, match: [any], segment: s}\n",
        "paths.yaml": path("a", *days, first=True, starts=rng.choice(["one", "one - 1"]), then="b")
        + path("b", *gone_on_to, starts="two", due_for=rng.choice([None, 3])),
        "guards.yaml": GUARDS,
    }
    made = sound(tmp_path, files, FACTS)
    known: list[dict[str, Any]] = []
    for account in accounts(60, seed):
        facts = {name: _state(fact, rng) for name, fact in made.facts.items()}
        known.append({n: v for n, v in {**facts, **account}.items() if n in made.facts})
    names = ("path", "path_day", "step", "action", "guards", "next_action", "next_on")
    for number, (account, decision) in enumerate(
        zip(known, decided(made, known, AS_OF), strict=True)
    ):
        expected = decide(made, account, AS_OF, READINGS)
        assert {n: decision[n] for n in names} == {n: expected[n] for n in names}, account
        if number < 12:
            outcome = ("path", "path_day", "step", "action")
            terms = decided_by_terms(made, account, outcome)
            assert terms == {n: decision[n] for n in outcome}, account


def _state(fact: Fact, rng: random.Random) -> object:
    match fact.kind:
        case Kind.BOOLEAN:
            return rng.random() < 0.15
        case Kind.INTEGER:
            return rng.choice([0, 0, 1, 4, 30])
    return AS_OF - timedelta(days=rng.randint(1, 60)) if rng.random() < 0.3 else None


def test_it_is_proved_that_nothing_is_done_while_it_lasts(tmp_path: Path) -> None:
    made = sound(tmp_path, {**ALWAYS, "guards.yaml": GUARDS})
    verdicts = {r.name: r.verdict for r in prove(made, Granted(), Asker())}
    assert verdicts["hold-stops breathing"] == "proved"
    assert verdicts["guard-used breathing"] == "proved"


@pytest.mark.parametrize(
    ("entry", "code", "message"),
    [
        ("{hold: h}", "RS005", 'The hold "h" has no `when`.'),
        ("{hold: h, event: complaints}", "RS201", 'Did you mean "complaint"?'),
        ("{hold: h, event: complaint, when: true}", "RS003", "a condition besides"),
        ("{hold: h, event: complaint, unknown: skip}", "RS003", "a condition besides"),
        ("{hold: h, when: true, clock: stops}", "RS003", "goes with `event`"),
        (
            "{hold: h, event: hold, clock: stops, effective_to: 2026-03-02}",
            "RS003",
            "no effective dates",
        ),
    ],
)
def test_what_does_not_go_together_is_a_problem(
    entry: str, code: str, message: str, tmp_path: Path
) -> None:
    _, problems = read(tmp_path, {**ALWAYS, "guards.yaml": f"- {entry}\n"})
    assert [p.code for p in problems] == [code]
    assert message in str(problems[0])


def test_the_clock_of_a_path_that_starts_on_no_date_cannot_stop(tmp_path: Path) -> None:
    paths = (
        "all: {for: [all], starts: 'coalesce(hold_from, as_of - 1)', "
        "steps: [{day: 0, action: sms}], stay: deliberately}"
    )
    files = {**ALWAYS, "paths.yaml": f"{paths}\n", "guards.yaml": GUARDS}
    _, problems = read(tmp_path, files)
    assert "RS208" in [p.code for p in problems]
