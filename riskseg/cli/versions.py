"""`riskseg strategy activate` and `strategy versions`: which strategy holds, from when, by whom."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from riskseg.cli.common import AsJson, Plan, now, one_line, print_json, root, someone
from riskseg.cli.progress import end_progress, guarded, progress, show_plan, stderr, stdout
from riskseg.cli.strategy import strategy_app


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
    from riskseg.run import activate as job

    if plan:
        show_plan(job.plan(), as_json=as_json)
        return
    at = now()
    done = job.activate(
        root(),
        version,
        effective_from=effective_from.date() if effective_from else at.date(),
        by=by,
        at=at,
        unproved=unproved,
        reason=reason,
        progress=progress(quiet=as_json),
    )
    end_progress()
    if as_json:
        print_json(done)
        return
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
    from riskseg.run.activate import versions

    found = versions(root())
    if as_json:
        print_json(found)
        return
    if not found:
        print("Nothing is activated: the folder's strategy is used, and runs are marked so.")
        return
    from riskseg.cli.show import table

    made = table("strategy", "version", "from", "activated", "by", "proved", "")
    for a in found:
        unsure = len(a.proof.unproved)
        proved = f"not all: {a.reason}" if unsure else "yes"
        state = "superseded" if a.superseded else ""
        made.add_row(
            a.name,
            a.version,
            a.effective_from.isoformat(),
            a.at.isoformat(),
            a.by,
            proved,
            state,
        )
    stdout().print(made)
