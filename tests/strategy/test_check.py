"""Every Problem a strategy's files can have: its code, its file, its line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems
from riskseg.rules.elements import in_force
from riskseg.strategy.authored import read_strategy
from riskseg.strategy.kinds import Property
from tests.support.strategies import FACTS, SMALL, changed, read


@dataclass(frozen=True)
class Fault:
    """`old` replaced by `new` in `file`; the Problem stands where `at` does (or `new`), in
    `reported_in` (or `file`)."""

    name: str
    code: str
    file: str
    old: str
    new: str
    at: str = ""
    reported_in: str = ""
    says: str = ""


def _f(*args: str, **more: str) -> Fault:
    return Fault(*args, **more)


S, T, G, P, U, E = (
    f"{n}.yaml" for n in ["strategy", "tiers", "segments", "paths", "guards", "examples"]
)

_NEVER = "  effective_from: 2026-03-02\n  effective_to: 2026-03-01"
_NEVER_FLOW = "effective_from: 2026-03-02, effective_to: 2026-03-01"

FAULTS = (
    # strategy.yaml
    _f("no YAML", "RS002", S, "owner: tests", "owner: [tests", at="uses", says="begins on line 3"),
    _f("unknown key", "RS003", S, "owner:", "ownr:", says="owner"),
    _f("wrong type", "RS004", S, "channel: post", "channel: 3", says="channel"),
    _f("cost", "RS004", S, "channel: post", "channel: post, cost: -1", at="cost: -1", says="cost"),
    _f("missing key", "RS005", S, "purpose: to be broken\n", "", at="name: small", says="purpose"),
    _f("key twice", "RS009", S, "owner: tests", "owner: tests\nowner: two", at="owner: two"),
    _f("band of nothing", "RS201", S, "of: p,", "of: q,", says="uses"),
    _f("cuts that fall", "RS206", S, "low: 0.1,", "low: 0.5, middle: 0.4,", says="middle"),
    _f("cuts that stand still", "RS206", S, "low: 0.1,", "low: 0.1, middle: 0.1,"),
    _f("cuts below the top", "RS206", S, "high: 1}", "high: 0.9}", says="end at 1"),
    _f("cuts above the top", "RS206", S, "high: 1}", "high: 1.5}"),
    _f("a cut at zero", "RS206", S, "low: 0.1,", "least: 0, low: 0.1,", says="least"),
    _f(
        "a date that is none",
        "RS004",
        S,
        "priority:",
        "expects: {soon: {type: date, else: some day}}\npriority:",
        at="expects",
        says="cannot be its default value",
    ),
    _f(
        "no end of a number",
        "RS004",
        S,
        "priority:",
        "expects: {rate: {type: decimal, else: .inf}}\npriority:",
        at="expects",
        says="cannot be its default value",
    ),
    _f("unscored as a level", "RS206", S, "low: 0.1,", "low: 0.1, unscored: 0.2,"),
    _f(
        "action twice",
        "RS202",
        S,
        "actions:",
        "actions:\n  - {name: sms, channel: x}",
        at="channel: sms",
    ),
    _f(
        "action none",
        "RS202",
        S,
        "{name: sms,",
        "{name: none, channel: x}\n  - {name: sms,",
        at="none",
    ),
    _f("unknown model", "RS214", S, "p: default", "p: defualt", says='"default"'),
    _f(
        "protective misspelt", "RS201", S, "[is_vulnerable]", "[is_vulnrable]", says="is_vulnerable"
    ),
    _f("protective number", "RS304", S, "[is_vulnerable]", "[days_past_due]", says="true or false"),
    _f(
        "protective lacking",
        "RS212",
        S,
        "[is_vulnerable]",
        "[disputed_now]",
        says="disputed_amount",
    ),
    _f(
        "priority text",
        "RS304",
        S,
        "priority: balance_overdue * coalesce(p, 0.5)",
        "priority: lifecycle",
    ),
    _f("priority unread", "RS301", S, "coalesce(p, 0.5)", "coalesce(p, 0.5"),
    _f("priority divided", "RS306", S, "* coalesce(p, 0.5)", "/ bills_12m", says="nullif"),
    _f(
        "default value of another type",
        "RS004",
        S,
        "protective:",
        "expects: {disputes: {type: integer, else: many}}\nprotective:",
        at="expects",
    ),
    _f(
        "band like a column",
        "RS202",
        S,
        "bands:",
        "bands:\n  step: {of: p, cuts: {all: 1}}",
        at="step",
    ),
    _f(
        "band like a probability",
        "RS202",
        S,
        "bands:",
        "bands:\n  p: {of: p, cuts: {all: 1}}",
        at="  p:",
    ),
    _f(
        "probability like a feature",
        "RS202",
        S,
        "uses: {p: default}",
        "uses: {p: default, bills_12m: late_payment}",
        says="a fact of accounts already",
    ),
    _f(
        "probability like an attribute",
        "RS202",
        S,
        "uses: {p: default}",
        "uses: {p: default, region: late_payment}",
    ),
    _f(
        "probability like a lacking feature",
        "RS202",
        S,
        "uses: {p: default}",
        "uses: {p: default, broken_promises_12m: late_payment}",
    ),
    _f(
        "probability like a default value",
        "RS202",
        S,
        "uses: {p: default}",
        "uses: {p: default, calls: late_payment}\nexpects: {calls: {type: integer, else: 0}}",
        at="uses:",
    ),
    _f(
        "probability like a column",
        "RS202",
        S,
        "uses: {p: default}",
        "uses: {p: default, channel: late_payment}",
        says="a column of every decision",
    ),
    # tiers.yaml
    _f(
        "unknown of a row that takes all",
        "RS003",
        T,
        "{tier: good, otherwise: true}",
        "{tier: good, otherwise: true, unknown: skip}",
    ),
    _f(
        "tier misspelt fact",
        "RS303",
        T,
        "days_past_due > 30",
        "days_pastdue > 30",
        says="days_past_due",
    ),
    _f("tier wrong types", "RS304", T, "days_past_due > 30", "days_past_due > 'x'"),
    _f("tier not a condition", "RS304", T, "days_past_due > 30", "days_past_due + 30"),
    _f(
        "tier may be unknown",
        "RS305",
        T,
        "months_on_book < 6, unknown: match",
        "months_on_book < 6",
    ),
    _f("tier level never", "RS307", T, "days_past_due > 30", "lifecycle = 'lvie'", says="live"),
    _f("tier subquery", "RS302", T, "days_past_due > 30", "(select 1) = 1"),
    _f("tier lacking", "RS212", T, "days_past_due > 30", "broken_promises_12m > 2", says="events"),
    _f(
        "tier without condition",
        "RS005",
        T,
        "{tier: late, when: days_past_due > 30}",
        "{tier: late}",
    ),
    _f("no last tier", "RS203", T, "  - {tier: good, otherwise: true}\n", "", at="behaviour:"),
    _f(
        "tier below the last",
        "RS204",
        T,
        "otherwise: true}",
        "otherwise: true}\n  - {tier: more, when: on_plan}",
        at="tier: more",
    ),
    _f(
        "scheme as band",
        "RS202",
        T,
        "behaviour:",
        "risk: [{tier: high, otherwise: true}]\nbehaviour:",
        at="risk:",
        says="band",
    ),
    # segments.yaml
    _f("column of nothing", "RS201", G, "behaviour]", "behavior]", says="behaviour"),
    _f("column date", "RS304", G, "[lifecycle, ", "[hold_until, ", says="levels"),
    _f("column number", "RS205", G, "[lifecycle, ", "[days_past_due, ", at="id: closed"),
    _f("column lacking", "RS212", G, "[lifecycle, ", "[broken_promises_12m, "),
    _f("no such level", "RS205", G, "[any, high,", "[any, hihg,", says="high"),
    _f("no such level in a list", "RS205", G, "[new, late]", "[new, lat]", says="late"),
    _f("level twice in a cell", "RS202", G, "[new, late]", "[new, late, new]", says='"new"'),
    _f("row id twice", "RS202", G, "id: chase", "id: closed", at="segment: chase"),
    _f(
        "cells missing", "RS215", G, "[any, high, [new, late]]", "[any, high]", says="2 cells for 3"
    ),
    _f(
        "no last row",
        "RS203",
        G,
        "[any, any, any], segment: leave",
        "[live, any, any], segment: leave",
    ),
    _f(
        "row covered by one",
        "RS204",
        G,
        "  - {id: rest",
        "  - {id: more, match: [closed_in_debt, low, any], segment: trace}\n  - {id: rest",
        at="id: more",
        says='"closed" (line 3)',
    ),
    _f(
        "row covered by several",
        "RS204",
        G,
        "  - {id: rest",
        "  - {id: a, match: [any, high, good], segment: chase}\n"
        "  - {id: b, match: [live, high, any], segment: trace}\n  - {id: rest",
        at="id: b",
        says='"chase" (line 4), row "a" (line 5)',
    ),
    _f(
        "segment without a path",
        "RS207",
        P,
        "leave: {for: [leave], starts: as_of}\n",
        "",
        at="segment: leave",
        reported_in=G,
    ),
    _f("cell of no level", "RS205", G, "[new, late]", "[]", says="names no level"),
    _f("any in a list", "RS205", G, "[new, late]", "[any, late]", says='level "any"'),
    # paths.yaml
    _f(
        "unknown of an end there is not",
        "RS003",
        P,
        "  ends_when: balance_overdue < 10\n",
        "  unknown: skip\n",
        at="unknown: skip",
    ),
    _f("path for nothing", "RS201", P, "for: [leave]", "for: [leave, laeve]", says="leave"),
    _f("segment on two paths", "RS202", P, "for: [leave]", "for: [leave, trace]", says="two paths"),
    _f("start is no date", "RS304", P, "starts: as_of", "starts: days_past_due", says="not a date"),
    _f("start misspelt", "RS303", P, "starts: as_of", "starts: as_off"),
    _f(
        "no such action",
        "RS209",
        P,
        "day: 14, action: letter",
        "day: 14, action: lettr",
        says="letter",
    ),
    _f("steps out of order", "RS208", P, "day: 14,", "day: 2,", says="day 3"),
    _f("two steps a day", "RS208", P, "day: 14,", "day: 3,", at="action: letter"),
    _f("goes on to nothing", "RS208", P, "then: trace", "then: trase", says="trace"),
    _f("goes on to itself", "RS208", P, "then: trace", "then: chase", says="chase → chase"),
    _f(
        "goes round",
        "RS208",
        P,
        "starts: as_of}",
        "starts: as_of, then: lap}\nlap: {for: [], starts: as_of, then: leave}",
        at="lap: {for",
        says="circle",
    ),
    _f(
        "goes on to days before it begins",
        "RS208",
        P,
        "steps: [{day: 10,",
        "steps: [{day: -10,",
        at="then: trace",
        says="day -10",
    ),
    _f(
        "path nobody takes",
        "RS208",
        P,
        "leave: {",
        "more: {for: [], starts: as_of}\nleave: {",
        at="more:",
    ),
    _f(
        "path over before it begins",
        "RS004",
        P,
        "as_of}",
        f"as_of, {_NEVER_FLOW}}}\nmore: {{for: [leave], starts: as_of}}",
        at="effective_to",
    ),
    _f(
        "days without a path",
        "RS207",
        P,
        "as_of}",
        "as_of, effective_from: 2026-03-02}",
        at="segment: leave",
        reported_in=G,
        says='"leave" until 2026-03-01.',
    ),
    _f(
        "a day without a path",
        "RS207",
        P,
        "leave: {for: [leave], starts: as_of}",
        "leave: {for: [leave], starts: as_of, effective_to: 2026-03-01}\n"
        "after: {for: [leave], starts: as_of, effective_from: 2026-03-03}",
        at="segment: leave",
        reported_in=G,
        says='"leave" on 2026-03-02.',
    ),
    _f(
        "a day with two paths",
        "RS202",
        P,
        "leave: {for: [leave], starts: as_of}",
        "leave: {for: [leave], starts: as_of, effective_to: 2026-03-01}\n"
        "after: {for: [leave], starts: as_of, effective_from: 2026-03-01}",
        at="after:",
        says='two paths on 2026-03-01: "leave" and "after"',
    ),
    _f(
        "goes on to what is over",
        "RS208",
        P,
        "then: stay}",
        "then: stay, effective_to: 2026-03-01}\n"
        "after: {for: [trace], starts: as_of, effective_from: 2026-03-02}",
        at="then: trace",
        says="not in force from 2026-03-02",
    ),
    _f("nothing follows", "RS228", P, ", then: stay}", "}", at="trace:"),
    _f("end may be unknown", "RS305", P, "balance_overdue < 10", "months_on_book < 10"),
    _f("end misspelt", "RS303", P, "balance_overdue < 10", "balance_over_due < 10"),
    # guards.yaml
    _f(
        "two kinds",
        "RS004",
        U,
        "- guard: vulnerable",
        "- guard: vulnerable\n  hold: v",
        at="- guard: v",
    ),
    _f("guard twice", "RS202", U, "- hold: plan", "- hold: vulnerable"),
    _f(
        "duty from another day every day",
        "RS229",
        U,
        "- hold: plan",
        "- duty: d\n  action: sms\n  within: 3\n  when: on_plan\n  since: as_of\n- hold: plan",
        at="since",
    ),
    _f("never of nothing", "RS209", U, "never: [agency]", "never: [agnecy]", says="agency"),
    _f("instead of nothing", "RS209", U, "instead: letter", "instead: lettr", says="letter"),
    _f("requirement of nothing", "RS209", U, "of: agency", "of: agnecy", says="agency"),
    _f("guard without never", "RS005", U, "  never: [agency]\n", "", at="- guard: v", says="never"),
    _f("guard of nothing", "RS005", U, "never: [agency]", "never: []", says="has no `never`"),
    _f("guard left empty", "RS005", U, "when: is_vulnerable", "when:", says="has no `when`"),
    _f(
        "a flag lacking",
        "RS212",
        U,
        "when: on_plan",
        "when: disputed_now",
        says="bills source",
    ),
    _f(
        "a date lacking",
        "RS212",
        U,
        "when: on_plan",
        "when: as_of - disputed_now > 30",
        says="bills source",
    ),
    _f(
        "hold with never",
        "RS003",
        U,
        "when: on_plan",
        "when: on_plan\n  never: [sms]",
        at="never: [sms]",
    ),
    _f("instead forbidden too", "RS220", U, "instead: letter", "instead: agency", says="forbids"),
    _f(
        "instead harsher",
        "RS220",
        U,
        "never: [agency]\n  instead: letter",
        "never: [agency, sms]\n  instead: letter",
        at="instead: letter",
        says="harsher",
    ),
    _f(
        "guard over before it begins",
        "RS004",
        U,
        "on_plan",
        f"on_plan\n{_NEVER}",
        at="effective_to",
    ),
    _f("property misspelt", "RS303", U, "- hold:", "- prove: actoin = 'sms'\n- hold:", at="prove"),
    _f("property no condition", "RS304", U, "- hold:", "- prove: segment\n- hold:", at="prove"),
    _f(
        "property level never",
        "RS307",
        U,
        "- hold:",
        "- prove: action <> 'leter'\n- hold:",
        at="prove",
        says="letter",
    ),
    _f(
        "property lacking",
        "RS212",
        U,
        "- hold:",
        "- prove: broken_promises_12m < 3\n- hold:",
        at="prove",
    ),
    _f(
        "property named like a guard",
        "RS202",
        U,
        "- hold:",
        "- {prove: true, name: vulnerable}\n- hold:",
        at="prove",
    ),
    _f(
        "property named twice",
        "RS202",
        U,
        "- hold:",
        "- prove: true\n- {prove: true, name: property_1}\n- hold:",
        at="name: property_1",
    ),
    _f(
        "property with dates",
        "RS003",
        U,
        "- hold:",
        "- prove: true\n  effective_from: 2026-01-01\n- hold:",
        at="effective_from",
    ),
    _f("guard misspelt", "RS303", U, "when: is_vulnerable", "when: is_vulnrable"),
    _f("need misspelt", "RS303", U, "days_past_due >= 60", "dpd >= 60"),
    # examples.yaml
    _f(
        "default of nothing",
        "RS201",
        E,
        "  on_plan: false",
        "  on_plan: false\n  on_paln: true",
        at="on_paln",
    ),
    _f("given of nothing", "RS201", E, "days_past_due: 31", "days_past: 31", says="days_past_due"),
    _f("expects of nothing", "RS201", E, "risk: high,", "riks: high,", says="risk"),
    _f(
        "expects what it cannot",
        "RS201",
        E,
        "action: sms}",
        "action: sms, channel: sms}",
        says='cannot expect "channel"',
    ),
    _f("expects the impossible", "RS205", E, "action: sms", "action: smss", says="sms"),
)


def test_the_small_strategy_is_sound(tmp_path: Path) -> None:
    strategy, problems = read(tmp_path, SMALL)
    assert strategy is not None
    assert problems == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_each_fault_is_reported_once_at_its_line(fault: Fault, tmp_path: Path) -> None:
    files = changed(fault.file, fault.old, fault.new)
    strategy, problems = read(tmp_path, files)
    assert strategy is None
    reported_in = fault.reported_in or fault.file
    at = fault.at or fault.new
    lines = [n for n, text in enumerate(files[reported_in].splitlines(), start=1) if at in text]
    reported = [(p.code, p.file, p.line) for p in problems]
    assert reported == [(fault.code, f"rules/{reported_in}", lines[0])], "\n".join(
        map(str, problems)
    )
    assert fault.says in problems[0].what + " " + problems[0].hint


def test_columns_and_cells_that_match_nobody(tmp_path: Path) -> None:
    table = """\
columns: [note, risk, note]
rows:
  - {id: a, match: [true, any, any], segment: trace}
  - {id: b, match: [[any, called], any, any], segment: chase}
  - {id: c, match: [called, any, any], segment: chase}
  - {id: rest, match: [any, any, any], segment: leave}
"""
    _, problems = read(tmp_path, {**SMALL, G: table})
    assert [(p.code, p.line) for p in problems] == [("RS202", 1), ("RS205", 3), ("RS205", 4)]
    assert "true" in problems[1].what and '"any"' in problems[2].what


@pytest.mark.parametrize("file", [S, G, P])
def test_a_needed_file_that_is_missing(file: str, tmp_path: Path) -> None:
    _, problems = read(tmp_path, {n: t for n, t in SMALL.items() if n != file})
    assert [(p.code, p.file) for p in problems] == [("RS200", f"rules/{file}")]


@pytest.mark.parametrize("content", ["", "# to be written\n", "---\n", "null\n"])
@pytest.mark.parametrize("file", [S, T, G, P, U, E])
def test_an_emptied_file(file: str, content: str, tmp_path: Path) -> None:
    strategy, problems = read(tmp_path, {**SMALL, file: content})
    assert strategy is None
    assert [(p.code, p.where) for p in problems] == [("RS223", f"rules/{file}:1")]
    assert "should hold" in problems[0].what
    assert ("remove the file" in problems[0].hint) is (file in (T, U, E))


@pytest.mark.parametrize(
    ("file", "content", "line", "says"),
    [
        (U, "guard: vulnerable\n", 1, "The file cannot be a mapping of keys to values: it should"),
        (T, "- {tier: a}\n", 1, "The file cannot be a list: it should be a mapping"),
        (P, "later\n", 1, "The file cannot be 'later': it should be a mapping"),
        (G, "columns: [region]\nrows:\n", 2, '"rows" cannot be empty: it should be a list'),
    ],
)
def test_a_file_that_holds_something_else(
    file: str, content: str, line: int, says: str, tmp_path: Path
) -> None:
    _, problems = read(tmp_path, {**SMALL, file: content})
    assert [(p.code, p.where) for p in problems] == [("RS004", f"rules/{file}:{line}")]
    assert problems[0].what.startswith(says)


def test_no_folder(tmp_path: Path) -> None:
    problems = Problems()
    assert read_strategy(tmp_path / "none", problems, shown="rules/none", line=4) is None
    assert [(p.code, p.where) for p in problems] == [("RS008", "riskseg.toml:4")]


def test_tiers_guards_and_examples_may_be_left_out(tmp_path: Path) -> None:
    files = changed(G, "[lifecycle, risk, behaviour]", "[lifecycle, risk, region]")
    files[G] = files[G].replace("[new, late]", "north")
    files[S] = files[S].replace("protective: [is_vulnerable]", "protective: []")
    strategy, problems = read(tmp_path, {n: files[n] for n in (S, G, P)})
    assert strategy is not None, problems
    assert (strategy.schemes, strategy.guards, strategy.examples) == ((), (), ())


def test_a_protective_fact_that_no_guard_looks_at_protects_nobody(tmp_path: Path) -> None:
    _, problems = read(tmp_path, {n: t for n, t in SMALL.items() if n != "guards.yaml"})
    assert [(p.code, p.file) for p in problems] == [("RS216", f"rules/{S}")]
    assert "is_vulnerable" in problems[0].what


def test_all_faults_of_all_files_come_together(tmp_path: Path) -> None:
    """One fault a file that can stand beside the others; none hides another."""
    names = ("unknown model", "tier misspelt fact", "no such level", "no such action",
             "guard misspelt",              "given of nothing")  # fmt: skip
    chosen = [next(f for f in FAULTS if f.name == n) for n in names]
    files = dict(SMALL)
    for fault in chosen:
        files[fault.file] = files[fault.file].replace(fault.old, fault.new)
    _, problems = read(tmp_path, files)
    assert sorted((p.code, p.file) for p in problems) == sorted(
        (f.code, f"rules/{f.file}") for f in chosen
    )


def test_a_stand_in_is_used_where_the_fact_is_lacking(tmp_path: Path) -> None:
    files = changed(
        S, "protective:", "expects: {broken_promises_12m: {type: integer, else: 0}}\nprotective:"
    )
    files[T] = files[T].replace("days_past_due > 30", "broken_promises_12m > 2")
    strategy, problems = read(tmp_path, files)
    assert strategy is not None, problems
    assert strategy.default_values == {"broken_promises_12m": 0}
    here = {**FACTS, "broken_promises_12m": FACTS["days_past_due"]}
    strategy, _ = read(tmp_path, files, here)
    assert strategy is not None
    assert strategy.default_values == {}


@pytest.mark.parametrize(
    ("expected", "held", "message"),
    [
        ("date", Kind.TEXT, "is a text in this workspace, and the strategy expects a date."),
        ("boolean", Kind.INTEGER, "is an integer in this workspace, and the strategy expects true"),
        ("integer", Kind.TEXT, "is a text in this workspace, and the strategy expects an integer."),
        ("integer", Kind.NUMBER, None),
        ("text", Kind.LEVEL, None),
    ],
)
def test_an_attribute_of_another_type_is_one_problem(
    expected: str, held: Kind, message: str | None, tmp_path: Path
) -> None:
    """Said where it is expected, and not once for each rule and example that names it."""
    condition = {"date": "since < as_of", "boolean": "since", "text": "since = 'a'"}
    files = changed(
        S, "protective:", f"expects: {{since: {{type: {expected}, else: unknown}}}}\nprotective:"
    )
    when = f'"days_past_due > 30 and {condition.get(expected, "since > 1")}", unknown: skip'
    files[T] = files[T].replace("days_past_due > 30", when)
    here = {**FACTS, "since": Fact("since", held, True, levels=("a",) if held == "level" else ())}
    _, problems = read(tmp_path, files, here)
    found = [(p.code, p.file) for p in problems if "since" in p.what]
    assert found == ([("RS304", f"rules/{S}")] if message else []), problems
    if message:
        assert problems[0].what.startswith(f'"since" {message}')
        assert "in [source.accounts] of riskseg.toml: since = " in problems[0].hint


def test_properties_are_over_facts_and_what_is_decided(tmp_path: Path) -> None:
    """Every name of a decision can be used; facts that nothing else names are read too."""
    entries = """\
- prove: not (p < 0.1 and action = 'agency') and risk <> 'unscored' and behaviour = 'new'
- prove: coalesce(path_day, 0) >= 0 or step > 1 or channel = 'post' and segment <> path
  name: of_the_path
  unknown: match
  source: a book
- prove: bills_12m >= 0 or action = 'none'
"""
    bare, _ = read(tmp_path, SMALL)
    strategy, problems = read(tmp_path, {**SMALL, U: SMALL[U] + entries})
    assert strategy is not None and bare is not None, problems
    reported = [(p.name, p.that.unknown, p.source) for p in strategy.of(Property)]
    assert reported == [
        ("property_1", False, None),
        ("of_the_path", True, "a book"),
        ("property_3", False, None),
    ]
    assert strategy.guards == bare.guards
    assert set(strategy.facts) - set(bare.facts) == {"bills_12m"}


def test_one_path_after_the_other(tmp_path: Path) -> None:
    """Each segment has one path a day, within the strategy's own days."""
    paths = (
        SMALL[P]
        .replace(
            "leave: {for: [leave], starts: as_of}",
            "leave: {for: [leave], starts: as_of, effective_from: 2026-01-01, "
            "effective_to: 2026-03-01}"
            "\nafter: {for: [leave], starts: as_of, effective_from: 2026-03-02}"
            # What lies outside the strategy's days does not matter: here two paths, there none.
            "\nold: {for: [leave], starts: as_of, effective_to: 2025-12-31}"
            "\nolder: {for: [leave], starts: as_of, effective_to: 2025-06-30}",
        )
        .replace("action: agency}]}", "action: agency}], effective_to: 2026-12-31}")
    )
    head = SMALL[S] + "effective_from: 2026-01-01\neffective_to: 2026-12-31\n"
    strategy, problems = read(tmp_path, {**SMALL, P: paths, S: head})
    assert strategy is not None, problems
    days = (date(2026, 1, 1), date(2026, 3, 1), date(2026, 3, 2), date(2026, 12, 31))
    assert [strategy.path_of("leave", d).name for d in days] == ["leave", "leave", "after", "after"]
    assert [p.name for p in strategy.paths_of("leave")] == [
        *("leave", "after"),
        *("old", "older"),
    ]
    chased = [p.name for p in in_force(strategy.paths, days[1])]
    assert chased == ["trace", "chase", "leave"]


@pytest.mark.parametrize(
    ("stray", "hint"),
    [
        ("guards.yml", "Call it guards.yaml, or take it out of the folder."),
        ("guard.yaml", "Call it guards.yaml, or take it out of the folder."),
        ("Examples.YAML", "Call it examples.yaml"),
        ("notes.yaml", "Take it out of the folder."),
    ],
)
def test_a_file_that_nothing_reads_is_reported(stray: str, hint: str, tmp_path: Path) -> None:
    (tmp_path / stray).write_text("[]\n", encoding="utf-8")
    strategy, problems = read(tmp_path, dict(SMALL))
    assert strategy is None
    assert [(p.code, p.file) for p in problems] == [("RS224", f"rules/{stray}")]
    assert problems[0].hint.startswith(hint)


def test_files_of_other_kinds_may_lie_beside(tmp_path: Path) -> None:
    for name in ("guards.yaml.old", "README.md", ".guards.yaml.swp", "segments.xlsx"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    strategy, problems = read(tmp_path, dict(SMALL))
    assert strategy is not None, problems
