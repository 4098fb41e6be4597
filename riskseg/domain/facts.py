"""Facts: what is known of an account as of a date, and what a rule or a model may name."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

# Dates that a fact may hold: far beyond any bill, and near enough for proofs to work out years.
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2199, 12, 31)
# The longest span of days that a file may name: a century.
MOST_DAYS = 36_500


def folded(name: str) -> str:
    """The one spelling of a name: names that differ in letter case or in the encoding of an
    accent only are the same name to the engine, and so to riskseg."""
    return unicodedata.normalize("NFC", name).lower()


class Kind(StrEnum):
    """The type of a fact. `DECIMAL` is exact (money, probabilities, ratios); `NUMBER` is a
    float that came with the source; `LEVEL` is text that can only be one of `levels`."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    DECIMAL = "decimal"
    NUMBER = "number"
    DATE = "date"
    TEXT = "text"
    LEVEL = "level"

    @property
    def is_numeric(self) -> bool:
        return self in (Kind.INTEGER, Kind.DECIMAL, Kind.NUMBER)

    @property
    def is_textual(self) -> bool:
        return self in (Kind.TEXT, Kind.LEVEL)


@dataclass(frozen=True, slots=True)
class Fact:
    """One named value an account has as of a date.

    `lower` and `upper` are inclusive bounds of the domain (None: unbounded). `words` is what a
    person reads; `{value}` in it stands for the account's own value. `direction` is the
    direction of risk: +1 more is riskier, -1 less is riskier, 0 not declared.
    `seen` are the texts that accounts hold today, where they are few: they serve notes and
    suggestions, never a decision, since tomorrow's file may hold others.
    `static` marks what is known only as of today (an undated attribute, say): rules may use it,
    models leave it out unless the spec lists it.
    `labels` are what people call a value: they change no value. `special_values` are numbers that
    are codes ("refused to say"), with no place in the direction. `phrases` are words for cases
    that `words` do not fit: `zero`, `negative` ({value} without its sign), `unknown`, `few`
    (at most half of the usual), and `reason` (which may name other facts). `risky_side` is +1 or
    -1 where only more or only less may be given as a reason why the risk is higher, although no
    model is held to it. `hurts_beyond` is the value beyond which, on the side of more risk, a
    fact always hurts, and up to which it never does.
    """

    name: str
    kind: Kind
    nullable: bool = False
    levels: tuple[str, ...] = ()
    lower: Decimal | None = None
    upper: Decimal | None = None
    words: str = ""
    unit: str = ""
    direction: int = 0
    family: str = ""
    source: str = ""
    static: bool = False
    protected: bool = False
    seen: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    special_values: tuple[float, ...] = ()
    phrases: tuple[tuple[str, str], ...] = ()
    risky_side: int = 0
    hurts_beyond: float | None = None

    @property
    def side(self) -> int:
        """The side on which a value means more risk: the direction, where one is declared."""
        return self.direction or self.risky_side


_BY_NUMBER = re.compile(r"\{([^{}|]*)\|([^{}|]*)\}")


def worded(words: str, *, one: bool = False) -> str:
    """A fact's words for one of the thing or for several: `{bill was|bills were}` becomes either
    half. `{value}` stays."""
    return _BY_NUMBER.sub(r"\1" if one else r"\2", words)


def glossed(words: str) -> str:
    """A fact's words with no value in particular."""
    return worded(words).replace("{value}", "…")
