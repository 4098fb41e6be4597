"""Charts of how a model does for each group."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from riskseg.learning import words
from riskseg.learning.evidence.estimates import Estimate
from riskseg.learning.evidence.model import Cohort
from riskseg.learning.words import known, percent, tick_percent
from riskseg.report.drawing import BLUE, GREEN, GREY, ORANGE, RULE, WHOLE, Drawing, Scale

MOST_COHORTS = 24


def cohorts(attribute: str, levels: Sequence[Cohort], overall: Estimate | None, key: str) -> Markup:
    """One attribute's groups: AUC, predicted against observed, share above the cut."""
    shown = levels[:MOST_COHORTS]
    groups_text = (
        f"{len(shown)} groups of {attribute}: AUC, predicted and observed bad rate, and the share "
        "above the cut, each with its 95% interval."
    )
    chart = Drawing(
        key,
        f"Groups of {attribute}",
        groups_text,
        (WHOLE, 84 + 27 * len(shown)),
        left=150,
        top=46,
        bottom=34,
    )
    wide, gap = (chart.right - chart.left - 2 * 36) / 3, 36
    judged = [cohort.auc for cohort in shown if cohort.auc]
    low = max(0.0, min([0.5, *(a[1] for a in judged)]) - 0.02)
    high = min(1.0, max([0.6, *(a[2] for a in judged)]) + 0.02)
    rates = max(max(cohort.mean, cohort.rate[2]) for cohort in shown) * 1.05
    above_cuts = [cohort.above_cut for cohort in shown if cohort.above_cut]
    flagged = max([0.01, *(a[2] for a in above_cuts)]) * 1.05
    cut = next((cohort.cut for cohort in shown if known(cohort.cut)), None)
    starts = [chart.left + panel * (wide + gap) for panel in range(3)]
    auc_x = Scale(low, high, starts[0], starts[0] + wide)
    rate_x = Scale(0, min(1, rates), starts[1], starts[1] + wide)
    share_x = Scale(0, min(1, flagged), starts[2], starts[2] + wide)
    titles = ("AUC", "bad rate", f"above the cut of {percent(cut)}" if known(cut) else "above cut")
    for scale, title in zip((auc_x, rate_x, share_x), titles, strict=True):
        chart.text((scale.start, 14), title, bold=True)
        for tick in scale.ticks(40):
            chart.line((scale(tick), chart.top), (scale(tick), chart.bottom), RULE)
            tick_label = f"{tick:g}" if scale is auc_x else tick_percent(tick)
            chart.text((scale(tick), chart.bottom + 17), tick_label, anchor="middle", colour=GREY)
        chart.line((scale.start, chart.bottom), (scale.end, chart.bottom))
    chart.legend([("predicted", BLUE, "open"), ("observed", ORANGE, "circle")], (starts[1], 33))
    if overall:
        chart.line(
            (auc_x(overall.value), chart.top),
            (auc_x(overall.value), chart.bottom),
            GREY,
            1.2,
            "4 4",
        )
        chart.text((starts[0], 33), "dashed: everyone", colour=GREY)
    for panel, cohort in enumerate(shown):
        row_y = chart.top + 27 * (panel + 0.5)
        name = "unknown" if cohort.level is None else words.value(cohort.level)
        counts = f"{name}: {words.count(cohort.bad)} bad of {words.count(cohort.rows)}"
        chart.text(
            (chart.left - 10, row_y + 4), words.clipped(name, 18), anchor="end", hover=counts
        )
        if cohort.auc:
            chart.whisker(
                (auc_x(cohort.auc[0]), row_y),
                auc_x(cohort.auc[1]),
                auc_x(cohort.auc[2]),
                BLUE,
                upright=False,
            )
            chart.dot(
                (auc_x(cohort.auc[0]), row_y), BLUE, f"{name}: AUC {words.interval(cohort.auc)}"
            )
        else:
            chart.text((auc_x.start + 4, row_y + 4), "too few to judge", colour=GREY)
        rate = cohort.rate
        chart.whisker(
            (rate_x(rate[0]), row_y), rate_x(rate[1]), rate_x(rate[2]), ORANGE, upright=False
        )
        chart.dot(
            (rate_x(rate[0]), row_y), ORANGE, f"{name}: observed {words.percent_interval(rate)}"
        )
        chart.dot(
            (rate_x(cohort.mean), row_y),
            BLUE,
            f"{name}: predicted {percent(cohort.mean)}",
            shape="open",
            size=3.6,
        )
        above_cut = cohort.above_cut
        if above_cut:
            chart.whisker(
                (share_x(above_cut[0]), row_y),
                share_x(above_cut[1]),
                share_x(above_cut[2]),
                GREEN,
                upright=False,
            )
            hover = f"{name}: {words.percent_interval(above_cut)} above the cut"
            chart.dot((share_x(above_cut[0]), row_y), GREEN, hover, shape="square", size=3.6)
    return chart.done()
