"""Charts of a model month by month, and of how far its features have moved."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from riskseg.learning import words
from riskseg.learning.evidence.model import FeatureShift, Month
from riskseg.learning.evidence.verdicts import Estimate
from riskseg.learning.words import figure, known, percent, tick_percent
from riskseg.report.drawing import (
    BLUE,
    GREEN,
    GREY,
    INK,
    MOST_BARS,
    ORANGE,
    PALE,
    WHOLE,
    Drawing,
)


def _months(d: Drawing, months: Sequence[Month]) -> list[float]:
    """The middle of each month's place; the hold-out is shaded and named."""
    slot = (d.right - d.left) / len(months)
    held = [n for n, m in enumerate(months) if m.part == "hold_out"]
    for n in held:
        d.box(d.left + n * slot, d.top, slot, d.bottom - d.top, "#F6EEE3")
    every = math.ceil(60 / slot)
    for n, month in enumerate(months):
        if (len(months) - 1 - n) % every == 0:
            at = (d.left + (n + 0.5) * slot, d.bottom + 17)
            d.text(at, words.month(month.from_), anchor="middle", colour=GREY)
    if held:
        d.text((d.left + held[0] * slot + 6, d.top - 5), "hold-out", colour="#7A4B00", bold=True)
    if held and held[0] > 0:
        edge = d.left + held[0] * slot
        d.line((edge, d.top), (edge, d.bottom), "#B98A3E", 1.2)
        d.text((edge - 6, d.top - 5), "training (out of fold)", anchor="end", colour=GREY)
    return [d.left + (n + 0.5) * slot for n in range(len(months))]


def auc_by_month(months: Sequence[Month], overall: Estimate | None) -> Markup:
    """AUC and its interval by calendar month."""
    judged = [m.auc for m in months if m.auc]
    low = max(0.0, min(auc.low for auc in judged) - 0.02)
    low = min(low, 0.48) if low < 0.6 else low  # chance is shown where it is near
    high = min(1.0, max(auc.high for auc in judged) + 0.02)
    about = f"AUC of {len(judged)} of {len(months)} months, with 95% intervals."
    d = Drawing("auc-by-month", "AUC by month", about, (WHOLE, 250), top=28, bottom=30)
    y = d.y(low, high)
    middles = _months(d, months)
    d.upright(y, y.ticks(32), lambda v: f"{v:g}", "AUC")
    if low < 0.5:
        d.line((d.left, y(0.5)), (d.right, y(0.5)), GREY, 1.2, "4 4")
    if overall:
        d.line((d.left, y(overall.value)), (d.right, y(overall.value)), BLUE, 1, "2 3")
    for at, m in zip(middles, months, strict=True):
        if not m.auc:
            d.text((at, d.bottom - 6), "n/a", anchor="middle", colour=GREY, hover="too few bads")
            continue
        hover = (
            f"{words.month(m.from_)}: AUC {words.interval(m.auc)}; "
            f"{words.count(m.bad)} bad of {words.count(m.rows)}"
        )
        d.whisker((at, y(m.auc[0])), y(m.auc[1]), y(m.auc[2]), BLUE)
        d.dot((at, y(m.auc[0])), BLUE, hover)
    d.line((d.left, d.bottom), (d.right, d.bottom))
    return d.done()


def rate_by_month(months: Sequence[Month]) -> Markup:
    """Mean prediction against the observed rate and its interval, by calendar month."""
    off = sum(not m.rate[1] <= m.mean <= m.rate[2] for m in months)
    about = f"In {len(months) - off} of {len(months)} months the interval holds the prediction."
    d = Drawing(
        "rate-by-month",
        "Predicted and observed by month",
        about,
        (WHOLE, 270),
        top=50,
        bottom=30,
        left=62,
    )
    high = max(max(m.mean, m.rate[2]) for m in months) * 1.08
    y = d.y(0, min(1, high))
    middles = _months(d, months)
    d.upright(y, y.ticks(32), tick_percent, "bad rate")
    for at, m in zip(middles, months, strict=True):
        hover = (
            f"{words.month(m.from_)}: predicted {percent(m.mean)}, observed "
            f"{words.percent_interval(m.rate)}"
        )
        d.whisker((at + 4, y(m.rate[0])), y(m.rate[1]), y(m.rate[2]), ORANGE)
        d.dot((at + 4, y(m.rate[0])), ORANGE, hover)
    d.path([(at - 4, y(m.mean)) for at, m in zip(middles, months, strict=True)], BLUE, 1.6)
    for at, m in zip(middles, months, strict=True):
        hover = f"{words.month(m.from_)}: predicted {percent(m.mean)}"
        d.dot((at - 4, y(m.mean)), BLUE, hover, shape="open", size=3.6)
    d.line((d.left, d.bottom), (d.right, d.bottom))
    d.legend([("mean predicted", BLUE, "open"), ("observed, 95% interval", ORANGE, "circle")])
    return d.done()


def psi_by_month(months: Sequence[Month]) -> Markup:
    """PSI of the probability against all training rows, by calendar month."""
    judged = [m for m in months if known(m.psi)]
    most = max(m.psi for m in judged)
    high = max(most, *(m.by_chance or 0.0 for m in judged), 0.105) * 1.15
    about = f"The greatest is {figure(most)}; by convention 0.10 is a shift, 0.25 a large one."
    d = Drawing(
        "psi-by-month", "PSI of the probability by month", about, (WHOLE, 220), top=28, bottom=30
    )
    y = d.y(0, high)
    middles = _months(d, months)
    d.upright(y, y.ticks(30), lambda v: f"{v:g}", "PSI")
    slot = (d.right - d.left) / len(months)
    for at, m in zip(middles, months, strict=True):
        if known(m.psi):
            hover = f"{words.month(m.from_)}: PSI {figure(m.psi)}"
            wide = min(slot * 0.6, 42)
            d.box(at - wide / 2, y(m.psi), wide, d.bottom - y(m.psi), BLUE, hover, 0.8)
            if known(m.by_chance):
                chance = y(m.by_chance)
                d.line((at - wide * 0.7, chance), (at + wide * 0.7, chance), INK, 1.8)
    for level in (0.10, 0.25):
        if level < y.high:
            d.line((d.left, y(level)), (d.right, y(level)), ORANGE, 1.2, "5 3")
    d.line((d.left, d.bottom), (d.right, d.bottom))
    return d.done()


def psi_by_feature(features: Sequence[FeatureShift]) -> Markup:
    """PSI of each feature and what chance alone would give."""
    most: dict[str, float] = {}
    for shift in features:
        most[shift.feature] = max(most.get(shift.feature, 0.0), shift.psi)
    ranked = sorted(most, key=lambda name: (-most[name], name))[:MOST_BARS]
    high = max(*(max(f.psi, f.by_chance or 0.0) for f in features), 0.12) * 1.08
    parts = sorted({shift.part for shift in features})
    about = f"{ranked[0]} moved most, PSI {figure(most[ranked[0]])}."
    d = Drawing(
        "psi-by-feature", "PSI by feature", about, (WHOLE, 84 + 21 * len(ranked)), left=236, top=32
    )
    x = d.x(0, high, "sqrt")
    d.across(x, x.ticks(46), lambda v: f"{v:g}", "PSI (square-root scale)")
    for level in (0.10, 0.25):
        if level < high:
            d.line((x(level), d.top), (x(level), d.bottom), ORANGE, 1.2, "5 3")
    for row, name in enumerate(ranked):
        at = d.top + 21 * (row + 0.5) + 1
        d.text((d.left - 8, at + 4), words.clipped(name, 30), anchor="end", hover=name)
        d.line((d.left, at), (x(most[name]), at), PALE, 5)
        both = sorted((t for t in features if t.feature == name), key=lambda t: t.part)
        for place, shift in enumerate(both):
            offset = 4 * (2 * place - 1) if len(both) == 2 else 0
            if known(shift.by_chance):
                chance = x(shift.by_chance)
                d.line((chance, at - 6), (chance, at + 6), INK, 1.6)
            first = shift.part == parts[0]
            hover = (
                f"{name}, {shift.part}: PSI {figure(shift.psi, 4)}; "
                f"chance gives {figure(shift.by_chance, 4)}"
            )
            d.dot(
                (x(shift.psi), at + offset),
                BLUE if first else GREEN,
                hover,
                shape="circle" if first else "square",
                size=4,
            )
    marks = [(parts[0], BLUE, "circle")]
    marks += [(part, GREEN, "square") for part in parts[1:]]
    d.legend([*marks, ("by chance", INK, "tick")])
    return d.done()
