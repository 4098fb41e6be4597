"""docs/guide/one-bill.md: every snippet is run, every result compared with the one shown."""

from __future__ import annotations

import contextlib
import io
from typing import Any

from tests.docs.pages import ROOT, blocks

PAGE = ROOT / "docs" / "guide" / "one-bill.md"


def as_table(rows: list[dict[str, Any]]) -> str:
    """Rows as the page shows them; a null is a dash."""
    reported = [["–" if v is None else str(v) for v in row.values()] for row in rows]
    grid = [list(rows[0]), *reported]
    widths = [max(len(line[i]) for line in grid) for i in range(len(grid[0]))]
    return "\n".join(
        " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in grid
    )


def test_every_snippet_gives_what_the_page_shows() -> None:
    names: dict[str, Any] = {}
    compared, given = 0, None
    for block in blocks(PAGE):
        match block.language:
            case "python":
                assert not given, f"what the snippet before line {block.line} prints is not shown"
                printed = io.StringIO()
                with contextlib.redirect_stdout(printed):
                    exec(compile(block.text, f"{PAGE.name}:{block.line}", "exec"), names)  # noqa: S102
                given = printed.getvalue().strip()
            case "sql":
                assert not given, f"what the snippet before line {block.line} prints is not shown"
                given = as_table(names["engine"].arrow(block.text).to_pylist())
            case "text":
                assert given == block.text.strip(), f"line {block.line}"
                compared, given = compared + 1, None
    assert not given
    assert compared == 10
