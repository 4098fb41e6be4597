"""From the rows of a card made elsewhere to a scorecard: its bins, its points and their scale."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from riskseg.domain.facts import Fact, Kind, folded
from riskseg.domain.problems import Problems, did_you_mean
from riskseg.learning.calibration import KINDS, Calibration
from riskseg.learning.scorecard.card_file import SPECIAL, CardFile, Row
from riskseg.learning.scorecard.imported_bins import bin_rows
from riskseg.learning.scorecard.tables import (
    LARGEST_NUMBER,
    LEARNED,
    LEAST_RATIO,
    PairTable,
    Scale,
    Scorecard,
    Table,
    decimal,
)


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


def scorecard_of(
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
    problems_before = len(problems)
    scale = _scale(card, meaning, file, problems)
    if scale is None:
        return None
    if meaning.riskier and card.unit == "points":
        scale = replace(scale, score=-scale.score)
    points = _to_points(card, scale, meaning)
    base = meaning.base if meaning.base is not None else card.base or Decimal(0)
    pointed_rows = _rows_with_points(card.rows, facts, file, problems)
    import_notes = _left_out(card.rows)
    all_rows = [*pointed_rows, *(exact_value for exact_value, _ in card.pairs)]
    _check_sizes(all_rows, points, _base(card, scale, meaning, base), file, problems)
    exact_points = [points(row.value) for row in all_rows]
    rounded_off = (
        sum(
            abs(float(exact_value) * 100 - round(float(exact_value) * 100))
            for exact_value in exact_points
        )
        / 100
    )
    if rounded_off > 1e-9:
        worst_rounding = max(
            abs(float(exact_value) - round(float(exact_value) * 100) / 100)
            for exact_value in exact_points
        )
        log_odds_moved = worst_rounding * len({row.feature for row in pointed_rows}) / scale.factor
        import_notes.append(
            "points are rounded to hundredths, which moves the log-odds of an account by "
            f"{log_odds_moved:.2g} at most"
        )

    def hundredths(row: Row) -> int:
        return round(points(row.value) * 100)

    imported_tables = []
    for name, feature_rows in _by_feature(pointed_rows).items():
        fact = _fact(name, feature_rows[0].line, facts, outcome, file, problems)
        if fact is not None:
            table = _table(fact, feature_rows, hundredths, import_notes, file, problems)
            if table is not None:
                imported_tables.append(table)
    pairs = _pairs(card, facts, outcome, hundredths, file, problems)
    calibration = _calibration(card, file, problems)
    if len(problems) > problems_before or calibration is None:
        return None
    base_points = round(_base(card, scale, meaning, base) * 100)
    if meaning.riskier and card.unit == "points":
        import_notes.append("the file's points rise with the risk; here their signs are turned")
    card_made = Scorecard(
        "imported",
        base_points,
        tuple(imported_tables),
        tuple(pairs),
        {},
        tuple(import_notes),
        scale,
    )
    if same_note := _same_for_all(card_made, calibration):
        card_made = replace(card_made, notes=(*import_notes, same_note))
    return card_made, calibration


def _rows_with_points(
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
    left_out_notes = []
    for pointless_row in rows:
        if pointless_row.left_out:
            codes_missing = (
                "names no codes, and " if pointless_row.text.casefold() in SPECIAL else ""
            )
            left_out_notes.append(
                f"{pointless_row.feature}: the row {pointless_row.text} {codes_missing}is left out"
            )
    return list(dict.fromkeys(left_out_notes))


def _check_sizes(
    rows: Sequence[Row],
    points: Callable[[Decimal], Decimal],
    start: Decimal,
    file: str,
    problems: Problems,
) -> None:
    """Add RS412 for points that cannot be added up."""

    def check(message: str, number: Decimal, line: int | None) -> None:
        if not number.is_finite() or abs(number) > LARGEST_NUMBER:
            problems.add(
                "RS412",
                f"{message} {number:.6g} points, and a scorecard holds up to {LARGEST_NUMBER:.0e}.",
                file=file,
                line=line,
                hint="Correct the number, or the scale.",
            )

    for row in rows:
        check("The row gives", points(row.value), row.line)
    check("Every account begins with", start, None)


def _same_for_all(card: Scorecard, calibration: Calibration) -> str:
    """A note where the least and the greatest score have one probability; empty elsewhere."""
    all_tables: tuple[Table | PairTable, ...] = (*card.tables, *card.pairs)
    extreme_scores = [
        card.base + sum(extreme(table.points) for table in all_tables) for extreme in (min, max)
    ]
    margins = (card.scale.offset - np.array(extreme_scores) / 100) / card.scale.factor
    lowest, highest = calibration.probability(margins)
    if lowest != highest or extreme_scores[0] == extreme_scores[1]:
        return ""
    return (
        f"every account gets the probability {lowest:g}: the points do not fit their scale, or the "
        "base that every account begins with is missing"
    )


def _scale(card: CardFile, meaning: Meaning, file: str, problems: Problems) -> Scale | None:
    scale = meaning.scale or (LEARNED if card.unit == "log_odds" else None)
    scale_keys = ("score_at", "odds_at", "points_to_double_odds")
    if scale is None and all(scale_key in card.scale for scale_key in scale_keys):
        scale = Scale(*(card.scale[scale_key] for scale_key in scale_keys))
    if scale is None:
        problems.add(
            "RS412",
            "The card has no scale: a score cannot be turned into a probability.",
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
    factor = Decimal(scale.factor) * (1 if meaning.riskier is False else -1)
    return lambda value: factor * value


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
        message = f'"{name}" is not a feature here.' if name else "A row has no feature."
        hint = did_you_mean(folded(name), facts)
        problems.add("RS501", message, file=file, line=line, hint=hint)
    elif folded(fact.name) == outcome:
        message = f"{fact.name} is what the model predicts: points for it give the answer away."
        problems.add("RS404", message, file=file, line=line, hint="Leave its rows out.")
        return None
    elif fact.kind is Kind.DATE:
        message = f"{fact.name} is a date: a scorecard gives points to numbers and texts."
        problems.add("RS412", message, file=file, line=line)
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
    rows_by_bin = bin_rows(fact, rows, file, problems)
    if rows_by_bin is None:
        return None
    bins, in_order, other_row, missing_row = rows_by_bin
    counted_rows: set[int] = set()

    def gives(row: Row) -> _Given:
        """What a row gives; one that fills several bins has its accounts in the first."""
        counted_before = row.line in counted_rows
        counted_rows.add(row.line)
        bad = 0 if counted_before and row.bad is not None else row.bad
        return _Given(hundredths(row), 0 if counted_before else row.count, bad)

    bin_entries = [gives(row) for row in in_order]
    other_entries = [gives(other_row)] if bins.levels is not None and other_row is not None else []
    known_points = [*bin_entries, *other_entries]
    known_rows = sum(entry.count for entry in known_points)
    mean = (
        sum(entry.points * entry.count for entry in known_points) / known_rows
        if known_rows
        else sum(entry.points for entry in known_points) / len(known_points)
    )
    average_entry = _Given(round(mean), 0, 0)

    def left_out(word: str, gets: str) -> _Given:
        notes.append(
            f"{fact.name}: there is no row for {word}: {gets} gets {decimal(average_entry.points)} "
            f"points, {'the average' if known_rows else 'the mean of its bins'}"
        )
        return average_entry

    if bins.levels is not None:
        bin_entries += other_entries or [left_out("other", "any other level")]
    bin_entries.append(
        gives(missing_row) if missing_row is not None else left_out("missing", "a null")
    )
    bads = [entry.bad for entry in bin_entries]
    bads_known = known_rows > 0 and all(bad is not None for bad in bads)
    return Table(
        bins,
        tuple(entry.count for entry in bin_entries),
        tuple(bad or 0 for bad in bads) if bads_known else None,
        tuple(entry.points for entry in bin_entries),
    )


def _pairs(
    card: CardFile,
    facts: Mapping[str, Fact],
    outcome: str | None,
    hundredths: Callable[[Row], int],
    file: str,
    problems: Problems,
) -> list[PairTable]:
    """Two-way tables, every bin of the one with every bin of the other."""
    cells_by_pair: dict[tuple[str, str], list[tuple[Row, Row]]] = {}
    for first, second in card.pairs:
        names = folded(first.feature), folded(second.feature)
        cells_by_pair.setdefault(names, []).append((first, second))
    pair_tables = []
    for names, cells in cells_by_pair.items():
        line = cells[0][0].line
        two_sides = []
        for side, paired_feature in enumerate(names):
            side_rows = list(
                {pair_cell[side].text: pair_cell[side] for pair_cell in cells}.values()
            )
            fact = _fact(paired_feature, line, facts, outcome, file, problems)
            rows_by_bin = None if fact is None else bin_rows(fact, side_rows, file, problems)
            if rows_by_bin is not None:
                bins, in_order, other_row, missing_row = rows_by_bin
                other_rows = [other_row] if bins.levels is not None else []
                row_texts = [
                    row.text if row else "" for row in [*in_order, *other_rows, missing_row]
                ]
                two_sides.append((bins, row_texts))
        if len(two_sides) < 2:
            continue
        points = {(first.text, second.text): hundredths(first) for first, second in cells}
        cells_needed = [
            (first_text, second_text)
            for first_text in two_sides[0][1]
            for second_text in two_sides[1][1]
        ]
        if len(points) != len(cells) or any(pair_cell not in points for pair_cell in cells_needed):
            message = (
                f"{' and '.join(names)}: not every bin of the one stands once with every other."
            )
            problems.add("RS412", message, file=file, line=line)
            continue
        no_counts = (0,) * len(cells_needed)
        points_of_cells = tuple(points[pair_cell] for pair_cell in cells_needed)
        pair_tables.append(
            PairTable(two_sides[0][0], two_sides[1][0], no_counts, no_counts, points_of_cells)
        )
    return pair_tables


def _calibration(card: CardFile, file: str, problems: Problems) -> Calibration | None:
    """The calibration that the file says; none where it says nothing."""
    if not card.calibration:
        return Calibration()
    calibration_kind = ""
    parameters: dict[str, float] = {}
    points: list[tuple[float, float]] = []
    line_after: dict[str, float] = {}
    try:
        for parameter, step_start, step_value in card.calibration:
            if parameter == "kind":
                calibration_kind = step_value
            elif parameter == "point":
                points.append((float(step_start), float(step_value)))
            elif parameter.startswith("then_"):
                line_after[parameter.removeprefix("then_")] = float(step_value)
            elif parameter in ("slope", "intercept", "a", "b", "c"):
                parameters[parameter] = float(step_value)
        if points != sorted(points) or (calibration_kind == "isotonic" and not points):
            raise ValueError("points")
        all_numbers = [*parameters.values(), *line_after.values()]
        if not all(map(math.isfinite, all_numbers)) or parameters.get("slope", 1.0) < 0:
            raise ValueError("numbers")
        line = (line_after["slope"], line_after["intercept"]) if line_after else None
        [known_kind] = [known_kind for known_kind in KINDS if known_kind == calibration_kind]
        return Calibration(known_kind, points=tuple(points), then=line, **parameters)
    except (ValueError, KeyError):
        message = "The rows of the calibration are not those of one that keeps the order."
        problems.add("RS412", message, file=file)
        return None
