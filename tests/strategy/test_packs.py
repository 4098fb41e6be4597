"""Guard packs: what is shipped holds by its own examples, and becomes guards over own actions."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problem, Problems
from riskseg.engine import DuckDB
from riskseg.pipeline.strategies import run_examples
from riskseg.rules.action_facts import last_issued_fact
from riskseg.rules.holding import nothing_held
from riskseg.rules.model import PackExample, Strategy
from riskseg.strategy import authored as authored_module
from riskseg.strategy.authored import read_strategy
from riskseg.strategy.kinds import Included
from riskseg.strategy.packs import KINDS, shipped_packs
from tests.support.accounts import decided
from tests.support.strategies import FACTS, SMALL, read, sound

WINTER = date(2026, 1, 15)
DAY = timedelta(days=1)
SHIPPED = ("au-energy", "gb-energy", "gb-water", "set-apart", "us-collections")
# One action of every kind, the mildest first.
ORDER = ["support", *(kind for kind in KINDS if kind not in ("support", "contact"))]
ACTIONS = "".join(f"  - {{name: do_{k}, channel: x, means: {k}}}\n" for k in ORDER)
EVERY = {
    **SMALL,
    "strategy.yaml": f"name: every\npurpose: packs\nowner: tests\nactions:\n{ACTIONS}",
    "tiers.yaml": "all: [{tier: all, otherwise: true}]\n",
    "segments.yaml": "columns: [all]\nrows: [{id: rest, match: [any], segment: all}]\n",
    "paths.yaml": "all: {for: [all], starts: as_of, steps: [{day: 0, action: do_disconnection}]}\n",
    "examples.yaml": "{}\n",
}


def including(*names: str, **files: str) -> dict[str, str]:
    entries = "".join(f"- include: {name}\n" for name in names)
    return {**EVERY, "guards.yaml": entries, **{f"{n}.yaml": t for n, t in files.items()}}


def missed(strategy: Strategy) -> list[Problem]:
    problems = Problems()
    with DuckDB(threads=1) as engine:
        run_examples(engine, strategy, WINTER, problems)
    return list(problems)


def with_examples(strategy: Strategy, examples: tuple[PackExample, ...]) -> Strategy:
    """The strategy with other examples of its one pack."""
    (pack,) = strategy.of(Included)
    return replace(
        strategy, rules=(*strategy.guards, *strategy.duties, replace(pack, examples=examples))
    )


def test_these_are_shipped() -> None:
    assert tuple(shipped_packs()) == SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_pack_holds_by_its_own_examples(name: str, tmp_path: Path) -> None:
    strategy = sound(tmp_path, including(name))
    (pack,) = strategy.of(Included)
    assert pack.idle == ()
    assert pack.applying == tuple(rule.name for rule in (*strategy.guards, *strategy.duties))
    assert {e.guard for e in pack.examples} == set(pack.applying)
    assert missed(strategy) == []
    assert "no legal advice" in pack.note
    assert pack.not_covered
    assert all(rule.source for rule in (*strategy.guards, *strategy.duties))


@pytest.mark.parametrize("name", SHIPPED)
def test_what_is_unknown_protects_but_for_what_is_counted(name: str, tmp_path: Path) -> None:
    """A breathing space without dates is none, and contacts that nobody tells of are none."""
    strategy = sound(tmp_path, including(name))
    nothing = tuple(
        PackExample(
            g.name,
            "nothing known",
            g.when.expression.type.nullable and g.kind not in ("hold", "contact_rule"),
            {"as_of": max(WINTER, g.effective_from or WINTER)},
            "",
            n,
        )
        for n, g in enumerate(strategy.guards)
    )
    assert missed(with_examples(strategy, nothing)) == []


@pytest.mark.parametrize("name", SHIPPED)
def test_an_example_turned_round_is_reported(name: str, tmp_path: Path) -> None:
    strategy = sound(tmp_path, including(name))
    (pack,) = strategy.of(Included)
    turned = tuple(replace(e, forbidden=not e.forbidden) for e in pack.examples)
    reported = missed(with_examples(strategy, turned))
    assert [p.code for p in reported] == ["RS211"] * len(turned)
    assert [p.line for p in reported] == [e.line for e in turned]


@pytest.mark.parametrize(
    ("given", "action", "guards"),
    [
        ({"is_dwelling": True}, "do_support", "gb-water.homes_are_not_cut_off"),
        ({"is_dwelling": None}, "do_support", "gb-water.homes_are_not_cut_off?"),
        ({"is_dwelling": False}, "do_disconnection", ""),
        (
            {"is_dwelling": False, "breathing_space_until": None},
            "none",
            "gb-water.breathing_space_dates",
        ),
        (
            {"is_dwelling": False, "breathing_space_until": date(2026, 1, 15)},
            "none",
            "gb-water.breathing_space_dates",
        ),
        (
            {"is_dwelling": False, "breathing_space_until": date(2026, 1, 14)},
            "do_disconnection",
            "",
        ),
        (
            {"is_dwelling": False, "lasting breathing_space": True},
            "none",
            "gb-water.breathing_space",
        ),
    ],
)
def test_a_pack_guards_decisions(
    given: dict[str, Any], action: str, guards: str, tmp_path: Path
) -> None:
    strategy = sound(tmp_path, including("gb-water"))
    ended = date(2026, 1, 10)
    known = {"breathing_space_from": date(2026, 1, 1), "breathing_space_until": ended}
    nothing = {n: None for n in strategy.facts} | nothing_held(strategy.facts)
    account = nothing | {"as_of": WINTER} | known | given
    (decision,) = decided(strategy, [account], WINTER)
    reported = decision["guards"].split(";")
    assert decision["action"] == action
    # One fact, two rules: a home has no flow limiter either.
    assert [g for g in reported if g and "flow" not in g] == ([guards] if guards else [])


@pytest.mark.parametrize(
    ("given", "due", "next_on"),
    [
        ({}, "do_disconnection", None),
        ({"payments_missed_on": WINTER}, "do_support", WINTER + DAY),
        ({"payments_missed_on": WINTER - 20 * DAY}, "do_support", WINTER + DAY),
        ({"payments_missed_on": WINTER + DAY}, "do_disconnection", None),
        (
            {"payments_missed_on": WINTER - DAY, "action do_support": WINTER - DAY},
            "do_disconnection",
            None,
        ),
    ],
)
def test_a_duty_of_a_pack_comes_before_the_step(
    given: dict[str, Any], due: str, next_on: date | None, tmp_path: Path
) -> None:
    """From the day on which payments were missed until it is met, also past its deadline."""
    strategy = sound(tmp_path, including("gb-energy"))
    (duty,) = strategy.duties
    assert (duty.actions, duty.days_within, duty.line) == (("do_support",), 14, 1)
    given = {last_issued_fact("do_support") if " " in n else n: v for n, v in given.items()}
    nothing = {n: None for n in strategy.facts} | nothing_held(strategy.facts)
    owing = nothing | {"as_of": WINTER, "days_past_due": 40, "lifecycle": "live"}
    (decision,) = decided(strategy, [owing | given], WINTER)
    assert (decision["due_action"], decision["next_on"]) == (due, next_on)


def test_a_duty_that_no_action_meets_is_reported(tmp_path: Path) -> None:
    head = EVERY["strategy.yaml"].replace(
        "  - {name: do_support, channel: x, means: support}\n", ""
    )
    strategy = sound(tmp_path, including("gb-energy", strategy=head))
    assert strategy.duties == ()
    assert strategy.of(Included)[0].idle == (("contact_after_missed_payments", ("support",)),)


# Kinds of actions, and what becomes of homes_are_not_cut_off: forbidden, instead.
@pytest.mark.parametrize(
    ("actions", "never", "instead"),
    [
        ("{name: cut, channel: x, means: disconnection}", {"cut"}, None),
        ("{name: disconnection, channel: x}", {"disconnection"}, None),
        ("{name: disconnection, channel: x, means: letter}", None, None),
        ("{name: cut, channel: x}", None, None),
        (
            "{name: a, channel: x, means: support}\n  - {name: b, channel: x, means: support}\n"
            "  - {name: cut, channel: x, means: [visit, disconnection]}\n"
            "  - {name: valve, channel: x, means: disconnection}",
            {"cut", "valve"},
            "a",
        ),
        # Not what is harsher than something forbidden, nor what is forbidden itself.
        (
            "{name: cut, channel: x, means: [support, disconnection]}\n"
            "  - {name: support, channel: x}",
            {"cut"},
            None,
        ),
    ],
)
def test_kinds_become_actions(
    actions: str, never: set[str] | None, instead: str | None, tmp_path: Path
) -> None:
    head = EVERY["strategy.yaml"].replace(ACTIONS, f"  - {actions}\n")
    paths = "all: {for: [all], starts: as_of}\n"
    strategy = sound(tmp_path, including("gb-water", strategy=head, paths=paths))
    by_name = {g.name: g for g in strategy.guards}
    guard = by_name.get("gb-water.homes_are_not_cut_off")
    if never is None:
        assert guard is None
        assert ("homes_are_not_cut_off", ("disconnection",)) in strategy.of(Included)[0].idle
        assert not any("homes" in e.guard for e in strategy.of(Included)[0].examples)
    else:
        assert guard is not None
        assert (guard.never, guard.instead, guard.line) == (never, instead, 1)
    assert by_name["gb-water.breathing_space"].never == {a.name for a in strategy.actions}


def test_actions_that_make_contact_are_of_that_kind(tmp_path: Path) -> None:
    head = EVERY["strategy.yaml"].replace("means: legal}", "means: legal, contact: true}")
    own = OWN.replace("never: [visit]", "never: [contact]")
    (tmp_path / "packs").mkdir()
    files = including("own", strategy=head) | {"packs/own.yaml": own}
    reaching = {f"do_{k}" for k in ("visit", "call", "automated_call", "text", "email", "letter")}
    assert sound(tmp_path, files).guards[0].never == reaching | {"do_legal"}


def test_a_rule_about_calls_is_about_those_a_machine_makes(tmp_path: Path) -> None:
    """Whatever the action is called: the kinds have names of their own."""
    head = EVERY["strategy.yaml"].replace("do_automated_call", "robo")
    strategy = sound(tmp_path, including("us-collections", strategy=head))
    by_name = {g.name: g.never for g in strategy.guards}
    assert by_name["us-collections.seven_calls_in_seven_days"] == {"do_call", "robo"}
    assert by_name["us-collections.consent_to_automated_calls"] == {"robo"}


OWN = """\
pack: own
title: t
for: tests
note: n
not_covered: []
expects: {age: {type: integer, else: unknown}}
rules:
  - guard: old
    when: age >= 80
    never: [visit]
    source: a book
    effective_from: 2026-01-15
    examples:
      - {forbidden: at 80, given: {age: 80}}
      - {allowed: at 79, given: {age: 79}}
      - {allowed: before the rule, given: {age: 80, as_of: 2026-01-14}}
"""


HOURS = """\
pack: own
title: t
for: tests
note: n
not_covered: []
expects: {timezone: {type: text, else: unknown}}
rules:
  - contact_rule: daytime
    of: call
    hours: {from: 08:00, to: 21:00, days: [mon, tue, wed, thu, fri]}
    zone: timezone
    zones: [US]
    source: a book
    examples:
      - {forbidden: on a Sunday, given: {as_of: 2026-03-01, timezone: America/Chicago}}
      - {allowed: on a Monday, given: {as_of: 2026-03-02, timezone: America/Chicago}}
      - {allowed: wherever in the country, given: {as_of: 2026-03-02}}
      - {forbidden: two days before it is, given: {as_of: 2026-03-02, days_until_hours: 2}}
  - contact_rule: christmas
    of: letter
    quiet: {from: 12-24, to: 12-26}
    source: a book
    examples:
      - {forbidden: on its last day, given: {as_of: 2026-12-26}}
      - {allowed: on the day after, given: {as_of: 2026-12-27}}
"""


def with_own(folder: Path, text: str = OWN, **files: str) -> tuple[Strategy | None, list[Problem]]:
    (folder / "packs").mkdir()
    return read(folder, including("own", **files) | {"packs/own.yaml": text})


def test_an_own_pack_is_used_and_its_dates_count(tmp_path: Path) -> None:
    strategy, problems = with_own(tmp_path)
    assert strategy is not None, problems
    assert strategy.of(Included)[0].applying == ("own.old",)
    assert missed(strategy) == []
    (guard,), packs = strategy.guards, strategy.of(Included)
    late = replace(guard, effective_from=date(2026, 1, 16))
    reported = missed(replace(strategy, rules=(late, *packs)))
    assert [(p.code, p.file, p.line) for p in reported] == [("RS211", "rules/packs/own.yaml", 14)]


def test_a_pack_may_say_hours_and_quiet_periods(tmp_path: Path) -> None:
    strategy, problems = with_own(tmp_path, HOURS)
    assert strategy is not None, problems
    assert missed(strategy) == []
    wrong = HOURS.replace(
        "on the day after, given: {as_of: 2026-12-27}", "x, given: {as_of: 2026-12-24}"
    )
    (tmp_path / "packs" / "own.yaml").write_text(wrong, encoding="utf-8")
    strategy, _ = read(tmp_path, {})
    assert strategy is not None
    assert [p.code for p in missed(strategy)] == ["RS211"]


@pytest.mark.parametrize(
    ("old", "new", "code", "at"),
    [
        ("pack: own", "pack: other", "RS221", "pack: other"),
        ("note: n\n", "", "RS005", "pack: own"),
        ("age >= 80", "agee >= 80", "RS303", "agee"),
        ("[visit]", "[vist]", "RS201", "- guard"),
        ("never: [visit]", "never: [visit]\n    instead: suport", "RS201", "- guard"),
        ("    source: a book\n", "", "RS005", "- guard"),
        ("  - {allowed: at 79, given: {age: 79}}\n", "  - {given: {age: 79}}\n", "RS005", "79"),
        ("{age: 79}", "{agee: 79}", "RS201", "agee"),
        ("forbidden: at", "allowed: at", "RS005", "- guard"),
        ("- guard: old", "- prove: age > 80", "RS004", "- prove"),
        ("- guard: old", "- duty: old", "RS005", "- duty"),
        ("never: [visit]", "of: visit", "RS003", "of: visit"),
        ("else: unknown", "else: many", "RS004", "else: many"),
        ("effective_from: 2026-01-15", "effective_from: today", "RS004", "today"),
    ],
)
def test_a_fault_in_a_pack_is_reported_at_its_line(
    old: str, new: str, code: str, at: str, tmp_path: Path
) -> None:
    text = OWN.replace(old, new, 1)
    assert text != OWN
    strategy, problems = with_own(tmp_path, text)
    assert strategy is None
    line = next(n for n, t in enumerate(text.splitlines(), start=1) if at in t)
    places = [(p.code, p.file, p.line) for p in problems]
    assert (code, "rules/packs/own.yaml", line) in places, problems


@pytest.mark.parametrize(
    ("guards", "code", "line", "says"),
    [
        ("- include: gb-watr\n", "RS221", 1, 'Did you mean "gb-water"?'),
        ("- include: gb-water\n- include: gb-water\n", "RS202", 2, "twice. Remove one"),
        ("- include: ../x\n", "RS004", 1, "include"),
        ("- include: gb-water\n  never: [x]\n", "RS003", 2, "never"),
        ("- include: gb-water\n  without: [homes_are_not_cut_off]\n", "RS005", 2, "reason"),
        ("- {include: gb-water, reason: x}\n", "RS003", 1, "none is"),
        ("- {include: gb-water, without: [hom], reason: x}\n", "RS201", 1, 'no rule "hom"'),
    ],
)
def test_a_fault_of_including_is_reported_at_its_line(
    guards: str, code: str, line: int, says: str, tmp_path: Path
) -> None:
    strategy, problems = read(tmp_path, {**EVERY, "guards.yaml": guards})
    assert strategy is None
    assert [(p.code, p.file, p.line) for p in problems] == [(code, "rules/guards.yaml", line)]
    assert says in f"{problems[0].what} {problems[0].hint}"


def test_a_kind_that_is_misspelt_is_reported(tmp_path: Path) -> None:
    head = EVERY["strategy.yaml"].replace("means: visit}", "means: vist}")
    _, problems = read(tmp_path, {**EVERY, "strategy.yaml": head, "guards.yaml": "[]\n"})
    assert [p.code for p in problems] == ["RS201"]
    assert 'Did you mean "visit"?' in problems[0].hint


def test_a_kind_that_a_pack_only_offers_is_known(tmp_path: Path) -> None:
    own = OWN.replace("never: [visit]", "never: [visit]\n    instead: advice")
    head = EVERY["strategy.yaml"].replace("means: support}", "means: advice}")
    strategy, problems = with_own(tmp_path, own, strategy=head)
    assert strategy is not None, problems
    assert strategy.guards[0].instead == "do_support"


def test_a_rule_left_out_is_no_guard_and_its_reason_counts(tmp_path: Path) -> None:
    entry = "- {include: gb-water, without: [no_flow_limiter_at_homes], reason: %s}\n"
    one, two = (
        sound(tmp_path, {**EVERY, "guards.yaml": entry % why}) for why in ("none fitted", "other")
    )
    assert [g.name for g in one.guards] == [
        "gb-water.breathing_space",
        "gb-water.breathing_space_dates",
        "gb-water.homes_are_not_cut_off",
    ]
    (pack,) = one.of(Included)
    assert (pack.without, pack.reason) == (
        ("no_flow_limiter_at_homes",),
        "none fitted",
    )
    assert one.fingerprint != two.fingerprint != sound(tmp_path, including("gb-water")).fingerprint


def test_the_strategy_s_own_word_and_the_workspace_s_fact_come_first(tmp_path: Path) -> None:
    bare = sound(tmp_path, including("gb-water"))
    assert bare.default_values["is_dwelling"] is None
    head = EVERY["strategy.yaml"] + "expects: {is_dwelling: {type: boolean, else: true}}\n"
    own = sound(tmp_path, including("gb-water", strategy=head))
    assert own.default_values["is_dwelling"] is True
    there = {**FACTS, "is_dwelling": Fact("is_dwelling", Kind.BOOLEAN)}
    strategy = sound(tmp_path, including("gb-water"), there)
    assert "is_dwelling" not in strategy.default_values
    assert strategy.fingerprint == bare.fingerprint != own.fingerprint


def test_packs_that_disagree_on_a_fact(tmp_path: Path) -> None:
    (tmp_path / "packs").mkdir()
    other = OWN.replace("pack: own", "pack: other").replace("else: unknown", "else: 0")
    files = including("own", "other") | {"packs/own.yaml": OWN, "packs/other.yaml": other}
    _, problems = read(tmp_path, files)
    assert [(p.code, p.file, p.line) for p in problems] == [("RS222", "rules/packs/other.yaml", 6)]
    head = EVERY["strategy.yaml"] + "expects: {age: {type: integer, else: 0}}\n"
    assert sound(tmp_path, {**files, "strategy.yaml": head}).default_values["age"] == 0


def test_kept_texts_are_the_strategy_whatever_riskseg_ships_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = including("gb-water")
    before = sound(tmp_path, files)
    authored = read_strategy(tmp_path, Problems(), shown="rules")
    assert authored is not None
    assert set(authored.texts) == {*files, "packs/gb-water.yaml"}
    later = {"gb-water": shipped_packs()["gb-water"].replace("is_dwelling", "is_home")}
    monkeypatch.setattr(authored_module, "shipped_packs", lambda: later)
    assert sound(tmp_path, files).fingerprint != before.fingerprint
    kept = tmp_path / "kept"
    (kept / "packs").mkdir(parents=True)
    assert sound(kept, authored.texts).fingerprint == before.fingerprint


SIGNIFICANT = "  - {name: disconnect, channel: field, significant: true}\n"


def _with_action(action: str) -> dict[str, str]:
    files = including("gb-energy")
    return {**files, "strategy.yaml": files["strategy.yaml"] + action}


def test_a_significant_action_of_no_known_kind_is_a_problem(tmp_path: Path) -> None:
    strategy, problems = read(tmp_path, _with_action(SIGNIFICANT))
    assert strategy is None
    (problem,) = problems
    line = _with_action(SIGNIFICANT)["strategy.yaml"].count("\n")
    assert (problem.code, problem.file, problem.line) == ("RS225", "rules/strategy.yaml", line)
    assert "Did you mean `means: disconnection`?" in problem.hint


@pytest.mark.parametrize(
    "action",
    [
        SIGNIFICANT.replace("true}", "true, means: disconnection}"),
        SIGNIFICANT.replace("true}", "true, means: other}"),
        SIGNIFICANT.replace("disconnect,", "agency,"),
        SIGNIFICANT.replace("true", "false"),
    ],
)
def test_an_action_that_says_its_kind_is_none(action: str, tmp_path: Path) -> None:
    sound(tmp_path, _with_action(action))


def test_without_a_pack_no_kind_is_asked_for(tmp_path: Path) -> None:
    sound(tmp_path, {**_with_action(SIGNIFICANT), "guards.yaml": "[]\n"})
