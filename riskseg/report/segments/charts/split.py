"""The chart of splits of segments: the rates of both parts."""

from __future__ import annotations

from markupsafe import Markup

from riskseg.report.drawing import BLUE, MOST_BARS, ORANGE, WHOLE, Drawing, rounded_up
from riskseg.results.insights.report import SegmentReport
from riskseg.results.insights.split import Structure

_ROW = 48
_MARKS = [("apart", ORANGE, "square"), ("the others of the segment", BLUE, "circle")]


def rates_of_parts(answer: Structure, _report: SegmentReport) -> Markup | None:
    """A row for each split, under its words: both rates, with their intervals."""
    shown = answer.splits[:MOST_BARS]
    if not shown:
        return None
    chart = Drawing(
        "split-rates",
        "Splits of segments",
        "For each split the rate of the accounts that would be apart and of those that would stay, "
        f"with their 95% intervals. {answer.words()}",
        (WHOLE, 80 + _ROW * len(shown)),
        left=20,
        right=24,
        top=26,
    )
    most = max(float(end) for split in shown for end in (split.high, split.other_high))
    scale = chart.x(0, rounded_up(most))
    chart.across(scale, scale.ticks(90), "{:.0%}".format, "came true")
    for number, split in enumerate(shown):
        top = chart.top + _ROW * number
        words = f"{split.segment}: {split.apart}"
        chart.note((chart.left + 4, top + 18), words if len(words) <= 110 else f"{words[:109]}…")
        for below, (part, colour, shape), rate, low, high in (
            (29, _MARKS[1], split.other_rate, split.other_low, split.other_high),
            (37, _MARKS[0], split.rate, split.low, split.high),
        ):
            at, ends = (scale(float(rate)), top + below), (scale(float(low)), scale(float(high)))
            chart.whisker(at, *ends, colour, upright=False)
            hover = f"{words}, {part}: {rate:.1%} ({low:.1%} to {high:.1%})"
            chart.dot(at, colour, hover, shape=shape)
    chart.legend(_MARKS)
    return chart.done()
