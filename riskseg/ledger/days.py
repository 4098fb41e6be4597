"""Which day a time is of: for one that has a zone, the day of the workspace's zone.

The engine is set to that zone, whatever the machine's is. A workspace that names none has no day
for such a time.
"""

from __future__ import annotations

from riskseg.domain.column_types import ColumnType
from riskseg.domain.relations import literal

ZONE_HINT = 'Add `timezone = "Europe/London"`, or whichever zone is meant, to [workspace].'
# A text that ends with a zone: an offset from UTC, or a name.
_ZONE = r":\d\d(\.\d+)?\s*([Zz]|UTC|[+-]\d\d(:?\d\d)?|[A-Z]\w+/[\w/+-]+)$"


def has_zone(text: str) -> str:
    """Whether a text is a time with a zone, in SQL."""
    # A mere date is too short, which is quickly seen.
    return f"length({text}) > 16 and regexp_matches({text}, {literal(_ZONE)})"


def day_of(value: str, type_: ColumnType, timezone: str | None) -> str:
    """The day of a value of a type, in SQL; null where it has none."""
    if type_.family != "text":
        return f"try_cast({value} as date)"
    # The engine knows words for days, such as epoch and infinity; letters come after digits. Of a
    # word with a sign there is one.
    day = f"case when {value} < ':' then nullif(try_cast({value} as date), '-infinity') end"
    if timezone is None:
        return day
    # The engine knows no offset that a blank stands before.
    instant = rf"try_cast(regexp_replace({value}, '\s+([+-]\d|[Zz])', '\1') as timestamptz)"
    return f"case when {has_zone(value)} then cast({instant} as date) else {day} end"
