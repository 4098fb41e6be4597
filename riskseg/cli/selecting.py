"""The options that say which rows and columns are written, the same for every command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from riskseg.cli import completion

if TYPE_CHECKING:
    from collections.abc import Iterable

    from riskseg.pipeline.selection import Selection

Columns = Annotated[
    str | None,
    typer.Option(
        "--columns",
        help="The columns to write, in their order, as account_id,action,phone; attributes of "
        "accounts and features too. Where only these are named, they are added to the usual ones.",
    ),
]
Due = Annotated[bool, typer.Option("--due", help="Only accounts with an action due.")]
Action = Annotated[
    list[str] | None,
    typer.Option(
        "--action",
        help="Only this action; may be repeated.",
        autocompletion=completion.names("actions"),
    ),
]
Channel = Annotated[
    list[str] | None,
    typer.Option(
        "--channel",
        help="Only this channel; may be repeated.",
        autocompletion=completion.names("channels"),
    ),
]
Segment = Annotated[
    list[str] | None,
    typer.Option(
        "--segment",
        help="Only accounts of this segment; may be repeated.",
        autocompletion=completion.names("segments"),
    ),
]


def names(text: str | None) -> list[str]:
    """The names of an option that lists several, with commas between them."""
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def selection(
    columns: str | None,
    *,
    due: bool = False,
    actions: Iterable[str] | None = None,
    segments: Iterable[str] | None = None,
) -> Selection:
    """What the options of a command select."""
    from riskseg.pipeline.selection import Selection

    return Selection.of(
        columns=names(columns), due=due, actions=actions or (), segments=segments or ()
    )
