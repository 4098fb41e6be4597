"""From the rows of a card made elsewhere to a scorecard: its bins, its points and their scale."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise

import numpy as np

from riskseg.domain.facts import Fact, Kind, folded
from riskseg.domain.problems import Problems, did_you_mean
from riskseg.learning.calibration import KINDS, Calibration
from riskseg.learning.scorecard.card_file import MISSING, SPECIAL, CardFile, Range, Row
from riskseg.learning.scorecard.tables import (
    LARGEST_NUMBER,
    LEARNED,
    LEAST_RATIO,
    Bins,
    PairTable,
    Scale,
    Scorecard,
    Table,
    decimal,
)

YES, NO = ("true", "yes", "1", "1.0", "t", "y"), ("false", "no", "0", "0.0", "f", "n")


@dataclass(frozen=True)
class Meaning:
    """What is added up stands for: `scale` of points, `intercept` of log-odds (None where the
    file may say it), and whether more of it is `riskier`."""

    scale: Scale | None = None
    base: Decimal | None = None
    riskier: bool | None = None


@dataclass(frozen=True)
class _Given:
    """One bin in the making: where it is from, and what it gives."""

    points: int
    count: int
    bad: int | None


def scorecard(
    card: CardFile,
    facts: Mapping[str, Fact],
    meaning: Meaning,
    file: str,
    problems: Problems,
    *,
    outcome: str | None = None,
) -> tuple[Scorecard, Calibration] | None:
    """The scorecard and the calibration of a file, or None after adding Problems: RS412 for rows
    that contradict each other, leave something out, are without a scale or beyond what can be
    added up; RS501 for features that the facts do not have; RS404 for the `outcome`, the column
    that is predicted."""
    before = len(problems)
    scale = _scale(card, meaning, file, problems)
    if scale is None:
        return None
    if meaning.riskier and card.unit == "points":
        scale = replace(scale, score=-scale.score)
    points = _to_points(card, scale, meaning)
    base = meaning.base if meaning.base is not None else card.base or Decimal(0)
    rows = _telling(card.rows, facts, file, problems)
    notes = _left_out(card.rows)
    cells = [*rows, *(value for value, _ in card.pairs)]
    _check_sizes(cells, points, _base(card, scale, meaning, base), file, problems)
    exact = [points(row.value) for row in cells]
    rounded_off = sum(abs(float(value) * 100 - round(float(value) * 100)) for value in exact) / 100
    if rounded_off > 1e-9:
        worst = max(abs(float(value) - round(float(value) * 100) / 100) for value in exact)
        log_odds_moved = worst * len({row.feature for row in rows}) / scale.factor
        notes.append(
            "points are rounded to hundredths, which moves the log-odds of an account by "
            f"{log_odds_moved:.2g} at most"
        )

    def hundredths(row: Row) -> int:
        return round(points(row.value) * 100)

    tables = []
    for name, feature_rows in _by_feature(rows).items():
        fact = _fact(name, feature_rows[0].line, facts, outcome, file, problems)
        if fact is not None:
            table = _table(fact, feature_rows, hundredths, notes, file, problems)
            if table is not None:
                tables.append(table)
    pairs = _pairs(card, facts, outcome, hundredths, file, problems)
    calibration = _calibration(card, file, problems)
    if len(problems) > before or calibration is None:
        return None
    start = round(_base(card, scale, meaning, base) * 100)
    if meaning.riskier and card.unit == "points":
        notes.append("the file's points rise with the risk; here their signs are turned")
    made_card = Scorecard("imported", start, tuple(tables), tuple(pairs), {}, tuple(notes), scale)
    if same := _same_for_all(made_card, calibration):
        made_card = replace(made_card, notes=(*notes, same))
    return made_card, calibration


def _telling(
    rows: Sequence[Row], facts: Mapping[str, Fact], file: str, problems: Problems
) -> list[Row]:
    """The rows that give points; RS412 for a word that has a meaning here (missing, special) and is
    what accounts hold too: which of the two is meant is not to be guessed."""
    for row in rows:
        fact = facts.get(folded(row.feature))
        if fact is None or not fact.kind.is_textual or not (row.missing or row.left_out):
            continue
        if row.word in (*fact.levels, *fact.seen):
            problems.add(
                "RS412",
                f'"{row.word}" is a level of {fact.name}, and a word for other rows.',
                file=file,
                line=row.line,
                hint=f'Write ["{row.word}"] for the level; '
                + (
                    "for nulls write missing in the column `from`."
                    if row.missing
                    else "leave the row out if it is none."
                ),
            )
    return [row for row in rows if not row.left_out]


def _left_out(rows: Sequence[Row]) -> list[str]:
    """A note for each row that gives points to no value."""
    notes = []
    for row in rows:
        if row.left_out:
            why = "names no codes, and " if row.text.casefold() in SPECIAL else ""
            notes.append(f"{row.feature}: the row {row.text} {why}is left out")
    return list(dict.fromkeys(notes))


def _check_sizes(
    rows: Sequence[Row],
    points: Callable[[Decimal], Decimal],
    start: Decimal,
    file: str,
    problems: Problems,
) -> None:
    """Add RS412 for points that cannot be added up."""

    def check(what: str, number: Decimal, line: int | None) -> None:
        if not number.is_finite() or abs(number) > LARGEST_NUMBER:
            problems.add(
                "RS412",
                f"{what} {number:.6g} points, and a scorecard holds up to {LARGEST_NUMBER:.0e}.",
                file=file,
                line=line,
                hint="Correct the number, or the scale.",
            )

    for row in rows:
        check("The row gives", points(row.value), row.line)
    check("Every account begins with", start, None)


def _same_for_all(card: Scorecard, calibration: Calibration) -> str:
    """A note where the least and the greatest score have one probability; empty elsewhere."""
    parts: tuple[Table | PairTable, ...] = (*card.tables, *card.pairs)
    ends = [card.base + sum(end(part.points) for part in parts) for end in (min, max)]
    margins = (card.scale.offset - np.array(ends) / 100) / card.scale.factor
    least, most = calibration.probability(margins)
    if least != most or ends[0] == ends[1]:
        return ""
    return (
        f"every account gets the probability {least:g}: the points do not fit their scale, or the "
        "base that every account begins with is missing"
    )


def _scale(card: CardFile, meaning: Meaning, file: str, problems: Problems) -> Scale | None:
    scale = meaning.scale or (LEARNED if card.unit == "log_odds" else None)
    names = ("score_at", "odds_at", "points_to_double_odds")
    if scale is None and all(name in card.scale for name in names):
        scale = Scale(*(card.scale[name] for name in names))
    if scale is None:
        problems.add(
            "RS412",
            "Nothing says what probability a score stands for.",
            file=file,
            hint="Give --pdo 20 --points-at-odds 600:50, or --factor and --offset.",
        )
    elif not scale.is_usable:
        problems.add(
            "RS412",
            "No probability can be worked out by this scale.",
            file=file,
            hint=f"Odds, and the points that double them, lie from {LEAST_RATIO:g} to "
            f"{1 / LEAST_RATIO:g}, and the score from {-LARGEST_NUMBER:,} to {LARGEST_NUMBER:,}.",
        )
        return None
    return scale


def _to_points(card: CardFile, scale: Scale, meaning: Meaning) -> Callable[[Decimal], Decimal]:
    if card.unit == "points":
        sign = -1 if meaning.riskier else 1
        return lambda value: sign * value
    # Log-odds of the bad outcome, unless said otherwise.
    worth = Decimal(scale.factor) * (1 if meaning.riskier is False else -1)
    return lambda value: worth * value


def _base(card: CardFile, scale: Scale, meaning: Meaning, base: Decimal) -> Decimal:
    points = _to_points(card, scale, meaning)(base)
    return Decimal(scale.offset) + points if card.unit == "log_odds" else points


def _by_feature(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """The rows of each feature, whatever letter case they name it in."""
    by_feature: dict[str, list[Row]] = {}
    for row in rows:
        by_feature.setdefault(folded(row.feature), []).append(row)
    return by_feature


def _fact(
    name: str,
    line: int,
    facts: Mapping[str, Fact],
    outcome: str | None,
    file: str,
    problems: Problems,
) -> Fact | None:
    fact = facts.get(folded(name))
    if fact is None:
        what = f'"{name}" is no feature or attribute here.' if name else "A row has no feature."
        hint = did_you_mean(folded(name), facts)
        problems.add("RS501", what, file=file, line=line, hint=hint)
    elif folded(fact.name) == outcome:
        what = f"{fact.name} is what the model predicts: points for it give the answer away."
        problems.add("RS404", what, file=file, line=line, hint="Leave its rows out.")
        return None
    elif fact.kind is Kind.DATE:
        what = f"{fact.name} is a date: a scorecard gives points to numbers and texts."
        problems.add("RS412", what, file=file, line=line)
        return None
    return fact


def _table(
    fact: Fact,
    rows: Sequence[Row],
    hundredths: Callable[[Row], int],
    notes: list[str],
    file: str,
    problems: Problems,
) -> Table | None:
    placed = _placed(fact, rows, file, problems)
    if placed is None:
        return None
    bins, along, other, missing = placed
    counted_rows: set[int] = set()

    def gives(row: Row) -> _Given:
        """What a row gives; one that fills several bins has its accounts in the first."""
        again = row.line in counted_rows
        counted_rows.add(row.line)
        bad = 0 if again and row.bad is not None else row.bad
        return _Given(hundredths(row), 0 if again else row.count, bad)

    entries = [gives(row) for row in along]
    others = [gives(other)] if bins.levels is not None and other is not None else []
    known_points = [*entries, *others]
    count = sum(entry.count for entry in known_points)
    mean = (
        sum(entry.points * entry.count for entry in known_points) / count
        if count
        else sum(entry.points for entry in known_points) / len(known_points)
    )
    neither = _Given(round(mean), 0, 0)

    def left_out(word: str, gets: str) -> _Given:
        notes.append(
            f"{fact.name}: there is no row for {word}: {gets} gets {decimal(neither.points)} "
            f"points, {'the average' if count else 'the mean of its bins'}"
        )
        return neither

    if bins.levels is not None:
        entries += others or [left_out("other", "any other level")]
    entries.append(gives(missing) if missing is not None else left_out("missing", "a null"))
    bads = [entry.bad for entry in entries]
    known = count > 0 and all(bad is not None for bad in bads)
    return Table(
        bins,
        tuple(entry.count for entry in entries),
        tuple(bad or 0 for bad in bads) if known else None,
        tuple(entry.points for entry in entries),
    )


Placed = tuple[Bins, list[Row], Row | None, Row | None]


def _placed(fact: Fact, rows: Sequence[Row], file: str, problems: Problems) -> Placed | None:
    """(bins, the row of each along the value or levels, of other values, of nulls)."""
    before = len(problems)

    def fault(what: str, line: int, hint: str = "") -> None:
        problems.add("RS412", what, file=file, line=line, hint=hint)

    if not fact.kind.is_textual:  # a number has no level "none"
        rows = [
            replace(row, levels=(), missing=True)
            if row.levels and all(level.casefold() in MISSING for level in row.levels)
            else row
            for row in rows
        ]
    special: dict[str, Row] = {}
    for word in ("missing", "other"):
        for row in rows:
            if getattr(row, word):
                if word in special:
                    message = f"{fact.name} has a second row for {word}."
                    fault(message, row.line, f"The first is on line {special[word].line}.")
                special.setdefault(word, row)
    other, missing = special.get("other"), special.get("missing")
    if fact.kind.is_textual:
        bins, along = _of_levels(fact, rows, fault)
    else:
        bins, along = _of_numbers(fact, rows, other, fault)
    if not along and len(problems) == before:
        fault(f"{fact.name} has points for no value.", rows[0].line)
    return None if len(problems) > before else (bins, along, other, missing)


Fault = Callable[..., None]


def _of_levels(fact: Fact, rows: Sequence[Row], fault: Fault) -> tuple[Bins, list[Row]]:
    seen: dict[str, int] = {}
    groups: list[Row] = []
    for row in rows:
        if row.ranges:
            fault(f"{fact.name} is text: it has levels, not ranges.", row.line)
        if not row.levels:
            continue
        groups.append(row)
        for level in row.levels:
            if level in seen:
                message = f'"{level}" of {fact.name} stands twice.'
                fault(message, row.line, f"The first is on line {seen[level]}.")
            elif fact.levels and level not in fact.levels:
                message = f'"{level}" is not a level of {fact.name}.'
                fault(message, row.line, did_you_mean(level, fact.levels))
            seen.setdefault(level, row.line)
    ends, total = [], 0
    for row in groups:
        total += len(row.levels)
        ends.append(float(total))
    levels = tuple(level for row in groups for level in row.levels)
    return Bins(fact.name, tuple(ends[:-1]), levels), groups


def _of_numbers(
    fact: Fact, rows: Sequence[Row], other: Row | None, fault: Fault
) -> tuple[Bins, list[Row]]:
    """The bins of a number; `other` fills the gaps between them."""
    parts: list[tuple[Range, Row]] = []
    for row in rows:
        parts += [(range_, row) for range_ in row.ranges]
        for level in row.levels:
            values = _number(fact, level)
            if values is None:
                message = f'"{level}" is no number, and {fact.name} is one.'
                fault(message, row.line, "Write a range, or a number.")
            else:
                parts.append((values, row))
    parts.sort(key=lambda part: (part[0].low, part[0].high))
    parts = _whole(fact, parts)
    if not parts:
        return Bins(fact.name, (), None), []
    first, row = parts[0]
    if fact.lower is not None and first.low <= fact.lower:  # there is nothing below
        parts[0] = (Range(-math.inf, first.high), row)
    ends: list[float] = []
    along: list[Row] = []
    reached = -math.inf
    for range_, row in [*parts, (Range(math.inf, math.inf), parts[-1][1])]:
        if range_.low < reached:
            message = f"{fact.name}: {row.text} overlaps {along[-1].text} (line {along[-1].line})."
            fault(message, row.line, "Give every value to one row.")
        elif range_.low > reached:
            if other is None:
                begin = "below" if math.isinf(reached) else "from"
                gap = f"{range_.low:g}" if math.isinf(reached) else f"{reached:g}"
                till = (
                    ""
                    if math.isinf(reached)
                    else (" up" if math.isinf(range_.low) else f" to {range_.low:g}")
                )
                message = f"{fact.name}: no row is for values {begin} {gap}{till}."
                fault(message, row.line, "Begin and end with open ranges, or add a row `other`.")
            else:
                along.append(other)
                ends.append(range_.low)
        if range_.low < math.inf:
            along.append(row)
            ends.append(range_.high)
        reached = max(reached, range_.high)
    return Bins(fact.name, tuple(ends[:-1]), None), along


def _number(fact: Fact, level: str) -> Range | None:
    """The values that one number, or a word for true or false, stands for."""
    word = level.casefold()
    if fact.kind is Kind.BOOLEAN and word in YES + NO:
        return Range(1.0, math.inf) if word in YES else Range(-math.inf, 1.0)
    try:
        value = float(level)
    except ValueError:
        return None
    if not math.isfinite(value):
        return None
    whole = fact.kind is Kind.INTEGER and value.is_integer()
    return Range(value, value + 1 if whole else math.nextafter(value, math.inf))


def _whole(fact: Fact, parts: list[tuple[Range, Row]]) -> list[tuple[Range, Row]]:
    """Ranges of a whole number whose ends both belong to them ("0 to 2", "3 to 5") as ranges that
    end where the next begins."""
    if fact.kind is not Kind.INTEGER or len(parts) < 2:
        return parts
    steps = [(one.high, two.low) for (one, _), (two, _) in pairwise(parts)]
    if not all(row.whole for _, row in parts) or not all(
        high + 1 == low or high == math.nextafter(low - 1, math.inf) for high, low in steps
    ):
        return parts
    return [
        *((Range(one.low, two.low), row) for (one, row), (two, _) in pairwise(parts)),
        parts[-1],
    ]


def _pairs(
    card: CardFile,
    facts: Mapping[str, Fact],
    outcome: str | None,
    hundredths: Callable[[Row], int],
    file: str,
    problems: Problems,
) -> list[PairTable]:
    """Two-way tables, every bin of the one with every bin of the other."""
    grouped: dict[tuple[str, str], list[tuple[Row, Row]]] = {}
    for one, two in card.pairs:
        names = folded(one.feature), folded(two.feature)
        grouped.setdefault(names, []).append((one, two))
    tables = []
    for names, cells in grouped.items():
        line = cells[0][0].line
        sides = []
        for side, name in enumerate(names):
            rows = list({cell[side].text: cell[side] for cell in cells}.values())
            fact = _fact(name, line, facts, outcome, file, problems)
            placed = None if fact is None else _placed(fact, rows, file, problems)
            if placed is not None:
                bins, along, other, missing = placed
                last = [other] if bins.levels is not None else []
                texts = [row.text if row else "" for row in [*along, *last, missing]]
                sides.append((bins, texts))
        if len(sides) < 2:
            continue
        points = {(one.text, two.text): hundredths(one) for one, two in cells}
        wanted = [(a, b) for a in sides[0][1] for b in sides[1][1]]
        if len(points) != len(cells) or any(cell not in points for cell in wanted):
            message = (
                f"{' and '.join(names)}: not every bin of the one stands once with every other."
            )
            problems.add("RS412", message, file=file, line=line)
            continue
        nothing = (0,) * len(wanted)
        points_of_cells = tuple(points[cell] for cell in wanted)
        tables.append(PairTable(sides[0][0], sides[1][0], nothing, nothing, points_of_cells))
    return tables


def _calibration(card: CardFile, file: str, problems: Problems) -> Calibration | None:
    """The calibration that the file says; none where it says nothing."""
    if not card.calibration:
        return Calibration()
    kind = ""
    numbers: dict[str, float] = {}
    points: list[tuple[float, float]] = []
    then: dict[str, float] = {}
    try:
        for name, start, value in card.calibration:
            if name == "kind":
                kind = value
            elif name == "point":
                points.append((float(start), float(value)))
            elif name.startswith("then_"):
                then[name.removeprefix("then_")] = float(value)
            elif name in ("slope", "intercept", "a", "b", "c"):
                numbers[name] = float(value)
        if points != sorted(points) or (kind == "isotonic" and not points):
            raise ValueError("points")
        all_numbers = [*numbers.values(), *then.values()]
        if not all(map(math.isfinite, all_numbers)) or numbers.get("slope", 1.0) < 0:
            raise ValueError("numbers")
        line = (then["slope"], then["intercept"]) if then else None
        [known] = [known for known in KINDS if known == kind]
        return Calibration(known, points=tuple(points), then=line, **numbers)
    except (ValueError, KeyError):
        what = "The rows of the calibration are not those of one that keeps the order."
        problems.add("RS412", what, file=file)
        return None
