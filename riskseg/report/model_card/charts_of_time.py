"""Charts of a model month by month, and of how far its features have moved."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from riskseg.learning import words
from riskseg.learning.evidence.estimates import Estimate
from riskseg.learning.evidence.model import FeatureShift, Month
from riskseg.learning.words import figure, known, percent, tick_percent
from riskseg.report.drawing import BLUE, GREEN, GREY, INK, MOST_BARS, ORANGE, PALE, WHOLE, Drawing


def _months(d: Drawing, months: Sequence[Month]) -> list[float]:
    """The middle of each month's place; the hold-out is shaded and named."""
    slot = (d.right - d.left) / len(months)
    held_out_months = [
        month_index for month_index, month in enumerate(months) if month.part == "hold_out"
    ]
    for month_index in held_out_months:
        d.box(d.left + month_index * slot, d.top, slot, d.bottom - d.top, "#F6EEE3")
    every = math.ceil(60 / slot)
    for month_index, month in enumerate(months):
        if (len(months) - 1 - month_index) % every == 0:
            label_at = (d.left + (month_index + 0.5) * slot, d.bottom + 17)
            d.text(label_at, words.month(month.from_), anchor="middle", colour=GREY)
    if held_out_months:
        d.text(
            (d.left + held_out_months[0] * slot + 6, d.top - 5),
            "hold-out",
            colour="#7A4B00",
            bold=True,
        )
    if held_out_months and held_out_months[0] > 0:
        edge = d.left + held_out_months[0] * slot
        d.line((edge, d.top), (edge, d.bottom), "#B98A3E", 1.2)
        d.text((edge - 6, d.top - 5), "training (out of fold)", anchor="end", colour=GREY)
    return [d.left + (month_index + 0.5) * slot for month_index in range(len(months))]


def auc_by_month(months: Sequence[Month], overall: Estimate | None) -> Markup:
    """AUC and its interval by calendar month."""
    judged = [month.auc for month in months if month.auc]
    low = max(0.0, min(auc.low for auc in judged) - 0.02)
    low = min(low, 0.48) if low < 0.6 else low  # chance is shown where it is near
    high = min(1.0, max(auc.high for auc in judged) + 0.02)
    auc_text = f"AUC of {len(judged)} of {len(months)} months, with 95% intervals."
    chart = Drawing("auc-by-month", "AUC by month", auc_text, (WHOLE, 250), top=28, bottom=30)
    y = chart.y(low, high)
    middles = _months(chart, months)
    chart.upright(y, y.ticks(32), lambda tick_value: f"{tick_value:g}", "AUC")
    if low < 0.5:
        chart.line((chart.left, y(0.5)), (chart.right, y(0.5)), GREY, 1.2, "4 4")
    if overall:
        chart.line((chart.left, y(overall.value)), (chart.right, y(overall.value)), BLUE, 1, "2 3")
    for month_x, month in zip(middles, months, strict=True):
        if not month.auc:
            chart.text(
                (month_x, chart.bottom - 6),
                "n/a",
                anchor="middle",
                colour=GREY,
                hover="too few bads",
            )
            continue
        hover = (
            f"{words.month(month.from_)}: AUC {words.interval(month.auc)}; "
            f"{words.count(month.bad)} bad of {words.count(month.rows)}"
        )
        chart.whisker((month_x, y(month.auc[0])), y(month.auc[1]), y(month.auc[2]), BLUE)
        chart.dot((month_x, y(month.auc[0])), BLUE, hover)
    chart.line((chart.left, chart.bottom), (chart.right, chart.bottom))
    return chart.done()


def rate_by_month(months: Sequence[Month]) -> Markup:
    """Mean prediction against the observed rate and its interval, by calendar month."""
    off = sum(not month.rate[1] <= month.mean <= month.rate[2] for month in months)
    rate_text = f"In {len(months) - off} of {len(months)} months the interval holds the prediction."
    chart = Drawing(
        "rate-by-month",
        "Predicted and observed by month",
        rate_text,
        (WHOLE, 270),
        top=50,
        bottom=30,
        left=62,
    )
    high = max(max(month.mean, month.rate[2]) for month in months) * 1.08
    y = chart.y(0, min(1, high))
    middles = _months(chart, months)
    chart.upright(y, y.ticks(32), tick_percent, "bad rate")
    for month_x, month in zip(middles, months, strict=True):
        hover = (
            f"{words.month(month.from_)}: predicted {percent(month.mean)}, observed "
            f"{words.percent_interval(month.rate)}"
        )
        chart.whisker((month_x + 4, y(month.rate[0])), y(month.rate[1]), y(month.rate[2]), ORANGE)
        chart.dot((month_x + 4, y(month.rate[0])), ORANGE, hover)
    chart.path(
        [(month_x - 4, y(month.mean)) for month_x, month in zip(middles, months, strict=True)],
        BLUE,
        1.6,
    )
    for month_x, month in zip(middles, months, strict=True):
        hover = f"{words.month(month.from_)}: predicted {percent(month.mean)}"
        chart.dot((month_x - 4, y(month.mean)), BLUE, hover, shape="open", size=3.6)
    chart.line((chart.left, chart.bottom), (chart.right, chart.bottom))
    chart.legend([("mean predicted", BLUE, "open"), ("observed, 95% interval", ORANGE, "circle")])
    return chart.done()


def psi_by_month(months: Sequence[Month]) -> Markup:
    """PSI of the probability against all training rows, by calendar month."""
    judged = [month for month in months if known(month.psi)]
    largest_psi = max(month.psi for month in judged)
    high = max(largest_psi, *(month.by_chance or 0.0 for month in judged), 0.105) * 1.15
    psi_text = (
        f"The greatest is {figure(largest_psi)}; by convention 0.10 is a shift, 0.25 a large one."
    )
    chart = Drawing(
        "psi-by-month", "PSI of the probability by month", psi_text, (WHOLE, 220), top=28, bottom=30
    )
    y = chart.y(0, high)
    middles = _months(chart, months)
    chart.upright(y, y.ticks(30), lambda tick_value: f"{tick_value:g}", "PSI")
    slot = (chart.right - chart.left) / len(months)
    for month_x, month in zip(middles, months, strict=True):
        if known(month.psi):
            hover = f"{words.month(month.from_)}: PSI {figure(month.psi)}"
            wide = min(slot * 0.6, 42)
            chart.box(
                month_x - wide / 2,
                y(month.psi),
                wide,
                chart.bottom - y(month.psi),
                BLUE,
                hover,
                0.8,
            )
            if known(month.by_chance):
                chance = y(month.by_chance)
                chart.line((month_x - wide * 0.7, chance), (month_x + wide * 0.7, chance), INK, 1.8)
    for psi_bound in (0.10, 0.25):
        if psi_bound < y.high:
            chart.line((chart.left, y(psi_bound)), (chart.right, y(psi_bound)), ORANGE, 1.2, "5 3")
    chart.line((chart.left, chart.bottom), (chart.right, chart.bottom))
    return chart.done()


def psi_by_feature(features: Sequence[FeatureShift]) -> Markup:
    """PSI of each feature and what chance alone would give."""
    psi_of_feature: dict[str, float] = {}
    for shift in features:
        psi_of_feature[shift.feature] = max(psi_of_feature.get(shift.feature, 0.0), shift.psi)
    most_moved = sorted(
        psi_of_feature, key=lambda moved_feature: (-psi_of_feature[moved_feature], moved_feature)
    )[:MOST_BARS]
    high = (
        max(
            *(max(feature_shift.psi, feature_shift.by_chance or 0.0) for feature_shift in features),
            0.12,
        )
        * 1.08
    )
    parts_of_time = sorted({shift.part for shift in features})
    moved_text = f"{most_moved[0]} moved most, PSI {figure(psi_of_feature[most_moved[0]])}."
    chart = Drawing(
        "psi-by-feature",
        "PSI by feature",
        moved_text,
        (WHOLE, 84 + 21 * len(most_moved)),
        left=236,
        top=32,
    )
    x = chart.x(0, high, "sqrt")
    chart.across(x, x.ticks(46), lambda tick_value: f"{tick_value:g}", "PSI (square-root scale)")
    for psi_bound in (0.10, 0.25):
        if psi_bound < high:
            chart.line((x(psi_bound), chart.top), (x(psi_bound), chart.bottom), ORANGE, 1.2, "5 3")
    for bar_row, moved_feature in enumerate(most_moved):
        bar_y = chart.top + 21 * (bar_row + 0.5) + 1
        chart.text(
            (chart.left - 8, bar_y + 4),
            words.clipped(moved_feature, 30),
            anchor="end",
            hover=moved_feature,
        )
        chart.line((chart.left, bar_y), (x(psi_of_feature[moved_feature]), bar_y), PALE, 5)
        shifts_of_feature = sorted(
            (shift_shown for shift_shown in features if shift_shown.feature == moved_feature),
            key=lambda shift_shown: shift_shown.part,
        )
        for shift_index, shift in enumerate(shifts_of_feature):
            offset = 4 * (2 * shift_index - 1) if len(shifts_of_feature) == 2 else 0
            if known(shift.by_chance):
                chance = x(shift.by_chance)
                chart.line((chance, bar_y - 6), (chance, bar_y + 6), INK, 1.6)
            is_first_part = shift.part == parts_of_time[0]
            hover = (
                f"{moved_feature}, {shift.part}: PSI {figure(shift.psi, 4)}; "
                f"chance gives {figure(shift.by_chance, 4)}"
            )
            chart.dot(
                (x(shift.psi), bar_y + offset),
                BLUE if is_first_part else GREEN,
                hover,
                shape="circle" if is_first_part else "square",
                size=4,
            )
    legend_marks = [(parts_of_time[0], BLUE, "circle")]
    legend_marks += [(later_part, GREEN, "square") for later_part in parts_of_time[1:]]
    chart.legend([*legend_marks, ("by chance", INK, "tick")])
    return chart.done()
