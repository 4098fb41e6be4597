"""`riskseg init`: a new workspace, with `--from` mapped to a stranger's files."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskseg import run as use_cases
from riskseg.cli.common import AsJson, present
from riskseg.cli.exit_codes import guarded
from riskseg.cli.show.ageing import ageing as show_ageing
from riskseg.cli.show.workspace import show_check
from riskseg.cli.terminal import stderr, stdout
from riskseg.domain.problems import USERS_FAULT, ProblemsError

if TYPE_CHECKING:
    from riskseg.results.matching import MatchedTable
    from riskseg.results.workspace import NewWorkspace
    from riskseg.run.match import Question


@guarded
def init(
    folder: Annotated[Path, typer.Argument(help="A folder that is not a workspace yet.")],
    strategy: Annotated[
        str | None,
        typer.Option(
            help="The starter strategy: household-utility for bills and payments, account-file for "
            "a file of accounts alone.",
            show_default="household-utility",
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="A folder of files, one file, or the address of a database, to propose the "
            "mapping for.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a new workspace with specs and a starter strategy.

    With `--from`, riskseg looks at your files and writes the mapping with how sure it is of each
    column; it asks about the rest, or marks it when not at a terminal. Then it checks the
    workspace. For instance `riskseg init collections --from exports`.
    """
    if source is None:
        present(
            lambda _: use_cases.init.init(folder, strategy or use_cases.init.STARTER),
            show_files,
            as_json=as_json,
        )
        return
    asks = not as_json and sys.stdin.isatty() and sys.stdout.isatty()
    present(lambda _: _matched(folder, source, strategy, asks=asks), show_matching, as_json=as_json)
    if as_json:
        return
    print()
    checked = use_cases.check.check(folder)
    show_check(checked)
    # Where too many rows are bad, nothing is worked out of the others.
    with suppress(ProblemsError):
        if "bills" in checked.rows and checked.last_day is not None:
            aged = use_cases.ageing.ageing(folder, checked.last_day, here=Path.cwd())
            print(f"\nWhat is owed by the close of {checked.last_day}, the last day in the files:")
            show_ageing(aged)
    if checked.problems:
        raise typer.Exit(USERS_FAULT)


def _matched(folder: Path, source: str, strategy: str | None, *, asks: bool) -> NewWorkspace:
    use_cases.init.check_new(folder)
    ask = _ask if asks else None
    matching = use_cases.match.match(folder, source, ask=ask, strategy=strategy)
    new = use_cases.init.init(folder, matching.strategy, toml=matching.toml)
    return new.model_copy(
        update={
            "layout": matching.layout,
            "matched": matching.tables,
            "not_read": matching.not_read,
        }
    )


def show_files(new_workspace: NewWorkspace) -> None:
    """The files of a new workspace, and what to do next."""
    folder = Path(new_workspace.folder)
    for written_file in new_workspace.written:
        print(folder / written_file)
    print(f"Now point {folder / 'riskseg.toml'} at your data, then: riskseg -w {folder} check")


def show_matching(new_workspace: NewWorkspace) -> None:
    """What was found, a line a column, with how sure it is."""
    print(f"{Path(new_workspace.folder) / 'riskseg.toml'} is written.")
    if new_workspace.layout is not None:
        print(f"Recognised: the layout {new_workspace.layout}.")
    for table in new_workspace.matched:
        if table.columns:
            _show_table(table)
    if new_workspace.not_read:
        print()
    for line in new_workspace.not_read:
        stdout().print(f"Not read: {line}.", markup=False)


def _show_table(table: MatchedTable) -> None:
    mark = "" if table.decided else " ? to be decided"
    sheet = f", sheet {table.sheet}" if table.sheet else ""
    stdout().print(f"\n{table.table} from {table.loaded_from}{sheet}{mark}", markup=False)
    if table.note:
        stdout().print(f"  {table.note}", markup=False)
    width = max(len(column.column) for column in table.columns)
    for column in table.columns:
        sure = f"{column.confidence:4.0%}" if column.decided else "   ?"
        filled = column.expression or "nothing found"
        line = f"  {sure}  {column.column:{width}}  {filled}  ({column.why})"
        stdout().print(line, markup=False)


def _ask(question: Question) -> str | None:
    """What a person answers at the terminal; nothing typed leaves it undecided."""
    console = stderr()
    if question.column is None:
        console.print(question.why, markup=False)
        return typer.prompt("The day (2026-01-31), or nothing", default="", err=True) or None
    need = "" if question.needed else ", not needed"
    console.print(f"{question.column} of {question.table}{need}: {question.why}.", markup=False)
    for number, option in enumerate(question.options, start=1):
        console.print(f"  {number} {option}", markup=False)
    prompt = "A number, an expression, or nothing to leave it open"
    answer = typer.prompt(prompt, default="", err=True).strip()
    if answer.isdigit() and 1 <= int(answer) <= len(question.options):
        return question.options[int(answer) - 1]
    return answer or None
