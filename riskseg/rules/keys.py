"""Keys of the entries of guards.yaml: their name, the type of their value, what they mean."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from riskseg.domain.facts import MOST_DAYS

NAME = r"^[a-z][a-z0-9_-]*$"
Name = Annotated[str, Field(pattern=NAME)]
ConstantName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
# An expression may be written as a plain YAML value: `when: true`.
Text = str | bool | int
Days = Annotated[int, Field(ge=-MOST_DAYS, le=MOST_DAYS)]
# A constant of strategy.yaml in the place of a number.
ConstantUsed = Annotated[str, Field(pattern=r"^\$[a-z][a-z0-9_]*$")]


def _kind_of_number(written: object) -> str:
    return "constant" if isinstance(written, str) and written.startswith("$") else "number"


_BY_KIND = Discriminator(_kind_of_number)
DaysOrConstant = Annotated[
    Annotated[Days, Tag("number")] | Annotated[ConstantUsed, Tag("constant")], _BY_KIND
]
DecimalOrConstant = Annotated[
    Annotated[Decimal, Tag("number")] | Annotated[ConstantUsed, Tag("constant")], _BY_KIND
]
# How often something is done at most.
MOST_TIMES = 1000
TimesOrConstant = Annotated[
    Annotated[int, Field(ge=1, le=MOST_TIMES), Tag("number")]
    | Annotated[ConstantUsed, Tag("constant")],
    _BY_KIND,
]


def _day_count(value: object) -> object:
    """The number in "30 days"; a number as it is."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = re.fullmatch(r"(\d{1,6}) days?", value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("it should be a number of days, such as `14 days`")
    return int(match[1])


# How many days something takes: `30 days`, or the number alone.
_WrittenDays = (
    Annotated[int, Field(ge=1, le=MOST_DAYS)] | Annotated[str, Field(pattern=r"^\d{1,6} days?$")]
)
DayCount = Annotated[
    int,
    Field(ge=1, le=MOST_DAYS),
    BeforeValidator(_day_count, json_schema_input_type=_WrittenDays),
]
DayCountOrConstant = Annotated[
    Annotated[DayCount, Tag("number")] | Annotated[ConstantUsed, Tag("constant")], _BY_KIND
]


@dataclass(frozen=True)
class Key:
    """A key of an entry; `type` is what pydantic checks its value against, `words` the line of
    the reference."""

    name: str
    type: Any
    words: str


# The keys that several kinds of rule share. A key of one kind alone is declared beside that kind.
WHEN = Key(
    "when",
    Text,
    "guard, hold: when it is in force; unknown counts as true; duty: when it is owed",
)
INSTEAD = Key("instead", str, "guard, requirement: what may be done in their place")
UNKNOWN = Key(
    "unknown",
    Literal["match", "skip"],
    "`skip`: an unknown `when` counts as false, `match`: as true; prove: `match`: an unknown holds",
)
SOURCE = Key("source", str, "the law or policy it comes from")
EFFECTIVE_FROM = Key("effective_from", date, "not in force before")
EFFECTIVE_TO = Key("effective_to", date, "not in force after")
ALWAYS = (SOURCE, EFFECTIVE_FROM, EFFECTIVE_TO)
