"""HTML from plain text. Whatever is not `Html` already is escaped."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

# Characters that XML 1.0 cannot hold, escaped or not.
UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def escaped(text: object) -> Html:
    """Text made safe for an element or an attribute."""
    if isinstance(text, Html):
        return text
    return Html(html.escape(UNPRINTABLE.sub("�", str(text)), quote=True))


def element(tag: str, *inside: object, **attributes: object) -> Html:
    """One element. `klass` stands for class, `aria_label` for aria-label; an attribute of True is
    written bare."""
    written = "".join(
        f" {name}" if given is True else f' {name}="{escaped(given)}"'
        for name, given in ((_attribute(k), v) for k, v in attributes.items())
        if given is not None and given is not False
    )
    return Html(f"<{tag}{written}>{''.join(escaped(part) for part in inside)}</{tag}>")


def _attribute(name: str) -> str:
    return "class" if name == "klass" else name.replace("_", "-")


def joined(parts: Iterable[object]) -> Html:
    """Parts one after the other, each on its own line."""
    return Html("\n".join(escaped(part) for part in parts if part != ""))


def paragraph(*inside: object, klass: str | None = None) -> Html:
    return element("p", *inside, klass=klass)


def absent(*why: object) -> Html:
    """The place of something that cannot be shown, and why."""
    return element("p", *why, klass="absent")


def items(lines: Iterable[object], klass: str | None = None) -> Html:
    """A list of points."""
    return element("ul", *(element("li", line) for line in lines), klass=klass)


def table(
    heads: Sequence[object],
    rows: Iterable[Sequence[object]],
    *,
    words: int = 1,
    klass: str = "",
    caption: str | None = None,
) -> Html:
    """A table whose first `words` columns are text; the others are numbers, set to the right."""
    side = ["" if n < words else "n" for n in range(len(heads))]
    head = "".join(
        element("th", cell, scope="col", klass=kind or None)
        for cell, kind in zip(heads, side, strict=True)
    )
    body = []
    for row in rows:
        cells = [
            element("td", cell, klass=kind or None) for cell, kind in zip(row, side, strict=True)
        ]
        body.append(f"<tr>{''.join(cells)}</tr>")
    heading = element("caption", caption) if caption else ""
    inner = f"{heading}<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody>"
    # A wide table scrolls in its own frame, so it must be reachable by keyboard.
    return element(
        "div",
        Html(
            f'<table class="{escaped(klass)}">{inner}</table>'
            if klass
            else f"<table>{inner}</table>"
        ),
        klass="scroll",
        tabindex="0",
    )


def folded(summary: str, *inside: object, opened: bool = False) -> Html:
    """A part that opens on demand, without a script."""
    return element("details", element("summary", summary), *inside, open=opened)


def figure(title: str, drawing: Html, caption: object, *, key: str, klass: str = "") -> Html:
    """A chart with its heading and how to read it."""
    return element(
        "figure",
        element("h3", title),
        drawing,
        element("figcaption", caption),
        id=key,
        klass=f"chart {klass}".strip(),
    )
