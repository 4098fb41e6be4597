"""Charts of what probabilities expected, beside what came true."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from riskseg.report.drawing import BLUE, GREY, HALF, ORANGE, RULE, WHOLE, Drawing, Scale, rounded_up
from riskseg.results.insights.calibration import CalibratedGroup, Calibration
from riskseg.results.insights.report import SegmentReport

_ROW, _HEAD, _PANEL = 24, 34, 190
_MARKS = [
    ("expected", GREY, "open"),
    ("observed", BLUE, "circle"),
    ("clearly more or fewer than expected", ORANGE, "square"),
]


def by_segment(answer: Calibration, _report: SegmentReport) -> Markup | None:
    """For each model a row for each segment: the share expected, and the share observed with its
    interval; clear differences stand out."""
    models = _by_model(answer, "model", "segment")
    rows = [row for of_model in models.values() for row in of_model]
    if not rows:
        return None
    chart = Drawing(
        "calibration-segments",
        "Expected and observed by segment",
        "For each segment, the mean probability and the share that came true, with its 95% "
        f"interval. {answer.words()}",
        (WHOLE, 70 + _ROW * len(rows) + _HEAD * len(models)),
        left=170,
        right=20,
        top=24,
    )
    scale = chart.x(0, _most(rows))
    chart.across(scale, scale.ticks(70), "{:.0%}".format)
    chart.legend(_MARKS)
    y: float = chart.top
    for model, of_model in models.items():
        chart.text((0, y + _HEAD - 8), model, bold=True)
        y += _HEAD
        for row in of_model:
            name = "all" if row.by == "model" else row.group
            middle = y + _ROW / 2
            chart.text((chart.left - 10, middle + 4), name, anchor="end", bold=name == "all")
            low, high = (scale(float(end or 0)) for end in (row.low, row.high))
            chart.whisker((low, middle), low, high, GREY, upright=False)
            chart.dot((scale(float(row.expected or 0)), middle), GREY, _hover(row), shape="open")
            _observed(chart, row, (scale(float(row.observed or 0)), middle))
            y += _ROW
    return chart.done()


def by_month(answer: Calibration, _report: SegmentReport) -> Markup | None:
    """A small chart for each model: the share expected and the share observed, month by month."""
    models = {m: rows for m, rows in _by_model(answer, "month").items() if len(rows) > 1}
    if not models:
        return None
    lines = -(-len(models) // 2)
    chart = Drawing(
        "calibration-months",
        "Expected and observed by month",
        "For each month of the as-of dates, the mean probability and the share that came true, "
        "with its 95% interval; each model on a scale of its own, from 0.",
        (WHOLE, 30 + lines * (_PANEL + 62)),
    )
    chart.legend(_MARKS, (0, 12))
    for number, (model, rows) in enumerate(models.items()):
        left = (number % 2) * (HALF + 20)
        top = 56 + (number // 2) * (_PANEL + 62)
        chart.text((left, top - 12), model, bold=True)
        _months(chart, rows, left + 44, top, left + HALF - 24)
    return chart.done()


def _months(
    chart: Drawing, rows: Sequence[CalibratedGroup], left: float, top: float, right: float
) -> None:
    across = Scale(0, len(rows) - 1, left + 8, right)
    upright = Scale(0, _most(rows), top + _PANEL, top)
    for tick in upright.ticks(44):
        chart.line((left, upright(tick)), (right, upright(tick)), RULE)
        chart.text((left - 6, upright(tick) + 4), f"{tick:.0%}", anchor="end", colour=GREY)
    expected = [(across(n), upright(float(r.expected or 0))) for n, r in enumerate(rows)]
    chart.path(expected, GREY, 1.5, "5 3")
    for (x, y), row in zip(expected, rows, strict=True):
        low, high = (upright(float(end or 0)) for end in (row.low, row.high))
        chart.whisker((x, y), low, high, GREY)
        chart.dot((x, y), GREY, _hover(row), shape="open", size=3)
        _observed(chart, row, (x, upright(float(row.observed or 0))))
    for n, anchor in ((0, "start"), (len(rows) - 1, "end")):
        chart.text((across(n), top + _PANEL + 18), rows[n].group, anchor=anchor, colour=GREY)


def _observed(chart: Drawing, row: CalibratedGroup, at: tuple[float, float]) -> None:
    colour, shape = (ORANGE, "square") if row.clear else (BLUE, "circle")
    chart.dot(at, colour, _hover(row), shape=shape)


def _hover(row: CalibratedGroup) -> str:
    return (
        f"{row.group}: {row.expected:.1%} expected, {row.observed:.1%} observed "
        f"({row.low:.1%} to {row.high:.1%})"
    )


def _by_model(answer: Calibration, *by: str) -> dict[str, list[CalibratedGroup]]:
    """The groups that are judged, of those kinds, by model."""
    rows = [row for row in answer.groups if row.by in by and row.expected is not None]
    return {
        model: [row for row in rows if row.model == model]
        for model in dict.fromkeys(row.model for row in rows)
    }


def _most(rows: Sequence[CalibratedGroup]) -> float:
    """A round share at or above all that are drawn."""
    return rounded_up(max(float(s or 0) for row in rows for s in (row.expected, row.high)))
