"""What a cell of a decision table may hold beside levels: a range of numbers, `not` a level.

Each is a text as the file writes it, in one form for one meaning, so that cells are compared, shown
and kept as texts; and it knows what it stands for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeVar

from riskseg.domain.relations import literal

_NUMBER = r"-?\d+(?:\.\d+)?|\$[a-z]\w*"
_RANGE = re.compile(rf"({_NUMBER})?\s*\.\.\s*({_NUMBER})?")
_COMPARED = re.compile(rf"(<=|>=|<|>)\s*({_NUMBER})")
_EQUAL = re.compile(rf"=?\s*({_NUMBER})")
_WITH_DASH = re.compile(rf"({_NUMBER})\s*[-–—]\s*({_NUMBER})")
T = TypeVar("T", bound=str)
_FORMS = "Write `0..30` (both included), `..30`, `91..`, `'> 90'` or a number."


@dataclass(frozen=True)
class End:
    """Where a range ends: just before a number, or just after it. `constant` is the name of the
    constant that the number is, where the file writes one."""

    number: Decimal
    after: bool
    constant: str = field(default="", compare=False)

    @property
    def order(self) -> tuple[Decimal, bool]:
        return self.number, self.after

    def text(self, constants: AbstractSet[str]) -> str:
        """Its number; by its name where it is one of these constants."""
        return f"${self.constant}" if self.constant in constants else self.digits

    @property
    def explained(self) -> str:
        """Its number, after the name of the constant that it is written as, if it is."""
        return f"${self.constant} ({self.digits})" if self.constant else self.digits

    @property
    def digits(self) -> str:
        return f"{_plain(self.number):f}"


class NumberRange(str):
    """Numbers from one end to another; None leaves a side open."""

    begin: End | None
    end: End | None

    @classmethod
    def of(
        cls, begin: End | None, end: End | None, named: AbstractSet[str] = frozenset()
    ) -> NumberRange:
        """The range; its text has the constants that are `named` by their names."""
        made = cls(_text(begin, end, lambda range_end: range_end.text(named)))
        made.begin, made.end = begin, end
        return made

    @property
    def constants(self) -> frozenset[str]:
        """The names of the constants it is written with."""
        return frozenset(end.constant for end in (self.begin, self.end) if end and end.constant)

    @property
    def explained(self) -> str:
        """The range with the names of constants beside their numbers: `..$grace (30)`."""
        return _text(self.begin, self.end, lambda range_end: range_end.explained)

    def by_name(self, constants: AbstractSet[str]) -> NumberRange:
        """The range with these constants by their names."""
        return NumberRange.of(self.begin, self.end, constants)

    def condition(self, name: str) -> str:
        """The range as a condition on a fact: `fact > $much and fact <= 90`."""
        begin, end = (e and e.text(self.constants) for e in (self.begin, self.end))
        if begin is not None and begin == end:
            return f"{name} = {begin}"
        sides = []
        if self.begin is not None:
            sides.append(f"{name} {'>' if self.begin.after else '>='} {begin}")
        if self.end is not None:
            sides.append(f"{name} {'<=' if self.end.after else '<'} {end}")
        return " and ".join(sides)


class NotLevel(str):
    """Any level but one; unknowns are none."""

    level: str

    @classmethod
    def of(cls, level: str) -> NotLevel:
        made = cls(f"not {level}")
        made.level = level
        return made


class CellFault(ValueError):
    """What is wrong with a cell, and what to write."""

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what)
        self.what, self.hint = what, hint


def read_range(written: object, constants: Mapping[str, object]) -> NumberRange:
    """The range that a cell of a column of numbers holds. Raises CellFault."""
    text = str(written).strip()
    if isinstance(written, bool):
        raise CellFault(f'"{text.lower()}" is not a range of numbers.', _FORMS)
    if (between := _RANGE.fullmatch(text)) and any(between.groups()):
        low, high = between.groups()
        begin = None if low is None else _end(low, constants, after=False)
        end = None if high is None else _end(high, constants, after=True)
        if begin is not None and end is not None and end.number < begin.number:
            swapped = f"{end.number:f}..{begin.number:f}"
            raise CellFault(f'"{text}" ends before it begins.', f"Write `{swapped}`.")
        return NumberRange.of(begin, end)
    if compared := _COMPARED.fullmatch(text):
        sign, number = compared.groups()
        if sign in (">", ">="):
            return NumberRange.of(_end(number, constants, after=sign == ">"), None)
        return NumberRange.of(None, _end(number, constants, after=sign == "<="))
    if equal := _EQUAL.fullmatch(text):
        number = equal[1]
        return NumberRange.of(
            _end(number, constants, after=False), _end(number, constants, after=True)
        )
    if dashed := _WITH_DASH.fullmatch(text):
        raise CellFault(
            f'"{text}" is not a range of numbers.', f"Write `{dashed[1]}..{dashed[2]}`."
        )
    raise CellFault(f'"{text}" is not a range of numbers.', _FORMS)


def condition_of(name: str, cell: frozenset[str | bool]) -> str:
    """What a cell takes, as a condition on its column: `name` as expressions write it. It is
    unknown where the column is, and a cell takes no unknown."""
    if True in cell or False in cell:
        return " or ".join(name if level else f"not {name}" for level in sorted(cell, key=str))
    ranges = sorted(_of_type(cell, NumberRange), key=_begin)
    if ranges:
        conditions = [part.condition(name) for part in ranges]
        if not conditions[1:]:
            return conditions[0]
        return " or ".join(f"({c})" if " and " in c else c for c in conditions)
    excluded = sorted(literal(level.level) for level in _of_type(cell, NotLevel))
    if excluded:
        return (
            f"{name} not in ({', '.join(excluded)})" if excluded[1:] else f"{name} <> {excluded[0]}"
        )
    levels = sorted(literal(str(level)) for level in cell)
    return f"{name} in ({', '.join(levels)})" if levels[1:] else f"{name} = {levels[0]}"


def constants_in(written: object) -> set[str]:
    """The constants that a cell names."""
    return set(re.findall(r"\$([a-z]\w*)", str(written)))


def _number(text: str, constants: Mapping[str, object]) -> Decimal:
    if not text.startswith("$"):
        return Decimal(text)
    value = constants.get(text[1:])
    if isinstance(value, int | Decimal):
        return Decimal(value)
    if value is None:
        raise CellFault(f'There is no constant "{text}".', "Declare it in `constants`.")
    raise CellFault(f'The constant "{text}" is not a number.', "Use one that is.")


def _end(text: str, constants: Mapping[str, object], *, after: bool) -> End:
    return End(_number(text, constants), after, text[1:] if text.startswith("$") else "")


def _of_type(cell: frozenset[str | bool], type_: type[T]) -> Iterator[T]:
    return (level for level in cell if isinstance(level, type_))


def _begin(part: NumberRange) -> tuple[bool, tuple[Decimal, bool]]:
    return (part.begin is not None, part.begin.order if part.begin else (Decimal(0), False))


def _text(begin: End | None, end: End | None, shown: Callable[[End], str]) -> str:
    low, high = (shown(e) if e else "" for e in (begin, end))
    if begin is not None and begin.after:
        return f"> {low}"
    if end is not None and not end.after:
        return f"< {high}"
    return low if low == high else f"{low}..{high}"


def _plain(number: Decimal) -> Decimal:
    return number.normalize() + 0
