"""Charts of the accounts that went from one segment, or ageing bucket, to another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from markupsafe import Markup

from riskseg.report.drawing import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PALE,
    WHOLE,
    Drawing,
)
from riskseg.results.insights.answer import NOT_SHOWN
from riskseg.results.insights.movement import Flow, Movement
from riskseg.results.insights.report import SegmentReport
from riskseg.results.insights.roll_rates import Roll, RollRate

# Colours of flows, by the segment that they come from, one after the other.
_COLOURS = (BLUE, ORANGE, GREEN, GREY, "#CC79A7", "#8A6D00", "#56B4E9", INK)
_NAME = 150


def flows(answer: Movement, _report: SegmentReport) -> Markup | None:
    """The accounts that went from one segment to another, as bands whose width is their number."""
    title = "Accounts that went to another segment"
    return _bands("flows", title, answer, _moved(answer.flows))


def rolls(answer: Roll, _report: SegmentReport) -> Markup | None:
    """The accounts that went from one ageing bucket to another."""
    title = "Accounts that went to another ageing bucket"
    return _bands("rolls", title, answer, _moved(answer.rates))


def _moved(rows: Sequence[Flow | RollRate]) -> list[Flow | RollRate]:
    """The accounts of which it is shown where else they are."""
    return [row for row in rows if row.after not in (row.before, NOT_SHOWN)]


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
