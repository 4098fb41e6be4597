"""`riskseg ageing`: receivables by age, tied to the ledger and to the source's own balances."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from riskseg import run as use_cases
from riskseg.cli.common import AsJson, AsOf, Plan, Sql, present, root
from riskseg.cli.exit_codes import guarded
from riskseg.cli.show.ageing import ageing as show_ageing

# A control total is out of bounds: the balances by age are not those of the ledger.
_OUT_OF_BOUNDS = 5


@guarded
def ageing(
    as_of: AsOf,
    by: Annotated[
        str | None, typer.Option("--by", help="An attribute of accounts to group them by.")
    ] = None,
    tie_to: Annotated[
        str | None,
        typer.Option(
            "--tie-to",
            help="The source's own balances: a column of accounts, or a file with account_id, "
            "balance and, if it has them, the buckets.",
        ),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            help="Where a row for each account goes: a .parquet, .csv, .csv.gz, .json, .jsonl or "
            ".xlsx file, or a database URL with #table.",
        ),
    ] = None,
    sql: Sql = None,
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """Show what accounts owe by age, as it was known on any past date, tied to the ledger.

    For instance `riskseg ageing --as-of 2026-06-30 --by region --tie-to balances.csv --out
    aged.xlsx`.
    """
    done = present(
        lambda progress: use_cases.ageing.ageing(
            root(),
            as_of.date(),
            by=by,
            tie_to=tie_to,
            here=Path.cwd(),
            target=out,
            progress=progress,
        ),
        show_ageing,
        plan=use_cases.ageing.plan() if plan else None,
        as_json=as_json,
    )
    if done.ledger.difference:
        raise typer.Exit(_OUT_OF_BOUNDS)
