"""`riskseg strategy …`: check, test, prove and show a strategy; schemas for editors."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskseg import run as use_cases
from riskseg.cli import completion
from riskseg.cli.common import (
    DAY,
    AcceptFeeds,
    AsJson,
    AsOf,
    Out,
    Plan,
    day,
    present,
    root,
    root_if_any,
)
from riskseg.cli.exit_codes import guarded
from riskseg.cli.groups import CommandGroup
from riskseg.cli.progress import remark
from riskseg.cli.show.strategy import show_strategy
from riskseg.cli.show.strategy_export import show_strategy_export
from riskseg.cli.terminal import problems_to_stderr, stdout
from riskseg.domain.problems import USERS_FAULT
from riskseg.domain.words import counted

if TYPE_CHECKING:
    from riskseg.results.strategies import (
        EditorSchemas,
        StrategyCheck,
        StrategyProof,
        StrategyTest,
    )
    from riskseg.results.strategy_export import FactTable, StrategyExport
    from riskseg.results.strategy_shown import StrategyShown

strategy_app = typer.Typer(
    cls=CommandGroup,
    help="Strategies: check, test, prove, compare, activate. "
    "For instance `riskseg strategy check`.",
    no_args_is_help=True,
)


Name = Annotated[
    str | None,
    typer.Argument(
        autocompletion=completion.names("strategies"),
        help="A strategy folder, the name of one in rules/, or a version in the journal; else the "
        "workspace's own, or the folder you are in.",
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
        remark("Without data: facts are those that riskseg declares and the rules expect.")


@strategy_app.command("check")
@guarded
def strategy_check(name: Name = None, no_data: NoData = False, as_json: AsJson = False) -> None:
    """Check a strategy against the facts of this workspace, or without any data.

    For instance `riskseg strategy check --no-data`.
    """
    present(
        lambda _: use_cases.strategy.check(root_if_any(name), name, data=not no_data),
        _checked,
        as_json=as_json,
    )


def _checked(strategy_check: StrategyCheck) -> None:
    note_facts(strategy_check.from_data)
    for note in strategy_check.notes:
        print(note)
    print(f"{strategy_check.strategy} {strategy_check.version}: no problems.")
    for pack in strategy_check.packs:
        idle = ", ".join(rule.rule for rule in pack.idle)
        not_applying = f"; not applying here: {idle}" if idle else ""
        rules = counted(len(pack.applying), "rule")
        verb = "applies" if len(pack.applying) == 1 else "apply"
        print(f"{pack.name}: {rules} of this guard pack {verb}{not_applying}.")
    print("`riskseg strategy prove` proves its properties, as an activation does.")


@strategy_app.command("test")
@guarded
def strategy_test(name: Name = None, no_data: NoData = False, as_json: AsJson = False) -> None:
    """Run the strategy's examples through the SQL that decides real accounts.

    For instance `riskseg strategy test`.
    """
    test_result = present(
        lambda _: use_cases.strategy.test(root_if_any(name), name, data=not no_data),
        _tested,
        as_json=as_json,
    )
    if test_result.problems:
        raise typer.Exit(USERS_FAULT)


def _tested(test_result: StrategyTest) -> None:
    note_facts(test_result.from_data)
    marks = {True: "ok  ", False: "FAIL", None: "?   "}
    for example in test_result.examples:
        print(f"{marks[example.as_expected]} {example.example}")
    for pack_example in test_result.pack_examples:
        print(f"{marks[pack_example.as_expected]} {pack_example.guard}: {pack_example.example}")
    example_count = len(test_result.examples) + len(test_result.pack_examples)
    if test_result.problems:
        problems_to_stderr(test_result.problems)
    elif example_count:
        print(f"{example_count} examples come out as expected.")
    else:
        print("There are no examples.")


@strategy_app.command("prove")
@guarded
def strategy_prove(
    name: Name = None,
    no_data: NoData = False,
    seconds: Annotated[
        float,
        typer.Option(
            min=0.1, max=86_400, help="The time limit for each property; past it: unproved."
        ),
    ] = 10.0,
    notes: Annotated[
        bool,
        typer.Option(
            "--notes", help="List where the order of rows matters, and for which accounts."
        ),
    ] = False,
    granted: Annotated[
        bool, typer.Option("--granted", help="List what is assumed of every account.")
    ] = False,
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """Prove the strategy's properties for every account there could be, or show one that breaks
    them.

    For instance `riskseg strategy prove --seconds 60`.
    """
    # Loads the solver.
    from riskseg.cli.show.proofs import show_proofs

    def show(proof: StrategyProof) -> None:
        note_facts(proof.from_data)
        show_proofs(stdout(), proof, with_notes=notes, granted=granted)

    workspace = root_if_any(name)
    with_data = workspace is not None and not no_data
    proof = present(
        lambda progress: use_cases.prove.prove(
            workspace,
            name,
            data=not no_data,
            seconds=seconds,
            with_notes=notes or as_json,
            progress=progress,
        ),
        show,
        plan=use_cases.prove.plan(data=with_data) if plan else None,
        as_json=as_json,
        quiet=as_json,
    )
    if proof.verdict != "proved":
        raise typer.Exit(USERS_FAULT)


@strategy_app.command("show")
@guarded
def strategy_show(name: Name = None, no_data: NoData = False, as_json: AsJson = False) -> None:
    """Show a strategy as it is understood: bands, tiers, segments, paths, guards.

    For instance `riskseg strategy show household-utility`.
    """
    present(
        lambda _: use_cases.strategy.show(root_if_any(name), name, data=not no_data),
        _shown,
        as_json=as_json,
    )


def _shown(strategy: StrategyShown) -> None:
    note_facts(strategy.from_data)
    show_strategy(strategy)


@strategy_app.command("schema")
@guarded
def strategy_schema(
    out: Annotated[Path, typer.Option("--out", help="The folder that they are written to.")],
    as_json: AsJson = False,
) -> None:
    """Write JSON Schemas of a strategy's files, for an editor that completes and checks keys.

    For instance `riskseg strategy schema --out schemas`.
    """
    present(lambda _: use_cases.schemas.write(root_if_any(), out), _schemas, as_json=as_json)


def _schemas(written: EditorSchemas) -> None:
    for schema in written.schemas:
        print(schema.path)
    remark("For VS Code with the extension YAML, put this into .vscode/settings.json:")
    print(json.dumps(written.vs_code, indent=2))


@strategy_app.command("export")
@guarded
def strategy_export(
    to: Annotated[
        str, typer.Option("--to", help="duckdb, postgres, snowflake, bigquery or spark.")
    ],
    name: Name = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="A new folder for the query, a test of it and the list of the facts that it "
            "reads; without it the query is printed.",
        ),
    ] = None,
    dbt: Annotated[
        bool, typer.Option("--dbt", help="Write a dbt package to the folder instead.")
    ] = False,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            "--as-of",
            parser=day,
            metavar=DAY,
            help="The query has the rules in force on this day; needed where they change.",
        ),
    ] = None,
    years: Annotated[
        list[int] | None,
        typer.Option(
            "--days",
            metavar="YEAR",
            min=1900,
            max=2199,
            help="Write also what calendars say of each day of this year; several are possible.",
        ),
    ] = None,
    table: Annotated[
        str, typer.Option("--table", help="The table of facts that the query reads.")
    ] = "facts",
    no_data: NoData = False,
    as_json: AsJson = False,
) -> None:
    """Write a strategy as one SQL query for a warehouse, tested on made-up accounts, or as a dbt
    package.

    For instance `riskseg strategy export --to postgres --out warehouse`.
    """
    present(
        lambda _: use_cases.strategy_export.export(
            root_if_any(name),
            name,
            to,
            out,
            data=not no_data,
            as_of=None if as_of is None else as_of.date(),
            table=table,
            dbt=dbt,
            years=years or (),
        ),
        _exported,
        as_json=as_json,
    )


@strategy_app.command("facts")
@guarded
def strategy_facts(
    as_of: AsOf,
    out: Out,
    name: Name = None,
    accept_feeds: AcceptFeeds = False,
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """Write the table of facts that an exported query reads, a row an account as of a day.

    For instance `riskseg strategy facts --as-of today --out 'postgresql+psycopg://me@host/db#facts'`.
    """
    present(
        lambda progress: use_cases.strategy_facts.facts(
            root(), name, as_of.date(), out, accept_feeds=accept_feeds, progress=progress
        ),
        _facts_written,
        plan=use_cases.strategy_facts.plan() if plan else None,
        as_json=as_json,
    )


def _facts_written(done: FactTable) -> None:
    print(
        f"{counted(done.rows, 'account')} as of {done.as_of} in {done.place}: "
        f"{counted(len(done.columns), 'column')} for {done.strategy.name} {done.strategy.version}."
    )


def _exported(export: StrategyExport) -> None:
    note_facts(export.from_data)
    show_strategy_export(export)
