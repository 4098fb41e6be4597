"""Pages: HTML files that need nothing else. Their words are in the templates of each kind of page,
their look is in templates/style.css."""

from __future__ import annotations

import re
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

# Characters that XML 1.0 cannot hold, escaped or not.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def templates(package: str) -> Environment:
    """The templates of a kind of page, which may include those that all share."""
    return Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("riskseg.report")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        extensions=["jinja2.ext.do"],
    )


def rendered(environment: Environment, **values: Any) -> str:
    """The page as text: inline styles and SVG, no script, nothing fetched."""
    return _UNPRINTABLE.sub("�", environment.get_template("page.html").render(**values))
