"""`riskseg worklist …`: what is due, issued, and what came of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from riskseg import run as use_cases
from riskseg.cli.capacity import Capacity, capacity_of
from riskseg.cli.common import (
    DAY,
    DUCKDB,
    AcceptFeeds,
    AsJson,
    AsOf,
    By,
    Draft,
    EngineName,
    On,
    Out,
    Plan,
    Sql,
    day,
    day_or_today,
    now,
    one_line,
    present,
    root,
    someone,
    spark_master,
    user_or,
)
from riskseg.cli.exit_codes import guarded
from riskseg.cli.groups import CommandGroup
from riskseg.cli.metrics import MetricsFile, measuring
from riskseg.cli.selecting import Action, Channel, Columns, Segment, names
from riskseg.cli.show.worklist import approvals as show_approvals
from riskseg.cli.show.worklist import outcomes as show_outcomes
from riskseg.cli.show.worklist import worklist as show_worklist

if TYPE_CHECKING:
    from riskseg.run.measuring import Measuring

worklist_app = typer.Typer(
    cls=CommandGroup,
    help="What is due on a day, in order of priority; issue it, and record what came of it. "
    "For instance `riskseg worklist --as-of today --out calls.xlsx --action call`.",
    invoke_without_command=True,
)


@worklist_app.callback()
@guarded
def worklist(
    context: typer.Context,
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", parser=day, metavar=DAY, help="The day whose list it is."),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            help="A .parquet, .csv, .csv.gz, .json, .jsonl or .xlsx file, or a database URL with "
            "#table.",
        ),
    ] = None,
    action: Action = None,
    channel: Channel = None,
    segment: Segment = None,
    columns: Columns = None,
    capacity: Capacity = None,
    draft: Draft = False,
    accept_feeds: AcceptFeeds = False,
    engine: EngineName = DUCKDB,
    sql: Sql = None,
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """Write what is due on a day, in order of priority. Nothing is recorded.

    For instance `riskseg worklist --as-of today --out calls.xlsx --action call`.
    """
    if context.invoked_subcommand is not None:
        return
    if as_of is None or out is None:
        raise typer.BadParameter("Give --as-of and --out.")
    _list(
        as_of,
        out,
        action,
        channel,
        segment,
        columns,
        capacity,
        draft,
        accept_feeds,
        engine,
        plan,
        as_json,
    )


@worklist_app.command("issue")
@guarded
def issue(
    as_of: AsOf,
    out: Out,
    action: Action = None,
    channel: Channel = None,
    segment: Segment = None,
    columns: Columns = None,
    capacity: Capacity = None,
    ahead: Annotated[
        bool, typer.Option("--ahead", help="Issue a day that has not come yet.")
    ] = False,
    draft: Draft = False,
    accept_feeds: AcceptFeeds = False,
    by: By = None,
    engine: EngineName = DUCKDB,
    metrics: MetricsFile = None,
    sql: Sql = None,
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """Write what is due on a day, and record it as issued.

    Issuing a day again gives the same list and records nothing anew.

    For instance `riskseg worklist issue --as-of today --out calls.xlsx --action call --columns
    phone`.
    """
    who = user_or(by)
    _list(
        as_of,
        out,
        action,
        channel,
        segment,
        columns,
        capacity,
        draft,
        accept_feeds,
        engine,
        plan,
        as_json,
        issued_by=who,
        ahead=ahead,
        metrics=None if plan else measuring("worklist issue", root, metrics),
    )


def _list(
    as_of: datetime,
    out: str,
    action: list[str] | None,
    channel: list[str] | None,
    segment: list[str] | None,
    columns: str | None,
    capacity: str | None,
    draft: bool,
    accept_feeds: bool,
    engine: str,
    plan: bool,
    as_json: bool,
    *,
    issued_by: str | None = None,
    ahead: bool = False,
    metrics: Measuring | None = None,
) -> None:
    """The list of a day; where it is `issued_by` somebody, recorded as issued as well."""
    issue, spark = issued_by is not None, spark_master(engine)
    present(
        lambda progress: use_cases.worklist.worklist(
            root(),
            as_of.date(),
            out,
            at=now() if issue else None,
            by=issued_by,
            actions=action or (),
            channels=channel or (),
            segments=segment or (),
            columns=names(columns),
            capacity=capacity_of(capacity),
            ahead=ahead,
            draft=draft,
            accept_feeds=accept_feeds,
            spark=spark,
            progress=progress,
        ),
        show_worklist,
        plan=use_cases.worklist.plan(issue=issue, spark=spark is not None) if plan else None,
        as_json=as_json,
        metrics=metrics,
    )


Ids = Annotated[list[str] | None, typer.Argument(help="Ids of actions on the list.")]
All = Annotated[bool, typer.Option("--all", help="All that wait for an approval.")]
Person = Annotated[str, typer.Option("--by", help="Who decides.", callback=someone)]
Why = Annotated[str, typer.Option("--reason", help="Why.", callback=one_line)]
ListOf = Annotated[
    datetime,
    typer.Option("--as-of", parser=day, metavar=DAY, help="The day whose list it is."),
]


@worklist_app.command("approve")
@guarded
def approve(
    as_of: ListOf,
    by: Person,
    reason: Why,
    ids: Ids = None,
    all_: All = False,
    action: Action = None,
    on: On = None,
    draft: Draft = False,
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """Approve of actions on a day's list that are not issued before a person does.

    An action that takes four eyes waits until a second person has approved of it.

    For instance `riskseg worklist approve --all --as-of 2026-06-30 --by ann --reason "checked"`.
    """
    _decided("approved", as_of, by, reason, ids, all_, action, on, draft, plan, as_json)


@worklist_app.command("reject")
@guarded
def reject(
    as_of: ListOf,
    by: Person,
    reason: Why,
    ids: Ids = None,
    all_: All = False,
    action: Action = None,
    on: On = None,
    draft: Draft = False,
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """Take actions off a day's list. They stay off until somebody approves of them.

    For instance `riskseg worklist reject 3f2a --as-of 2026-06-30 --by ann --reason "already paid"`.
    """
    _decided("rejected", as_of, by, reason, ids, all_, action, on, draft, plan, as_json)


def _decided(
    outcome: Literal["approved", "rejected"],
    as_of: datetime,
    by: str,
    reason: str,
    ids: list[str] | None,
    all_: bool,
    action: list[str] | None,
    on: datetime | None,
    draft: bool,
    plan: bool,
    as_json: bool,
) -> None:
    if bool(ids) == all_:
        raise typer.BadParameter("Give the ids of actions, or --all.")
    if action and not all_:
        raise typer.BadParameter("--action is for --all.")
    present(
        lambda progress: use_cases.approve.approve(
            root(),
            as_of.date(),
            ids or (),
            outcome,
            on=day_or_today(on),
            at=now(),
            by=by,
            reason=reason,
            actions=action or (),
            draft=draft,
            progress=progress,
        ),
        show_approvals,
        plan=use_cases.approve.plan() if plan else None,
        as_json=as_json,
    )


@worklist_app.command("done")
@guarded
def done(
    file: Annotated[
        str,
        typer.Argument(
            metavar="PLACE",
            help="A .csv, .csv.gz, .xlsx, .parquet, .json or .jsonl file, the URL of one in an "
            "object store, or a database URL with #table or #select.",
        ),
    ],
    by: By = None,
    on: On = None,
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """Record what came of actions that were issued, as a file or a table says.

    Reading it again records nothing anew. [outcomes] in riskseg.toml says how its columns are
    named, where they are not named as the reference lists.

    For instance `riskseg worklist done outcomes.csv`.
    """
    present(
        lambda progress: use_cases.outcomes.record(
            root(),
            file,
            by=user_or(by),
            on=day_or_today(on),
            at=now(),
            progress=progress,
        ),
        show_outcomes,
        plan=use_cases.outcomes.plan() if plan else None,
        as_json=as_json,
    )
