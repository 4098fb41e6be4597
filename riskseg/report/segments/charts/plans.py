"""The chart of how much of the arrears is on a plan."""

from __future__ import annotations

from markupsafe import Markup

from riskseg.report.drawing import BLUE, GREY, WHOLE, Drawing, rounded_up
from riskseg.results.insights.plans import PlansKept
from riskseg.results.insights.report import SegmentReport


def arrears_on_plan(answer: PlansKept, _report: SegmentReport) -> Markup | None:
    """The share on each day, with its interval."""
    days = sorted((row for row in answer.days if row.share is not None), key=lambda row: row.day)
    if len(days) < 2 or not any(row.on_plan for row in days):
        return None
    chart = Drawing(
        "arrears-on-plan",
        "Share of the arrears that is on a plan",
        f"The share at the end of each month, with its 95% interval. {answer.words()}",
        (WHOLE, 260),
        top=34,
        bottom=30,
    )
    across = chart.x(days[0].day.toordinal(), days[-1].day.toordinal())
    upright = chart.y(0, rounded_up(max(float(row.high or 0) for row in days)))
    chart.text((chart.left, 14), "Share of the arrears that is on a plan", bold=True)
    chart.upright(upright, upright.ticks(40), lambda value: f"{value:.1%}")
    points = [(across(row.day.toordinal()), upright(float(row.share or 0))) for row in days]
    chart.path(points, BLUE)
    for row, point in zip(days, points, strict=True):
        chart.whisker(point, upright(float(row.low or 0)), upright(float(row.high or 0)), BLUE)
        chart.dot(point, BLUE, f"{row.day}: {row.share:.1%}")
    chart.line((chart.left, chart.bottom), (chart.right, chart.bottom), GREY)
    for row, anchor in ((days[0], "start"), (days[-1], "end")):
        place = across(row.day.toordinal()), chart.bottom + 17
        chart.text(place, str(row.day), anchor=anchor, colour=GREY)
    return chart.done()
