"""Tables and the cells of tables: numbers, shares, amounts of money, days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from rich import box
from rich.console import Console, ConsoleOptions, JustifyMethod, RenderResult
from rich.measure import measure_renderables
from rich.table import Table
from rich.text import Text

from riskseg.cli.terminal import visible
from riskseg.domain.words import money as money_text

_ANY_WIDTH = 10_000
# How the direction of risk is shown.
RISK = {1: "+", -1: "-", 0: ""}


class _Literal(Table):
    """A table whose texts are shown as they are: a name in brackets is no style. In a terminal that
    is too narrow for it, so that ids, dates and places would be broken within a word, each row is a
    list of its own, to be read and copied."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        usual_padding = self.padding
        for padding in (usual_padding, (0, 0)):  # columns move closer before rows become lists
            self.padding = padding
            narrowest = self._narrowest(console, options)
            if narrowest <= options.max_width:
                self._share_out(options.max_width - narrowest, console, options)
                yield from super().__rich_console__(console, options)
                self.padding = usual_padding
                return
        self.padding = usual_padding
        yield from self._lists()

    def _narrowest(self, console: Console, options: ConsoleOptions) -> int:
        """The least width at which nothing is broken within a word."""
        for column in self.columns:
            column.width = None
        return self.__rich_measure__(console, options.update(max_width=_ANY_WIDTH)).minimum

    def _share_out(self, spare: int, console: Console, options: ConsoleOptions) -> None:
        """Give each column its longest word, and of the spare width what it needs to break nothing
        at all, those that need least first: only the longest texts are broken. Rich would break the
        widest through the midst of words."""
        needs = []
        for column in self.columns:
            cells = [Text(str(column.header)), *column.cells]
            found = measure_renderables(console, options.update(max_width=_ANY_WIDTH), cells)
            needs.append((found.maximum - found.minimum, found.minimum, column))
        if sum(needed for needed, _, _ in needs) <= spare:
            return
        needs.sort(key=itemgetter(0))
        for place, (needed, least, column) in enumerate(needs):
            given = min(needed, spare // (len(needs) - place))
            column.width, spare = least + given, spare - given

    def _lists(self) -> RenderResult:
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
