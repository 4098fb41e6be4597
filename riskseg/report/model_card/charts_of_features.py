"""Charts of what each feature is and does."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from riskseg.learning import words
from riskseg.learning.evidence.model import Effect, EffectPoint
from riskseg.learning.words import known, percent, tick_percent
from riskseg.report.drawing import (
    BLUE,
    GLYPH,
    GREY,
    MOST_BARS,
    ORANGE,
    THIRD,
    WHOLE,
    Drawing,
    Form,
    Scale,
    bent,
    rounded_up,
)

Told = Mapping[str, Any]
MOST_LEVELS = 8
TAIL = 14  # the room on an axis for what lies far beyond it


def bins(table: Told, key: str, kind: str | None) -> Markup:
    """Rows and bad rate of each bin of a scorecard's feature, by the bin's number. `kind` is the
    feature's, for the words."""
    bins_shown = table["bins"]
    total = sum(bin_json["count"] for bin_json in bins_shown) or 1
    bins_text = "; ".join(
        f"{n}: {words.held(bin_json, kind)}, {percent(bin_json['count'] / total)} of rows, "
        f"bad rate {percent(bin_json['bad_rate'])}"
        for n, bin_json in enumerate(bins_shown, 1)
    )
    chart = Drawing(key, f"Bins of {table['feature']}", bins_text, (350, 206), top=30, right=48)
    rates = [bin_json["bad_rate"] for bin_json in bins_shown if known(bin_json["bad_rate"])]
    y = chart.y(0, rounded_up(max(bin_json["count"] / total for bin_json in bins_shown)))
    z = chart.y(0, max(*rates, 0.0, 1e-6) * 1.15 if rates else 1.0)
    chart.upright(y, y.ticks(34), tick_percent, "share of rows")
    for tick in z.ticks(27):
        chart.text((chart.right + 6, z(tick) + 4.3), tick_percent(tick), colour=ORANGE)
    slot = (chart.right - chart.left) / len(bins_shown)
    every = math.ceil(17 / slot)
    curve: list[tuple[float, float]] = []
    for n, bin_json in enumerate(bins_shown):
        bar_left = chart.left + n * slot
        hover = f"{words.held(bin_json, kind)}: {words.count(bin_json['count'])} rows"
        edge = min(slot * 0.12, 6)
        tall = y(bin_json["count"] / total)
        chart.box(bar_left + edge, tall, slot - 2 * edge, chart.bottom - tall, "#A9C6DD", hover)
        if n % every == 0:
            chart.text(
                (bar_left + slot / 2, chart.bottom + 17), str(n + 1), anchor="middle", colour=GREY
            )
        is_ordered = not (bin_json.get("missing") or bin_json.get("other"))
        if known(bin_json["bad_rate"]) and is_ordered:
            curve.append((bar_left + slot / 2, z(bin_json["bad_rate"])))
    chart.path(curve, ORANGE, 2)
    for n, bin_json in enumerate(bins_shown):
        if known(bin_json["bad_rate"]):
            is_ordered = not (bin_json.get("missing") or bin_json.get("other"))
            hover = f"{words.held(bin_json, kind)}: bad rate {percent(bin_json['bad_rate'])}"
            rate_at = (chart.left + (n + 0.5) * slot, z(bin_json["bad_rate"]))
            chart.dot(rate_at, ORANGE, hover, shape="circle" if is_ordered else "open")
    chart.line((chart.left, chart.bottom), (chart.right, chart.bottom))
    chart.text(
        ((chart.left + chart.right) / 2, chart.bottom + 37),
        "bin, as numbered in the table",
        anchor="middle",
    )
    chart.legend([("rows", "#A9C6DD", "box"), ("bad rate (right)", ORANGE, "circle")])
    return chart.done()


def reach(effect: Effect) -> float:
    """How far a feature moves the log-odds: its mean distance from no effect over the rows."""
    total = sum(p.share for p in effect.points) or 1.0
    return float(sum(abs(p.margin) * p.share for p in effect.points) / total)


def span(effect: Effect) -> tuple[float, float]:
    """The least and the greatest margin of a feature's effect."""
    margins = [p.margin for p in effect.points]
    return min(margins), max(margins)


def strength(effects: Sequence[Effect]) -> Markup:
    """Features by how far they move the odds."""
    strongest = sorted(
        effects, key=lambda feature_effect: (-reach(feature_effect), feature_effect.feature)
    )[:MOST_BARS]
    strongest_text = "; ".join(
        f"{feature_effect.feature} {words.times(math.exp(reach(feature_effect)))}"
        for feature_effect in strongest[:5]
    )
    chart = Drawing(
        "strength",
        "Strength of each feature",
        f"The strongest: {strongest_text}.",
        (WHOLE, 62 + 21 * len(strongest)),
        left=236,
        top=8,
    )
    x = chart.x(0, max(max(reach(feature_effect) for feature_effect in strongest) * 1.12, 0.05))
    ticks = [math.log(odds_tick) for odds_tick in _odds_ticks(0, x.high, x, 52)]
    chart.across(
        x,
        ticks,
        lambda tick_value: words.times(math.exp(tick_value)),
        "typical change of the odds against the average account",
    )
    for bar_row, feature_effect in enumerate(strongest):
        bar_y = chart.top + 21 * (bar_row + 0.5) + 1
        feature_name = feature_effect.feature
        chart.text(
            (chart.left - 8, bar_y + 4),
            words.clipped(feature_name, 30),
            anchor="end",
            hover=feature_name,
        )
        odds = words.times(math.exp(reach(feature_effect)))
        chart.box(
            chart.left,
            bar_y - 6.5,
            x(reach(feature_effect)) - chart.left,
            13,
            BLUE,
            f"{feature_name}: {odds}",
            0.8,
        )
        chart.text(
            (x(reach(feature_effect)) + 6, bar_y + 4),
            f"×{math.exp(reach(feature_effect)):.2f}",
            colour=GREY,
        )
    return chart.done()


def _odds_ticks(low: float, high: float, scale: Scale, gap: float) -> list[float]:
    """Round multiples of the odds between two margins, kept apart."""
    ticks_chosen: list[float] = []
    odds_by_roundness = (
        1,
        2,
        0.5,
        4,
        0.25,
        8,
        0.125,
        16,
        0.0625,
        1.5,
        0.67,
        3,
        0.33,
        1.2,
        0.8,
        1.1,
        0.9,
        32,
        64,
        1.05,
        0.95,
        1.02,
        0.98,
        0.03,
        0.015,
    )
    for odds in odds_by_roundness:
        log_odds = math.log(odds)
        if low - 1e-9 <= log_odds <= high + 1e-9 and all(
            abs(scale(log_odds) - scale(math.log(chosen_tick))) >= gap
            for chosen_tick in ticks_chosen
        ):
            ticks_chosen.append(odds)
    return sorted(ticks_chosen)


def effect(measured: Effect, limits: tuple[float, float], key: str) -> Markup:
    """The shape of one feature's effect; all features share the scale `limits` (log-odds)."""
    points = measured.points
    low, high = span(measured)
    odds_range = f"from {words.times(math.exp(low))} to {words.times(math.exp(high))} the odds"
    feature_name = measured.feature
    if measured.kind == "number":
        return _curve(points, limits, key, feature_name, odds_range)
    if measured.kind == "boolean":
        points = [
            effect_point
            if effect_point.value is None
            else effect_point.model_copy(update={"value": bool(effect_point.value)})
            for effect_point in points
        ]
    return _levels(points, limits, key, feature_name, odds_range)


def each_effect(effects: Sequence[Effect]) -> list[tuple[Effect, Markup, str]]:
    """(the effect, its chart, what the chart spans in words), all on one scale, the strongest
    first."""
    by_strength = sorted(
        effects, key=lambda feature_effect: (-reach(feature_effect), feature_effect.feature)
    )
    spans = [span(feature_effect) for feature_effect in by_strength]
    low = min(-0.1, min(s[0] for s in spans)) * 1.08
    high = max(0.1, max(s[1] for s in spans)) * 1.08
    effects_shown = []
    for effect_number, (feature_effect, ends) in enumerate(zip(by_strength, spans, strict=True), 1):
        first_odds, last_odds = (f"×{math.exp(end):.2f}" for end in ends)
        direction = {1: "; more is riskier", -1: "; less is riskier"}.get(
            feature_effect.direction, ""
        )
        levels_hidden = len(feature_effect.points) - MOST_LEVELS
        rest = (
            f"; {levels_hidden} rarer levels not drawn"
            if feature_effect.kind != "number" and levels_hidden > 0
            else ""
        )
        effect_text = f"{first_odds} to {last_odds}{direction}{rest}{beyond(feature_effect)}"
        effects_shown.append(
            (
                feature_effect,
                effect(feature_effect, (low, high), f"effect-{effect_number}"),
                effect_text,
            )
        )
    return effects_shown


def window(values: Sequence[float]) -> tuple[float, float]:
    """The part of an axis where accounts are: without an end that is farther out than a third of
    the way between all the other values. The ends are single accounts, the rest are twentieths."""
    rising_values = sorted(values)
    if len(rising_values) < 8:
        return rising_values[0], rising_values[-1]
    second_lowest, second_highest = rising_values[1], rising_values[-2]
    widest_gap = (second_highest - second_lowest) / 3
    low = second_lowest if second_lowest - rising_values[0] > widest_gap else rising_values[0]
    high = second_highest if rising_values[-1] - second_highest > widest_gap else rising_values[-1]
    return low, high


def beyond(measured: Effect) -> str:
    """What lies beyond the axis of a number's effect, in words; empty where nothing does."""
    known_values = [
        effect_point.value for effect_point in measured.points if known(effect_point.value)
    ]
    if measured.kind != "number" or not known_values:
        return ""
    low, high = window(known_values)
    extremes_outside = [
        words.value(extreme)
        for extreme in (min(known_values), max(known_values))
        if not low <= extreme <= high
    ]
    return (
        f"; beyond the dotted line up to {' and '.join(extremes_outside)}"
        if extremes_outside
        else ""
    )


def _form(values: Sequence[float]) -> Form:
    """The square root, on either side of zero, where most values crowd near it."""
    low, high = min(values), max(values)
    if low >= 0:
        return bent(values)
    sizes = sorted(map(abs, values))
    crowded = sizes[len(sizes) // 2] < 0.2 * sizes[-1]
    return "sqrt" if crowded and high > 0 else "linear"


def _curve(
    points: Sequence[EffectPoint], limits: tuple[float, float], key: str, name: str, ends: str
) -> Markup:
    chart = Drawing(key, f"Effect of {name}", ends, (THIRD, 204), left=46, top=10, bottom=26)
    numbers = [(float(point.value), point) for point in points if known(point.value)]
    missing_points = [point for point in points if point.value is None]
    y = Scale(*limits, chart.bottom - 30, chart.top)
    ticks = [math.log(odds_tick) for odds_tick in _odds_ticks(*limits, y, 21)]
    chart.upright(y, ticks, lambda tick_value: words.times(math.exp(tick_value)))
    chart.line((chart.left, y(0)), (chart.right, y(0)), GREY, 1.2)
    edge = chart.right - (42 if missing_points else 0)
    if numbers:
        point_values = [value for value, _ in numbers]
        low, high = window(point_values)
        values_inside = [value for value in point_values if low <= value <= high]
        under, over = TAIL * (min(point_values) < low), TAIL * (max(point_values) > high)
        scale = Scale(low, high, chart.left + 5 + under, edge - 7 - over, _form(values_inside))

        def x(value: float) -> float:
            beyond = TAIL * ((value > high) - (value < low))
            return scale(value) + beyond

        for arrow_x in ([chart.left + 5 + under / 2] if under else []) + (
            [edge - 7 - over / 2] if over else []
        ):
            chart.line((arrow_x, chart.top), (arrow_x, chart.bottom), GREY, 1, "1 3")
        largest_share = max(point.share for point in points) or 1.0
        for value, point in numbers:
            tall = 26 * point.share / largest_share
            chart.box(x(value) - 2.5, chart.bottom - tall, 5, tall, "#C4CED6")
        if len(numbers) > 1:
            chart.path([(x(value), y(point.margin)) for value, point in numbers], BLUE, 2)
        for value, point in numbers:
            hover = _effect_words(point)
            chart.dot((x(value), y(point.margin)), BLUE, hover, size=3)
        value_ticks = [odds_tick for odds_tick in scale.ticks(30) if low <= odds_tick <= high] or [
            low
        ]
        label_end = -math.inf
        for tick in value_ticks:
            tick_label = words.value(tick)
            half = len(tick_label) * GLYPH / 2
            if x(tick) - half < label_end + 4 or x(tick) + half > edge + 6:
                continue
            label_end = x(tick) + half
            chart.text((x(tick), chart.bottom + 17), tick_label, anchor="middle", colour=GREY)
    for point in missing_points:
        chart.line((edge, chart.top), (edge, chart.bottom), GREY, 1, "2 3")
        tall = 26 * point.share / (max(other_point.share for other_point in points) or 1.0)
        chart.box(edge + 18.5, chart.bottom - tall, 5, tall, "#C4CED6")
        chart.dot((edge + 21, y(point.margin)), BLUE, _effect_words(point), shape="open")
        chart.text((chart.right + 13, chart.bottom + 17), "missing", anchor="end", colour=GREY)
    chart.line((chart.left, chart.bottom), (chart.right, chart.bottom))
    return chart.done()


def _levels(
    points: Sequence[EffectPoint], limits: tuple[float, float], key: str, name: str, ends: str
) -> Markup:
    levels_shown = sorted(
        points, key=lambda effect_point: (-effect_point.share, str(effect_point.value))
    )[:MOST_LEVELS]
    levels_shown.sort(
        key=lambda effect_point: (
            effect_point.value is None,
            effect_point.margin,
            str(effect_point.value),
        )
    )
    chart = Drawing(
        key, f"Effect of {name}", ends, (THIRD, 204), left=92, top=10, bottom=26, right=12
    )
    x = chart.x(*limits)
    ticks = [math.log(odds_tick) for odds_tick in _odds_ticks(*limits, x, 38)]
    chart.across(x, ticks, lambda tick_value: words.times(math.exp(tick_value)))
    chart.line((x(0), chart.top), (x(0), chart.bottom), GREY, 1.2)
    slot = min((chart.bottom - chart.top) / len(levels_shown), 30)
    first_y = (chart.top + chart.bottom - slot * len(levels_shown)) / 2
    for level_index, effect_point in enumerate(levels_shown):
        level_y = first_y + (level_index + 0.5) * slot
        level_text = words.value(effect_point.value)
        chart.text(
            (chart.left - 6, level_y + 4),
            words.clipped(level_text, 12),
            anchor="end",
            hover=level_text,
        )
        chart.line((x(0), level_y), (x(effect_point.margin), level_y), "#A9C6DD", 5)
        shape = "open" if effect_point.value is None else "circle"
        chart.dot((x(effect_point.margin), level_y), BLUE, _effect_words(effect_point), shape=shape)
    return chart.done()


def _effect_words(p: EffectPoint) -> str:
    odds = math.exp(p.margin)
    return (
        f"{words.value(p.value)}: ×{odds:.2f} the odds ({p.margin:+.3f} log-odds); "
        f"{percent(p.share)} of rows"
    )


def largest(table: Sequence[Sequence[str]]) -> float:
    """The largest size of the points of a two-way table; 1 where all are 0."""
    return max((abs(float(point)) for row in table for point in row), default=0.0) or 1.0


def shade(strength: float) -> str:
    """White at 0, light blue at 1, light orange at -1: dark text stays readable on each."""
    end = (120, 178, 221) if strength > 0 else (240, 160, 96)
    share = min(abs(strength), 1.0)
    return "#" + "".join(f"{round(255 + (c - 255) * share):02x}" for c in end)
