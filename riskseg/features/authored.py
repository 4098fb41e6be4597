"""Entries of a catalogue file as a person writes them, before they are checked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, RootModel, Tag, field_validator

from riskseg.domain.columns import ColumnShape
from riskseg.domain.documents import Document, Shape

Range = Literal["bills", "payments", "events", "party", "premise", "account"]
Aggregate = Literal["count", "sum", "max", "min", "latest"]

MOST_EMPTY = 1_000_000_000


class Phrases(Shape):
    """Words for the values of a feature that its `words` do not fit; see
    :class:`riskseg.domain.facts.Fact`."""

    reason: str = ""
    zero: str = ""
    negative: str = ""
    unknown: str = ""
    few: str = ""


class Entry(Shape):
    """A feature as authored."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    range: Range
    aggregate: Aggregate | None = None
    value: str | None = None
    filter: str | None = None
    window: Annotated[int, Field(ge=1, le=36_500)] | Literal["open"] | None = None
    type: Literal["integer", "decimal", "date", "boolean"] | None = None
    unit: str = ""
    empty: Annotated[int, Field(ge=-MOST_EMPTY, le=MOST_EMPTY)] | None = None
    direction: Literal["+", "-"] | None = None
    family: str = ""
    risky: Literal["+", "-"] | None = None
    hurts_beyond: float | None = Field(None, allow_inf_nan=False)
    words: str
    phrases: Phrases = Phrases()
    needs: tuple[str, ...] = ()
    static: bool = False
    protected: bool = False

    @field_validator("window", mode="before")
    @classmethod
    def _days(cls, value: object) -> object:
        if isinstance(value, str) and value.endswith(" days") and value[:-5].isdigit():
            return int(value[:-5])
        if value is not None and value != "open":
            raise ValueError('it is a number of days, as in "90 days", or open')
        return value

    @field_validator("needs", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value


class ColumnEntry(ColumnShape):
    """An entry that describes an attribute of the accounts, and is no feature of its own."""

    name: str


# Keys that only a feature worked out by riskseg has.
_COMPUTED = frozenset(set(Entry.model_fields) - set(ColumnEntry.model_fields))


def _of_kind(entry: Any) -> str:
    """Whether an entry is of a feature, or describes a column of the accounts."""
    keys = set(entry) if isinstance(entry, dict) else set()
    return "feature" if keys & _COMPUTED or "name" not in keys else "column"


class Entries(
    RootModel[
        list[
            Annotated[
                Annotated[Entry, Tag("feature")] | Annotated[ColumnEntry, Tag("column")],
                Discriminator(_of_kind),
            ]
        ]
    ]
):
    pass


@dataclass(frozen=True, slots=True)
class AuthoredFeature:
    """The entry of a feature, and its place among the entries of a document."""

    entry: Entry
    document: Document
    index: int

    @property
    def name(self) -> str:
        return self.entry.name

    @property
    def words(self) -> frozenset[str]:
        """Words of its value and filter, enough to see which names stand there."""
        text = f"{self.entry.value or ''} {self.entry.filter or ''}".lower()
        return frozenset(re.findall(r"[^\W\d]\w*", text))

    def line(self, key: str) -> int | None:
        """The line of one of its keys, or its own where the key is left out."""
        return self.document.line(self.index, key) or self.document.line(self.index)
