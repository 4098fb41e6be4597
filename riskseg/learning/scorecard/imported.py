"""From the rows of a card made elsewhere to a scorecard: its bins, its points and their scale."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise

from riskseg.domain.facts import Fact, Kind, folded
from riskseg.domain.problems import Problems, did_you_mean
from riskseg.learning.calibration import Calibration
from riskseg.learning.scorecard.card_file import CardFile, Range, Row
from riskseg.learning.scorecard.tables import (
    LEARNED,
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
    card: CardFile, facts: Mapping[str, Fact], meaning: Meaning, file: str, problems: Problems
) -> tuple[Scorecard, Calibration] | None:
    """The scorecard and the calibration of a file, or None after adding Problems: RS412 for rows
    that contradict each other, leave something out or are without a scale; RS501 for features
    that the facts do not have."""
    before = len(problems)
    scale = _scale(card, meaning, file, problems)
    if scale is None:
        return None
    if meaning.riskier and card.unit == "points":
        scale = replace(scale, score=-scale.score)
    points = _to_points(card, scale, meaning)
    notes = list(dict.fromkeys(card.notes))
    cells = [row.value for row in card.rows] + [one.value for one, _ in card.pairs]
    exact = [points(value) for value in cells]
    off = sum(abs(float(one) * 100 - round(float(one) * 100)) for one in exact) / 100
    if off > 1e-9:
        worst = max(abs(float(one) - round(float(one) * 100) / 100) for one in exact)
        told = worst * len({row.feature for row in card.rows}) / scale.factor
        notes.append(
            "points are rounded to hundredths, which moves the log-odds of an account by "
            f"{told:.2g} at most"
        )

    def hundredths(row: Row) -> int:
        return round(points(row.value) * 100)

    tables = []
    for name, rows in _by_feature(card.rows).items():
        fact = _fact(name, rows[0].line, facts, file, problems)
        if fact is not None:
            made = _table(fact, rows, hundredths, notes, file, problems)
            if made is not None:
                tables.append(made)
    pairs = _pairs(card, facts, hundredths, file, problems)
    twice = [t.bins.name for t in tables]
    for name in sorted({name for name in twice if twice.count(name) > 1}):
        problems.add("RS412", f"{name} stands under two letter cases.", file=file)
    calibration = _calibration(card, file, problems)
    if len(problems) > before or calibration is None:
        return None
    base = meaning.base if meaning.base is not None else card.base or Decimal(0)
    start = round(_base(card, scale, meaning, base) * 100)
    if meaning.riskier and card.unit == "points":
        notes.append("the file's points rise with the risk; here their signs are turned")
    made_card = Scorecard("imported", start, tuple(tables), tuple(pairs), {}, tuple(notes), scale)
    return made_card, calibration


def _scale(card: CardFile, meaning: Meaning, file: str, problems: Problems) -> Scale | None:
    if card.unit == "log_odds":
        return meaning.scale or LEARNED
    found = meaning.scale
    names = ("score_at", "odds_at", "points_to_double_odds")
    if found is None and all(name in card.scale for name in names):
        found = Scale(*(card.scale[name] for name in names))
    if found is None:
        problems.add(
            "RS412",
            "Nothing says what probability a score stands for.",
            file=file,
            mend="Give --pdo 20 --points-at-odds 600:50, or --factor and --offset.",
        )
    elif not (found.to_double > 0 and found.odds > 0):
        problems.add("RS412", "A scale needs odds and points to double them above 0.", file=file)
        return None
    return found


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
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.feature, []).append(row)
    return found


def _fact(
    name: str, line: int, facts: Mapping[str, Fact], file: str, problems: Problems
) -> Fact | None:
    fact = facts.get(folded(name))
    if fact is None:
        what = f'"{name}" is no feature or attribute here.' if name else "A row has no feature."
        mend = did_you_mean(folded(name), facts)
        problems.add("RS501", what, file=file, line=line, mend=mend)
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

    given = [gives(row) for row in along]
    others = [gives(other)] if bins.levels is not None and other is not None else []
    known_points = [*given, *others]
    count = sum(one.count for one in known_points)
    mean = (
        sum(one.points * one.count for one in known_points) / count
        if count
        else sum(one.points for one in known_points) / len(known_points)
    )
    neither = _Given(round(mean), 0, 0)

    def left_out(word: str, gets: str) -> _Given:
        notes.append(
            f"{fact.name}: there is no row for {word}: {gets} gets {decimal(neither.points)} "
            f"points, {'the average' if count else 'the mean of its bins'}"
        )
        return neither

    if bins.levels is not None:
        given += others or [left_out("other", "any other level")]
    given.append(gives(missing) if missing is not None else left_out("missing", "a null"))
    bads = [one.bad for one in given]
    known = count > 0 and all(bad is not None for bad in bads)
    return Table(
        bins,
        tuple(one.count for one in given),
        tuple(bad or 0 for bad in bads) if known else None,
        tuple(one.points for one in given),
    )


Placed = tuple[Bins, list[Row], Row | None, Row | None]


def _placed(fact: Fact, rows: Sequence[Row], file: str, problems: Problems) -> Placed | None:
    """(bins, the row of each along the value or levels, of other values, of nulls)."""
    before = len(problems)

    def fault(what: str, line: int, hint: str = "") -> None:
        problems.add("RS412", what, file=file, line=line, mend=hint)

    special: dict[str, Row] = {}
    for word in ("missing", "other"):
        for row in rows:
            if getattr(row, word):
                if word in special:
                    said = f"{fact.name} has a second row for {word}."
                    fault(said, row.line, f"The first is on line {special[word].line}.")
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
                said = f'"{level}" of {fact.name} stands twice.'
                fault(said, row.line, f"The first is on line {seen[level]}.")
            elif fact.levels and level not in fact.levels:
                said = f'"{level}" is not a level of {fact.name}.'
                fault(said, row.line, did_you_mean(level, fact.levels))
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
        parts += [(one, row) for one in row.ranges]
        for level in row.levels:
            found = _number(fact, level)
            if found is None:
                said = f'"{level}" is no number, and {fact.name} is one.'
                fault(said, row.line, "Write a range, or a number.")
            else:
                parts.append((found, row))
    parts.sort(key=lambda part: (part[0].low, part[0].high))
    parts = _whole(fact, parts)
    if not parts:
        return Bins(fact.name, (), None), []
    first, row = parts[0]
    if fact.lower is not None and first.low <= fact.lower:  # there is nothing below
        parts[0] = (Range(-math.inf, first.high), row)
    ends: list[float] = []
    along: list[Row] = []
    at = -math.inf
    for place, row in [*parts, (Range(math.inf, math.inf), parts[-1][1])]:
        if place.low < at:
            said = f"{fact.name}: {row.text} overlaps {along[-1].text} (line {along[-1].line})."
            fault(said, row.line, "Give every value to one row.")
        elif place.low > at:
            if other is None:
                begin = "below" if math.isinf(at) else "from"
                gap = f"{place.low:g}" if math.isinf(at) else f"{at:g}"
                till = (
                    ""
                    if math.isinf(at)
                    else (" up" if math.isinf(place.low) else f" to {place.low:g}")
                )
                said = f"{fact.name}: no row is for values {begin} {gap}{till}."
                fault(said, row.line, "Begin and end with open ranges, or add a row `other`.")
            else:
                along.append(other)
                ends.append(place.low)
        if place.low < math.inf:
            along.append(row)
            ends.append(place.high)
        at = max(at, place.high)
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
    hundredths: Callable[[Row], int],
    file: str,
    problems: Problems,
) -> list[PairTable]:
    """Two-way tables, every bin of the one with every bin of the other."""
    grouped: dict[tuple[str, str], list[tuple[Row, Row]]] = {}
    for one, two in card.pairs:
        grouped.setdefault((one.feature, two.feature), []).append((one, two))
    found = []
    for names, cells in grouped.items():
        line = cells[0][0].line
        sides = []
        for place, name in enumerate(names):
            rows = list({cell[place].text: cell[place] for cell in cells}.values())
            fact = _fact(name, line, facts, file, problems)
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
            said = f"{' and '.join(names)}: not every bin of the one stands once with every other."
            problems.add("RS412", said, file=file, line=line)
            continue
        nothing = (0,) * len(wanted)
        told = tuple(points[cell] for cell in wanted)
        found.append(PairTable(sides[0][0], sides[1][0], nothing, nothing, told))
    return found


def _calibration(card: CardFile, file: str, problems: Problems) -> Calibration | None:
    """The calibration that the file says; none where it says nothing."""
    if not card.calibration:
        return Calibration()
    told: dict[str, object] = {}
    points: list[tuple[float, float]] = []
    then: dict[str, float] = {}
    try:
        for name, start, value in card.calibration:
            if name == "kind":
                told["kind"] = value
            elif name == "point":
                points.append((float(start), float(value)))
            elif name.startswith("then_"):
                then[name.removeprefix("then_")] = float(value)
            else:
                told[name] = float(value)
        if told.get("kind") not in ("none", "sigmoid", "beta", "isotonic"):
            raise ValueError("kind")
        if points != sorted(points) or (told["kind"] == "isotonic" and not points):
            raise ValueError("points")
        numbers = [v for v in told.values() if isinstance(v, float)] + list(then.values())
        if not all(math.isfinite(one) for one in numbers) or told.get("slope", 1.0) < 0:  # type: ignore[operator]
            raise ValueError("numbers")
        return Calibration.from_json(told | {"points": points} | ({"then": then} if then else {}))
    except (ValueError, KeyError):
        what = "The rows of the calibration are not those of one that keeps the order."
        problems.add("RS412", what, file=file)
        return None
