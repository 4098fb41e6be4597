"""Strategies read from text, and the facts they may name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

from jsonschema import Draft7Validator, FormatChecker

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problem, Problems
from riskseg.rules.model import Strategy
from riskseg.rules.rule import registered
from riskseg.strategy import schemas as schema_of
from riskseg.strategy.authored import AuthoredStrategy, read_strategy
from riskseg.strategy.check import check_strategy
from riskseg.strategy.editions import Edition

LACKING = {"broken_promises_12m": "events", "disputed_now": "bills.disputed_amount"}
MODELS = {"default": True, "late_payment": True}


def fact(
    name: str, kind: Kind, *levels: str, nullable: bool = False, lower: int | None = None
) -> Fact:
    return Fact(
        name,
        kind,
        nullable,
        levels=levels,
        lower=None if lower is None else Decimal(lower),
        words=f"{name} is {{value}}",
    )


FACTS = {
    f.name: f
    for f in (
        fact("lifecycle", Kind.LEVEL, "live", "closed_in_debt", "written_off"),
        fact("region", Kind.LEVEL, "north", "south", nullable=True),
        fact("note", Kind.TEXT, nullable=True),
        fact("days_past_due", Kind.INTEGER, lower=0),
        fact("bills_12m", Kind.INTEGER, lower=0),
        fact("months_on_book", Kind.INTEGER, nullable=True),
        fact("balance_overdue", Kind.DECIMAL, lower=0),
        fact("is_vulnerable", Kind.BOOLEAN, nullable=True),
        fact("on_plan", Kind.BOOLEAN),
        fact("hold_from", Kind.DATE, nullable=True),
        fact("hold_until", Kind.DATE, nullable=True),
        fact("episode_started_on", Kind.DATE, nullable=True),
        fact("next_due_on", Kind.DATE, nullable=True),
    )
}

# A small strategy without a fault; tests change one place of it.
SMALL: Mapping[str, str] = {
    "strategy.yaml": """\
name: small
purpose: to be broken
owner: tests
uses: {p: default}
bands:
  risk: {of: p, cuts: {low: 0.1, high: 1}}
actions:
  - {name: sms, channel: sms}
  - {name: letter, channel: post}
  - {name: agency, channel: file}
protective: [is_vulnerable]
priority: balance_overdue * coalesce(p, 0.5)
""",
    "tiers.yaml": """\
behaviour:
  - {tier: new, when: months_on_book < 6, unknown: match}
  - {tier: late, when: days_past_due > 30}
  - {tier: good, otherwise: true}
""",
    "segments.yaml": """\
columns: [lifecycle, risk, behaviour]
rows:
  - {id: closed, match: [closed_in_debt, any, any], segment: trace}
  - {id: chase, match: [any, high, [new, late]], segment: chase}
  - {id: rest, match: [any, any, any], segment: leave}
""",
    "paths.yaml": """\
trace: {for: [trace], starts: episode_started_on, steps: [{day: 10, action: agency}], then: stay}
chase:
  for: [chase]
  starts: episode_started_on
  steps:
    - {day: 3, action: sms, template: reminder}
    - {day: 14, action: letter}
  then: trace
  ends_when: balance_overdue < 10
leave: {for: [leave], starts: as_of}
""",
    "guards.yaml": """\
- guard: vulnerable
  when: is_vulnerable
  never: [agency]
  instead: letter
- hold: plan
  when: on_plan
- requirement: old
  of: agency
  needs: days_past_due >= 60
""",
    "examples.yaml": """\
defaults:
  lifecycle: live
  months_on_book: 40
  days_past_due: 0
  balance_overdue: 100
  is_vulnerable: false
  on_plan: false
  p: 0.05
examples:
  - example: quiet
    expect: {segment: leave, action: none}
  - example: third day
    given: {p: 0.6, days_past_due: 31, day: 3}
    expect: {risk: high, behaviour: late, segment: chase, path: chase, action: sms}
""",
}


def changed(file: str, old: str, new: str) -> dict[str, str]:
    """The small strategy with one text replaced."""
    text = SMALL[file]
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
    return {**SMALL, file: text.replace(old, new)}


def read(
    folder: Path, files: Mapping[str, str], facts: Mapping[str, Fact] = FACTS
) -> tuple[Strategy | None, list[Problem]]:
    """The strategy of these files, and the Problems found in them."""
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return read_folder(folder, facts)


def read_folder(
    folder: Path,
    facts: Mapping[str, Fact] = FACTS,
    lacking: Mapping[str, str] = LACKING,
    *,
    draft: bool = True,
) -> tuple[Strategy | None, list[Problem]]:
    problems = Problems()
    authored = read_strategy(folder, problems, shown="rules")
    if authored is None:
        return None, list(problems)
    strategy = check_strategy(authored, facts, lacking, MODELS, problems, draft=draft)
    if strategy is not None:
        for file, fault in schema_faults(authored):
            raise AssertionError(f"An editor would refuse {file}: {fault}")
    return strategy, list(problems)


def schema_faults(authored: AuthoredStrategy) -> Iterator[tuple[str, str]]:
    """What the JSON Schemas for editors find in the files that were read."""
    for file, document in authored.documents.items():
        yield from ((file, fault) for fault in faults_by_schema(file, document.data))


def faults_by_schema(file: str, data: object) -> Iterator[str]:
    """What the JSON Schema of a file finds in its content."""
    schemas = _schemas(tuple(registered()))
    validator = schemas[schema_of.PACKS if file.startswith("packs/") else file]
    yield from (fault.message for fault in validator.iter_errors(_plain(data)))


_DATES = FormatChecker(["date"])


@cache
def _schemas(kinds: tuple[str, ...]) -> dict[str, Draft7Validator]:
    return {
        file: Draft7Validator(schema, format_checker=_DATES)
        for file, schema in schema_of.strategy_schemas().items()
    }


def _plain(data: object) -> object:
    """Content as an editor has it: dates are texts."""
    match data:
        case dict():
            return {key: _plain(value) for key, value in data.items()}
        case list():
            return list(map(_plain, data))
        case date():
            return data.isoformat()
        case Decimal():
            return float(data)
    return data


def sound(folder: Path, files: Mapping[str, str], facts: Mapping[str, Fact] = FACTS) -> Strategy:
    strategy, problems = read(folder, files, facts)
    assert strategy is not None, "\n".join(map(str, problems))
    return strategy


def edition_of(folder: Path, texts: Mapping[str, str]) -> Edition:
    """A sound strategy of these files, which are written to a new folder."""
    folder.mkdir()
    for name, text in texts.items():
        (folder / name).write_text(text)
    problems = Problems()
    authored = read_strategy(folder, problems, shown="rules")
    assert authored is not None
    strategy = check_strategy(authored, FACTS, LACKING, MODELS, problems)
    assert strategy is not None, list(map(str, problems))
    return Edition(strategy, authored.documents, authored.texts)
