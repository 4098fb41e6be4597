"""Charts of what segments owe, and of how that went over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from markupsafe import Markup

from riskseg.domain.words import money
from riskseg.report.drawing import (
    BLUE,
    GREY,
    THIRD,
    WHOLE,
    Drawing,
    Scale,
)
from riskseg.results.insights.report import SegmentReport
from riskseg.results.insights.sizes import SegmentSizes, SizeOnDay

# What a row and the names take, and a letter of a label on average.
_ROW, _NAME, _LETTER = 30, 150, 7.2


def sizes_of_segments(answer: SegmentSizes, report: SegmentReport) -> Markup | None:
    """A bar for each segment: what it owes, beside the number of accounts; where nothing is known
    of what is owed, its accounts."""
    if not answer.segments:
        return None
    if answer.overdue is None:
        counts = {size.segment: f"{size.accounts:,} accounts" for size in answer.segments}
        name, title = "accounts-by-segment", "Accounts by segment"
        said = f"How many accounts are in each of {len(counts)} segments, the most first."
        lengths = {size.segment: float(size.accounts) for size in answer.segments}
        return _bars((name, title, f"{said} {answer.words()}"), lengths, counts)
    owed = {
        size.segment: f"{_amount(size.overdue, report)}, {size.accounts:,} accounts"
        for size in answer.segments
    }
    said = f"What each of {len(owed)} segments owes, the most first."
    lengths = {size.segment: float(size.overdue or 0) for size in answer.segments}
    title = "Overdue balance by segment"
    return _bars(("overdue-by-segment", title, f"{said} {answer.words()}"), lengths, owed)


def _amount(value: Decimal | None, report: SegmentReport) -> str:
    if value is None:
        return "not known"
    return money(value, report.currency, report.scale)


def _bars(
    words: tuple[str, str, str], lengths: Mapping[str, float], labels: Mapping[str, str]
) -> Markup:
    """A bar of a length for each segment, with its label; `words` are the chart's name, its title,
    and what it shows."""
    chart = Drawing(
        *words,
        (WHOLE, 40 + _ROW * len(lengths)),
        left=_NAME,
        right=round(_LETTER * max(map(len, labels.values()))) + 14,
        bottom=30,
    )
    scale = chart.x(0, max(lengths.values()) or 1)
    for number, (segment, length) in enumerate(lengths.items()):
        label, middle = labels[segment], chart.top + _ROW * (number + 0.5)
        chart.text((chart.left - 10, middle + 4), segment, anchor="end")
        chart.box(
            chart.left,
            middle - 9,
            scale(length) - chart.left,
            18,
            BLUE,
            f"{segment}: {label}",
        )
        end = scale(length) + 8
        chart.text((end, middle + 4), label)
    chart.line((chart.left, chart.top), (chart.left, chart.bottom))
    return chart.done()


def overdue_over_time(answer: SegmentSizes, report: SegmentReport) -> Markup | None:
    """A small chart for each segment: what it owed on each day."""
    days = sorted({size.day for size in answer.trend})
    if len(days) < 2 or answer.overdue is None:
        return None
    names = [size.segment for size in answer.segments]
    names += sorted({size.segment for size in answer.trend} - {*names})
    high, rows = 92, -(-len(names) // 3)
    chart = Drawing(
        "overdue-over-time",
        "Overdue balance over time",
        f"What each segment owed on {len(days)} days, from {days[0]} to {days[-1]}; each on a "
        "scale of its own, from 0.",
        (WHOLE, rows * (high + 46)),
    )
    for number, name in enumerate(names):
        left = (number % 3) * (THIRD + 17) + 4
        top = (number // 3) * (high + 46) + 22
        _over_time(chart, [s for s in answer.trend if s.segment == name], days, (left, top), high)
        last = next((s for s in answer.trend if s.segment == name and s.day == days[-1]), None)
        owed = _amount(last.overdue if last else Decimal(0), report)
        chart.text((left, top - 8), f"{name}: {owed}", bold=True)
    return chart.done()


def _over_time(
    chart: Drawing,
    sizes: Sequence[SizeOnDay],
    days: Sequence[date],
    at: tuple[float, float],
    high: float,
) -> None:
    left, top = at
    owed = {size.day: float(size.overdue) for size in sizes if size.overdue is not None}
    unknown = {size.day for size in sizes} - owed.keys()
    days = [day for day in days if day not in unknown]
    across = Scale(days[0].toordinal(), days[-1].toordinal(), left, left + THIRD - 12)
    upright = Scale(0, max(owed.values(), default=0) or 1, top + high, top)
    points = [(across(day.toordinal()), upright(owed.get(day, 0))) for day in days]
    chart.path([(left, top + high), *points, (across.end, top + high)], BLUE, filled=True)
    chart.path(points, BLUE)
    for day, point in zip(days, points, strict=True):
        chart.dot(point, BLUE, f"{day}: {owed.get(day, 0):,.0f}", size=3)
    chart.line((left, top + high), (across.end, top + high))
    chart.text((left, top + high + 15), str(days[0]), colour=GREY)
    chart.text((across.end, top + high + 15), str(days[-1]), anchor="end", colour=GREY)
