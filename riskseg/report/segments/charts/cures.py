"""The chart of how many accounts in arrears cure, by segment."""

from __future__ import annotations

from markupsafe import Markup

from riskseg.report.drawing import BLUE, GREEN, ORANGE, WHOLE, Drawing
from riskseg.results.insights.cures import CureRates
from riskseg.results.insights.report import SegmentReport

_ROW, _NAME = 36, 150
# By their place among the days, so that grey print tells them apart too.
_LOOKS = ((BLUE, "circle"), (ORANGE, "square"), (GREEN, "diamond"))


def cured_by_segment(answer: CureRates, _report: SegmentReport) -> Markup | None:
    """A row for each segment: the shares within so many days, with their intervals."""
    shown = [row for row in answer.segments if row.share_cured is not None]
    if not shown:
        return None
    horizons = sorted({row.within for row in shown})
    looks = dict(zip(horizons, _LOOKS, strict=False))
    best = {row.segment: row.share_cured for row in shown}
    segments = sorted(best, key=lambda name: (best[name], name), reverse=True)
    chart = Drawing(
        "cured-by-segment",
        "Accounts in arrears that cured",
        f"The share of each segment, with its 95% interval. {answer.words()}",
        (WHOLE, 80 + _ROW * len(segments)),
        left=_NAME,
        right=24,
        top=34,
        bottom=46,
    )
    scale = chart.x(0, 1)
    chart.across(scale, scale.ticks(90), lambda value: f"{value:.0%}", "accounts that cured")
    for number, segment in enumerate(segments):
        middle = chart.top + _ROW * (number + 0.5)
        chart.text((chart.left - 10, middle + 4), segment, anchor="end")
        for row in (row for row in shown if row.segment == segment):
            assert row.share_cured is not None and row.low is not None and row.high is not None
            colour, shape = looks[row.within]
            # One below the other, so that intervals do not hide each other.
            beside = 7 * (horizons.index(row.within) - (len(horizons) - 1) / 2)
            point = scale(float(row.share_cured)), middle + beside
            ends = scale(float(row.low)), scale(float(row.high))
            chart.whisker(point, *ends, colour, upright=False)
            hover = f"{segment}, within {row.within} days: {row.share_cured:.1%}"
            chart.dot(point, colour, hover, shape=shape)
    chart.legend([(f"within {days} days", *looks[days]) for days in horizons], (chart.left, 16))
    return chart.done()
