"""The chart of how often a payment followed actions."""

from __future__ import annotations

from markupsafe import Markup

from riskseg.report.drawing import BLUE, GREY, WHOLE, Drawing
from riskseg.results.insights.performance import Performance
from riskseg.results.insights.report import SegmentReport

_ROW, _HEAD = 24, 34


def paid_by_segment_and_step(answer: Performance, _report: SegmentReport) -> Markup | None:
    """A row for each segment and step: the share of actions in arrears that a payment followed,
    with its interval."""
    parts = {
        by: [r for r in answer.followed if r.by == by and r.paid is not None]
        for by in ("segment", "step")
    }
    rows = [row for of_kind in parts.values() for row in of_kind]
    if not rows:
        return None
    chart = Drawing(
        "performance",
        "Actions that a payment followed",
        "For each segment and each step, the share of actions in arrears that were followed by a "
        f"payment, with its 95% interval. {answer.words()}",
        (WHOLE, 64 + _ROW * len(rows) + _HEAD * len(parts)),
        left=270,
        right=150,
        top=0,
    )
    scale = chart.x(0, 1)
    chart.across(scale, scale.ticks(70), "{:.0%}".format, "actions that a payment followed")
    y: float = chart.top
    for by, of_kind in parts.items():
        chart.text((0, y + _HEAD - 10), f"by {by}", bold=True)
        y += _HEAD
        for row in of_kind:
            middle = y + _ROW / 2
            paid, low, high = (float(share or 0) for share in (row.paid, row.low, row.high))
            hover = f"{row.group}: {paid:.1%} ({low:.1%} to {high:.1%})"
            chart.text((chart.left - 10, middle + 4), row.group, anchor="end")
            ends = scale(low), scale(high)
            chart.whisker((scale(paid), middle), *ends, GREY, upright=False)
            chart.dot((scale(paid), middle), BLUE, hover)
            count = f"{paid:.0%} of {row.in_arrears:,}"
            chart.text((chart.width, middle + 4), count, anchor="end")
            y += _ROW
    return chart.done()
