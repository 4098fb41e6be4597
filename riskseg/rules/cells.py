"""What a cell of the table of segments may hold beside levels: a range of numbers, `not` a level.

Each is a text as the file writes it, in one form for one meaning, so that cells are compared, shown
and kept as texts; and it knows what it stands for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

_NUMBER = r"-?\d+(?:\.\d+)?|\$[a-z]\w*"
_RANGE = re.compile(rf"({_NUMBER})?\s*\.\.\s*({_NUMBER})?")
_COMPARED = re.compile(rf"(<=|>=|<|>)\s*({_NUMBER})")
_EQUAL = re.compile(rf"=?\s*({_NUMBER})")
_WITH_DASH = re.compile(rf"({_NUMBER})\s*[-–—]\s*({_NUMBER})")
_FORMS = "Write `0..30` (both included), `..30`, `91..`, `'> 90'` or a number."


@dataclass(frozen=True)
class End:
    """Where a range ends: just before a number, or just after it."""

    number: Decimal
    after: bool

    @property
    def order(self) -> tuple[Decimal, bool]:
        return self.number, self.after


class NumberRange(str):
    """Numbers from one end to another; None leaves a side open."""

    begin: End | None
    end: End | None

    @classmethod
    def of(cls, begin: End | None, end: End | None) -> NumberRange:
        made = cls(_text(begin, end))
        made.begin, made.end = begin, end
        return made


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
        raise CellFault(f'"{text.lower()}" is no range of numbers.', _FORMS)
    if (between := _RANGE.fullmatch(text)) and any(between.groups()):
        low, high = (None if n is None else _number(n, constants) for n in between.groups())
        if low is not None and high is not None and high < low:
            raise CellFault(f'"{text}" ends before it begins.', f"Write `{high:f}..{low:f}`.")
        begin = None if low is None else End(low, after=False)
        return NumberRange.of(begin, None if high is None else End(high, after=True))
    if compared := _COMPARED.fullmatch(text):
        sign, number = compared[1], _number(compared[2], constants)
        if sign in (">", ">="):
            return NumberRange.of(End(number, after=sign == ">"), None)
        return NumberRange.of(None, End(number, after=sign == "<="))
    if equal := _EQUAL.fullmatch(text):
        number = _number(equal[1], constants)
        return NumberRange.of(End(number, after=False), End(number, after=True))
    if dashed := _WITH_DASH.fullmatch(text):
        raise CellFault(f'"{text}" is no range of numbers.', f"Write `{dashed[1]}..{dashed[2]}`.")
    raise CellFault(f'"{text}" is no range of numbers.', _FORMS)


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
    raise CellFault(f'The constant "{text}" is no number.', "Use one that is.")


def _text(begin: End | None, end: End | None) -> str:
    low, high = (f"{_plain(e.number):f}" if e else "" for e in (begin, end))
    if begin is not None and begin.after:
        return f"> {low}"
    if end is not None and not end.after:
        return f"< {high}"
    return low if low == high else f"{low}..{high}"


def _plain(number: Decimal) -> Decimal:
    return number.normalize() + 0
