"""`riskseg rehearse`: strategies carried out day by day, without anything being recorded."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from riskseg import run as use_cases
from riskseg.cli.capacity import Capacity, capacity_of
from riskseg.cli.common import DAY, AsJson, Plan, Sql, day, present, root
from riskseg.cli.exit_codes import guarded
from riskseg.cli.show.rehearsal import rehearsal as show_rehearsal


class Every(StrEnum):
    day = "day"
    week = "week"


@guarded
def rehearse(
    first: Annotated[
        datetime, typer.Option("--from", parser=day, metavar=DAY, help="The first day.")
    ],
    last: Annotated[datetime, typer.Option("--to", parser=day, metavar=DAY, help="The last day.")],
    strategy: Annotated[
        list[str] | None,
        typer.Option(
            "--strategy",
            help="A strategy folder, or a version in the journal; twice to compare two. Without "
            "it, the workspace's folder.",
        ),
    ] = None,
    every: Annotated[Every, typer.Option(help="How often a worklist is issued.")] = Every.day,
    capacity: Capacity = None,
    more_than: Annotated[
        int, typer.Option(min=0, help="Count the accounts that are contacted more often than this.")
    ] = 4,
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            help="Where the weeks go, a row for each path: a .parquet, .csv, .csv.gz, .json, "
            ".jsonl or .xlsx file, or a database URL with #table.",
        ),
    ] = None,
    generated: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=1_000_000,
            help="Over a generated portfolio of so many accounts, which responds to what is done.",
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, help="The seed: another one gives another portfolio.")
    ] = 7,
    sql: Sql = None,
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """Carry out strategies day by day, over the past or over people who respond.

    Each day's worklist is issued to a scratch journal, which the next day reads; the workspace's
    own journal stays as it is. For instance `riskseg rehearse --from 2026-04-01 --to 2026-06-30
    --strategy rules/mild --strategy rules/harsh`.
    """
    present(
        lambda progress: use_cases.rehearse.rehearse(
            root(),
            first.date(),
            last.date(),
            strategy or (),
            here=Path.cwd(),
            every=every.value,
            capacity=capacity_of(capacity),
            more_than=more_than,
            target=out,
            generated=generated,
            seed=seed,
            progress=progress,
        ),
        show_rehearsal,
        plan=use_cases.rehearse.plan() if plan else None,
        as_json=as_json,
    )
