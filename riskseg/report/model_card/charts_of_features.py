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
    rows = table["bins"]
    total = sum(b["count"] for b in rows) or 1
    about = "; ".join(
        f"{n}: {words.held(b, kind)}, {percent(b['count'] / total)} of rows, bad rate "
        f"{percent(b['bad_rate'])}"
        for n, b in enumerate(rows, 1)
    )
    d = Drawing(key, f"Bins of {table['feature']}", about, (350, 206), top=30, right=48)
    rates = [b["bad_rate"] for b in rows if known(b["bad_rate"])]
    y = d.y(0, rounded_up(max(b["count"] / total for b in rows)))
    z = d.y(0, max(*rates, 0.0, 1e-6) * 1.15 if rates else 1.0)
    d.upright(y, y.ticks(34), tick_percent, "share of rows")
    for tick in z.ticks(27):
        d.text((d.right + 6, z(tick) + 4.3), tick_percent(tick), colour=ORANGE)
    slot = (d.right - d.left) / len(rows)
    every = math.ceil(17 / slot)
    curve: list[tuple[float, float]] = []
    for n, b in enumerate(rows):
        left = d.left + n * slot
        hover = f"{words.held(b, kind)}: {words.count(b['count'])} rows"
        edge = min(slot * 0.12, 6)
        tall = y(b["count"] / total)
        d.box(left + edge, tall, slot - 2 * edge, d.bottom - tall, "#A9C6DD", hover)
        if n % every == 0:
            d.text((left + slot / 2, d.bottom + 17), str(n + 1), anchor="middle", colour=GREY)
        ordered = not (b.get("missing") or b.get("other"))
        if known(b["bad_rate"]) and ordered:
            curve.append((left + slot / 2, z(b["bad_rate"])))
    d.path(curve, ORANGE, 2)
    for n, b in enumerate(rows):
        if known(b["bad_rate"]):
            ordered = not (b.get("missing") or b.get("other"))
            hover = f"{words.held(b, kind)}: bad rate {percent(b['bad_rate'])}"
            at = (d.left + (n + 0.5) * slot, z(b["bad_rate"]))
            d.dot(at, ORANGE, hover, shape="circle" if ordered else "open")
    d.line((d.left, d.bottom), (d.right, d.bottom))
    d.text(
        ((d.left + d.right) / 2, d.bottom + 37), "bin, as numbered in the table", anchor="middle"
    )
    d.legend([("rows", "#A9C6DD", "box"), ("bad rate (right)", ORANGE, "circle")])
    return d.done()


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
    ranked = sorted(effects, key=lambda e: (-reach(e), e.feature))[:MOST_BARS]
    about = "; ".join(f"{e.feature} {words.times(math.exp(reach(e)))}" for e in ranked[:5])
    d = Drawing(
        "strength",
        "Strength of each feature",
        f"The strongest: {about}.",
        (WHOLE, 62 + 21 * len(ranked)),
        left=236,
        top=8,
    )
    x = d.x(0, max(max(reach(e) for e in ranked) * 1.12, 0.05))
    ticks = [math.log(t) for t in _odds_ticks(0, x.high, x, 52)]
    d.across(
        x,
        ticks,
        lambda v: words.times(math.exp(v)),
        "typical change of the odds against the average account",
    )
    for row, e in enumerate(ranked):
        at = d.top + 21 * (row + 0.5) + 1
        name = e.feature
        d.text((d.left - 8, at + 4), words.clipped(name, 30), anchor="end", hover=name)
        odds = words.times(math.exp(reach(e)))
        d.box(d.left, at - 6.5, x(reach(e)) - d.left, 13, BLUE, f"{name}: {odds}", 0.8)
        d.text((x(reach(e)) + 6, at + 4), f"×{math.exp(reach(e)):.2f}", colour=GREY)
    return d.done()


def _odds_ticks(low: float, high: float, scale: Scale, gap: float) -> list[float]:
    """Round multiples of the odds between two margins, kept apart."""
    chosen: list[float] = []
    ranked = (
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
    for odds in ranked:
        place = math.log(odds)
        if low - 1e-9 <= place <= high + 1e-9 and all(
            abs(scale(place) - scale(math.log(other))) >= gap for other in chosen
        ):
            chosen.append(odds)
    return sorted(chosen)


def effect(measured: Effect, limits: tuple[float, float], key: str) -> Markup:
    """The shape of one feature's effect; all features share the scale `limits` (log-odds)."""
    points = measured.points
    low, high = span(measured)
    ends = f"from {words.times(math.exp(low))} to {words.times(math.exp(high))} the odds"
    name = measured.feature
    if measured.kind == "number":
        return _curve(points, limits, key, name, ends)
    if measured.kind == "boolean":
        points = [
            p if p.value is None else p.model_copy(update={"value": bool(p.value)}) for p in points
        ]
    return _levels(points, limits, key, name, ends)


def each_effect(effects: Sequence[Effect]) -> list[tuple[Effect, Markup, str]]:
    """(the effect, its chart, what the chart spans in words), all on one scale, the strongest
    first."""
    ranked = sorted(effects, key=lambda e: (-reach(e), e.feature))
    spans = [span(e) for e in ranked]
    low = min(-0.1, min(s[0] for s in spans)) * 1.08
    high = max(0.1, max(s[1] for s in spans)) * 1.08
    shown = []
    for number, (e, ends) in enumerate(zip(ranked, spans, strict=True), 1):
        first, last = (f"×{math.exp(end):.2f}" for end in ends)
        direction = {1: "; more is riskier", -1: "; less is riskier"}.get(e.direction, "")
        more = len(e.points) - MOST_LEVELS
        rest = f"; {more} rarer levels not drawn" if e.kind != "number" and more > 0 else ""
        about = f"{first} to {last}{direction}{rest}{beyond(e)}"
        shown.append((e, effect(e, (low, high), f"effect-{number}"), about))
    return shown


def window(values: Sequence[float]) -> tuple[float, float]:
    """The part of an axis where accounts are: without an end that is farther out than a third of
    the way between all the other values. The ends are single accounts, the rest are twentieths."""
    ranked = sorted(values)
    if len(ranked) < 8:
        return ranked[0], ranked[-1]
    first, last = ranked[1], ranked[-2]
    most = (last - first) / 3
    low = first if first - ranked[0] > most else ranked[0]
    high = last if ranked[-1] - last > most else ranked[-1]
    return low, high


def beyond(measured: Effect) -> str:
    """What lies beyond the axis of a number's effect, in words; empty where nothing does."""
    values = [p.value for p in measured.points if known(p.value)]
    if measured.kind != "number" or not values:
        return ""
    low, high = window(values)
    ends = [words.value(end) for end in (min(values), max(values)) if not low <= end <= high]
    return f"; beyond the dotted line up to {' and '.join(ends)}" if ends else ""


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
    d = Drawing(key, f"Effect of {name}", ends, (THIRD, 204), left=46, top=10, bottom=26)
    numbers = [(float(p.value), p) for p in points if known(p.value)]
    missing = [p for p in points if p.value is None]
    y = Scale(*limits, d.bottom - 30, d.top)
    ticks = [math.log(t) for t in _odds_ticks(*limits, y, 21)]
    d.upright(y, ticks, lambda v: words.times(math.exp(v)))
    d.line((d.left, y(0)), (d.right, y(0)), GREY, 1.2)
    edge = d.right - (42 if missing else 0)
    if numbers:
        values = [value for value, _ in numbers]
        low, high = window(values)
        inside = [value for value in values if low <= value <= high]
        under, over = TAIL * (min(values) < low), TAIL * (max(values) > high)
        scale = Scale(low, high, d.left + 5 + under, edge - 7 - over, _form(inside))

        def x(value: float) -> float:
            beyond = TAIL * ((value > high) - (value < low))
            return scale(value) + beyond

        for at in ([d.left + 5 + under / 2] if under else []) + (
            [edge - 7 - over / 2] if over else []
        ):
            d.line((at, d.top), (at, d.bottom), GREY, 1, "1 3")
        most = max(p.share for p in points) or 1.0
        for value, p in numbers:
            tall = 26 * p.share / most
            d.box(x(value) - 2.5, d.bottom - tall, 5, tall, "#C4CED6")
        if len(numbers) > 1:
            d.path([(x(value), y(p.margin)) for value, p in numbers], BLUE, 2)
        for value, p in numbers:
            hover = _effect_words(p)
            d.dot((x(value), y(p.margin)), BLUE, hover, size=3)
        shown = [t for t in scale.ticks(30) if low <= t <= high] or [low]
        last = -math.inf
        for tick in shown:
            label = words.value(tick)
            half = len(label) * GLYPH / 2
            if x(tick) - half < last + 4 or x(tick) + half > edge + 6:
                continue
            last = x(tick) + half
            d.text((x(tick), d.bottom + 17), label, anchor="middle", colour=GREY)
    for p in missing:
        d.line((edge, d.top), (edge, d.bottom), GREY, 1, "2 3")
        tall = 26 * p.share / (max(q.share for q in points) or 1.0)
        d.box(edge + 18.5, d.bottom - tall, 5, tall, "#C4CED6")
        d.dot((edge + 21, y(p.margin)), BLUE, _effect_words(p), shape="open")
        d.text((d.right + 13, d.bottom + 17), "missing", anchor="end", colour=GREY)
    d.line((d.left, d.bottom), (d.right, d.bottom))
    return d.done()


def _levels(
    points: Sequence[EffectPoint], limits: tuple[float, float], key: str, name: str, ends: str
) -> Markup:
    ranked = sorted(points, key=lambda p: (-p.share, str(p.value)))[:MOST_LEVELS]
    ranked.sort(key=lambda p: (p.value is None, p.margin, str(p.value)))
    d = Drawing(key, f"Effect of {name}", ends, (THIRD, 204), left=92, top=10, bottom=26, right=12)
    x = d.x(*limits)
    ticks = [math.log(t) for t in _odds_ticks(*limits, x, 38)]
    d.across(x, ticks, lambda v: words.times(math.exp(v)))
    d.line((x(0), d.top), (x(0), d.bottom), GREY, 1.2)
    slot = min((d.bottom - d.top) / len(ranked), 30)
    start = (d.top + d.bottom - slot * len(ranked)) / 2
    for n, p in enumerate(ranked):
        at = start + (n + 0.5) * slot
        shown = words.value(p.value)
        d.text((d.left - 6, at + 4), words.clipped(shown, 12), anchor="end", hover=shown)
        d.line((x(0), at), (x(p.margin), at), "#A9C6DD", 5)
        shape = "open" if p.value is None else "circle"
        d.dot((x(p.margin), at), BLUE, _effect_words(p), shape=shape)
    return d.done()


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
