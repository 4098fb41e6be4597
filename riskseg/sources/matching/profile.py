"""What the values of columns look like: found by the engine, one statement a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from riskseg.domain.column_types import ColumnType
from riskseg.domain.relations import quoted
from riskseg.engine import Engine
from riskseg.sources.matching.names import ValueKind

# Rows that are looked at; so many tell what a column holds.
ENOUGH_ROWS = 50_000
# The share of values that must look like what the column is to hold.
NEARLY_ALL = 0.98
# The most different values of a column of words.
MOST_WORDS = 40

# How a date may be written: its name, a pattern that tells it, and SQL of it as year-month-day.
_WRITTEN = {
    "iso": (r"^\s*\d{4}[-/]\d{1,2}[-/]\d{1,2}([ T].*)?$", "{0}"),
    "digits": (
        r"^(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$",
        "strptime(cast({0} as varchar), '%Y%m%d')",
    ),
    "dmy": (
        r"^\s*(0?[1-9]|[12]\d|3[01])[./-](0?[1-9]|1[0-2])[./-]\d{4}\s*$",
        "strptime({0}, '%d{1}%m{1}%Y')",
    ),
    "mdy": (
        r"^\s*(0?[1-9]|1[0-2])[./-](0?[1-9]|[12]\d|3[01])[./-]\d{4}\s*$",
        "strptime({0}, '%m{1}%d{1}%Y')",
    ),
}
# The sign between day, month and year.
_SEPARATOR = r"^\s*\d+([./-])\d+[./-]\d{4}\s*$"
_NUMBER = r"^\s*[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?\s*$"
# Numbers with a decimal comma, and with points between the thousands: `1.234,50`, `185,33`.
_COMMA = r"^\s*[-+]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?\s*$"
_HAS_COMMA = r",\d+\s*$"


@dataclass(frozen=True)
class Profile:
    """One column: its type, how many of the rows looked at hold a value, how many different ones.

    `written` names the ways in which all of its dates may be written; several where the values do
    not tell day from month. `decimals` is the most that a number has after its point. `words` are
    its values, where they are few. `commas` says that its numbers have a decimal comma, and
    `numbers` and `decimals` then count them so. `separators` are the signs between the day, the
    month and the year of its dates.
    """

    name: str
    type: ColumnType
    rows: int
    filled: int
    distinct: int
    numbers: float
    negatives: float
    decimals: int
    written: tuple[str, ...]
    least: str
    greatest: str
    words: tuple[str, ...] = ()
    commas: bool = False
    separators: str = ""

    @property
    def is_date(self) -> bool:
        return self.type.family in ("date", "timestamp") or bool(self.written)

    @property
    def is_number(self) -> bool:
        return self.filled > 0 and self.numbers >= NEARLY_ALL

    @property
    def is_unique(self) -> bool:
        return self.filled == self.rows > 0 and self.distinct == self.rows

    @property
    def is_flag(self) -> bool:
        return self.distinct == 2 or self.type.family == "boolean"

    @property
    def is_day_offset(self) -> bool:
        """Whether it may count days before some day: whole numbers, most of them negative."""
        return self.is_number and self.decimals == 0 and self.negatives > 0.5 and self.distinct > 2

    def suits(self, kind: ValueKind) -> bool:
        """Whether its values can be what a meaning of this kind holds. An empty column can not."""
        if self.filled == 0:
            return False
        match kind:
            case "date":
                return self.is_date
            case "money":
                return self.is_number and not self.is_date
            case "id":
                return self.type.family not in ("date", "timestamp", "boolean") and (
                    self.decimals == 0 or not self.is_number
                )
            case "flag":
                return self.is_flag
            case "word":
                return self.type.family not in ("date", "timestamp")


def day_sql(profile: Profile) -> str | None:
    """SQL of a column as a date or a text that is one; None where its values do not tell in which
    order day and month stand."""
    column = quoted(profile.name)
    if profile.type.family in ("date", "timestamp") or "iso" in profile.written:
        return column
    if len(profile.written) != 1:
        return None
    return day_as(profile, profile.written[0])


def day_as(profile: Profile, written: str) -> str:
    """SQL of a column whose dates are written in this way."""
    column, sql = quoted(profile.name), _WRITTEN[written][1]
    formats = [sql.format("", separator).partition(", ")[2] for separator in profile.separators]
    if len(formats) < 2:
        return sql.format(column, profile.separators or "/")
    return f"strptime({column}, [{', '.join(text.removesuffix(')') for text in formats)}])"


def amount_sql(profile: Profile) -> str | None:
    """SQL of a column of amounts with a decimal comma as numbers; None where they have none."""
    if not profile.commas:
        return None
    return f"replace(replace({quoted(profile.name)}, '.', ''), ',', '.')"


def profiles(
    engine: Engine, relation: str, columns: Mapping[str, ColumnType]
) -> dict[str, Profile]:
    """The profile of each column of a relation."""
    if not columns:
        return {}
    sampled = f"(select * from {relation} limit {ENOUGH_ROWS})"
    measures = ", ".join(part for name in columns for part in _measures(name))
    [row] = engine.rows(f"select count(*), {measures} from {sampled}")
    rows, values = int(row[0]), list(row[1:])
    width = len(_measures("x"))
    found = {}
    for number, (name, type_) in enumerate(columns.items()):
        filled, distinct, numbers, negatives, decimals, least, greatest, *others = values[
            number * width : (number + 1) * width
        ]
        with_comma, commas, comma_decimals, comma_negatives, separators, *dates = others
        share = 1 / filled if filled else 0
        is_comma = type_.family == "text" and commas > 0 and with_comma * share >= NEARLY_ALL
        if is_comma:
            numbers, negatives, decimals = with_comma, comma_negatives, comma_decimals
        may_be_dates = type_.family in ("text", "integer", "unsigned")
        written = tuple(
            form
            for form, count in zip(_WRITTEN, dates, strict=True)
            if may_be_dates and filled and count * share >= NEARLY_ALL
        )
        found[name] = Profile(
            name,
            type_,
            rows,
            filled,
            distinct,
            numbers * share,
            negatives * share,
            decimals or 0,
            written,
            least or "",
            greatest or "",
            commas=is_comma,
            separators="".join(sorted(separators or "")),
        )
    return {name: _with_words(engine, sampled, profile) for name, profile in found.items()}


def _measures(name: str) -> list[str]:
    text = f"nullif(trim(cast({quoted(name)} as varchar)), '')"
    number = f"try_cast({text} as double)"
    return [
        f"count({text})",
        f"count(distinct {text})",
        f"count(*) filter (where regexp_matches({text}, '{_NUMBER}'))",
        f"count(*) filter (where {number} < 0)",
        f"max(length(regexp_extract({text}, '^-?[0-9]+\\.([0-9]*?)0*$', 1)))",
        f"min({text})",
        f"max({text})",
        f"count(*) filter (where regexp_matches({text}, '{_COMMA}'))",
        f"count(*) filter (where regexp_matches({text}, '{_HAS_COMMA}'))",
        f"max(length(regexp_extract({text}, ',([0-9]*?)0*$', 1)))",
        f"count(*) filter (where regexp_matches({text}, '^\\s*-'))",
        f"string_agg(distinct regexp_extract({text}, '{_SEPARATOR}', 1), '')",
        *(
            f"count(*) filter (where regexp_matches({text}, '{form}'))"
            for form, _ in _WRITTEN.values()
        ),
    ]


def _with_words(engine: Engine, sampled: str, profile: Profile) -> Profile:
    if not 0 < profile.distinct <= MOST_WORDS or profile.is_date or profile.decimals:
        return profile
    column = f"trim(cast({quoted(profile.name)} as varchar))"
    rows = engine.rows(f"select distinct {column} from {sampled} where {column} <> '' order by 1")
    return replace(profile, words=tuple(str(row[0]) for row in rows))
