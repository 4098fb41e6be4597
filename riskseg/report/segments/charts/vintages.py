"""Charts of vintages: a curve for each month of billing, or of falling into arrears."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from markupsafe import Markup

from riskseg.report.drawing import BLUE, GREEN, ORANGE, WHOLE, Drawing, rounded_up
from riskseg.results.insights.report import SegmentReport
from riskseg.results.insights.vintages import Vintages

# The latest months that have a curve; earlier ones are all drawn in grey.
_LATEST, _EARLIER = (BLUE, ORANGE, GREEN), "#A9B8C6"

Curves = Mapping[date, Mapping[int, float]]


def unpaid_by_month(answer: Vintages, _report: SegmentReport) -> Markup | None:
    """What is unpaid of each month's bills, from one month later on: at its own end most is not
    due."""
    return _curves(
        "unpaid-by-month",
        "What is unpaid of each month's bills",
        "months after the month of billing",
        _by_month((r.month, r.months_after, r.share) for r in answer.billed if r.months_after),
        answer,
    )


def episodes_by_month(answer: Vintages, _report: SegmentReport) -> Markup | None:
    """How many of the episodes that began in each month go on."""
    return _curves(
        "episodes-by-month",
        "Arrears episodes of each month that go on",
        "days after an episode began",
        _by_month((r.month, r.days_after, r.share) for r in answer.episodes),
        answer,
    )


def _by_month(points: Iterable[tuple[date, int, Decimal | None]]) -> Curves:
    curves: dict[date, dict[int, float]] = {}
    for month, after, share in points:
        if share is not None:
            curves.setdefault(month, {})[after] = float(share)
    return {month: curve for month, curve in curves.items() if len(curve) > 1}


def _curves(key: str, title: str, along: str, curves: Curves, answer: Vintages) -> Markup | None:
    if not curves:
        return None
    chart = Drawing(
        key,
        title,
        f"{title}, by {along}, from {min(curves):%Y-%m} to {max(curves):%Y-%m}. {answer.words()}",
        (WHOLE, 340),
        top=40,
    )
    places = sorted({after for curve in curves.values() for after in curve})
    across = chart.x(places[0], places[-1])
    upright = chart.y(0, rounded_up(max(max(curve.values()) for curve in curves.values())))
    chart.across(across, places, lambda value: f"{value:.0f}", along)
    chart.upright(upright, upright.ticks(40), lambda value: f"{value:.1%}")
    latest = dict(zip(sorted(curves, reverse=True), _LATEST, strict=False))
    for month, curve in sorted(curves.items(), key=lambda item: item[0]):
        colour = latest.get(month, _EARLIER)
        points = [(across(after), upright(share)) for after, share in sorted(curve.items())]
        chart.path(points, colour, 2.5 if month in latest else 1.2)
        for point, (after, share) in zip(points, sorted(curve.items()), strict=True):
            chart.dot(point, colour, f"{month:%Y-%m}, {after}: {share:.1%}", size=3)
    legend = [(f"{month:%Y-%m}", colour, "line") for month, colour in latest.items()]
    earlier = [("earlier months", _EARLIER, "line")] if len(curves) > len(latest) else []
    chart.text((chart.left, 12), title, bold=True)
    chart.legend([*legend, *earlier], (chart.left, 30))
    return chart.done()
