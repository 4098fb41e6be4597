"""Tables and the cells of tables: numbers, shares, amounts of money, days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console, ConsoleOptions, JustifyMethod, RenderResult
from rich.table import Table
from rich.text import Text

from riskseg.cli.terminal import visible
from riskseg.domain.words import money as money_text

# A table that would need so many times the width has most of its words broken.
_MUCH_TOO_WIDE = 1.25
# How the direction of risk is shown.
RISK = {1: "+", -1: "-", 0: ""}


class _Literal(Table):
    """A table whose texts are shown as they are: a name in brackets is no style. In a terminal that
    is much too narrow for it, so that ids, dates and places would be broken within a word, each row
    is a list of its own, to be read and copied."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        in_any_width = options.update(max_width=10_000)
        narrowest = self.__rich_measure__(console, in_any_width).minimum
        if narrowest <= _MUCH_TOO_WIDE * options.max_width:
            yield from super().__rich_console__(console, options)
            return
        if self.title:
            yield Text(str(self.title), style="bold")
        names = [str(column.header) for column in self.columns]
        longest = max(map(len, names))
        for row in zip(*(column.cells for column in self.columns), strict=True):
            yield Text()
            for name, cell in zip(names, row, strict=True):
                value = cell if isinstance(cell, Text) else Text(str(cell))
                yield Text.assemble(" ", name.ljust(longest), "   ", value, overflow="fold")
        yield Text()

    def add_row(self, *cells: Any, **style: Any) -> None:
        literal = (Text(visible(cell)) if isinstance(cell, str) else cell for cell in cells)
        super().add_row(*literal, **style)


def table(*columns: str, right: Sequence[str] = (), title: str | None = None) -> Table:
    title_text = Text(visible(title)) if title else None
    new_table = _Literal(
        box=box.SIMPLE_HEAD, title=title_text, title_justify="left", pad_edge=False
    )
    new_table.title_style = "bold"
    for column in columns:
        justify: JustifyMethod = "right" if column in right else "left"
        new_table.add_column(Text(visible(column)), justify=justify, overflow="fold")
    return new_table


def number(value: int) -> str:
    return f"{value:,}"


def money(value: Any, scale: int) -> str:
    """An amount in a table whose title names the currency."""
    return "–" if value is None else money_text(value, scale=scale)


def day(value: str | None) -> str:
    """A date of observation; an account file has none."""
    return value or "–"


def share(part: Any, whole: Any) -> str:
    return f"{100 * part / whole:.1f}%" if whole else "–"


def default_values(values: Mapping[str, object]) -> str:
    words = {None: "unknown", True: "true", False: "false"}
    used = ", ".join(
        f"{fact} ({words[value] if value is None or isinstance(value, bool) else value})"
        for fact, value in values.items()
    )
    return f"Not in this workspace, so the strategy's default value is used: {used}."
