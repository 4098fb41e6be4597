"""Charts of segments: what they owe, how that went over time, and the flows between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

from markupsafe import Markup

from riskseg.domain.words import money
from riskseg.report.drawing import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PALE,
    THIRD,
    WHOLE,
    Drawing,
    Scale,
)
from riskseg.results.insights.movement import Flow, Movement
from riskseg.results.insights.report import SegmentReport
from riskseg.results.insights.roll_rates import Roll, RollRate
from riskseg.results.insights.sizes import SegmentSizes, SizeOnDay

# Colours of flows, by the segment that they come from, one after the other.
_COLOURS = (BLUE, ORANGE, GREEN, GREY, "#CC79A7", "#8A6D00", "#56B4E9", INK)
_ROW, _NAME = 30, 150


def overdue_by_segment(answer: SegmentSizes, report: SegmentReport) -> Markup | None:
    """A bar for each segment: what it owes, beside the share of accounts."""
    owing = answer.segments
    if not owing:
        return None
    chart = Drawing(
        "overdue-by-segment",
        "Overdue balance by segment",
        f"What each of {len(owing)} segments owes, the most first. {answer.words()}",
        (WHOLE, 40 + _ROW * len(owing)),
        left=_NAME,
        right=190,
        bottom=30,
    )
    most = max(float(size.overdue) for size in owing)
    scale = chart.x(0, most or 1)
    for number, size in enumerate(owing):
        middle = chart.top + _ROW * (number + 0.5)
        owed = money(size.overdue, report.currency, report.scale)
        chart.text((chart.left - 10, middle + 4), size.segment, anchor="end")
        chart.box(
            chart.left,
            middle - 9,
            scale(float(size.overdue)) - chart.left,
            18,
            BLUE,
            f"{size.segment}: {owed}",
        )
        end = scale(float(size.overdue)) + 8
        chart.text((end, middle + 4), f"{owed}, {size.accounts:,} accounts")
    chart.line((chart.left, chart.top), (chart.left, chart.bottom))
    return chart.done()


def overdue_over_time(answer: SegmentSizes, report: SegmentReport) -> Markup | None:
    """A small chart for each segment: what it owed on each day."""
    days = sorted({size.day for size in answer.trend})
    if len(days) < 2:
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
        owed = money(last.overdue if last else 0, report.currency, report.scale)
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
    owed = {size.day: float(size.overdue) for size in sizes}
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


def flows(answer: Movement, _report: SegmentReport) -> Markup | None:
    """The accounts that went from one segment to another, as bands whose width is their number."""
    title = "Accounts that went to another segment"
    return _bands("flows", title, answer, [f for f in answer.flows if f.before != f.after])


def rolls(answer: Roll, _report: SegmentReport) -> Markup | None:
    """The accounts that went from one ageing bucket to another."""
    title = "Accounts that went to another ageing bucket"
    return _bands("rolls", title, answer, [r for r in answer.rates if r.before != r.after])


def _bands(
    key: str, title: str, answer: Movement | Roll, moved: Sequence[Flow | RollRate]
) -> Markup | None:
    total = sum(flow.accounts for flow in moved)
    if not total:
        return None
    out_of: Counter[str] = Counter()
    into: Counter[str] = Counter()
    for flow in moved:
        out_of[flow.before] += flow.accounts
        into[flow.after] += flow.accounts
    gap = 16.0
    chart = Drawing(
        key,
        title,
        f"{total:,} accounts by where they were on {answer.first}, left, and on {answer.last}, "
        f"right. {answer.words()}",
        (WHOLE, int(360 + gap * max(len(out_of), len(into)))),
        left=_NAME,
        right=_NAME,
        top=30,
        bottom=10,
    )
    high = chart.bottom - chart.top - gap * (max(len(out_of), len(into)) - 1)
    unit = high / total
    starts = _places(chart, out_of, unit, gap)
    ends = _places(chart, into, unit, gap)
    colours = dict(zip(starts, _COLOURS * len(starts), strict=False))
    chart.text((chart.left, 16), str(answer.first), anchor="end", bold=True)
    chart.text((chart.right, 16), str(answer.last), bold=True)
    for flow in sorted(moved, key=lambda f: ([*starts].index(f.before), [*ends].index(f.after))):
        _band(chart, flow, starts, ends, unit, colours[flow.before])
    for sizes, x, anchor, away in (
        (out_of, chart.left - 8, "end", -18),
        (into, chart.right + 8, "start", 18),
    ):
        tops = _places(chart, sizes, unit, gap)
        for name, count in sizes.items():
            middle = tops[name] + count * unit / 2
            colour = colours.get(name, PALE) if anchor == "end" else GREY
            chart.box(x if anchor == "end" else x - 8, tops[name], 8, count * unit, colour)
            chart.text((x + away / 3, middle + 4), f"{name}  {count:,}", anchor=anchor)
    return chart.done()


def _places(chart: Drawing, sizes: Counter[str], unit: float, gap: float) -> dict[str, float]:
    """Where each segment begins, from above, the largest first."""
    places, top = {}, chart.top
    for name, count in sorted(sizes.items(), key=lambda item: (-item[1], item[0])):
        places[name] = top
        top += count * unit + gap
    return places


def _band(
    chart: Drawing,
    flow: Flow | RollRate,
    starts: dict[str, float],
    ends: dict[str, float],
    unit: float,
    colour: str,
) -> None:
    """A band from one side to the other; it takes its place from what is left of both segments."""
    wide = flow.accounts * unit
    left, right = starts[flow.before], ends[flow.after]
    starts[flow.before] += wide
    ends[flow.after] += wide
    first, last = chart.left, chart.right
    steps = [step / 24 for step in range(25)]
    curve = [(first + (last - first) * s, s * s * (3 - 2 * s)) for s in steps]
    above = [(x, left + (right - left) * bend) for x, bend in curve]
    below = [(x, y + wide) for x, y in reversed(above)]
    chart.path([*above, *below], colour, filled=True, faint=0.45)
    if wide >= 12:
        chart.note((first + 8, left + wide / 2 + 4), f"{flow.accounts:,}")
