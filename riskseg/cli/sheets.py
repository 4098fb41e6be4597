"""`riskseg strategy sheet …`: decision tables to and from Excel and CSV."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskseg import run as use_cases
from riskseg.cli.common import AsJson, present, root
from riskseg.cli.exit_codes import guarded
from riskseg.cli.groups import CommandGroup
from riskseg.cli.strategy import strategy_app
from riskseg.domain.words import counted

if TYPE_CHECKING:
    from riskseg.results.sheets import SheetExport, SheetImport

sheet_app = typer.Typer(
    cls=CommandGroup,
    help="Decision tables in a sheet: to and from Excel and CSV. "
    "For instance `riskseg strategy sheet export --out sheets.xlsx`.",
    no_args_is_help=True,
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
    """Write the segments and each tier scheme as sheets. Files that stand there are replaced.

    For instance `riskseg strategy sheet export --out sheets.xlsx`.
    """
    present(lambda _: use_cases.sheets.export(root(), out), _exported, as_json=as_json)


def _exported(export: SheetExport) -> None:
    for sheet, row_count in export.rows.items():
        print(f"{sheet}: {counted(row_count, 'row')}")
    for file in export.files:
        print(file)


@sheet_app.command("import")
@guarded
def sheet_import(
    place: Annotated[Path, typer.Argument(help="The .xlsx file, or the folder of CSV files.")],
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Check everything and show what would change, without writing."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check the sheets and the strategy they would make, then write its segments and tiers.

    For instance `riskseg strategy sheet import sheets.xlsx --dry-run`.
    """
    present(
        lambda progress: use_cases.sheets.import_(
            root(), place, dry_run=dry_run, progress=progress
        ),
        _imported,
        as_json=as_json,
        quiet=True,
    )


def _imported(sheet_import: SheetImport) -> None:
    for change in sheet_import.tables:
        changes = [*change.column_changes]
        for kind_of_change, row_names in (
            ("added", change.added),
            ("removed", change.removed),
            ("changed", change.changed),
        ):
            if row_names:
                changes.append(
                    f"{kind_of_change}: {', '.join(row_names[:12])}"
                    f"{', …' if len(row_names) > 12 else ''}"
                )
        changes += ["another order"] if change.moved else []
        print(f"{change.table}: {counted(change.rows, 'row')}; {'; '.join(changes) or 'as it was'}")
    print(f"{sheet_import.strategy} {sheet_import.version}: no problems.")
    if sheet_import.comments_lost:
        verb = "finds" if sheet_import.comments_lost == 1 else "find"
        print(f"{counted(sheet_import.comments_lost, 'comment')} of the old files {verb} no place.")
    if not sheet_import.files:
        print("Nothing to write.")
    for file in sheet_import.files:
        print(f"{'would write' if sheet_import.dry_run else 'wrote'} {file}")
