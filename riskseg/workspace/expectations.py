"""What a feed is expected to be: `[source.TABLE.expect]` in riskseg.toml."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from pydantic import field_validator

from riskseg.domain.documents import Shape

_NUMBER = r"\d+(?:\.\d+)?"
_TIMES = re.compile(rf"({_NUMBER})x\.\.({_NUMBER})x")
_GROUPED = re.compile(r"(?<![\d.])[1-9]\d{0,2}(?:\.\d{3})+(?![\dx])|\d[,' _]\d{3}")
_DAYS = re.compile(r"\d{1,5} days?")
_FROM_TO = re.compile(rf"({_NUMBER})?\.\.({_NUMBER})?")


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and the most; `relative`: as multiples of what it was in earlier runs."""

    least: Decimal | None
    most: Decimal | None
    relative: bool


def bounds(text: str) -> Bounds:
    """The bounds that `0.5x..2x`, `1000..50000` or `1000..` state. Raises ValueError for others."""
    if grouped := _GROUPED.search(text):
        raise ValueError(
            "it should have numbers without a sign between thousands, such as "
            f'"1000..50000": "{grouped[0]}" can be read in two ways'
        )
    found = _TIMES.fullmatch(text) or _FROM_TO.fullmatch(text)
    if found is None or not any(found.groups()):
        raise ValueError('it should be bounds, such as "0.5x..2x" or "1000..50000"')
    least, most = (None if part is None else Decimal(part) for part in found.groups())
    if least is not None and most is not None and least > most:
        raise ValueError("its first number is greater than its second")
    return Bounds(least, most, found.re is _TIMES)


class ExpectTable(Shape):
    """`newest` is how many days the newest row may be older than the as-of date; `rows` and `sum`
    bound the rows of a run and their amounts."""

    newest: str | None = None
    rows: str | None = None
    sum: str | None = None

    @field_validator("newest", mode="before")
    @classmethod
    def _is_days(cls, value: object) -> object:
        if not isinstance(value, str) or not _DAYS.fullmatch(value):
            raise ValueError("it should be a number of days, such as `3 days`")
        return value

    @field_validator("rows", "sum")
    @classmethod
    def _are_bounds(cls, value: str | None) -> str | None:
        if value is not None:
            bounds(value)
        return value

    @property
    def most_days(self) -> int | None:
        return None if self.newest is None else int(self.newest.split()[0])
