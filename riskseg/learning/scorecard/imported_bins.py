"""The bins of one feature, from the rows of a card made elsewhere."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems, did_you_mean
from riskseg.learning.scorecard.card_file import MISSING, Range, Row
from riskseg.learning.scorecard.tables import Bins

YES, NO = ("true", "yes", "1", "1.0", "t", "y"), ("false", "no", "0", "0.0", "f", "n")

Fault = Callable[..., None]


class BinRows(NamedTuple):
    """The bins of a feature, and the row of each: along the value or the levels, of other values,
    of nulls."""

    bins: Bins
    in_order: list[Row]
    other: Row | None
    missing: Row | None


def bin_rows(fact: Fact, rows: Sequence[Row], file: str, problems: Problems) -> BinRows | None:
    """The bins with their rows, or None after adding RS412 for rows that overlap, leave a gap or
    name what the feature does not have."""
    before = len(problems)

    def fault(message: str, line: int, hint: str = "") -> None:
        problems.add("RS412", message, file=file, line=line, hint=hint)

    if not fact.kind.is_textual:  # a number has no level "none"
        rows = [
            replace(row, levels=(), missing=True)
            if row.levels and all(level.casefold() in MISSING for level in row.levels)
            else row
            for row in rows
        ]
    special_rows: dict[str, Row] = {}
    for special_word in ("missing", "other"):
        for row in rows:
            if getattr(row, special_word):
                if special_word in special_rows:
                    message = f"{fact.name} has a second row for {special_word}."
                    fault(
                        message,
                        row.line,
                        f"The first is on line {special_rows[special_word].line}.",
                    )
                special_rows.setdefault(special_word, row)
    other_row, missing_row = special_rows.get("other"), special_rows.get("missing")
    if fact.kind.is_textual:
        bins, in_order = _of_levels(fact, rows, fault)
    else:
        bins, in_order = _of_numbers(fact, rows, other_row, fault)
    if not in_order and len(problems) == before:
        fault(f"{fact.name} has points for no value.", rows[0].line)
    return None if len(problems) > before else BinRows(bins, in_order, other_row, missing_row)


def _of_levels(fact: Fact, rows: Sequence[Row], fault: Fault) -> tuple[Bins, list[Row]]:
    line_of_level: dict[str, int] = {}
    level_rows: list[Row] = []
    for row in rows:
        if row.ranges:
            fault(f"{fact.name} is text: it has levels, not ranges.", row.line)
        if not row.levels:
            continue
        level_rows.append(row)
        for level in row.levels:
            if level in line_of_level:
                message = f'"{level}" of {fact.name} occurs twice.'
                fault(message, row.line, f"The first is on line {line_of_level[level]}.")
            elif fact.levels and level not in fact.levels:
                message = f'"{level}" is not a level of {fact.name}.'
                fault(message, row.line, did_you_mean(level, fact.levels))
            line_of_level.setdefault(level, row.line)
    bin_ends, level_count = [], 0
    for row in level_rows:
        level_count += len(row.levels)
        bin_ends.append(float(level_count))
    levels = tuple(level for row in level_rows for level in row.levels)
    return Bins(fact.name, tuple(bin_ends[:-1]), levels), level_rows


def _of_numbers(
    fact: Fact, rows: Sequence[Row], other: Row | None, fault: Fault
) -> tuple[Bins, list[Row]]:
    """The bins of a number; `other` fills the gaps between them."""
    range_rows: list[tuple[Range, Row]] = []
    for row in rows:
        range_rows += [(range_, row) for range_ in row.ranges]
        for level in row.levels:
            number_range = _number(fact, level)
            if number_range is None:
                message = f'"{level}" is not a number, and {fact.name} is one.'
                fault(message, row.line, "Write a range, or a number.")
            else:
                range_rows.append((number_range, row))
    range_rows.sort(key=lambda range_row: (range_row[0].low, range_row[0].high))
    range_rows = _whole(fact, range_rows)
    if not range_rows:
        return Bins(fact.name, (), None), []
    first_range, row = range_rows[0]
    if fact.lower is not None and first_range.low <= fact.lower:  # there is nothing below
        range_rows[0] = (Range(-math.inf, first_range.high), row)
    bin_ends: list[float] = []
    in_order: list[Row] = []
    reached = -math.inf
    for range_, row in [*range_rows, (Range(math.inf, math.inf), range_rows[-1][1])]:
        if range_.low < reached:
            message = (
                f"{fact.name}: {row.text} overlaps {in_order[-1].text} (line {in_order[-1].line})."
            )
            fault(message, row.line, "Give every value to one row.")
        elif range_.low > reached:
            if other is None:
                preposition = "below" if math.isinf(reached) else "from"
                gap_start = f"{range_.low:g}" if math.isinf(reached) else f"{reached:g}"
                until_text = (
                    ""
                    if math.isinf(reached)
                    else (" up" if math.isinf(range_.low) else f" to {range_.low:g}")
                )
                message = (
                    f"{fact.name}: no row is for values {preposition} {gap_start}{until_text}."
                )
                fault(message, row.line, "Begin and end with open ranges, or add a row `other`.")
            else:
                in_order.append(other)
                bin_ends.append(range_.low)
        if range_.low < math.inf:
            in_order.append(row)
            bin_ends.append(range_.high)
        reached = max(reached, range_.high)
    return Bins(fact.name, tuple(bin_ends[:-1]), None), in_order


def _number(fact: Fact, level: str) -> Range | None:
    """The values that one number, or a word for true or false, stands for."""
    number_word = level.casefold()
    if fact.kind is Kind.BOOLEAN and number_word in YES + NO:
        return Range(1.0, math.inf) if number_word in YES else Range(-math.inf, 1.0)
    try:
        number = float(level)
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    is_whole = fact.kind is Kind.INTEGER and number.is_integer()
    return Range(number, number + 1 if is_whole else math.nextafter(number, math.inf))


def _whole(fact: Fact, range_rows: list[tuple[Range, Row]]) -> list[tuple[Range, Row]]:
    """Ranges of a whole number whose ends both belong to them ("0 to 2", "3 to 5") as ranges that
    end where the next begins."""
    if fact.kind is not Kind.INTEGER or len(range_rows) < 2:
        return range_rows
    ends_and_starts = [
        (first_range.high, second_range.low)
        for (first_range, _), (second_range, _) in pairwise(range_rows)
    ]
    if not all(row.whole for _, row in range_rows) or not all(
        high + 1 == low or high == math.nextafter(low - 1, math.inf)
        for high, low in ends_and_starts
    ):
        return range_rows
    return [
        *(
            (Range(first_range.low, second_range.low), row)
            for (first_range, row), (second_range, _) in pairwise(range_rows)
        ),
        range_rows[-1],
    ]
