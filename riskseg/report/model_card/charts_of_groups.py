"""Charts of how a model does for each group."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from riskseg.learning import words
from riskseg.learning.evidence.model import Cohort
from riskseg.learning.evidence.verdicts import Estimate
from riskseg.learning.words import known, percent, tick_percent
from riskseg.report.drawing import BLUE, GREEN, GREY, ORANGE, RULE, WHOLE, Drawing, Scale

MOST_COHORTS = 24


def cohorts(attribute: str, levels: Sequence[Cohort], overall: Estimate | None, key: str) -> Markup:
    """One attribute's groups: AUC, predicted against observed, share above the cut."""
    shown = levels[:MOST_COHORTS]
    about = (
        f"{len(shown)} groups of {attribute}: AUC, predicted and observed bad rate, and the share "
        "above the cut, each with its 95% interval."
    )
    d = Drawing(
        key,
        f"Groups of {attribute}",
        about,
        (WHOLE, 84 + 27 * len(shown)),
        left=150,
        top=46,
        bottom=34,
    )
    wide, gap = (d.right - d.left - 2 * 36) / 3, 36
    judged = [c.auc for c in shown if c.auc]
    low = max(0.0, min([0.5, *(a[1] for a in judged)]) - 0.02)
    high = min(1.0, max([0.6, *(a[2] for a in judged)]) + 0.02)
    rates = max(max(c.mean, c.rate[2]) for c in shown) * 1.05
    above = [c.above_cut for c in shown if c.above_cut]
    flagged = max([0.01, *(a[2] for a in above)]) * 1.05
    cut = next((c.cut for c in shown if known(c.cut)), None)
    starts = [d.left + n * (wide + gap) for n in range(3)]
    auc_x = Scale(low, high, starts[0], starts[0] + wide)
    rate_x = Scale(0, min(1, rates), starts[1], starts[1] + wide)
    share_x = Scale(0, min(1, flagged), starts[2], starts[2] + wide)
    titles = ("AUC", "bad rate", f"above the cut of {percent(cut)}" if known(cut) else "above cut")
    for scale, title in zip((auc_x, rate_x, share_x), titles, strict=True):
        d.text((scale.start, 14), title, bold=True)
        for tick in scale.ticks(40):
            d.line((scale(tick), d.top), (scale(tick), d.bottom), RULE)
            label = f"{tick:g}" if scale is auc_x else tick_percent(tick)
            d.text((scale(tick), d.bottom + 17), label, anchor="middle", colour=GREY)
        d.line((scale.start, d.bottom), (scale.end, d.bottom))
    d.legend([("predicted", BLUE, "open"), ("observed", ORANGE, "circle")], (starts[1], 33))
    if overall:
        d.line((auc_x(overall.value), d.top), (auc_x(overall.value), d.bottom), GREY, 1.2, "4 4")
        d.text((starts[0], 33), "dashed: everyone", colour=GREY)
    for n, c in enumerate(shown):
        at = d.top + 27 * (n + 0.5)
        name = "unknown" if c.level is None else words.value(c.level)
        many = f"{name}: {words.count(c.bad)} bad of {words.count(c.rows)}"
        d.text((d.left - 10, at + 4), words.clipped(name, 18), anchor="end", hover=many)
        if c.auc:
            d.whisker((auc_x(c.auc[0]), at), auc_x(c.auc[1]), auc_x(c.auc[2]), BLUE, upright=False)
            d.dot((auc_x(c.auc[0]), at), BLUE, f"{name}: AUC {words.interval(c.auc)}")
        else:
            d.text((auc_x.start + 4, at + 4), "too few to judge", colour=GREY)
        rate = c.rate
        d.whisker((rate_x(rate[0]), at), rate_x(rate[1]), rate_x(rate[2]), ORANGE, upright=False)
        d.dot((rate_x(rate[0]), at), ORANGE, f"{name}: observed {words.percent_interval(rate)}")
        d.dot(
            (rate_x(c.mean), at),
            BLUE,
            f"{name}: predicted {percent(c.mean)}",
            shape="open",
            size=3.6,
        )
        share = c.above_cut
        if share:
            d.whisker(
                (share_x(share[0]), at), share_x(share[1]), share_x(share[2]), GREEN, upright=False
            )
            hover = f"{name}: {words.percent_interval(share)} above the cut"
            d.dot((share_x(share[0]), at), GREEN, hover, shape="square", size=3.6)
    return d.done()
