"""`riskseg strategy …`: the rules themselves."""

from __future__ import annotations

from typing import Annotated

import typer

from riskseg.cli.common import AsJson, Plan, print_json, root_if_any
from riskseg.cli.progress import (
    USERS_FAULT,
    end_progress,
    guarded,
    problems_to_stderr,
    progress,
    show_plan,
    stderr,
    stdout,
)

strategy_app = typer.Typer(
    help="The rules themselves: check, test, prove, compare, activate.", no_args_is_help=True
)


Name = Annotated[
    str | None,
    typer.Argument(
        help="A strategy folder, the name of one in rules/, or a version in the journal; else the "
        "workspace's own, or the folder you are in."
    ),
]
NoData = Annotated[
    bool,
    typer.Option(
        "--no-data",
        help="With the facts that riskseg declares and the rules expect, whatever data there are; "
        "so too where there is no workspace.",
    ),
]


def note_facts(from_data: bool) -> None:
    if not from_data:
        stderr().print("Without data: facts are those that riskseg declares and the rules expect.")


@strategy_app.command("check")
@guarded
def strategy_check(name: Name = None, no_data: NoData = False, as_json: AsJson = False) -> None:
    """Check a strategy against the facts of this workspace, or without any data."""
    from riskseg.run.rules import check as run

    done = run(root_if_any(name), name, data=not no_data)
    if as_json:
        print_json(done)
        return
    note_facts(done.from_data)
    for note in done.notes:
        print(note)
    print(f"{done.strategy} {done.version}: no problems.")
    for pack in done.packs:
        idle = ", ".join(rule.rule for rule in pack.idle)
        rest = f"; not applying here: {idle}" if idle else ""
        count = len(pack.applying)
        rules = (
            "rule of this guard pack applies" if count == 1 else "rules of this guard pack apply"
        )
        print(f"{pack.name}: {count} {rules}{rest}.")


@strategy_app.command("test")
@guarded
def strategy_test(name: Name = None, no_data: NoData = False, as_json: AsJson = False) -> None:
    """Run the strategy's examples through the SQL that decides real accounts."""
    from riskseg.run.rules import test as run

    done = run(root_if_any(name), name, data=not no_data)
    if as_json:
        print_json(done)
    else:
        note_facts(done.from_data)
        marks = {True: "ok  ", False: "FAIL", None: "?   "}
        for example in done.examples:
            print(f"{marks[example.as_expected]} {example.example}")
        for of_pack in done.pack_examples:
            print(f"{marks[of_pack.as_expected]} {of_pack.guard}: {of_pack.example}")
        count = len(done.examples) + len(done.pack_examples)
        if done.problems:
            problems_to_stderr(done.problems)
        elif count:
            print(f"{count} examples come out as expected.")
        else:
            print("There are no examples.")
    if done.problems:
        raise typer.Exit(USERS_FAULT)


@strategy_app.command("prove")
@guarded
def strategy_prove(
    name: Name = None,
    no_data: NoData = False,
    seconds: Annotated[
        float,
        typer.Option(min=0.1, max=86_400, help="The time limit of one question; then: unproved."),
    ] = 10.0,
    notes: Annotated[
        bool, typer.Option("--notes", help="List where the order of rows decides, and for whom.")
    ] = False,
    granted: Annotated[
        bool, typer.Option("--granted", help="List what is taken for granted of every account.")
    ] = False,
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """Prove the strategy's properties for every account there could be, or show one that breaks
    them."""
    from riskseg.run import prove as job

    workspace = root_if_any(name)
    if plan:
        with_data = workspace is not None and not no_data
        show_plan(job.plan(data=with_data), as_json=as_json)
        return
    done = job.prove(
        workspace,
        name,
        data=not no_data,
        seconds=seconds,
        with_notes=notes or as_json,
        progress=progress(quiet=as_json),
    )
    end_progress()
    if as_json:
        print_json(done)
    else:
        from riskseg.cli import proofs

        note_facts(done.from_data)
        proofs.proven(stdout(), done, with_notes=notes, granted=granted)
    if done.proofs.verdict != "proved":
        raise typer.Exit(USERS_FAULT)


@strategy_app.command("show")
@guarded
def strategy_show(name: Name = None, no_data: NoData = False, as_json: AsJson = False) -> None:
    """Show a strategy as it is understood: bands, tiers, segments, paths, guards."""
    from riskseg.run.rules import show as run

    done = run(root_if_any(name), name, data=not no_data)
    if as_json:
        print_json(done)
        return
    from riskseg.cli import show

    note_facts(done.from_data)
    show.strategy(stdout(), done)
