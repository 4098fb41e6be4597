"""The page of the report on segments."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment
from markupsafe import Markup, escape

from riskseg.report.pages import rendered, templates
from riskseg.report.segments.charts import CHARTS
from riskseg.results.insights.report import SegmentReport
from riskseg.results.units import headings, in_words, is_code, is_number

# Rows beyond these are folded away under their chart.
OPEN_ROWS = 12


def page(report: SegmentReport) -> str:
    """The report as one HTML page: a table behind every chart, no script, nothing fetched."""
    return rendered(_templates(), report=report)


@cache
def _templates() -> Environment:
    environment = templates("riskseg.report.segments")
    environment.globals |= {
        "OPEN_ROWS": OPEN_ROWS,
        "charts": _charts,
        "in_code": _in_code,
        "headings": headings,
        "in_words": in_words,
        "is_code": is_code,
        "is_number": is_number,
    }
    return environment


def _charts(answer: object, report: SegmentReport) -> list[Markup]:
    drawn = (chart(answer, report) for chart in CHARTS.get(type(answer), ()))
    return [chart for chart in drawn if chart is not None]


def _in_code(text: str) -> Markup:
    """A sentence in which what stands between backquotes is code."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part)
        for number, part in enumerate(parts)
    )
