"""Steps come on open days: the compiled SQL, the terms of proofs and a plain walk agree."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from riskseg.rules.calendar import WEEKDAYS, Calendar
from riskseg.rules.model import Strategy
from riskseg.rules.proof_account import Granted
from riskseg.strategy.proof.ask import Asker
from riskseg.strategy.proof.decision import decided as decided_by_terms
from riskseg.strategy.proof.prove import prove
from riskseg.treatment.calendar import calendar_facts, is_open
from tests.strategy.test_guards import ALWAYS, KNOWN
from tests.strategy.test_route import FACTS, HEAD, READINGS, accounts, issued, path
from tests.support.accounts import decided
from tests.support.deciding import decide
from tests.support.sampled import one_in
from tests.support.strategies import read, sound

# Good Friday and Easter Monday are holidays: four closed days for those who work in the week.
EASTER = date(2026, 4, 5)
DAYS = [EASTER + timedelta(days=n) for n in range(-4, 4)]
WEEK = "days: [mon, tue, wed, thu, fri]"


def strategy(folder: Path, *paths: str, head: str = HEAD) -> Strategy:
    files = {
        "strategy.yaml": head,
        "segments.yaml": "columns: [over_one]\nrows:\n  - {id: r, match: [any], segment: s}\n",
        "paths.yaml": "".join(paths),
    }
    return sound(folder, files, FACTS)


def _calendar(rng: random.Random) -> str | None:
    if rng.random() < 0.3:
        return None
    days = ", ".join(sorted(rng.sample(WEEKDAYS, rng.randint(2, 6))))
    holidays = rng.choice(["", ", holidays: GB-ENG", ", holidays: US"])
    return f"{{days: [{days}]{holidays}, closed: {rng.choice(['next', 'previous'])}}}"


def _random(folder: Path, seed: int) -> Strategy:
    rng = random.Random(seed)  # noqa: S311
    paths = []
    for i, name in enumerate("ab"):
        days = sorted(rng.sample(range(0 if i else -6, 12), rng.randint(1, 4)))
        due_for = rng.choice([None, None, 1, 2, 7])
        must = [] if due_for else rng.sample(range(len(days)), rng.randint(0, 1))
        also = {"then": "b" if i == 0 else None, "due_for": due_for, "calendar": _calendar(rng)}
        paths.append(path(name, *days, first=i == 0, starts=("one", "two")[i], must=must, **also))
    head = HEAD if (whole := _calendar(rng)) is None else f"{HEAD}calendar: {whole}\n"
    if (own := _calendar(rng)) is not None:
        head = head.replace("channel: post}", f"channel: post, calendar: {own}}}")
    return strategy(folder, *paths, head=head)


@pytest.mark.parametrize("seed", one_in(4, range(8)))
def test_the_sql_the_terms_and_a_plain_walk_agree(seed: int, tmp_path: Path) -> None:
    made = _random(tmp_path, seed)
    for as_of in DAYS:
        known: list[dict[str, Any]] = []
        for number, account in enumerate(accounts(12, seed)):
            moved = {
                n: v + (as_of - date(2026, 3, 2)) if isinstance(v, date) else v
                for n, v in {**issued(made, number), **account}.items()
            }
            facts = {**moved, **calendar_facts(made.facts, as_of)}
            known.append({n: v for n, v in facts.items() if n in made.facts})
        by_sql = decided(made, known, as_of)
        for number, (account, decision) in enumerate(zip(known, by_sql, strict=True)):
            expected = decide(made, account, as_of, READINGS)
            names = ("path", "path_day", "step", "action", "template", "next_action", "next_on")
            assert {n: decision[n] for n in names} == {n: expected[n] for n in names}, account
            if number < 3:
                outcome = ("path", "path_day", "step", "action")
                terms = decided_by_terms(made, account, outcome)
                assert terms == {n: decision[n] for n in outcome}, account


def _days(made: Strategy, first: date, last: date) -> Iterator[tuple[date, Mapping[str, Any]]]:
    """Each day's decision about an account that is on day 0 on the first, with every action issued
    on the day that it is due."""
    facts: dict[str, Any] = dict.fromkeys(made.facts) | {"one": first, "two": first}
    day = first
    while day <= last:
        given = {**facts, **calendar_facts(made.facts, day), "as_of": day}
        (decision,) = decided(made, [given], day)
        yield day, decision
        if decision["action"] != "none":
            (key,) = (step.key for step in made.paths[0].steps if step.action == decision["action"])
            facts[f"issued {made.paths[0].name} {key}"] = day
        day += timedelta(days=1)


def _taken(made: Strategy, first: date) -> dict[str, date]:
    found = _days(made, first, first + timedelta(days=20))
    return {row["action"]: day for day, row in found if row["action"] != "none"}


@pytest.mark.parametrize(
    ("calendar", "sms", "letter"),
    [
        (None, date(2026, 4, 3), date(2026, 4, 11)),
        (f"{{{WEEK}}}", date(2026, 4, 3), date(2026, 4, 13)),
        (f"{{{WEEK}, closed: previous}}", date(2026, 4, 3), date(2026, 4, 10)),
        (f"{{{WEEK}, holidays: GB-ENG}}", date(2026, 4, 7), date(2026, 4, 13)),
        # Scotland works on Easter Monday.
        (f"{{{WEEK}, holidays: GB-SCT}}", date(2026, 4, 6), date(2026, 4, 13)),
        (
            f"{{{WEEK}, holidays: GB-ENG, closed: previous}}",
            date(2026, 4, 2),
            date(2026, 4, 10),
        ),
    ],
)
def test_a_step_on_a_closed_day_comes_on_an_open_one(
    calendar: str | None, sms: date, letter: date, tmp_path: Path
) -> None:
    made = strategy(tmp_path, path("a", 3, 11, first=True, starts="one", calendar=calendar))
    assert _taken(made, date(2026, 3, 31)) == {"sms": sms, "letter": letter}


def test_steps_that_come_again_come_on_open_days(tmp_path: Path) -> None:
    found = {}
    for closed in ("next", "previous"):
        calendar = f"{{{WEEK}, closed: {closed}}}"
        repeat = "{every: 5 days, from: sms}"
        made = strategy(
            tmp_path, path("a", 3, first=True, starts="one", calendar=calendar, repeat=repeat)
        )
        taken = []
        issued_on, occurrence = None, None
        for number in range(22):
            day = date(2026, 4, 6) + timedelta(days=number)
            given: dict[str, Any] = {
                **dict.fromkeys(made.facts),
                "one": date(2026, 4, 6),
                **calendar_facts(made.facts, day),
                "issued a sms": issued_on,
                "occurrence a sms": occurrence,
                "as_of": day,
            }
            (row,) = decided(made, [given], day)
            expected = decide(made, given, day, READINGS)
            names = ("step", "action", "next_action", "next_on")
            assert {n: row[n] for n in names} == {n: expected[n] for n in names}, given
            terms = decided_by_terms(made, given, ["action"])
            assert terms == {"action": row["action"]}
            if row["action"] == "sms":
                taken.append(day.day)
                issued_on, occurrence = day, (occurrence or 0) + 1
        found[closed] = taken
    # Days 3, 8, 13 and 18 are Thursday, Tuesday, Sunday and Friday.
    assert found == {"next": [9, 14, 20, 24], "previous": [9, 14, 17, 24]}


def test_next_on_is_the_day_on_which_it_comes(tmp_path: Path) -> None:
    calendar = f"{{{WEEK}, holidays: GB-ENG}}"
    made = strategy(tmp_path, path("a", 3, 11, first=True, starts="one", calendar=calendar))
    for day, row in _days(made, date(2026, 3, 31), date(2026, 4, 6)):
        assert (row["next_action"], row["next_on"]) == ("sms", date(2026, 4, 7)), day


def test_an_action_has_its_own_calendar_before_that_of_the_path(tmp_path: Path) -> None:
    head = HEAD.replace("channel: sms}", "channel: sms, calendar: {days: [sat, sun]}}")
    head += f"calendar: {{{WEEK}}}\n"
    made = strategy(tmp_path, path("a", 3, 11, first=True, starts="one"), head=head)
    assert [str(step.calendar) for step in made.paths[0].steps] == [
        "sat,sun, closed: next",
        "mon,tue,wed,thu,fri, closed: next",
    ]
    taken = {"sms": date(2026, 4, 4), "letter": date(2026, 4, 13)}
    assert _taken(made, date(2026, 3, 31)) == taken


def test_what_stands_for_another_action_is_not_taken_on_its_closed_days(tmp_path: Path) -> None:
    own = f"channel: desk, calendar: {{{WEEK}}}}}"
    head = ALWAYS["strategy.yaml"].replace("channel: desk}", own)
    guard = "- {guard: never, when: true, never: [agency], instead: desk}\n"
    made = sound(tmp_path, {**ALWAYS, "strategy.yaml": head, "guards.yaml": guard})
    found = {}
    for day in (EASTER, EASTER + timedelta(days=1)):
        given = dict.fromkeys(made.facts) | {**KNOWN, "as_of": day}
        given |= calendar_facts(made.facts, day)
        (row,) = decided(made, [given], day)
        assert decided_by_terms(made, given, ["action"]) == {"action": row["action"]}
        found[day] = row["action"]
    assert [*found.values()] == ["none", "desk"]


def test_it_is_proved_that_nothing_is_done_on_a_closed_day(tmp_path: Path) -> None:
    paths = "all: {for: [all], starts: as_of, steps: [{day: 0, action: agency}]"
    paths += f", calendar: {{{WEEK}, holidays: GB-ENG}}}}\n"
    made = sound(tmp_path, {**ALWAYS, "paths.yaml": paths, "guards.yaml": "[]\n"})
    verdicts = {r.name: r.verdict for r in prove(made, Granted(), Asker())}
    assert verdicts["closed-day mon,tue,wed,thu,fri GB-ENG, closed: next"] == "proved"
    assert verdicts["step-taken all day 0 agency"] == "proved"


@pytest.mark.parametrize(
    ("written", "code", "message"),
    [
        ("{holidays: GB-EN}", "RS226", 'Did you mean "ENG"?'),
        ("{holidays: UKK}", "RS226", "There is no calendar"),
        ("{days: []}", "RS226", "has no day of the week"),
        ("{days: [monday]}", "RS004", "monday"),
        ("{closed: never}", "RS004", "never"),
    ],
)
def test_a_calendar_that_cannot_be_is_a_problem(
    written: str, code: str, message: str, tmp_path: Path
) -> None:
    for file, after in (
        ("strategy.yaml", f"{ALWAYS['strategy.yaml']}calendar: {written}\n"),
        ("paths.yaml", f"all: {{for: [all], starts: as_of, calendar: {written}}}\n"),
    ):
        _, problems = read(tmp_path, {**ALWAYS, file: after, "guards.yaml": "[]\n"})
        assert [p.code for p in problems] == [code]
        assert message in str(problems[0])
        assert problems[0].file is not None and problems[0].file.endswith(file)


def test_the_calendar_is_part_of_the_fingerprint(tmp_path: Path) -> None:
    def made(calendar: str | None) -> str:
        return strategy(
            tmp_path, path("a", 3, first=True, starts="one", calendar=calendar)
        ).fingerprint

    versions = [made(None), made(f"{{{WEEK}}}"), made(f"{{{WEEK}, closed: previous}}")]
    assert len({*versions}) == 3
    assert made("{days: [fri, thu, wed, tue, mon], closed: next}") == versions[1]


def test_counts_of_closed_days() -> None:
    week = Calendar(("mon", "tue", "wed", "thu", "fri"), "GB-ENG", "previous")
    names = (week.until_open, week.closed_before, week.closed_after)

    def counts(day: date) -> Sequence[int]:
        facts = calendar_facts(names, day)
        return [facts[name] for name in names]

    assert counts(date(2026, 4, 2)) == [0, 0, 4]
    assert counts(date(2026, 4, 3)) == [4, 0, 0]
    assert counts(EASTER) == [2, 2, 0]
    assert counts(date(2026, 4, 7)) == [0, 4, 0]
    assert not is_open(week, EASTER) and is_open(Calendar(), EASTER)
