"""What a number in a table of results stands for, so that every place shows it alike."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic.fields import FieldInfo

from riskseg.domain.words import money
from riskseg.results.part import Part


class Unit(StrEnum):
    """How a number is shown."""

    MONEY = "money"
    SHARE = "share"
    RATIO = "ratio"
    # Text to be pasted into a file, whose lines and spaces count.
    CODE = "code"
    # For machines: no column of what people see.
    HIDDEN = "hidden"


_OF_NUMBERS = {Unit.MONEY, Unit.SHARE, Unit.RATIO}

Money = Annotated[Decimal, Unit.MONEY]
MoneyOrNone = Annotated[Decimal | None, Unit.MONEY]
# A part of a whole, between 0 and 1, shown in per cent.
Share = Annotated[Decimal, Unit.SHARE]
ShareOrNone = Annotated[Decimal | None, Unit.SHARE]
Code = Annotated[str, Unit.CODE]
Hidden = Annotated[str, Unit.HIDDEN]
Ratio = Annotated[Decimal, Unit.RATIO]
RatioOrNone = Annotated[Decimal | None, Unit.RATIO]


def unit_of(field: FieldInfo) -> Unit | None:
    """The unit of a field of a result; None where it is no number with a unit."""
    return next((unit for unit in field.metadata if isinstance(unit, Unit)), None)


def share_of(part: int | Decimal, whole: int | Decimal) -> Decimal:
    """A part of a whole with six decimals; 0 of nothing."""
    return round(Decimal(part) / Decimal(whole), 6) if whole else Decimal(0)


def headings(rows: type[Part]) -> dict[str, str]:
    """The columns that people see of a table of results: the name of each field and its
    heading."""
    return {
        name: name.replace("_", " ")
        for name, field in rows.model_fields.items()
        if unit_of(field) is not Unit.HIDDEN
    }


def is_number(rows: type[Part], name: str) -> bool:
    """Whether a column holds numbers."""
    field = rows.model_fields[name]
    return unit_of(field) in _OF_NUMBERS or field.annotation in (int, int | None)


def is_code(rows: type[Part], name: str) -> bool:
    """Whether a column holds text to be pasted into a file."""
    return unit_of(rows.model_fields[name]) is Unit.CODE


def in_words(row: Part, name: str, scale: int) -> str:
    """A cell of a table of results, for people."""
    value = getattr(row, name)
    if value is None:
        return "–"
    match unit_of(type(row).model_fields[name]):
        case Unit.MONEY:
            return money(value, scale=scale)
        case Unit.SHARE:
            return f"{value:.1%}"
        case Unit.RATIO:
            return f"{value:,.2f}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)
