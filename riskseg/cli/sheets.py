"""`riskseg strategy sheet …`: decision tables to and from Excel and CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from riskseg.cli.common import AsJson, print_json, root
from riskseg.cli.progress import guarded, progress
from riskseg.cli.strategy import strategy_app

sheet_app = typer.Typer(
    help="Decision tables in a sheet: to and from Excel and CSV.", no_args_is_help=True
)
strategy_app.add_typer(sheet_app, name="sheet")


@sheet_app.command("export")
@guarded
def sheet_export(
    out: Annotated[
        str,
        typer.Option("--out", help="An .xlsx file, or a folder for one CSV file a table."),
    ],
    as_json: AsJson = False,
) -> None:
    """Write the segments and each tier scheme as sheets. Files that stand there are replaced."""
    from riskseg.run.sheets import export as run

    done = run(root(), out)
    if as_json:
        print_json(done)
        return
    for name, count in done.rows.items():
        print(f"{name}: {_count(count, 'row')}")
    for file in done.files:
        print(file)


@sheet_app.command("import")
@guarded
def sheet_import(
    place: Annotated[Path, typer.Argument(help="The .xlsx file, or the folder of CSV files.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything, tell what changes, write nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check the sheets and the strategy they would make, then write its segments and tiers."""
    from riskseg.run.sheets import import_ as run

    done = run(root(), place, dry_run=dry_run, progress=progress(quiet=True))
    if as_json:
        print_json(done)
        return
    for one in done.tables:
        told = [
            *one.column_changes,
            *(
                f"{word}: {', '.join(names[:12])}{', …' if len(names) > 12 else ''}"
                for word, names in (
                    ("added", one.added),
                    ("removed", one.removed),
                    ("changed", one.changed),
                )
                if names
            ),
            *(["another order"] if one.moved else []),
        ]
        print(f"{one.table}: {_count(one.rows, 'row')}; {'; '.join(told) or 'as it was'}")
    print(f"{done.strategy} {done.version}: no problems.")
    if done.comments_lost:
        told_of = "finds" if done.comments_lost == 1 else "find"
        print(f"{_count(done.comments_lost, 'comment')} of the old files {told_of} no place.")
    if not done.files:
        print("Nothing to write.")
    for file in done.files:
        print(f"{'would write' if done.dry_run else 'wrote'} {file}")


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
