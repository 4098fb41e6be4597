"""What proofs assume: earlier days on which something else was in force, and facts that the
workspace lacks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problem, Problems
from riskseg.rules.model import Strategy
from riskseg.rules.proof_account import Granted
from riskseg.strategy.authored import read_strategy
from riskseg.strategy.check import check_strategy
from riskseg.strategy.proof.ask import Asker
from riskseg.strategy.proof.difference import meaning
from riskseg.strategy.proof.prove import prove
from riskseg.strategy.proof.results import Result
from tests.support.strategies import sound

FLAG = {
    "strategy.yaml": "name: s\npurpose: earlier days\nowner: tests\n"
    "actions: [{name: letter, channel: post}]\nprotective: [frail]\n",
    "segments.yaml": "columns: [frail]\nrows:\n"
    "  - {id: f, match: [true], segment: frail}\n  - {id: u, match: [any], segment: others}\n",
    "guards.yaml": "- guard: unused\n  when: frail and frail = false\n  never: [letter]\n",
}
FRAIL = (
    "gentle: {for: [frail], starts: since, steps: [{day: 5, action: letter}], stay: deliberately}\n"
)
LATER = (
    "gentle: {for: [frail], starts: since, effective_from: 2026-04-01, "
    "steps: [{day: 5, action: letter}], stay: deliberately}\n"
    "plain: {for: [others], starts: since, effective_from: 2026-04-01, "
    "steps: [{day: 0, action: letter}], "
    "stay: deliberately}\n"
)
FACTS = {"frail": Fact("frail", Kind.BOOLEAN), "since": Fact("since", Kind.DATE)}


def verdicts(strategy: Strategy, granted: Granted | None = None) -> dict[str, Result]:
    return {r.name: r for r in prove(strategy, granted or Granted(), Asker(5.0))}


@pytest.mark.parametrize(
    ("head", "paths", "verdict"),
    [
        (
            "",
            FRAIL + "plain: {for: [others], starts: since, steps: [{day: 0, action: letter}], "
            "stay: deliberately}",
            "proved",
        ),
        (
            "",
            LATER + "before: {for: [frail, others], starts: since, effective_to: 2026-03-31}",
            "refuted",
        ),
        (
            "",
            LATER + "before: {for: [frail, others], starts: since, effective_to: 2026-03-31, "
            "steps: [{day: 0, action: letter}], "
            "stay: deliberately}",
            "proved",
        ),
        (
            "effective_from: 2026-04-01\n",
            FRAIL + "plain: {for: [others], starts: since, steps: [{day: 0, action: letter}], "
            "stay: deliberately}",
            "refuted",
        ),
    ],
    ids=["always in force", "another path", "another path like it", "another strategy"],
)
def test_an_earlier_day_counts_only_where_the_path_was_in_force(
    tmp_path: Path, head: str, paths: str, verdict: str
) -> None:
    """Of an account since 30 March, on 4 April: the frail one gets a letter, and the other had one
    on 30 March only if the path in force by then, of a strategy in force by then, had one."""
    files = {
        **FLAG,
        "strategy.yaml": FLAG["strategy.yaml"] + head,
        "paths.yaml": f"{paths}\n",
    }
    strategy = sound(tmp_path, files, FACTS)
    granted = Granted(begins=strategy.effective_from, ends=strategy.effective_to)
    found = verdicts(strategy, granted)["protection frail"]
    assert found.verdict == verdict
    if found.accounts:
        since, on = found.accounts[0]["since"], found.accounts[0]["as_of"]
        assert isinstance(since, date) and isinstance(on, date)
        assert since < date(2026, 4, 1) <= on


# -- facts that the workspace lacks ----------------------------------------------------------------

COUNT = Fact("complaints_12m", Kind.INTEGER, lower=Decimal(0), unit="complaints")
LACKS = {
    "strategy.yaml": "name: s\npurpose: a fact that is lacking\nowner: tests\n"
    "actions: [{name: sms, channel: sms}]\n"
    "expects: {complaints_12m: {type: integer, else: 0}}\n",
    "tiers.yaml": "t:\n  - {tier: many, when: complaints_12m > 3}\n"
    "  - {tier: odd, when: complaints_12m < 0 or owed > 5}\n  - {tier: rest, otherwise: true}\n",
    "segments.yaml": "columns: [t]\nrows:\n  - {id: m, match: [many], segment: m}\n"
    "  - {id: o, match: [odd], segment: o}\n  - {id: r, match: [any], segment: r}\n",
    "paths.yaml": "o: {for: [o], starts: as_of, steps: [{day: 0, action: sms}]}\n"
    "r: {for: [m, r], starts: as_of}\n",
}
OWED = {"owed": Fact("owed", Kind.DECIMAL)}


def lacking(
    folder: Path, files: Mapping[str, str], declared: Fact | None = COUNT
) -> tuple[Strategy | None, list[Problem]]:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    problems = Problems()
    authored = read_strategy(folder, problems, shown="rules")
    assert authored is not None, list(problems)
    known = {} if declared is None else {declared.name: declared}
    found = check_strategy(authored, OWED, dict.fromkeys(known, "events"), {}, problems, known)
    return found, list(problems)


def declaring(*properties: str) -> dict[str, str]:
    guards = "".join(f"- {{prove: {p}, name: p{n}}}\n" for n, p in enumerate(properties))
    return {**LACKS, "guards.yaml": guards}


def test_a_fact_that_is_lacking_has_its_default_value_in_proofs(tmp_path: Path) -> None:
    """What holds of every account here is proved with it; and a row that only a workspace with the
    fact reaches is no fault."""
    files = declaring("complaints_12m = 0", "owed > 5 or action = 'none'", "complaints_12m > 0")
    strategy, problems = lacking(tmp_path, files)
    assert strategy is not None, problems
    found = verdicts(strategy, Granted(defaults=strategy.default_values))
    assert {n for n, r in found.items() if r.verdict != "proved"} == {"declared p2"}
    assert found["declared p2"].accounts[0]["complaints_12m"] == 0
    # Where the fact is there, it can be more than 0, and never less.
    there = verdicts(strategy)
    assert {n for n, r in there.items() if r.verdict != "proved"} == {"declared p0", "declared p2"}


def test_a_fact_of_the_catalogue_keeps_its_bounds_where_it_is_lacking(tmp_path: Path) -> None:
    bare, _ = lacking(tmp_path / "unknown", declaring("complaints_12m >= 0"), declared=None)
    known, _ = lacking(tmp_path / "known", declaring("complaints_12m >= 0"))
    assert bare is not None and known is not None
    assert verdicts(bare)["declared p0"].verdict == "refuted"
    assert verdicts(known)["declared p0"].verdict == "proved"
    assert known.facts["complaints_12m"] == COUNT


@pytest.mark.parametrize(
    ("expected", "says"),
    [
        ("{type: decimal, else: 0}", "integer"),
        ("{type: date, else: unknown}", "integer"),
        ("{type: integer, else: -1}", "never -1"),
        ("{type: integer, else: 0.5}", "0.5 cannot be its default value"),
    ],
)
def test_a_default_value_is_one_that_the_fact_can_have(
    tmp_path: Path, expected: str, says: str
) -> None:
    head = LACKS["strategy.yaml"].replace("{type: integer, else: 0}", expected)
    strategy, problems = lacking(tmp_path, {**LACKS, "strategy.yaml": head})
    assert strategy is None
    reported = [(p.code, p.file, p.line) for p in problems if says in p.what]
    assert reported == [("RS004", "rules/strategy.yaml", 5)], "\n".join(map(str, problems))


def test_a_default_value_outside_all_facts_is_still_assumed(tmp_path: Path) -> None:
    """A day that no account's date may be: nothing may follow from it for that."""
    head = LACKS["strategy.yaml"].replace(
        "expects: {", "expects: {asked_on: {type: date, else: 1800-01-01}, "
    )
    files = declaring("asked_on > '2000-01-01'", "asked_on < '1900-01-01'")
    strategy, problems = lacking(tmp_path, {**files, "strategy.yaml": head})
    assert strategy is not None, problems
    found = verdicts(strategy, Granted(defaults=strategy.default_values))
    assert found["declared p0"].verdict == "refuted"
    assert found["declared p1"].verdict == "proved"


@pytest.mark.parametrize("value", ["0.0000005", "-123456.1234567"])
def test_a_default_value_is_a_number_the_language_can_hold(tmp_path: Path, value: str) -> None:
    head = LACKS["strategy.yaml"].replace("integer, else: 0", f"decimal, else: {value}")
    strategy, problems = lacking(tmp_path, {**LACKS, "strategy.yaml": head}, declared=None)
    assert strategy is None
    assert [p.code for p in problems] == ["RS004"]


def test_two_versions_are_compared_with_their_default_values(tmp_path: Path) -> None:
    """Of a tier that only a lacking fact reaches nothing is reported; of a default value that moves
    accounts, all that it moves."""
    old, _ = lacking(tmp_path / "old", LACKS)
    files = {**LACKS, "tiers.yaml": LACKS["tiers.yaml"].replace("> 3", "> 2")}
    new, _ = lacking(tmp_path / "new", files)
    head = LACKS["strategy.yaml"].replace("else: 0", "else: 9")
    other, _ = lacking(tmp_path / "other", {**LACKS, "strategy.yaml": head})
    assert old is not None and new is not None and other is not None
    assert meaning(old, new, Granted(), Asker()).turns == ()
    turns = [(t.before, t.after) for t in meaning(old, other, Granted(), Asker()).turns]
    assert sorted(turns[:2]) == [("o", "m"), ("r", "m")]
