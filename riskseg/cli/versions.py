"""`riskseg strategy activate` and `strategy versions`: which strategy holds, from when, by whom."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from riskseg import run as use_cases
from riskseg.cli.common import AsJson, Plan, now, one_line, present, root, someone
from riskseg.cli.progress import guarded, stderr, stdout
from riskseg.cli.show import table
from riskseg.cli.strategy import strategy_app

if TYPE_CHECKING:
    from riskseg.results.strategies import Activation, Activations


def _why(context: typer.Context, reason: str) -> str:
    one_line(reason)
    if context.params.get("unproved") and not reason.strip():
        raise typer.BadParameter("Say why what is not proved is activated.")
    return reason


@strategy_app.command("activate")
@guarded
def strategy_activate(
    by: Annotated[str, typer.Option(help="Who decided it.", callback=someone)],
    version: Annotated[
        str | None,
        typer.Argument(
            help="One that `strategy versions` lists, or its beginning; else the folder's."
        ),
    ] = None,
    effective_from: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="The first day it holds; today's."),
    ] = None,
    unproved: Annotated[
        bool,
        typer.Option("--unproved", is_eager=True, help="Although not all of it is proved."),
    ] = False,
    reason: Annotated[str, typer.Option(help="Why; needed with --unproved.", callback=_why)] = "",
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """Make the folder's strategy, or an earlier version, the one in force from a day on."""
    at = now()
    present(
        lambda progress: use_cases.activate.activate(
            root(),
            version,
            effective_from=effective_from.date() if effective_from else at.date(),
            by=by,
            at=at,
            unproved=unproved,
            reason=reason,
            progress=progress,
        ),
        lambda done: _activated(done, reason),
        plan=use_cases.activate.plan() if plan else None,
        as_json=as_json,
        quiet=as_json,
    )


def _activated(done: Activation, reason: str) -> None:
    for note in done.notes:
        stderr().print(note, markup=False)
    if not done.new:
        print(
            f"{done.name} {done.version} is in force from {done.effective_from} already, by "
            f"{done.by}: nothing is changed."
        )
        return
    print(f"{done.name} {done.version} is in force from {done.effective_from}, by {done.by}.")
    unsure = len(done.proof.unproved)
    left = f"; {unsure} not proved: {reason}" if unsure else ""
    print(f"{done.proof.proved} properties are proved{left}.")


@strategy_app.command("versions")
@guarded
def strategy_versions(as_json: AsJson = False) -> None:
    """List which strategies were activated, from when and by whom, the latest first."""
    present(lambda _: use_cases.activate.versions(root()), _activations, as_json=as_json)


def _activations(done: Activations) -> None:
    if not len(done):
        print("Nothing is activated: the folder's strategy is used, and runs are marked so.")
        return
    made = table("strategy", "version", "from", "activated", "by", "proved", "")
    for entry in done:
        made.add_row(
            entry.name,
            entry.version,
            entry.effective_from.isoformat(),
            entry.at.isoformat(),
            entry.by,
            f"not all: {entry.reason}" if entry.proof.unproved else "yes",
            "superseded" if entry.superseded else "",
        )
    stdout().print(made)
