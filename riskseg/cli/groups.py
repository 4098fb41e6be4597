"""How groups of commands list them in their `--help`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import typer.core


class CommandGroup(typer.core.TyperGroup):
    """A group that shows the first sentence about each command whole, and not cut to one line."""

    # The names of the commands, by the title that they stand under; all under one if left out.
    sections: ClassVar[Mapping[str, Sequence[str]]] = {}

    def list_commands(self, _ctx: Any) -> list[str]:
        return [name for names in self.sections.values() for name in names] or [*self.commands]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        for title, names in (self.sections or {"Commands": self.list_commands(ctx)}).items():
            with formatter.section(title):
                sentences = {name: self.commands[name].get_short_help_str(1_000) for name in names}
                formatter.write_dl(list(sentences.items()))
