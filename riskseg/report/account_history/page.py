"""The page of an account's history."""

from __future__ import annotations

from riskseg.report.account_history.picture import picture
from riskseg.report.pages import rendered, templates
from riskseg.results.worklist import History


def page(history: History) -> str:
    """The history as one HTML page: inline styles and SVG, no script, nothing fetched."""
    environment = templates("riskseg.report.account_history")
    return rendered(environment, h=history, picture=picture(history))
