"""The chart of what is unpaid, by its age, at the end of every month."""

from __future__ import annotations

from markupsafe import Markup

from riskseg.domain.ageing import BUCKETS
from riskseg.domain.words import money
from riskseg.report.drawing import BLUE, GREY, INK, ORANGE, WHOLE, Drawing
from riskseg.results.insights.arrears import Arrears
from riskseg.results.insights.report import SegmentReport

# From what is not past due to what is oldest: lighter and darker in turn, so that grey print shows
# where one ends and the next begins.
_COLOURS = dict(
    zip(
        (bucket.label for bucket in BUCKETS), ("#A9B8C6", BLUE, "#7CC4F0", ORANGE, INK), strict=True
    )
)


def ageing_over_time(answer: Arrears, report: SegmentReport) -> Markup | None:
    """A column for each day: what was unpaid, the oldest at the bottom."""
    days = sorted({row.day for row in answer.days})
    owed = {day: sum(row.balance for row in answer.days if row.day == day) for day in days}
    if len(days) < 2 or not any(owed.values()):
        return None
    chart = Drawing(
        "ageing-over-time",
        "What is unpaid, by its age",
        f"What was unpaid at the end of each month, by days past due. {answer.words()}",
        (WHOLE, 320),
        left=84,
        top=34,
    )
    scale = chart.y(0, float(max(owed.values())))
    chart.upright(scale, scale.ticks(40), lambda value: f"{value:,.0f}", report.currency)
    width = (chart.right - chart.left) / len(days)
    for number, day in enumerate(days):
        left, below = chart.left + width * number, 0.0
        for row in reversed([row for row in answer.days if row.day == day]):
            above = below + float(row.balance)
            amount = money(row.balance, report.currency, report.scale)
            chart.box(
                left + width * 0.12,
                scale(above),
                width * 0.76,
                scale(below) - scale(above),
                _COLOURS[row.bucket],
                f"{day}, {row.bucket} days: {amount}, {row.accounts:,} accounts",
            )
            below = above
        # Every other day, where there is no room for all.
        if (len(days) - 1 - number) % 2 == 0 or len(days) < 8:
            middle = left + width / 2
            chart.text((middle, chart.bottom + 17), f"{day}", anchor="middle", colour=GREY)
    chart.line((chart.left, chart.bottom), (chart.right, chart.bottom), GREY)
    chart.legend([(label, colour, "box") for label, colour in _COLOURS.items()])
    return chart.done()
