"""How the new and changed rows of a source in a database are found:
`[source.TABLE.incremental]` in riskseg.toml."""

from __future__ import annotations

import re

from pydantic import Field, field_validator

from riskseg.domain.documents import Shape

_LOOKBACK = re.compile(r"(\d{1,6}) (minute|hour|day)s?")


class IncrementalTable(Shape):
    """`watermark` is the column that every insert and every update sets to a value no lower than
    those before. `key` are the columns that name a row: one that is read again replaces the row
    with the same key. `lookback` is how far before the highest watermark rows are read once more:
    a time, for a watermark that is one, or a number. The columns are those of the table or select
    of the database."""

    watermark: str = Field(min_length=1)
    key: list[str] = Field(default_factory=list)
    lookback: str | int | None = Field(default=None)

    @field_validator("key", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    @field_validator("lookback", mode="before")
    @classmethod
    def _is_lookback(cls, value: object) -> object:
        is_number = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        is_time = isinstance(value, str) and _LOOKBACK.fullmatch(value)
        if not is_number and not is_time:
            raise ValueError("it should be a time, such as `2 hours` or `1 day`, or a number")
        return value

    @property
    def columns(self) -> list[str]:
        """All columns that it names."""
        return [self.watermark, *self.key]

    @property
    def interval(self) -> str | None:
        """The lookback as SQL writes an interval; None where it is no time."""
        found = _LOOKBACK.fullmatch(self.lookback) if isinstance(self.lookback, str) else None
        return None if found is None else f"interval {found[1]} {found[2]}"
