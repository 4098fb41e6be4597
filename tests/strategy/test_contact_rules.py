"""Contact rules: the compiled SQL, the terms of proofs and a plain walk agree; no cap is ever
exceeded."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from riskseg.domain.relations import Relation, fact_column
from riskseg.engine import DuckDB
from riskseg.pipeline.contracts import build
from riskseg.rules.contact_hours import hours_of
from riskseg.rules.contacting import ContactLimit, limit_of
from riskseg.rules.proof_account import Granted
from riskseg.rules.quiet import counted_periods
from riskseg.strategy.proof.ask import Asker
from riskseg.strategy.proof.decision import decided as decided_by_terms
from riskseg.strategy.proof.prove import prove
from riskseg.treatment.calendar import calendar_facts
from riskseg.treatment.contacts import SPOKEN, contact_limits
from tests.strategy.test_guards import ALWAYS
from tests.strategy.test_route import AS_OF, FACTS, HEAD, READINGS, accounts, path
from tests.support.accounts import decided
from tests.support.deciding import decide
from tests.support.strategies import read, sound

GUARDS = """\
- {contact_rule: letters, of: [letter], at_most: 2, in: 30 days, instead: sms}
- {contact_rule: all_of_them, of: [sms, letter], at_most: 5, in: 30 days, per: party}
- {guard: over, when: over_two, never: [agency]}
"""
QUIET_GUARDS = """\
- {contact_rule: letters, of: [letter], at_most: 2, in: 30 days, instead: sms,
   quiet: [{from: 2026-03-03, to: 2026-03-04}, {from: 03-09, to: 03-10}]}
- {contact_rule: texts, of: [sms], quiet: {from: 12-30, to: 03-03}, effective_to: 2026-03-05}
- contact_rule: hours
  of: [agency, sms]
  hours: [{from: 08:00, to: 20:00, days: [mon, tue, wed, thu, fri]}]
  zones: [GB]
  at_most: 1
  in: 5 days
"""
WORKED = ", calendar: {days: [mon, tue, wed, thu, fri]}"
CONTACT_CHANNELS = ("phone", "post", None)


@pytest.mark.parametrize("guards", [GUARDS, QUIET_GUARDS], ids=["limits", "days and hours"])
@pytest.mark.parametrize("seed", range(6))
def test_the_sql_the_terms_and_a_plain_walk_agree(seed: int, guards: str, tmp_path: Path) -> None:
    rng = random.Random(seed)  # noqa: S311
    days = sorted(rng.sample(range(-5, 40), 4))
    files = {
        "strategy.yaml": HEAD.replace("channel: post", f"channel: post{WORKED}"),
        "segments.yaml": "columns: [over_one]\nrows:\n  - {id: r, match: [any], segment: s}\n",
        "paths.yaml": path("a", *days, first=True, starts="one"),
        "guards.yaml": guards,
    }
    made = sound(tmp_path, files, FACTS)
    known: list[dict[str, Any]] = []
    for account in accounts(60, seed):
        facts: dict[str, Any] = {
            **dict.fromkeys(made.facts),
            **calendar_facts(made.facts, AS_OF),
        }
        for name in made.facts:
            if limit_of(name) and rng.random() < 0.7:
                facts[name] = AS_OF + timedelta(days=rng.randint(-3, 5))
            if counted_periods(name) or (hours_of(name) or (0, 0))[1]:
                facts[name] = rng.choice([0, 0, 1, 3])
            if hours_of(name) and rng.random() < 0.1:
                facts[name] = None
        known.append({n: v for n, v in {**facts, **account}.items() if n in made.facts})
    names = ("step", "action", "guards", "template", "next_action", "next_on")
    readings = {**READINGS, "over_two": lambda facts: facts["over_two"]}
    moved = 0
    for number, (account, decision) in enumerate(
        zip(known, decided(made, known, AS_OF), strict=True)
    ):
        expected = decide(made, account, AS_OF, readings)
        assert {n: decision[n] for n in names} == {n: expected[n] for n in names}, account
        moved += decision["next_action"] == decision["due_action"] != "none"
        if number < 12:
            terms = decided_by_terms(made, account, ("step", "action"))
            assert terms == {n: decision[n] for n in ("step", "action")}, account
    assert moved


def test_it_is_proved_that_nothing_is_done_beyond_it(tmp_path: Path) -> None:
    rule = "- {contact_rule: rare, of: agency, at_most: 1, in: 90 days, instead: letter}\n"
    made = sound(tmp_path, {**ALWAYS, "guards.yaml": rule})
    verdicts = {r.name: r.verdict for r in prove(made, Granted(), Asker())}
    claims = ("guard-holds rare", "guard-used rare", "instead-lawful rare")
    assert [verdicts[claim] for claim in claims] == ["proved"] * 3


@pytest.mark.parametrize(
    ("entry", "code", "message"),
    [
        ("of: letter", "RS005", "limits nothing"),
        ("at_most: 3, in: 7 days", "RS005", "has no `of`"),
        ("of: [leter], at_most: 3, in: 7 days", "RS209", 'There is no action "leter".'),
        ("of: letter, at_most: 3", "RS003", "`at_most` and `in` go together."),
        ("of: letter, unanswered: 3", "RS003", "`unanswered` and `every` go together."),
        ("of: letter, at_most: 0, in: 7 days", "RS004", "at_most"),
        ("of: letter, at_most: 3, in: 7 days, per: street", "RS004", "per"),
        ("of: letter, at_most: 3, in: 7 days, when: true", "RS003", '"when" does not go with'),
        ("of: sms, hours: {from: 08:00, to: 21:00}", "RS003", "`hours` and `zones` go together."),
        ("of: sms, hours: {from: 21:00, to: 08:00}, zones: [GB]", "RS227", "from 21:00 to 08:00"),
        ("of: sms, hours: {from: 8, to: 21:00}, zones: [GB]", "RS004", '"from" cannot be 8'),
        (
            "of: sms, hours: {from: 08:00, to: 21:00}, zones: [EN]",
            "RS227",
            '"EN" is neither',
        ),
        (
            "of: sms, hours: {from: 08:00, to: 21:00}, zones: [GB], zone: note_",
            "RS303",
            'Did you mean "note"?',
        ),
        (
            "of: sms, hours: {from: 08:00, to: 21:00}, zones: [GB], zone: on_plan",
            "RS304",
            "time zones are texts",
        ),
        ("of: sms, quiet: {from: 12-24, to: 2026-12-26}", "RS227", "between two dates"),
        ("of: sms, quiet: {from: 24-12, to: 26-12}", "RS227", "There is no day 24-12"),
        ("of: sms, quiet: {from: 2026-12-26, to: 2026-12-24}", "RS227", "before it begins"),
        ("of: sms, quiet: {from: 03-01, to: 02-29}", "RS227", "No day of a year is left."),
        ("of: sms, quiet: {from: 12-24, to: 12-26}, per: party", "RS003", "`per` is about"),
        ("of: sms, quiet: {from: 12-24, to: 12-26}, zone: note", "RS003", "`zone` is about"),
    ],
)
def test_what_does_not_go_together_is_a_problem(
    entry: str, code: str, message: str, tmp_path: Path
) -> None:
    rule = f"- {{contact_rule: r, {entry}}}\n"
    _, problems = read(tmp_path, {**ALWAYS, "guards.yaml": rule})
    assert code in [p.code for p in problems]
    assert message in "\n".join(map(str, problems))


HOURS = "hours: {from: 08:00, to: 21:00}, zones: [GB]"


def test_one_rule_says_the_hours_of_an_action(tmp_path: Path) -> None:
    until, since = "effective_to: 2026-03-31", "effective_from: 2026-04-01"
    rules = f"- {{contact_rule: a, of: [sms, letter], {HOURS}, {until}}}\n"
    after = f"- {{contact_rule: b, of: letter, {HOURS}, {since}}}\n"
    sound(tmp_path, {**ALWAYS, "guards.yaml": rules + after})
    _, problems = read(tmp_path, {**ALWAYS, "guards.yaml": rules + after.replace(since, until)})
    assert [(p.code, p.line) for p in problems] == [("RS227", 2)]


QUIET = (
    "contact_rule: quiet, of: agency, quiet: [{from: 12-24, to: 12-26}, {from: 12-30, to: 01-01}]"
)


@pytest.mark.parametrize(
    ("day", "next_on"),
    [
        (date(2026, 12, 23), None),
        (date(2026, 12, 24), date(2026, 12, 27)),
        (date(2026, 12, 26), date(2026, 12, 27)),
        (date(2026, 12, 29), None),
        (date(2026, 12, 31), date(2027, 1, 2)),
        (date(2027, 1, 1), date(2027, 1, 2)),
    ],
)
def test_quiet_days_of_every_year(day: date, next_on: date | None, tmp_path: Path) -> None:
    made = sound(tmp_path, {**ALWAYS, "guards.yaml": f"- {{{QUIET}}}\n"})
    facts = {**dict.fromkeys(made.facts), **calendar_facts(made.facts, day), "as_of": day}
    (row,) = decided(made, [facts], day)
    assert (row["action"] == "none", row["guards"]) == (
        next_on is not None,
        "quiet" * bool(next_on),
    )
    assert row["next_on"] == next_on


def test_what_becomes_lawful_on_a_quiet_or_closed_day_comes_after_it(tmp_path: Path) -> None:
    """Of 2026, 24 December is a Thursday: it and the two days after it are quiet, and the 27th is
    a Sunday."""
    rule = "- {contact_rule: rare, of: agency, at_most: 1, in: 90 days}\n"
    calendar = "calendar: {days: [mon, tue, wed, thu, fri]}, "
    paths = ALWAYS["paths.yaml"].replace("starts:", f"{calendar}starts:")
    files = {**ALWAYS, "paths.yaml": paths, "guards.yaml": f"{rule}- {{{QUIET}}}\n"}
    made = sound(tmp_path, files)
    day = date(2026, 12, 21)
    facts = {**dict.fromkeys(made.facts), **calendar_facts(made.facts, day), "as_of": day}
    lawful_from = next(name for name in made.facts if limit_of(name))
    (row,) = decided(made, [{**facts, lawful_from: date(2026, 12, 24)}], day)
    assert (row["action"], row["next_on"]) == ("none", date(2026, 12, 28))


Contact = tuple[int, date, str | None, str | None]  # account, day, channel, outcome


def _lawful(limit: ContactLimit, contacts: Sequence[Contact], day: date) -> bool:
    """Whether one more contact on a day is within the limit, counted one by one."""
    past = [c for c in contacts if c[1] <= day and (c[2] is None or c[2] in limit.channels)]
    if limit.at_most is not None:
        assert limit.within is not None
        recent = [c for c in past if (day - c[1]).days < limit.within]
        if len(recent) >= limit.at_most:
            return False
    spoken = [c[1] for c in past if c[3] in SPOKEN]
    if limit.quiet is not None and any((day - on).days < limit.quiet for on in spoken):
        return False
    if limit.unanswered is not None:
        assert limit.every is not None
        silent = [c[1] for c in past if not spoken or c[1] > max(spoken)]
        if len(silent) >= limit.unanswered:
            return all((day - c[1]).days >= limit.every for c in past)
    return True


@pytest.mark.parametrize("seed", range(25))
def test_the_first_lawful_day_is_that_of_a_count_one_by_one(seed: int) -> None:
    """Also that a cap is never exceeded: a contact on a lawful day is one that the count allows,
    and the day is no later than it must be."""
    rng = random.Random(seed)  # noqa: S311
    parties = {1: "p", 2: "p", 3: "q", 4: None}
    premises = {1: "x", 2: "y", 3: "y", 4: "z"}
    contacts: list[Contact] = [
        (
            rng.randint(1, 4),
            AS_OF - timedelta(days=rng.randint(0, 25)),
            rng.choice(CONTACT_CHANNELS),
            rng.choice(["no_answer", "no_answer", "right_party", None]),
        )
        for _ in range(rng.randint(0, 24))
    ]
    limit = ContactLimit(
        ("call",),
        ("phone",),
        per=rng.choice(["account", "party", "premise"]),
        at_most=rng.choice([None, 1, 2, 3]),
        within=7,
        quiet=rng.choice([None, 7]),
        unanswered=rng.choice([None, 2]),
        every=14,
    )
    for account, lawful_on in _first_lawful_days(limit, contacts, parties, premises).items():
        together = [account]
        shared = {"party": parties, "premise": premises}.get(limit.per, {})
        if shared.get(account):
            together = [other for other, of in shared.items() if of == shared[account]]
        own = [c for c in contacts if c[0] in together]
        for ahead in range(40):
            day = AS_OF + timedelta(days=ahead)
            expected = _lawful(limit, own, day)
            assert expected == (lawful_on is None or day >= lawful_on), (account, day, own)


def _first_lawful_days(
    limit: ContactLimit,
    contacts: Sequence[Contact],
    parties: Mapping[int, str | None],
    premises: Mapping[int, str],
) -> dict[int, date | None]:
    def text(value: object) -> str:
        return "null" if value is None else f"'{value}'"

    rows = "".join(
        f", ({account}, date '{day}', {text(channel)}, {text(outcome)})"
        for account, day, channel, outcome in contacts
    )
    held = ", ".join(f"({n}, {text(parties[n])}, {text(premises[n])})" for n in parties)
    with DuckDB(threads=1) as engine:
        engine.run(
            f"""
            create table ledger_events as
            select account_no, happened_on, happened_on as known_on, 'contact' as kind,
                channel, outcome, cast(null as varchar) as ref
            from (values (0, date '2020-01-01', 'phone', 'none'){rows})
                e(account_no, happened_on, channel, outcome)
            """
        )
        engine.run(
            f"""
            create table ledger_accounts as
            select account_no, cast(party_id as varchar) as party_id, premise_id
            from (values {held}) a(account_no, party_id, premise_id)
            """
        )
        engine.run(
            """
            create table journal_events (account_no integer, kind varchar, contact varchar,
                happened_on date, recorded_on date, channel varchar, action varchar, ref varchar)
            """
        )
        engine.run("create table ledger_actions (event_id varchar)")
        snapshots = f"""
            select account_no as snap, account_no, date '{AS_OF}' as as_of
            from ledger_accounts
            """
        relations = [
            Relation("snapshots", snapshots, materialized=True),
            *contact_limits([limit.fact]),
        ]
        build(engine, [*relations[:-1], Relation("found", relations[-1].select, materialized=True)])
        found = engine.rows(f"select snap, {fact_column(limit.fact)} from found")
    return dict(found)
