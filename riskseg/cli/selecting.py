"""The options that say which rows and columns are written, the same for every command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskseg.cli import completion

if TYPE_CHECKING:
    from collections.abc import Iterable

    from riskseg.pipeline.selection import Selection
    from riskseg.run.known_names import Of

Columns = Annotated[
    str | None,
    typer.Option(
        "--columns",
        help="The columns to write, in their order, as account_id,action,phone; attributes of "
        "accounts and features too. Where only these are named, they are added to the usual ones.",
    ),
]
Due = Annotated[bool, typer.Option("--due", help="Only accounts with an action due.")]


def _only(option: str, shown: str, kind: Of) -> Any:
    """An option that names what is written, and may be given several times."""
    return typer.Option(
        option, help=f"Only {shown}; may be repeated.", autocompletion=completion.names(kind)
    )


Action = Annotated[list[str] | None, _only("--action", "this action", "actions")]
Channel = Annotated[list[str] | None, _only("--channel", "this channel", "channels")]
Segment = Annotated[list[str] | None, _only("--segment", "accounts of this segment", "segments")]


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
