"""The part of files.md about a strategy's files."""

from __future__ import annotations

from collections.abc import Iterator

from reference_pages.keys import described, keys
from riskseg.strategy import shapes
from riskseg.strategy.kinds.shape import entry_shape, key_words
from riskseg.strategy.packs.authored import Expected


def strategy_files() -> Iterator[str]:
    """rules/NAME/."""
    yield "## A strategy: rules/NAME/"
    yield ""
    yield (
        "The same keys as JSON Schema, for editors, are in the folder `schemas` beside this page; "
        "`riskseg strategy schema` writes them."
    )
    yield ""
    for title, shape in (
        ("strategy.yaml", shapes.AuthoredHead),
        ("strategy.yaml: under each name of `constants`", shapes.AuthoredConstant),
        ("strategy.yaml: under each name of `bands`", shapes.AuthoredBand),
        ("strategy.yaml: `actions`, a list of", shapes.AuthoredAction),
        ("strategy.yaml: `calendar`, also of an action or a path", shapes.AuthoredCalendar),
        ("strategy.yaml: under each name of `expects`", Expected),
        ("tiers.yaml: a list of rows for each scheme", shapes.AuthoredTier),
        ("tiers.yaml: or a table for a scheme", shapes.AuthoredTable),
        ("tiers.yaml: the `rows` of a table", shapes.AuthoredTableRow),
        ("segments.yaml: `columns`, and `rows` of", shapes.AuthoredRow),
        ("paths.yaml: under each path's name", shapes.AuthoredPath),
        ("paths.yaml: `steps`, a list of", shapes.AuthoredStep),
        ("paths.yaml: `after` of a step", shapes.AuthoredAfter),
        ("paths.yaml: `repeat`", shapes.AuthoredRepeat),
    ):
        yield f"### {title}"
        yield ""
        yield from described(shape)
    yield "### guards.yaml: a list of"
    yield ""
    yield from keys(entry_shape(), key_words())
    yield "### examples.yaml"
    yield ""
    yield from described(shapes.AuthoredExamples)
    yield "### examples.yaml: `examples`, a list of"
    yield ""
    yield from described(shapes.AuthoredExample)
