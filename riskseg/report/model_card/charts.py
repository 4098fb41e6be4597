"""Charts of how well a model ranks, and whether its probabilities come true."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from riskseg.learning import words
from riskseg.learning.evidence.estimates import Estimate
from riskseg.learning.evidence.model import Distribution, Gain, KsCurve, LearningStep, RocPoint
from riskseg.learning.words import figure, percent, tick_percent
from riskseg.report.drawing import (
    BLUE,
    GREY,
    HALF,
    INK,
    ORANGE,
    RULE,
    WHOLE,
    Drawing,
    Form,
    Scale,
    bent,
    rounded_up,
)
from riskseg.results.model_evidence import CalibrationGroup


def roc(points: Sequence[RocPoint], auc: Estimate | None) -> Markup:
    """The receiver operating characteristic."""
    summary_text = f"AUC {auc or words.ABSENT}"
    chart = Drawing(
        "roc", "ROC curve", f"{summary_text}; the diagonal is chance.", (HALF, 340), top=30
    )
    x, y = chart.x(0, 1), chart.y(0, 1)
    chart.across(x, x.ticks(60), tick_percent, "goods flagged (false positives)")
    chart.upright(y, y.ticks(40), tick_percent, "bads flagged (true positives)")
    curve = [(x(fp), y(tp)) for fp, tp in points]
    chart.path([*curve, (x(1), y(0))], BLUE, filled=True)
    chart.line((x(0), y(0)), (x(1), y(1)), GREY, 1.2, "4 4")
    chart.path(curve, BLUE, 2.2)
    for fp, tp in _spread(points, 10):
        hover = f"flagging {percent(fp)} of goods catches {percent(tp)} of bads"
        chart.dot((x(fp), y(tp)), BLUE, hover, size=3.5)
    if auc:
        chart.note((x(0.97), y(0.12)), f"AUC {figure(auc.value)}", anchor="end", colour=BLUE)
    chart.legend([("this model", BLUE, "line"), ("chance", GREY, "dash")])
    if auc and auc.interval:
        interval_text = f"95%: {figure(auc.interval.low)} to {figure(auc.interval.high)}"
        chart.note((x(0.97), y(0.05)), interval_text, anchor="end", colour=BLUE)
    return chart.done()


def _spread(points: Sequence[Any], most: int) -> list[Any]:
    """A few of many points, evenly taken, without the two ends."""
    step = max(1, len(points) // most)
    return list(points[step:-1:step])


def ks(measured: KsCurve) -> Markup:
    """Two cumulative curves and their widest gap."""
    curve = measured.curve
    widest_at, widest = measured.at, measured.value
    gap_text = f"The widest gap is {percent(widest)}, at a probability of {percent(widest_at)}."
    chart = Drawing("ks", "Kolmogorov-Smirnov curves", gap_text, (HALF, 340), top=30)
    scale_form = bent([point[0] for point in curve])
    high = max(max(point[0] for point in curve), widest_at, 1e-6)
    x, y = chart.x(0, high, scale_form), chart.y(0, 1)
    axis_label = "probability" + (" (square-root scale)" if scale_form == "sqrt" else "")
    chart.across(x, x.ticks(44), tick_percent, axis_label)
    chart.upright(y, y.ticks(40), tick_percent, "at or below that probability")
    chart.path([(x(threshold), y(good_below)) for threshold, good_below, _ in curve], BLUE, 2.2)
    chart.path(
        [(x(threshold), y(bad_below)) for threshold, _, bad_below in curve], ORANGE, 2.2, "7 3"
    )
    threshold, good_below, bad_below = min(
        curve, key=lambda point: (abs(point[0] - widest_at), point[0])
    )
    chart.line((x(widest_at), y(good_below)), (x(widest_at), y(bad_below)), INK, 2)
    for share_below, colour, outcome_name in (
        (good_below, BLUE, "goods"),
        (bad_below, ORANGE, "bads"),
    ):
        chart.dot(
            (x(widest_at), y(share_below)),
            colour,
            f"{percent(share_below)} of {outcome_name} at or below {percent(threshold)}",
        )
    right = x(widest_at) < chart.left + 0.6 * (chart.right - chart.left)
    label_at = (x(widest_at) + (9 if right else -9), (y(good_below) + y(bad_below)) / 2 + 4)
    chart.note(label_at, f"KS {figure(widest)}", anchor="start" if right else "end")
    chart.legend([("goods", BLUE, "line"), ("bads", ORANGE, "dash")])
    return chart.done()


def calibration(groups: Sequence[CalibrationGroup], *, near: bool) -> Markup:
    """Predicted against observed: the whole range, or `near` where the data are."""
    tops = [max(group.mean, group.rate[2]) for group in groups]
    lows = [min(group.mean, group.rate[0]) for group in groups]
    scale_form: Form = "linear"
    low, high = 0.0, 1.0
    if near:
        high = max(tops) * 1.05
        if min(lows) > 0 and max(tops) / min(lows) > 10:
            scale_form, low = "log", min(lows) * 0.5
        else:
            scale_form = bent([group.mean for group in groups])
        # Equal scales on both axes, or the diagonal would not mean what it says.
        high = min(high, 1.0)
    within = sum(group.rate[1] <= group.mean <= group.rate[2] for group in groups)
    within_text = f"{within} of {len(groups)} groups' intervals hold the mean prediction."
    key, title = (
        ("calibration-near", "Calibration, close up")
        if near
        else ("calibration", "Calibration, whole range")
    )
    chart = Drawing(key, title, within_text, (HALF, 360), left=62)
    x, y = (chart.x(low, high, scale_form), chart.y(low, high, scale_form))
    scale = {"linear": "", "sqrt": " (square-root scale)", "log": " (log scale)"}[scale_form]
    chart.across(x, x.ticks(40), tick_percent, f"predicted{scale}")
    chart.upright(y, y.ticks(40), tick_percent, f"observed{scale}")
    chart.line((x(low), y(low)), (x(high), y(high)), GREY, 1.2, "4 4")
    for group in groups:
        mean, rate = group.mean, group.rate
        fits = rate[1] <= mean <= rate[2]
        colour = BLUE if fits else ORANGE
        hover = (
            f"predicted {percent(mean)}, observed {words.percent_interval(rate)}; "
            f"{words.count(group.bad)} bad of {words.count(group.rows)} rows between "
            f"{percent(group.low)} and {percent(group.high)}"
        )
        chart.whisker((x(mean), y(rate[0])), y(rate[1]), y(rate[2]), colour)
        shape = "circle" if fits else "square"
        chart.dot((x(mean), y(rate[0])), colour, hover, shape=shape)
    chart.note(
        (chart.right - 4, chart.bottom - 10), f"{within} of {len(groups)} agree", anchor="end"
    )
    return chart.done()


def gains(tenths: Sequence[Gain]) -> Markup:
    """Share of bads caught by the riskiest share of rows."""
    first_tenth = tenths[0]
    gains_text = (
        f"The riskiest {percent(first_tenth.share)} hold {percent(first_tenth.caught)} of bads."
    )
    chart = Drawing("gains", "Cumulative gains", gains_text, (HALF, 320), top=32)
    x, y = chart.x(0, 1), chart.y(0, 1)
    chart.across(x, x.ticks(60), tick_percent, "rows taken, the riskiest first")
    chart.upright(y, y.ticks(40), tick_percent, "bads among them")
    chart.line((x(0), y(0)), (x(1), y(1)), GREY, 1.2, "4 4")
    curve = [(x(0), y(0)), *((x(tenth.share), y(tenth.caught)) for tenth in tenths)]
    chart.path(curve, BLUE, 2.2)
    for tenth_index, tenth in enumerate(tenths):
        hover = f"the riskiest {percent(tenth.share)} hold {percent(tenth.caught)} of bads"
        chart.dot((x(tenth.share), y(tenth.caught)), BLUE, hover)
        if tenth_index in (0, 2):
            label_at = (x(tenth.share) + 8, y(tenth.caught) + 12)
            chart.note(label_at, percent(tenth.caught, 0), colour=BLUE)
    chart.legend([("this model", BLUE, "line"), ("chance", GREY, "dash")])
    return chart.done()


def each_lift(tenths: Sequence[Gain]) -> list[float]:
    """The lift of each tenth by itself, from the cumulative shares."""
    lifts, share_so_far, caught_so_far = [], 0.0, 0.0
    for tenth in tenths:
        wide = tenth.share - share_so_far
        lifts.append((tenth.caught - caught_so_far) / wide if wide > 0 else 0.0)
        share_so_far, caught_so_far = tenth.share, tenth.caught
    return lifts


def lift(tenths: Sequence[Gain]) -> Markup:
    """Each tenth's bad rate over the average one, and the cumulative lift."""
    lifts = each_lift(tenths)
    lift_text = f"The riskiest group holds {lifts[0]:.2f} times as many bads as the average one."
    chart = Drawing("lift", "Lift", lift_text, (HALF, 320), top=32)
    high = max(*lifts, *(tenth.lift for tenth in tenths), 1.2) * 1.1
    y = chart.y(0, high)
    chart.upright(
        y, y.ticks(40), lambda tick_value: f"{tick_value:g}", "times the average bad rate"
    )
    slot = (chart.right - chart.left) / len(tenths)
    for place, (factor, tenth) in enumerate(zip(lifts, tenths, strict=True)):
        bar_left = chart.left + place * slot
        hover = f"group {place + 1}: {factor:.2f} times the average; so far {tenth.lift:.2f} times"
        chart.box(
            bar_left + 3, y(factor), slot - 6, chart.bottom - y(factor), BLUE, hover, faint=0.75
        )
        chart.text(
            (bar_left + slot / 2, chart.bottom + 17), str(place + 1), anchor="middle", colour=GREY
        )
    chart.line((chart.left, y(1)), (chart.right, y(1)), GREY, 1.2, "4 4")
    middles = [chart.left + (bar_index + 0.5) * slot for bar_index in range(len(tenths))]
    if len(tenths) > 1:
        middles_and_tenths = zip(middles, tenths, strict=True)
        chart.path(
            [(bar_middle, y(tenth.lift)) for bar_middle, tenth in middles_and_tenths],
            ORANGE,
            2,
            "7 3",
        )
    for bar_middle, factor in zip(middles, lifts, strict=True):
        chart.note((bar_middle, y(factor) - 5), f"{factor:.1f}", anchor="middle")
    chart.line((chart.left, chart.bottom), (chart.right, chart.bottom))
    chart.text(
        ((chart.left + chart.right) / 2, chart.bottom + 37),
        "tenth, the riskiest first",
        anchor="middle",
    )
    chart.legend([("each tenth", BLUE, "box"), ("cumulative", ORANGE, "dash")])
    return chart.done()


def distribution(shares: Distribution) -> Markup:
    """Shares of goods and of bads in each group of probability, goods above, bads below."""
    edges, good, bad = shares.edges, shares.good, shares.bad
    last_group = max(
        (group for group in range(len(good)) if good[group] > 0 or bad[group] > 0), default=0
    )
    shown = last_group + 1
    how_to_read = "Goods above the middle line, bads below it; each adds up to 100%."
    chart = Drawing("distribution", "Probability by outcome", how_to_read, (WHOLE, 300), left=62)
    # One scale for both, and no more room below than the bads need.
    goods_top, bads_top = rounded_up(max(good)), rounded_up(max(bad))
    middle = chart.top + (chart.bottom - chart.top) * goods_top / (goods_top + bads_top)
    up, down = (Scale(0, goods_top, middle, chart.top), Scale(0, bads_top, middle, chart.bottom))
    for scale in (up, down):
        for tick in scale.ticks(32):
            chart.line((chart.left, scale(tick)), (chart.right, scale(tick)), RULE)
            tick_label = tick_percent(tick)
            chart.text((chart.left - 6, scale(tick) + 4.3), tick_label, anchor="end", colour=GREY)
    chart.text(
        (13, (chart.top + chart.bottom) / 2), "share of each outcome", anchor="middle", turned=True
    )
    slot = (chart.right - chart.left) / shown
    every = math.ceil(52 / slot)
    for group in range(shown):
        bar_left, range_text = (
            chart.left + group * slot,
            f"{percent(edges[group])} to {percent(edges[group + 1])}",
        )
        chart.box(
            bar_left + 1.5,
            up(good[group]),
            slot - 3,
            middle - up(good[group]),
            BLUE,
            f"{percent(good[group])} of goods: {range_text}",
            0.85,
        )
        chart.box(
            bar_left + 1.5,
            middle,
            slot - 3,
            down(bad[group]) - middle,
            ORANGE,
            f"{percent(bad[group])} of bads: {range_text}",
            0.85,
        )
    for group in range(0, shown + 1, every):
        last_one = group == shown
        edge_at = (chart.left + group * slot, chart.bottom + 17)
        chart.text(
            edge_at, tick_percent(edges[group]), anchor="end" if last_one else "middle", colour=GREY
        )
    chart.line((chart.left, middle), (chart.right, middle), INK, 1.2)
    chart.text(((chart.left + chart.right) / 2, chart.bottom + 37), "probability", anchor="middle")
    chart.note((chart.right - 6, chart.top + 14), "goods", anchor="end", colour=BLUE)
    chart.note((chart.right - 6, chart.bottom - 8), "bads", anchor="end", colour=ORANGE)
    return chart.done()


def learning_curve(steps: Sequence[LearningStep]) -> Markup:
    """AUC by the number of rows learned from."""
    judged = [(step, step.auc) for step in steps if step.auc]
    first_auc, last_auc = judged[0][1], judged[-1][1]
    curve_text = f"AUC {figure(first_auc[0])} with the fewest rows, {figure(last_auc[0])} with all."
    chart = Drawing("learning-curve", "Learning curve", curve_text, (WHOLE, 270), top=20, right=30)
    low, high = min(auc.low for _, auc in judged), max(auc.high for _, auc in judged)
    pad = max((high - low) * 0.12, 0.005)
    x = chart.x(0, max(step.rows for step, _ in judged))
    y = chart.y(max(0, low - pad), min(1, high + pad))
    chart.across(x, x.ticks(90), lambda tick_value: f"{tick_value:,.0f}", "training rows")
    chart.upright(y, y.ticks(32), lambda tick_value: f"{tick_value:g}", "AUC")
    chart.path([(x(step.rows), y(auc.value)) for step, auc in judged], BLUE, 2)
    for step, auc in judged:
        hover = (
            f"{words.count(step.rows)} rows, {words.count(step.bad)} bad: AUC {words.interval(auc)}"
        )
        chart.whisker((x(step.rows), y(auc.value)), y(auc.low), y(auc.high), BLUE)
        chart.dot((x(step.rows), y(auc.value)), BLUE, hover)
    return chart.done()
