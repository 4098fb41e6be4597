"""The option --capacity: how often each action can be taken on a day."""

from __future__ import annotations

from typing import Annotated

import typer

Capacity = Annotated[
    str | None,
    typer.Option(
        "--capacity",
        help="How often each action can be taken that day, as call=200,visit=20; the rest stays "
        "due.",
    ),
]


def capacity_of(text: str | None) -> dict[str, int]:
    """How often each action can be taken, from `call=200,visit=20`."""
    capacity = {}
    for limit_text in filter(None, map(str.strip, (text or "").split(","))):
        action, _, count = limit_text.partition("=")
        if not count.strip().isdigit():
            raise typer.BadParameter("Write --capacity as call=200,visit=20.")
        capacity[action.strip()] = int(count)
    return capacity
