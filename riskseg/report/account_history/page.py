"""The page: one HTML file that needs nothing else."""

from __future__ import annotations

import re
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from riskseg.report.account_history.picture import picture
from riskseg.results.worklist import History

# Characters that XML 1.0 cannot hold, escaped or not.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def page(history: History) -> str:
    """The history as one HTML page: inline styles and SVG, no script, nothing fetched."""
    return _UNPRINTABLE.sub("�", _template().render(h=history, picture=picture(history)))


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("riskseg.report.account_history"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("page.html")
