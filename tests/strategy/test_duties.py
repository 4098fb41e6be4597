"""Duties: what must be done comes before the path's step, and behind guards, in the compiled SQL,
in the terms of proofs and in a plain walk alike."""

from __future__ import annotations

import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from riskseg.rules.action_facts import action_of
from riskseg.rules.model import Strategy
from riskseg.rules.proof_account import Granted
from riskseg.strategy.changes import changes
from riskseg.strategy.described import shown
from riskseg.strategy.editions import Edition
from riskseg.strategy.proof.ask import Asker
from riskseg.strategy.proof.decision import decided as decided_by_terms
from riskseg.strategy.proof.prove import prove
from riskseg.treatment.calendar import calendar_facts
from tests.strategy.test_guards import ALWAYS, KNOWN
from tests.strategy.test_route import AS_OF, FACTS, HEAD, READINGS, accounts, issued, path
from tests.support.accounts import decided
from tests.support.deciding import decide
from tests.support.strategies import read, sound

DUTIES = """\
- {guard: no_letters, when: over_one, never: [letter], instead: sms}
- {contact_rule: letters, of: letter, at_most: 1, in: 7 days}
- {hold: held, when: over_two, unknown: skip}
- duty: support
  when: over_one
  unknown: match
  since: one
  action: [sms, letter]
  within: 10 days
  template: we can help
- {duty: notice, when: not over_two, unknown: skip, since: two, action: letter, within: 5 days}
- {duty: over, when: true, since: one, action: agency, within: 5 days, effective_to: 2026-03-01}
"""
WORKED = ", calendar: {days: [mon, tue, wed, thu, fri]}"
SATURDAY = AS_OF - timedelta(days=2)


def _strategy(folder: Path, seed: int) -> Strategy:
    days = sorted(random.Random(seed).sample(range(-5, 40), 4))  # noqa: S311
    files = {
        "strategy.yaml": HEAD.replace("channel: post", f"channel: post{WORKED}"),
        "segments.yaml": "columns: [over_one]\nrows:\n  - {id: r, match: [any], segment: s}\n",
        "paths.yaml": path("a", *days, first=True, starts="one"),
        "guards.yaml": DUTIES,
    }
    return sound(folder, files, FACTS)


@pytest.mark.parametrize("as_of", [AS_OF, SATURDAY], ids=["monday", "saturday"])
@pytest.mark.parametrize("seed", range(4))
def test_the_sql_the_terms_and_a_plain_walk_agree(seed: int, as_of: date, tmp_path: Path) -> None:
    rng = random.Random(seed)  # noqa: S311
    made = _strategy(tmp_path, seed)
    known: list[dict[str, Any]] = []
    for account in accounts(60, seed):
        facts: dict[str, Any] = {**issued(made, rng.randint(0, 999))}
        facts = {n: min(v, as_of - timedelta(days=1)) if v else v for n, v in facts.items()}
        facts |= calendar_facts(made.facts, as_of)
        for name in made.facts:
            if name.startswith("lawful from ") and rng.random() < 0.3:
                facts[name] = as_of + timedelta(days=rng.randint(0, 4))
            if action_of(name) and rng.random() < 0.5:
                facts[name] = as_of - timedelta(days=rng.randint(1, 40))
        everything = {**dict.fromkeys(made.facts), **facts, **account, "as_of": as_of}
        known.append({n: v for n, v in everything.items() if n in made.facts})
    names = ("step", "due_action", "action", "guards", "template", "next_action", "next_on")
    readings = {
        **READINGS,
        "over_one": lambda facts: facts["over_one"],
        "over_two": lambda facts: facts["over_two"],
        "not over_two": lambda f: None if f["over_two"] is None else not f["over_two"],
        "true": lambda facts: True,
    }
    asked = 0
    found = decided(made, known, as_of, also=["duty"])
    for number, (account, decision) in enumerate(zip(known, found, strict=True)):
        asked += decision["duty"] is not None and decision["action"] != "none"
        expected = decide(made, account, as_of, readings)
        assert {n: decision[n] for n in names} == {n: expected[n] for n in names}, account
        if number < 12:
            terms = decided_by_terms(made, account, ("step", "due_action", "action"))
            assert terms == {n: decision[n] for n in terms}, account
    assert asked > 5


SUPPORT = "duty: support, when: on_plan, since: hold_from, action: [desk, letter], within: 14 days"
OPEN: dict[str, Any] = {**KNOWN, "on_plan": True, "hold_from": AS_OF - timedelta(days=3)}


def _decided(folder: Path, *rules: str, **facts: object) -> dict[str, Any]:
    made = sound(folder, {**ALWAYS, "guards.yaml": "".join(f"- {{{rule}}}\n" for rule in rules)})
    account = {**dict.fromkeys(made.facts), **OPEN, **facts}
    account = {name: value for name, value in account.items() if name in made.facts}
    (row,) = decided(made, [account], AS_OF, also=["duty", "deadline", "due_path", "due_on"])
    return row


DONE_BEFORE, DONE_SINCE = AS_OF - timedelta(days=4), AS_OF - timedelta(days=3)
STATES: dict[str, tuple[dict[str, object], str, str | None]] = {
    "open": ({}, "desk", "support"),
    "done before it began": ({"last issued letter": DONE_BEFORE}, "desk", "support"),
    "done since": ({"last issued letter": DONE_SINCE}, "agency", None),
    "owed no more": ({"on_plan": False}, "agency", None),
    "begins tomorrow": ({"hold_from": AS_OF + timedelta(days=1)}, "agency", None),
    "its date is unknown": ({"hold_from": None}, "agency", None),
}


@pytest.mark.parametrize(("facts", "action", "duty"), STATES.values(), ids=STATES)
def test_a_duty_comes_before_the_step_until_it_is_done(
    facts: dict[str, object], action: str, duty: str | None, tmp_path: Path
) -> None:
    row = _decided(tmp_path, SUPPORT, **facts)
    assert (row["action"], row["duty"]) == (action, duty)
    if duty:
        assert row["deadline"] == AS_OF + timedelta(days=11)
        assert (row["due_path"], row["due_on"], row["step"]) == ("duty support", DONE_SINCE, None)
        # The step that is due today comes tomorrow.
        assert (row["next_action"], row["next_on"]) == ("agency", AS_OF + timedelta(days=1))


def test_guards_and_holds_come_before_a_duty(tmp_path: Path) -> None:
    no_desk = "guard: no_desk, when: true, never: [desk]"
    no_letter = "guard: no_letter, when: true, never: [letter]"
    assert _decided(tmp_path, SUPPORT, no_desk)["action"] == "letter"
    forbidden = _decided(tmp_path, SUPPORT, no_desk, no_letter)
    assert (forbidden["due_action"], forbidden["action"]) == ("desk", "none")
    assert _decided(tmp_path, SUPPORT, "hold: held, when: true")["action"] == "none"


def test_a_step_that_does_what_is_asked_for_is_taken(tmp_path: Path) -> None:
    row = _decided(tmp_path, SUPPORT.replace("desk, letter", "desk, agency"))
    assert (row["action"], row["template"], row["step"]) == ("agency", "t", 1)
    assert (row["duty"], row["deadline"]) == ("support", AS_OF + timedelta(days=11))


def test_of_two_duties_the_one_with_the_earlier_deadline_comes_first(tmp_path: Path) -> None:
    notice = "duty: notice, when: on_plan, since: hold_from, action: sms, within: {} days"
    assert _decided(tmp_path, SUPPORT, notice.format(13))["action"] == "sms"
    assert _decided(tmp_path, SUPPORT, notice.format(14))["action"] == "desk"


def test_its_claims_are_proved(tmp_path: Path) -> None:
    def verdicts(*rules: str) -> dict[str, str]:
        text = "".join(f"- {{{rule}}}\n" for rule in rules)
        made = sound(tmp_path, {**ALWAYS, "guards.yaml": text})
        results = {r.name: r.verdict for r in prove(made, Granted(), Asker())}
        return {name: v for name, v in results.items() if name.startswith("duty")}

    rare = "contact_rule: rare, of: [desk, letter], at_most: 1, in: 30 days"
    assert verdicts(SUPPORT, rare) == {
        "duty-used support": "proved",
        "duty-possible support": "proved",
    }
    silent = "guard: silent, when: is_vulnerable, never: [desk, letter]"
    assert verdicts(SUPPORT, silent)["duty-possible support"] == "refuted"


def test_a_description_has_its_duties(tmp_path: Path) -> None:
    made = sound(tmp_path, {**ALWAYS, "guards.yaml": f"- {{{SUPPORT}}}\n"})
    (duty,) = shown(made, from_data=False).duties
    assert (duty.name, duty.when, duty.since, duty.within) == (
        "support",
        "on_plan",
        "hold_from",
        14,
    )
    assert duty.action == ("desk", "letter")


def test_a_diff_says_what_became_of_a_duty(tmp_path: Path) -> None:
    def edition(rule: str) -> Edition:
        made = sound(tmp_path, {**ALWAYS, "guards.yaml": f"- {{{rule}}}\n"})
        return Edition(made, {}, {})

    sooner = SUPPORT.replace("14 days", "10 days").replace("desk, letter", "letter")
    assert [str(change) for change in changes(edition(SUPPORT), edition(sooner))] == [
        "guards.yaml duty support (line 1): action was [desk, letter], is [letter]",
        "guards.yaml duty support (line 1): within was 14, is 10",
    ]


@pytest.mark.parametrize(
    ("old", "new", "code", "message"),
    [
        ("hold_from", "as_of", "RS229", "another day every day"),
        ("hold_from", "'2026-03-01'", "RS301", "is a date without quotes"),
        ("hold_from", "days_past_due", "RS304", "which is an integer"),
        ("desk, letter", "dsk, letter", "RS209", 'There is no action "dsk".'),
        ("desk, letter", "", "RS005", "has no `action`"),
        ("on_plan", "is_vulnerable", "RS305", "can be unknown"),
        (", within: 14 days", "", "RS005", "has no `within`"),
        ("within: 14 days", "within: 14 days, never: [desk]", "RS003", '"never" does not go'),
    ],
)
def test_what_does_not_go_together_is_a_problem(
    old: str, new: str, code: str, message: str, tmp_path: Path
) -> None:
    rule = f"- {{{SUPPORT.replace(old, new)}}}\n"
    _, problems = read(tmp_path, {**ALWAYS, "guards.yaml": rule})
    assert code in [p.code for p in problems], problems
    assert message in "\n".join(map(str, problems))
