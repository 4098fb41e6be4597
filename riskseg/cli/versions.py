"""`riskseg strategy activate` and `strategy versions`: which strategy holds, from when, by whom."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from riskseg import run as use_cases
from riskseg.cli import completion
from riskseg.cli.common import (
    DAY,
    AsJson,
    Plan,
    day,
    day_or_today,
    now,
    one_line,
    present,
    root,
    someone,
)
from riskseg.cli.exit_codes import guarded
from riskseg.cli.progress import warn
from riskseg.cli.show.tables import table
from riskseg.cli.strategy import strategy_app
from riskseg.cli.terminal import stdout

if TYPE_CHECKING:
    from riskseg.results.strategies import Activation, Activations


def _why(context: typer.Context, reason: str) -> str:
    one_line(reason)
    if context.params.get("unproved") and not reason.strip():
        raise typer.BadParameter("Give the reason for activating what is not fully proved.")
    return reason


@strategy_app.command("activate")
@guarded
def strategy_activate(
    by: Annotated[str, typer.Option(help="Who decided it.", callback=someone)],
    version: Annotated[
        str | None,
        typer.Argument(
            help="One that `strategy versions` lists, or its beginning; else the folder's.",
            autocompletion=completion.names("strategy versions"),
        ),
    ] = None,
    effective_from: Annotated[
        datetime | None,
        typer.Option(
            "--from",
            parser=day,
            metavar=DAY,
            help="The first day it is in force; today if left out.",
        ),
    ] = None,
    unproved: Annotated[
        bool,
        typer.Option(
            "--unproved", is_eager=True, help="Activate it even if not every property is proved."
        ),
    ] = False,
    reason: Annotated[
        str, typer.Option(help="The reason; required with --unproved.", callback=_why)
    ] = "",
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """Make the folder's strategy, or an earlier version, the one in force from a day on.

    For instance `riskseg strategy activate --by "credit committee" --from 2026-07-01`.
    """
    at = now()
    present(
        lambda progress: use_cases.activate.activate(
            root(),
            version,
            effective_from=day_or_today(effective_from),
            by=by,
            at=at,
            unproved=unproved,
            reason=reason,
            progress=progress,
        ),
        lambda activation: _activated(activation, reason),
        plan=use_cases.activate.plan(root(), version) if plan else None,
        as_json=as_json,
        quiet=as_json,
    )


def _activated(activation: Activation, reason: str) -> None:
    for note in activation.notes:
        warn(note)
    in_force = (
        f"{activation.name} {activation.version} is in force from {activation.effective_from}"
    )
    if not activation.new:
        print(f"{in_force} already, by {activation.by}: nothing is changed.")
        return
    print(f"{in_force}, by {activation.by}.")
    unproved_count = len(activation.proof.unproved)
    not_proved = f"; {unproved_count} not proved: {reason}" if unproved_count else ""
    print(f"{activation.proof.proved} properties are proved{not_proved}.")


@strategy_app.command("versions")
@guarded
def strategy_versions(as_json: AsJson = False) -> None:
    """List which strategies were activated, from when and by whom, the latest first.

    For instance `riskseg strategy versions`.
    """
    present(lambda _: use_cases.activate.versions(root()), _activations, as_json=as_json)


def _activations(activations: Activations) -> None:
    if not len(activations):
        print("Nothing is activated: runs use the folder's strategy, and are marked not activated.")
        return
    with_reasons = any(a.reason and not a.proof.unproved for a in activations)
    reason = ("reason",) if with_reasons else ()
    activation_table = table(
        "strategy", "version", "from", "activated", "by", *reason, "proved", ""
    )
    for activation in activations:
        activation_table.add_row(
            activation.name,
            activation.version,
            activation.effective_from.isoformat(),
            activation.at.isoformat(),
            activation.by,
            *((activation.reason,) if with_reasons else ()),
            f"not all: {activation.reason}" if activation.proof.unproved else "yes",
            "superseded" if activation.superseded else "",
        )
    stdout().print(activation_table)
