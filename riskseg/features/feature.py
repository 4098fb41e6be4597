"""A checked feature, and what the expressions of features may name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from riskseg.domain.facts import Fact, Kind
from riskseg.expressions import Expression
from riskseg.expressions.assumptions import MONEY_UNIT
from riskseg.features.accounts_together import SHARED
from riskseg.features.authored import Aggregate, Range

# Days up to the as-of date; `open`: bills that are; None: all there is.
Window = int | Literal["open"] | None
# The date of a fact that a window is measured on.
DATED: Mapping[str, str] = {"bills": "due_on", "payments": "paid_on", "events": "happened_on"}
# What a workspace must have for features of a range.
NEEDS: Mapping[str, tuple[str, ...]] = {
    **{range_: (range_,) for range_ in DATED},
    **{range_: ("bills", f"accounts.{shared}") for range_, shared in SHARED.items()},
}


@dataclass(frozen=True)
class Feature:
    """A checked feature. `fact` is what rules and models see of it; `window` is in days, or
    `open` for the bills that still matter whatever their age; `attributes` are those of bills that
    its value or filter names."""

    fact: Fact
    range: Range
    aggregate: Aggregate | None
    value: Expression | None
    filter: Expression | None
    window: Window
    empty: int | None
    needs: frozenset[str]
    attributes: Mapping[str, Fact] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.fact.name

    @property
    def names(self) -> frozenset[str]:
        """What its value and its filter name."""
        return frozenset().union(*(e.names for e in (self.value, self.filter) if e))

    @property
    def is_money(self) -> bool:
        return self.fact.unit == MONEY_UNIT


@dataclass(frozen=True)
class BillAttribute:
    """An attribute of bills as a fact of one bill, and where riskseg.toml names it."""

    fact: Fact
    file: str
    line: int | None

    @property
    def latest(self) -> str:
        """The name of the feature that is the attribute of the latest bill."""
        return f"latest_{self.fact.name}"


def _fact(name: str, kind: Kind, nullable: bool = False, lower: int | None = None) -> Fact:
    return Fact(name, kind, nullable, lower=None if lower is None else Decimal(lower))


# What is known of each account of a party, or at a premise; the account itself is its `own`.
_TOGETHER = (
    _fact("as_of", Kind.DATE),
    _fact("own", Kind.BOOLEAN),
    _fact("overdue", Kind.DECIMAL, lower=0),
    _fact("unpaid", Kind.DECIMAL, lower=0),
    # What was paid out beyond the credit is a credit below zero.
    _fact("credit", Kind.DECIMAL),
    _fact("days_past_due", Kind.INTEGER, lower=0),
    _fact("opened_on", Kind.DATE, nullable=True),
    _fact("closed_on", Kind.DATE, nullable=True),
    _fact("written_off_on", Kind.DATE, nullable=True),
)

SCOPES: Mapping[str, Mapping[str, Fact]] = {
    range_: {f.name: f for f in facts}
    for range_, facts in {
        "bills": (
            _fact("as_of", Kind.DATE),
            _fact("due_on", Kind.DATE),
            _fact("issued_on", Kind.DATE),
            _fact("known_on", Kind.DATE),
            _fact("amount", Kind.DECIMAL, lower=0),
            _fact("paid", Kind.DECIMAL, lower=0),
            _fact("overdue", Kind.DECIMAL, lower=0),
            _fact("disputed", Kind.DECIMAL, lower=0),
            _fact("cleared_on", Kind.DATE, nullable=True),
            _fact("days_past_due", Kind.INTEGER, lower=0),
        ),
        "payments": (
            _fact("as_of", Kind.DATE),
            _fact("paid_on", Kind.DATE),
            _fact("amount", Kind.DECIMAL, lower=0),
            _fact("settled", Kind.BOOLEAN),
            _fact("undone", Kind.BOOLEAN),
            _fact("pending", Kind.BOOLEAN),
            _fact("method", Kind.TEXT, nullable=True),
        ),
        "events": (
            _fact("as_of", Kind.DATE),
            _fact("happened_on", Kind.DATE),
            _fact("kind", Kind.TEXT),
            _fact("channel", Kind.TEXT, nullable=True),
            _fact("outcome", Kind.TEXT, nullable=True),
            _fact("amount", Kind.DECIMAL, nullable=True),
            _fact("until", Kind.DATE, nullable=True),
        ),
        "party": _TOGETHER,
        "premise": _TOGETHER,
    }.items()
}

# Dates of the account itself, which features of range `account` may be worked out from.
ACCOUNT_DATES: Mapping[str, Fact] = {
    "as_of": _fact("as_of", Kind.DATE),
    "opened_on": _fact("opened_on", Kind.DATE, nullable=True),
    "first_billed_on": _fact("first_billed_on", Kind.DATE, nullable=True),
}
