"""What people write who come from a spreadsheet, a word processor or another language: each slip
is one Problem, on the line where it stands, that says what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskseg.domain.problems import Problem, Problems
from riskseg.expressions import check
from tests.support.strategies import FACTS, SMALL, changed, read

S, T, G, P, U = (f"{n}.yaml" for n in ["strategy", "tiers", "segments", "paths", "guards"])
LATE = "when: days_past_due > 30"

# The file, what stands there, what is written instead, and what the Problem says to write.
IN_FILES = [
    ("a tab", P, "  for: [chase]", "\tfor: [chase]", "Replace the tab with spaces."),
    ("tab after dash", U, "- guard:", "-\tguard:", "Replace the tab with spaces."),
    ("colon", S, "to be broken", "Debts: old ones", "Write `purpose: 'Debts: old ones'`."),
    ("colon after a fact", T, LATE, "when: days_past_due: > 30", "Remove the colon"),
    ("yes", S, "channel: sms}", "channel: sms, contact: yes}", "Write `true`."),
    ("off", S, "channel: sms}", "channel: sms, contact: off}", "Write `false`."),
    ("curly quotes", S, "to be broken", "“to be broken”", "Write straight ones, or none."),
    ("curly quotes in a list", P, "[trace],", "[‘trace’],", "Write straight ones, or none."),
    ("a decimal comma", S, "channel: sms}", "channel: sms, cost: 0,05}", "Write 0.05."),
    ("a dash", P, "day: 3,", "day: –3,", "write `-3`"),
    ("a fraction of a day", P, "day: 14,", "day: 14.0,", "Write `14`."),
    ("capital", G, "segment: trace", "segment: Trace", "Write `trace`."),
    ("a blank", G, "segment: trace", "segment: to trace", "Write `to_trace`."),
    ("a number as a name", G, "segment: trace", "segment: 7", "a name begins with a letter"),
    ("a short date", S, "owner:", "effective_from: 2026-3-9\nowner:", "Write 2026-03-09."),
    ("no such day", S, "owner:", "effective_from: 2026-04-31\nowner:", "Correct the date"),
    ("no closing brace", G, "segment: trace}", "segment: trace", 'Write "}" at its end.'),
    ("no space", P, "  starts: episode", "  starts:episode", "Write `starts: episode_started_on`."),
    ("no space in braces", P, "{day: 3,", "{day:3,", "Write a space behind the colon: `day: 3`."),
    ("no comma", P, "day: 3, action", "day: 3 action", 'Write a comma before "action"'),
    ("star", T, LATE, "when: *days_past_due > 30", "Remove the *"),
    ("no fact", T, LATE, "when: > 30", "`FACT > …`"),
    ("no text", T, LATE, "when: !on_plan", "write `not on_plan`"),
    ("an empty key", U, "when: is_vulnerable", "when:", "Write what it is behind `when:`."),
    ("an empty cell", G, "[any, high,", "[~, high,", "write `any` for every account"),
    ("a list of one", U, "instead: letter", "instead: [letter]", "brackets: `letter`"),
    ("an apostrophe", S, "to be broken", "'don't pay'", """Write `purpose: "don't pay"`."""),
    (
        "quotes in quotes",
        S,
        "to be broken",
        '"say "pay" now"',
        "Write `purpose: 'say \"pay\" now'`.",
    ),
    ("text behind a quote", S, "to be broken", "'pay' now", "Write `purpose: \"'pay' now\"`."),
    ("a remark behind it", S, "to be broken", "'don't' # isn't", 'Write `purpose: "don\'t"`.'),
    ("two in quotes", S, "to be broken", "'a' or 'don't'", "Write `purpose: \"'a' or 'don't'\"`."),
    ("a colon behind a quote", S, "to be broken", "'a': b", "Write `purpose: \"'a': b\"`."),
    ("quotes in braces", T, LATE, "when: 'region = 'north''", 'Put " around the whole text'),
    ("an open quote", S, "to be broken", '"to be', 'Write " at the end of the text.'),
    (
        "a quote closed later",
        S,
        "to be broken",
        "'to be\nb: 'x'",
        "Write ' at the end of the text.",
    ),
    ("a backslash", S, "to be broken", '"a\\d"', "Put the text between single quotes"),
    ("no list", U, "never: [agency]", "never: agency", "Write a list: `[agency]`."),
]

# A condition, and what the Problem says to write.
IN_CONDITIONS = [
    ("region = ‘north’", "Write \"region = 'north'\"."),
    ("region = “north”", "Write \"region = 'north'\"."),
    ('region = "north"', "single quotes: 'north'"),
    ("region = north", "single quotes: 'north'"),
    ("region <> nroth", "single quotes: 'north'"),
    ("region in (north, 'south')", "single quotes: 'north'"),
    ("bills_12m ≥ 2", 'Write "bills_12m >= 2".'),
    ("bills_12m =< 2", 'Write "bills_12m <= 2".'),
    ("bills_12m ≠ 2", 'Write "bills_12m <> 2".'),
    ("on_plan && bills_12m > 2", 'Write "on_plan and bills_12m > 2".'),
    ("on_plan || bills_12m > 2", "write `or`"),
    ("! on_plan", 'Write "not on_plan".'),
    ("balance_overdue > 2,500", 'Write "balance_overdue > 2500".'),
    ("balance_overdue > 2 500", 'Write "balance_overdue > 2500".'),
    ("balance_overdue > 2_500", 'Write "balance_overdue > 2500".'),
    ("balance_overdue > 2.500,75", 'Write "balance_overdue > 2500.75".'),
    ("balance_overdue > 99,5", 'Write "balance_overdue > 99.5".'),
    ("balance_overdue in (1,000)", "1,000 as 1000"),
    ("balance_overdue > €99", 'Write "balance_overdue > 99".'),
    ("balance_overdue > 99 EUR", 'Write "balance_overdue > 99".'),
    ("balance_overdue > 7.5%", "`0.075 * FACT`"),
    ("days_past_due > 30 days", 'Write "days_past_due > 30".'),
    ("days_past_due at least 30", 'Write "days_past_due >= 30".'),
    ("10 < days_past_due <= 20", 'Write "10 < days_past_due and days_past_due <= 20".'),
    ("on_plan = yes", "Write `true`."),
    ("region = 'north' or 'south'", "in ('a', 'b')"),
    ("hold_until > 2026-05-01 and on_plan", "date '2026-05-01'"),
    ("hold_until > 1/5/2026", "Write the year first"),
]


@pytest.mark.parametrize(("name", "file", "old", "new", "cure"), IN_FILES)
def test_a_slip_in_a_file(
    name: str, file: str, old: str, new: str, cure: str, tmp_path: Path
) -> None:
    strategy, problems = read(tmp_path, changed(file, old, new))
    line = SMALL[file][: SMALL[file].index(old)].count("\n") + 1
    assert strategy is None
    assert [(one.file, one.line) for one in problems] == [(f"rules/{file}", line)]
    assert cure in f"{problems[0].what} {problems[0].hint}"


def found_in(condition: str) -> list[Problem]:
    problems = Problems()
    known = dict.fromkeys(FACTS)
    check(condition, FACTS, problems, file="f.yaml", line=3, may_be_unknown=True, offered=known)
    return list(problems)


@pytest.mark.parametrize(("condition", "cure"), IN_CONDITIONS)
def test_a_slip_in_a_condition(condition: str, cure: str) -> None:
    [one] = found_in(condition)
    assert (one.file, one.line) == ("f.yaml", 3)
    assert cure in one.hint


@pytest.mark.parametrize("cure", [cure for _, cure in IN_CONDITIONS if cure.startswith('Write "')])
def test_what_is_suggested_can_be_written(cure: str) -> None:
    suggested = cure.removeprefix('Write "').removesuffix('".')
    assert found_in(suggested) == []


@pytest.mark.parametrize(
    "condition",
    [
        "region = '“north” => 5% && £1,000'",
        "not on_plan and bills_12m != 2",
        "hold_until > date '2026-05-01'",
        "greatest(bills_12m, 1) > 2",
    ],
)
def test_signs_within_a_text_and_signs_of_the_language_are_taken(condition: str) -> None:
    assert [one for one in found_in(condition) if one.code != "RS307"] == []


def test_only_facts_that_are_there_are_suggested(tmp_path: Path) -> None:
    misspelt = changed("tiers.yaml", "days_past_due > 30", "broken_promise_12m > 30")
    _, problems = read(tmp_path, misspelt)
    [one] = problems
    assert one.code == "RS303"
    assert "broken_promises_12m" not in one.hint
