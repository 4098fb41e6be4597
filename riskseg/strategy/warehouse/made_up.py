"""Made-up accounts for the test of an exported query: near every number, text and day that the
strategy looks at, and with unknowns.

They need not be possible: what is asked is whether two ways of deciding agree, not who exists.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

from riskseg.domain.facts import Fact, Kind
from riskseg.expressions.tree import Literal, Name, Node, Value
from riskseg.expressions.walk import comparisons, parts
from riskseg.rules.cells import NotLevel, NumberRange
from riskseg.rules.model import Path, Strategy
from riskseg.rules.periods import Period
from riskseg.rules.state import is_state
from riskseg.strategy.located import located

Account = Mapping[str, Value]
_SMALL = {Kind.INTEGER: Decimal(1), Kind.NUMBER: Decimal("0.5")}
_NEAR_DAYS = (-1, 0, 1)
# A text that no rule names.
_OTHER = "another"


def made_up(strategy: Strategy, period: Period, count: int) -> list[dict[str, Value]]:
    """So many accounts, the same for the same strategy: such as come by chance, accounts on the day
    of a step of a path, and its examples, changed in a few facts."""
    maker = _Maker(strategy, period)
    kinds = [maker.by_chance, maker.on_a_step, maker.like_an_example, maker.example_on_a_step]
    return [kinds[number % len(kinds)]() for number in range(count)]


class _Maker:
    def __init__(self, strategy: Strategy, period: Period) -> None:
        self.strategy = strategy
        self.rng = random.Random(16)  # noqa: S311  # nothing here is secret
        self.days = _days_of(period)
        self.thresholds = _thresholds(strategy)
        self.steps = [(path, step.day) for path in strategy.paths for step in path.steps]
        self.offsets = sorted({day for _, day in self.steps} | {0, 30})

    def by_chance(self) -> dict[str, Value]:
        as_of = self.rng.choice(self.days)
        account: dict[str, Value] = {
            name: self._value(fact, as_of) for name, fact in self.strategy.facts.items()
        }
        return account | {"as_of": as_of}

    def on_a_step(self) -> dict[str, Value]:
        """An account near the day of a step, which little holds back."""
        account = self.by_chance()
        for name, fact in self.strategy.facts.items():
            if is_state(name) and self.rng.random() < 0.85:
                account[name] = None if fact.nullable else _nothing(fact)
            elif fact.kind is Kind.BOOLEAN and self.rng.random() < 0.7:
                account[name] = False
        self._place_on_a_step(account)
        return account

    def like_an_example(self) -> dict[str, Value]:
        """An example with some of its facts changed."""
        if not self.strategy.examples:
            return self.on_a_step()
        account = self.by_chance()
        example = self.rng.choice(self.strategy.examples)
        for name, fact in self.strategy.facts.items():
            if is_state(name):
                account[name] = None if fact.nullable else _nothing(fact)
        given = {n: v for n, v in example.given.items() if n in account and n != "as_of"}
        account |= {n: _of_kind(v, self.strategy.facts[n]) for n, v in given.items()}
        if example.day is not None:
            for path in self.strategy.paths:
                self._place(account, path, example.day)
        for name in self.rng.sample(sorted(account), self.rng.randint(0, 3)):
            if name != "as_of":
                as_of = account["as_of"]
                assert isinstance(as_of, date)
                account[name] = self._value(self.strategy.facts[name], as_of)
        return account

    def example_on_a_step(self) -> dict[str, Value]:
        """An example near the day of a step."""
        account = self.like_an_example()
        self._place_on_a_step(account)
        return account

    def _place_on_a_step(self, account: dict[str, Value]) -> None:
        if self.steps:
            path, day = self.rng.choice(self.steps)
            self._place(account, path, day + self.rng.choice((0, 0, 1, -1, 7)))

    def _place(self, account: dict[str, Value], path: Path, day: int) -> None:
        """Have the path begin so that the account is on a day of it."""
        as_of = account["as_of"]
        assert isinstance(as_of, date)
        for name in path.starts.names - {"as_of"}:
            if self.strategy.facts[name].kind is Kind.DATE:
                account[name] = as_of - timedelta(days=day)

    def _value(self, fact: Fact, as_of: date) -> Value:
        """A value near those that the strategy looks at."""
        if fact.nullable and self.rng.random() < (0.6 if is_state(fact.name) else 0.12):
            return None
        known = self.thresholds.get(fact.name, [])
        match fact.kind:
            case Kind.BOOLEAN:
                return self.rng.random() < (0.15 if is_state(fact.name) else 0.4)
            case Kind.INTEGER | Kind.DECIMAL | Kind.NUMBER:
                return self._number(fact, [v for v in known if isinstance(v, int | Decimal)])
            case Kind.DATE:
                dates = [value for value in known if isinstance(value, date)]
                if dates and self.rng.random() < 0.5:
                    return _moved(self.rng.choice(dates), self.rng.choice(_NEAR_DAYS))
                days = self.rng.choice(self.offsets) + self.rng.choice(_NEAR_DAYS)
                return _moved(as_of, -days)
            case Kind.LEVEL:
                return self.rng.choice(fact.levels)
            case _:
                return self.rng.choice([*(str(value) for value in known), _OTHER])

    def _number(self, fact: Fact, known: Sequence[int | Decimal]) -> Value:
        numbers = [Decimal(number) for number in known] or [Decimal(0), Decimal(1), Decimal(30)]
        is_share = fact.upper == 1
        step = _SMALL.get(fact.kind, Decimal("0.000001") if is_share else Decimal("0.01"))
        number = self.rng.choice(numbers) + self.rng.choice(_NEAR_DAYS) * step
        if fact.lower is not None:
            number = max(number, fact.lower)
        if fact.upper is not None:
            number = min(number, fact.upper)
        return _of_kind(number, fact)


def _of_kind(value: object, fact: Fact) -> Value:
    """A number as one of a fact's kind; anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return value  # type: ignore[return-value]  # checked where the example was
    match fact.kind:
        case Kind.INTEGER:
            return int(value)
        case Kind.NUMBER:
            return float(value)
        case _:
            return Decimal(str(value))


def _nothing(fact: Fact) -> Value:
    """What a fact of treatment says of an account that nothing was done for."""
    return False if fact.kind is Kind.BOOLEAN else 0


def _moved(day: date, days: int) -> date:
    return day + timedelta(days=days)


def _days_of(period: Period) -> list[date]:
    """Some days of the period, its first and its last among them."""
    first = max(period.first, date(2024, 2, 28))
    last = min(period.last, first + timedelta(days=800))
    days = {first + timedelta(days=days) for days in (0, 1, 2, 311, 733)}
    return sorted({min(day, last) for day in days} | {last})


def _thresholds(strategy: Strategy) -> Mapping[str, list[Value]]:
    """The numbers, texts and dates that each fact is compared with."""
    found: dict[str, dict[Value, None]] = defaultdict(dict)
    for part in located(strategy):
        for node in comparisons(part.expression.tree):
            inner = [*parts(node)]
            values = [leaf.value for leaf in inner if isinstance(leaf, Literal)]
            for leaf in inner:
                if isinstance(leaf, Name):
                    found[leaf.name] |= dict.fromkeys(_fitting(leaf, values))
    for band in strategy.bands:
        found[band.of] |= dict.fromkeys(cut for _, cut in band.cuts)
    for index, column in enumerate(strategy.columns):
        if column in strategy.facts:
            for row in strategy.rows:
                found[column] |= dict.fromkeys(_in_cell(row.cells[index] or ()))
    return {name: [*values] for name, values in found.items()}


def _fitting(name: Node, values: Iterable[Value]) -> Iterator[Value]:
    for value in values:
        is_number = isinstance(value, int | Decimal | float) and not isinstance(value, bool)
        if isinstance(value, float):
            value = Decimal(str(value))
        textual, dated = name.kind.is_textual, name.kind is Kind.DATE
        if (
            (name.kind.is_numeric and is_number)
            or (textual and isinstance(value, str))
            or (dated and isinstance(value, date))
        ):
            yield value


def _in_cell(levels: Iterable[object]) -> Iterator[Value]:
    for level in levels:
        if isinstance(level, NumberRange):
            yield from (end.number for end in (level.begin, level.end) if end is not None)
        elif isinstance(level, NotLevel):
            yield level.level
        elif isinstance(level, str):
            yield str(level)


def chosen(reached: Sequence[Iterable[object]]) -> list[int]:
    """The positions of a few accounts that reach, together, all that any of them does: those that
    reach what is rare are chosen first. `reached` says what each account reaches."""
    by_thing: dict[object, list[int]] = defaultdict(list)
    for number, things in enumerate(reached):
        for thing in dict.fromkeys(things):
            by_thing[thing].append(number)
    of_account = [frozenset(things) for things in reached]
    left, kept = set(by_thing), []
    for thing in sorted(by_thing, key=lambda thing: (len(by_thing[thing]), repr(thing))):
        if thing in left:
            best = max(
                by_thing[thing], key=lambda number: (len(of_account[number] & left), -number)
            )
            kept.append(best)
            left -= of_account[best]
    return sorted(kept)
