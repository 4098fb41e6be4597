"""Numbers that a file writes as the name of a constant, such as `day: $first_letter`.

Each is the number it stands for, so whatever calculates with it needs to know nothing of the
constant; it keeps the name, to be shown and for comparing two versions.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any


class NamedInteger(int):
    """A whole number by the name of a constant."""

    constant: str

    @classmethod
    def of(cls, number: int, constant: str) -> NamedInteger:
        named = cls(number)
        named.constant = constant
        return named


class NamedDecimal(Decimal):
    """A decimal by the name of a constant."""

    constant: str

    @classmethod
    def of(cls, number: Decimal, constant: str) -> NamedDecimal:
        named = cls(number)
        named.constant = constant
        return named

    def __reduce__(self) -> Any:
        # A Decimal is sent to other processes as its digits alone.
        return NamedDecimal.of, (Decimal(self), self.constant)


def shown_number(number: int | Decimal | None) -> str:
    """A number, after the name of the constant that it is written as, if it is: `$grace (30)`."""
    text = f"{number:f}" if isinstance(number, Decimal) else str(number)
    constant = constant_of(number)
    return text if constant is None else f"${constant} ({text})"


def constant_of(number: object) -> str | None:
    """The name of the constant that a number is written as, or None."""
    return number.constant if isinstance(number, NamedInteger | NamedDecimal) else None
