"""A kind of rule from outside, one class, does by registration alone what the kinds of the house
do. The other tests of kinds are those of what each kind does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from riskseg.domain.problems import did_you_mean
from riskseg.expressions.smt import both
from riskseg.rules.elements import Action
from riskseg.rules.keys import ALWAYS, UNKNOWN, WHEN, Key
from riskseg.rules.model import Strategy
from riskseg.rules.proof_account import Account, Granted
from riskseg.rules.rule import (
    Claim,
    DecisionTerms,
    Entry,
    Question,
    Restriction,
    Rule,
    register,
    registered,
    unregister,
)
from riskseg.strategy.changes import changes
from riskseg.strategy.described import shown
from riskseg.strategy.editions import Edition
from riskseg.strategy.kinds.shape import key_words
from riskseg.strategy.proof.ask import Asker
from riskseg.strategy.proof.decision import decided as decided_by_terms
from riskseg.strategy.proof.prove import prove
from riskseg.strategy.proof.results import claims
from tests.strategy.test_guards import ALWAYS as EVERY_DAY
from tests.strategy.test_guards import KNOWN
from tests.support.accounts import decided, random_accounts
from tests.support.strategies import read, sound

WEEKDAY = Key("weekday", int, "rest: the day of the week, Monday is 1")
HARSHEST = Key("harshest", str, "rest: the harshest action that is taken on it")
SUNDAY = date(2026, 3, 1)
RULE = "- {rest: sundays, when: days_past_due < 500, weekday: 7, harshest: sms}\n"


@dataclass(frozen=True, kw_only=True)
class Rest(Restriction):
    """On one day of the week nothing harsher than `harshest` is emitted."""

    kind = "rest"
    words = "its name: spares accounts on a day of the week"
    called = "day of rest"
    needs = (WHEN, WEEKDAY, HARSHEST)
    takes = (UNKNOWN, *ALWAYS)
    claims: ClassVar[Mapping[str, str]] = {
        **Restriction.claims,
        "rest-is-kept": "on the day of rest no letter is emitted",
    }

    weekday: int

    @classmethod
    def forbidden(cls, entry: Entry) -> Sequence[str]:
        ranks = {action.name: action.rank for action in entry.scope.actions}
        harshest = entry.get(HARSHEST)
        if harshest not in ranks:
            hint = did_you_mean(harshest, ranks)
            entry.add_problem(
                "RS209", f'There is no action "{harshest}".', HARSHEST.name, hint=hint
            )
            return []
        return [name for name, rank in ranks.items() if rank > ranks[harshest]]

    @classmethod
    def more(cls, entry: Entry) -> dict[str, Any]:
        return {WEEKDAY.name: entry.get(WEEKDAY)}

    def in_force_sql(self) -> str:
        return f"({super().in_force_sql()}) and isodow(as_of) = {self.weekday}"

    def in_force_term(self, account: Account) -> Any:
        # The days count from a Thursday.
        weekday = (account.terms["as_of"].value + 3) % 7 + 1
        return both(super().in_force_term(account), weekday == self.weekday)

    def claimed(
        self, decision: DecisionTerms, actions: Sequence[Action], others: Sequence[Restriction]
    ) -> Iterator[Claim]:
        yield from super().claimed(decision, actions, others)
        (letter,) = (action for action in actions if action.name == "letter")
        asked = decision.guards[self.name], decision.rank == letter.rank
        yield Claim("rest-is-kept", (Question("A letter is emitted on it.", asked),))


@pytest.fixture
def rest() -> Iterator[type[Rule]]:
    yield register(Rest)
    unregister(Rest)


def with_rule(rule: str) -> dict[str, str]:
    return {**EVERY_DAY, "guards.yaml": rule}


def actions_of_a_week(strategy: Strategy) -> dict[str, tuple[str, str]]:
    days = [SUNDAY + timedelta(days=n) for n in range(7)]
    found = [decided(strategy, [{**KNOWN, "as_of": day}], day)[0] for day in days]
    return {
        f"{day:%a}": (row["action"], row["guards"]) for day, row in zip(days, found, strict=True)
    }


def test_without_it_the_key_is_no_kind(tmp_path: Path) -> None:
    strategy, problems = read(tmp_path, with_rule(RULE))
    assert strategy is None
    assert {p.code for p in problems} == {"RS003"}
    assert "rest" not in registered()


@pytest.mark.usefixtures("rest")
@pytest.mark.parametrize(
    ("old", "new", "code", "message"),
    [
        ("harshest: sms", "harshest: smss", "RS209", 'There is no action "smss".'),
        (", harshest: sms", "", "RS005", 'The day of rest "sundays" has no `harshest`.'),
        ("weekday: 7", "weekday: 7, of: sms", "RS003", '"of" does not go with a day of rest.'),
        ("weekday: 7", "weekday: x", "RS004", '"weekday" cannot be'),
        ("days_past_due <", "days_past_dew <", "RS303", "days_past_dew"),
        ("}", "}\n- {prove: true, name: sundays}", "RS202", 'The name "sundays" occurs twice.'),
    ],
)
def test_it_is_checked(old: str, new: str, code: str, message: str, tmp_path: Path) -> None:
    strategy, problems = read(tmp_path, with_rule(RULE.replace(old, new)))
    assert strategy is None
    assert [p.code for p in problems] == [code]
    assert message in problems[0].what


@pytest.mark.usefixtures("rest")
def test_it_changes_decisions_on_its_day(tmp_path: Path) -> None:
    week = actions_of_a_week(sound(tmp_path, with_rule(RULE)))
    assert week.pop("Sun") == ("none", "sundays")
    assert set(week.values()) == {("agency", "")}


@pytest.mark.usefixtures("rest")
def test_it_is_proved(tmp_path: Path) -> None:
    strategy = sound(tmp_path, with_rule(RULE))
    verdicts = {r.name: r.verdict for r in prove(strategy, Granted(), Asker())}
    assert verdicts["guard-holds sundays"] == "proved"
    assert verdicts["guard-used sundays"] == "proved"
    assert verdicts["rest-is-kept sundays"] == "proved"
    assert "rest-is-kept" in claims()


@pytest.mark.usefixtures("rest")
def test_its_term_decides_as_its_sql_does(tmp_path: Path) -> None:
    strategy = sound(tmp_path, with_rule(RULE))
    for day in (SUNDAY, SUNDAY + timedelta(days=1), SUNDAY + timedelta(days=6)):
        accounts = random_accounts(strategy, day, 20, seed=7)
        for account, row in zip(accounts, decided(strategy, accounts, day), strict=True):
            terms = decided_by_terms(strategy, account, ["action"])
            assert terms == {"action": row["action"]}, account


@pytest.mark.usefixtures("rest")
def test_what_it_forbids_refutes_a_property(tmp_path: Path) -> None:
    always = '- {prove: "action = due_action", name: always_an_agency}\n'
    strategy = sound(tmp_path, with_rule(RULE + always))
    results = {r.name: r for r in prove(strategy, Granted(), Asker())}
    refuted = results["declared always_an_agency"]
    assert refuted.verdict == "refuted"
    day = refuted.accounts[0]["as_of"]
    assert isinstance(day, date) and day.isoweekday() == 7


@pytest.mark.usefixtures("rest")
def test_it_is_described_compared_and_part_of_the_fingerprint(tmp_path: Path) -> None:
    sunday, monday = (
        sound(tmp_path, with_rule(rule))
        for rule in (RULE, RULE.replace("weekday: 7", "weekday: 1"))
    )
    (described,) = shown(sunday, from_data=False).as_json()["guards"]
    assert described["kind"] == "rest" and described["weekday"] == 7
    assert described["when"] == "days_past_due < 500"
    assert described["never"] == ["agency", "desk", "letter"]
    assert sunday.fingerprint != monday.fingerprint
    reported = [str(change) for change in changes(Edition(sunday, {}, {}), Edition(monday, {}, {}))]
    assert reported == ["guards.yaml rest sundays (line 1): weekday was 7, is 1"]
    assert key_words()["weekday"] == WEEKDAY.words


def test_a_key_has_one_meaning() -> None:
    class Other(Rule):
        kind = "other"
        words = called = "another rule"
        section = "others"
        needs = (Key("when", int, "the hour"),)

    with pytest.raises(ValueError, match="the key when has another meaning"):
        register(Other)
    assert "other" not in registered()
