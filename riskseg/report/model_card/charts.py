"""Charts of how well a model ranks, and whether its probabilities come true."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from riskseg.learning import words
from riskseg.learning.evidence.model import (
    CalibrationGroup,
    Distribution,
    Gain,
    KsCurve,
    LearningStep,
    RocPoint,
)
from riskseg.learning.evidence.verdicts import Estimate
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


def roc(points: Sequence[RocPoint], auc: Estimate | None) -> Markup:
    """The receiver operating characteristic."""
    about = f"AUC {auc or words.ABSENT}"
    d = Drawing("roc", "ROC curve", f"{about}; the diagonal is chance.", (HALF, 340), top=30)
    x, y = d.x(0, 1), d.y(0, 1)
    d.across(x, x.ticks(60), tick_percent, "goods flagged (false positives)")
    d.upright(y, y.ticks(40), tick_percent, "bads flagged (true positives)")
    curve = [(x(fp), y(tp)) for fp, tp in points]
    d.path([*curve, (x(1), y(0))], BLUE, filled=True)
    d.line((x(0), y(0)), (x(1), y(1)), GREY, 1.2, "4 4")
    d.path(curve, BLUE, 2.2)
    for fp, tp in _spread(points, 10):
        hover = f"flagging {percent(fp)} of goods catches {percent(tp)} of bads"
        d.dot((x(fp), y(tp)), BLUE, hover, size=3.5)
    if auc:
        d.note((x(0.97), y(0.12)), f"AUC {figure(auc.value)}", anchor="end", colour=BLUE)
    d.legend([("this model", BLUE, "line"), ("chance", GREY, "dash")])
    if auc and auc.interval:
        ends = f"95%: {figure(auc.interval.low)} to {figure(auc.interval.high)}"
        d.note((x(0.97), y(0.05)), ends, anchor="end", colour=BLUE)
    return d.done()


def _spread(points: Sequence[Any], most: int) -> list[Any]:
    """A few of many points, evenly taken, without the two ends."""
    step = max(1, len(points) // most)
    return list(points[step:-1:step])


def ks(measured: KsCurve) -> Markup:
    """Two cumulative curves and their widest gap."""
    curve = measured.curve
    at, widest = measured.at, measured.value
    about = f"The widest gap is {percent(widest)}, at a probability of {percent(at)}."
    d = Drawing("ks", "Kolmogorov-Smirnov curves", about, (HALF, 340), top=30)
    form = bent([point[0] for point in curve])
    high = max(max(point[0] for point in curve), at, 1e-6)
    x, y = d.x(0, high, form), d.y(0, 1)
    label = "probability" + (" (square-root scale)" if form == "sqrt" else "")
    d.across(x, x.ticks(44), tick_percent, label)
    d.upright(y, y.ticks(40), tick_percent, "at or below that probability")
    d.path([(x(p), y(good)) for p, good, _ in curve], BLUE, 2.2)
    d.path([(x(p), y(bad)) for p, _, bad in curve], ORANGE, 2.2, "7 3")
    p, good, bad = min(curve, key=lambda point: (abs(point[0] - at), point[0]))
    d.line((x(at), y(good)), (x(at), y(bad)), INK, 2)
    for share, colour, who in ((good, BLUE, "goods"), (bad, ORANGE, "bads")):
        d.dot((x(at), y(share)), colour, f"{percent(share)} of {who} at or below {percent(p)}")
    right = x(at) < d.left + 0.6 * (d.right - d.left)
    place = (x(at) + (9 if right else -9), (y(good) + y(bad)) / 2 + 4)
    d.note(place, f"KS {figure(widest)}", anchor="start" if right else "end")
    d.legend([("goods", BLUE, "line"), ("bads", ORANGE, "dash")])
    return d.done()


def calibration(groups: Sequence[CalibrationGroup], *, near: bool) -> Markup:
    """Predicted against observed: the whole range, or `near` where the data are."""
    tops = [max(g.mean, g.rate[2]) for g in groups]
    lows = [min(g.mean, g.rate[0]) for g in groups]
    form: Form = "linear"
    low, high = 0.0, 1.0
    if near:
        high = max(tops) * 1.05
        if min(lows) > 0 and max(tops) / min(lows) > 10:
            form, low = "log", min(lows) * 0.5
        else:
            form = bent([g.mean for g in groups])
        # Equal scales on both axes, or the diagonal would not mean what it says.
        high = min(high, 1.0)
    within = sum(g.rate[1] <= g.mean <= g.rate[2] for g in groups)
    about = f"{within} of {len(groups)} groups' intervals hold the mean prediction."
    key, title = (
        ("calibration-near", "Calibration, close up")
        if near
        else ("calibration", "Calibration, whole range")
    )
    d = Drawing(key, title, about, (HALF, 360), left=62)
    x, y = d.x(low, high, form), d.y(low, high, form)
    scale = {"linear": "", "sqrt": " (square-root scale)", "log": " (log scale)"}[form]
    d.across(x, x.ticks(40), tick_percent, f"predicted{scale}")
    d.upright(y, y.ticks(40), tick_percent, f"observed{scale}")
    d.line((x(low), y(low)), (x(high), y(high)), GREY, 1.2, "4 4")
    for g in groups:
        mean, rate = g.mean, g.rate
        fits = rate[1] <= mean <= rate[2]
        colour = BLUE if fits else ORANGE
        hover = (
            f"predicted {percent(mean)}, observed {words.percent_interval(rate)}; "
            f"{words.count(g.bad)} bad of {words.count(g.rows)} rows between "
            f"{percent(g.low)} and {percent(g.high)}"
        )
        d.whisker((x(mean), y(rate[0])), y(rate[1]), y(rate[2]), colour)
        shape = "circle" if fits else "square"
        d.dot((x(mean), y(rate[0])), colour, hover, shape=shape)
    d.note((d.right - 4, d.bottom - 10), f"{within} of {len(groups)} agree", anchor="end")
    return d.done()


def gains(tenths: Sequence[Gain]) -> Markup:
    """Share of bads caught by the riskiest share of rows."""
    first = tenths[0]
    about = f"The riskiest {percent(first.share)} hold {percent(first.caught)} of bads."
    d = Drawing("gains", "Cumulative gains", about, (HALF, 320), top=32)
    x, y = d.x(0, 1), d.y(0, 1)
    d.across(x, x.ticks(60), tick_percent, "rows taken, the riskiest first")
    d.upright(y, y.ticks(40), tick_percent, "bads among them")
    d.line((x(0), y(0)), (x(1), y(1)), GREY, 1.2, "4 4")
    curve = [(x(0), y(0)), *((x(t.share), y(t.caught)) for t in tenths)]
    d.path(curve, BLUE, 2.2)
    for place, t in enumerate(tenths):
        hover = f"the riskiest {percent(t.share)} hold {percent(t.caught)} of bads"
        d.dot((x(t.share), y(t.caught)), BLUE, hover)
        if place in (0, 2):
            at = (x(t.share) + 8, y(t.caught) + 12)
            d.note(at, percent(t.caught, 0), colour=BLUE)
    d.legend([("this model", BLUE, "line"), ("chance", GREY, "dash")])
    return d.done()


def each_lift(tenths: Sequence[Gain]) -> list[float]:
    """The lift of each tenth by itself, from the cumulative shares."""
    lifts, share, caught = [], 0.0, 0.0
    for t in tenths:
        wide = t.share - share
        lifts.append((t.caught - caught) / wide if wide > 0 else 0.0)
        share, caught = t.share, t.caught
    return lifts


def lift(tenths: Sequence[Gain]) -> Markup:
    """Each tenth's bad rate over the average one, and the cumulative lift."""
    lifts = each_lift(tenths)
    about = f"The riskiest group holds {lifts[0]:.2f} times as many bads as the average one."
    d = Drawing("lift", "Lift", about, (HALF, 320), top=32)
    high = max(*lifts, *(t.lift for t in tenths), 1.2) * 1.1
    y = d.y(0, high)
    d.upright(y, y.ticks(40), lambda v: f"{v:g}", "times the average bad rate")
    slot = (d.right - d.left) / len(tenths)
    for place, (each, t) in enumerate(zip(lifts, tenths, strict=True)):
        left = d.left + place * slot
        hover = f"group {place + 1}: {each:.2f} times the average; so far {t.lift:.2f} times"
        d.box(left + 3, y(each), slot - 6, d.bottom - y(each), BLUE, hover, faint=0.75)
        d.text((left + slot / 2, d.bottom + 17), str(place + 1), anchor="middle", colour=GREY)
    d.line((d.left, y(1)), (d.right, y(1)), GREY, 1.2, "4 4")
    middles = [d.left + (n + 0.5) * slot for n in range(len(tenths))]
    if len(tenths) > 1:
        pairs = zip(middles, tenths, strict=True)
        d.path([(at, y(t.lift)) for at, t in pairs], ORANGE, 2, "7 3")
    for at, each in zip(middles, lifts, strict=True):
        d.note((at, y(each) - 5), f"{each:.1f}", anchor="middle")
    d.line((d.left, d.bottom), (d.right, d.bottom))
    d.text(((d.left + d.right) / 2, d.bottom + 37), "tenth, the riskiest first", anchor="middle")
    d.legend([("each tenth", BLUE, "box"), ("cumulative", ORANGE, "dash")])
    return d.done()


def distribution(shares: Distribution) -> Markup:
    """Shares of goods and of bads in each group of probability, goods above, bads below."""
    edges, good, bad = shares.edges, shares.good, shares.bad
    last = max((n for n in range(len(good)) if good[n] > 0 or bad[n] > 0), default=0)
    shown = last + 1
    about = "Goods above the middle line, bads below it; each adds up to 100%."
    d = Drawing("distribution", "Probability by outcome", about, (WHOLE, 300), left=62)
    # One scale for both, and no more room below than the bads need.
    above, below = rounded_up(max(good)), rounded_up(max(bad))
    middle = d.top + (d.bottom - d.top) * above / (above + below)
    up, down = Scale(0, above, middle, d.top), Scale(0, below, middle, d.bottom)
    for scale in (up, down):
        for tick in scale.ticks(32):
            d.line((d.left, scale(tick)), (d.right, scale(tick)), RULE)
            label = tick_percent(tick)
            d.text((d.left - 6, scale(tick) + 4.3), label, anchor="end", colour=GREY)
    d.text((13, (d.top + d.bottom) / 2), "share of each outcome", anchor="middle", turned=True)
    slot = (d.right - d.left) / shown
    every = math.ceil(52 / slot)
    for n in range(shown):
        left, between = d.left + n * slot, f"{percent(edges[n])} to {percent(edges[n + 1])}"
        d.box(
            left + 1.5,
            up(good[n]),
            slot - 3,
            middle - up(good[n]),
            BLUE,
            f"{percent(good[n])} of goods: {between}",
            0.85,
        )
        d.box(
            left + 1.5,
            middle,
            slot - 3,
            down(bad[n]) - middle,
            ORANGE,
            f"{percent(bad[n])} of bads: {between}",
            0.85,
        )
    for n in range(0, shown + 1, every):
        last_one = n == shown
        at = (d.left + n * slot, d.bottom + 17)
        d.text(at, tick_percent(edges[n]), anchor="end" if last_one else "middle", colour=GREY)
    d.line((d.left, middle), (d.right, middle), INK, 1.2)
    d.text(((d.left + d.right) / 2, d.bottom + 37), "probability", anchor="middle")
    d.note((d.right - 6, d.top + 14), "goods", anchor="end", colour=BLUE)
    d.note((d.right - 6, d.bottom - 8), "bads", anchor="end", colour=ORANGE)
    return d.done()


def learning_curve(steps: Sequence[LearningStep]) -> Markup:
    """AUC by the number of rows learned from."""
    judged = [(step, step.auc) for step in steps if step.auc]
    first, last = judged[0][1], judged[-1][1]
    about = f"AUC {figure(first[0])} with the fewest rows, {figure(last[0])} with all."
    d = Drawing("learning-curve", "Learning curve", about, (WHOLE, 270), top=20, right=30)
    low, high = min(auc.low for _, auc in judged), max(auc.high for _, auc in judged)
    pad = max((high - low) * 0.12, 0.005)
    x = d.x(0, max(step.rows for step, _ in judged))
    y = d.y(max(0, low - pad), min(1, high + pad))
    d.across(x, x.ticks(90), lambda v: f"{v:,.0f}", "training rows")
    d.upright(y, y.ticks(32), lambda v: f"{v:g}", "AUC")
    d.path([(x(step.rows), y(auc.value)) for step, auc in judged], BLUE, 2)
    for step, auc in judged:
        hover = (
            f"{words.count(step.rows)} rows, {words.count(step.bad)} bad: AUC {words.interval(auc)}"
        )
        d.whisker((x(step.rows), y(auc.value)), y(auc.low), y(auc.high), BLUE)
        d.dot((x(step.rows), y(auc.value)), BLUE, hover)
    return d.done()
