"""`riskseg replay` and `riskseg journal …`: what was decided, decided again, and for how long."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from riskseg import run as use_cases
from riskseg.cli import completion
from riskseg.cli.common import AsJson, By, Plan, Sql, now, present, root, someone, user_or
from riskseg.cli.exit_codes import guarded
from riskseg.cli.groups import CommandGroup
from riskseg.cli.show.tables import number, table
from riskseg.cli.terminal import problems_to_stderr, stdout, visible
from riskseg.domain.problems import USERS_FAULT
from riskseg.domain.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from riskseg.results.journal import (
        Erasure,
        ErasureEntry,
        JournalEntries,
        JournalMove,
        Pruning,
        RunEntry,
    )
    from riskseg.results.replay import Differences, Replay, SinceRun

journal_app = typer.Typer(
    cls=CommandGroup,
    help="List runs and erasures, remove what they keep, move the journal to another place. For "
    "instance `riskseg journal show`.",
    no_args_is_help=True,
)


@guarded
def replay(
    run: Annotated[
        str,
        typer.Argument(
            help="A run's id, the beginning of one, or `last`.",
            autocompletion=completion.names("runs"),
        ),
    ],
    from_source: Annotated[
        bool,
        typer.Option("--from-source", help="Also show what has changed in the sources since."),
    ] = False,
    sql: Sql = None,
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """Decide a journalled run again from what it kept, and compare.

    For instance `riskseg replay last`.
    """
    replayed = present(
        lambda progress: use_cases.replay.replay(
            root(), run, from_source=from_source, progress=progress
        ),
        _replayed,
        plan=use_cases.replay.plan(root(), run, from_source=from_source) if plan else None,
        as_json=as_json,
        quiet=as_json,
    )
    if not replayed.same:
        raise typer.Exit(USERS_FAULT)


def _replayed(replay: Replay) -> None:
    print(
        f"Run {replay.run_id} as of {replay.as_of}: "
        f"{counted(replay.rows, 'account')} decided again."
    )
    if replay.erased:
        pronoun = "it" if replay.erased == 1 else "they"
        erased = counted(replay.erased, "account")
        print(f"{erased} erased since: {pronoun} cannot be decided again.")
    if replay.verdict == "same bytes":
        print(f"The same bytes: sha256 {replay.sha256}.")
    elif replay.verdict == "same rows":
        which_rows = "All other rows are" if replay.erased else "Every row is"
        print(f"{which_rows} the same as in {replay.output}.")
    elif replay.verdict == "not compared":
        print(f"There is nothing to compare with: {replay.why}.")
    else:
        print(f"Not what the journal recorded of {replay.output or 'decisions in memory'}.")
        if replay.why:
            print(f"How they differ cannot be shown: {replay.why}.")
        elif replay.differing is not None and replay.differing.any:
            _differences(replay.differing, replay.rows, "decided differently")
        else:
            print("All rows are the same; only the bytes of the file are not.")
        if replay.riskseg_then != replay.riskseg_now:
            print(f"It was decided by riskseg {replay.riskseg_then}; this is {replay.riskseg_now}.")
    _show_file(replay)
    if replay.since is not None:
        _since(replay.since, replay.rows)


def _show_file(replay: Replay) -> None:
    """What is found where the run wrote its decisions."""
    output_file = replay.file
    if output_file.state == "gone":
        print(f"The file is not there any more: {replay.output}.")
    elif output_file.state == "elsewhere":
        print(f"The file was not read: {replay.output} is in an object store.")
    elif output_file.state == "written over":
        print(f"Run {output_file.by} has since overwritten {replay.output}.")
    elif output_file.state == "altered":
        print(f"The file was altered since the run wrote it: {replay.output}.")
        if output_file.differing is None:
            print("Its rows cannot be compared.")
        elif output_file.differing.any:
            _differences(output_file.differing, replay.rows, "are different in the file")
        else:
            print("Its rows are the same; only its bytes are not.")
    elif output_file.manifest is False:
        print(f"The manifest beside {replay.output} belongs to another run.")


def _differences(differences: Differences, rows: int, differs_how: str) -> None:
    print(f"{differences.rows:,} of {counted(rows, 'account')} {differs_how}.")
    for column, differing_count in sorted(
        differences.columns.items(), key=lambda column_count: (-column_count[1], column_count[0])
    ):
        print(f"  {column}: {differing_count:,}")
    if differences.appeared:
        print(f"{counted(differences.appeared, 'account')} appeared.")
    if differences.vanished:
        print(f"{counted(differences.vanished, 'account')} vanished.")
    if differences.accounts:
        print(f"The first: {visible(', '.join(differences.accounts))}.")


def _since(since: SinceRun, rows: int) -> None:
    print("At the source, as it is now:")
    if since.sources:
        print(f"Changed: {', '.join(since.sources)}.")
    else:
        print("No source has changed.")
    if since.gone:
        print(f"{', '.join(since.gone)} is no longer there, so nothing can be decided.")
    if since.facts is not None and since.decisions is not None:
        if not since.facts.any:
            print("The facts of every account are the same.")
        else:
            _differences(since.facts, rows, "have other facts")
        print(
            f"Decided now by the same strategy and models, {counted(since.decisions.rows, 'row')} "
            f"would be different; {counted(since.moved, 'account')} would be treated differently."
        )


@journal_app.command("show")
@guarded
def journal_show(
    limit: Annotated[
        int | None, typer.Option(min=1, help="How many of the latest to list; all if left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the runs of assign, score and worklist issue, and the accounts erased, the latest first.

    For instance `riskseg journal show --limit 10`.
    """
    present(lambda _: use_cases.retention.listed(root(), limit=limit), _entries, as_json=as_json)


def _entries(entries: JournalEntries) -> None:
    if entries.runs:
        _runs(entries.runs)
    else:
        print("No run is journalled.")
    if entries.erasures:
        _erasures(entries.erasures)
    for move in entries.moves:
        print(f"Moved from {move.source} to {move.target} by {move.by}, {move.at.isoformat()}.")
    if entries.unknown:
        print(f"Kept, but unknown to the journal: {', '.join(entries.unknown)}.")


def _runs(runs: Sequence[RunEntry]) -> None:
    run_columns = (
        "run",
        "command",
        "at",
        "as of",
        "strategy",
        "activated",
        "rows",
        "inputs",
        "written to",
    )
    run_table = table(*run_columns, right=("rows",))
    for run in runs:
        run_table.add_row(
            run.run_id,
            run.command,
            run.at.isoformat(),
            str(run.as_of),
            run.strategy or "",
            ("yes" if run.activated else "no") if run.strategy else "",
            number(run.rows or 0),
            _inputs(run) if run.command == "assign" else "",
            _written_to(run),
        )
    stdout().print(run_table)


def _inputs(run: RunEntry) -> str:
    inputs = "not kept" if not run.kept else "damaged" if run.erased is None else "kept"
    return f"{inputs}, {run.erased} erased" if run.erased else inputs


def _written_to(run: RunEntry) -> str:
    if run.selected_output is not None:
        return f"{run.selected_output} (a part)"
    return run.output or "memory"


def _erasures(erasures: Sequence[ErasureEntry]) -> None:
    """The account is shown by the beginning of its hash, as the journal has no more of it."""
    erasure_table = table("erased account", "at", "by", "from runs", right=("from runs",))
    for erasure in erasures:
        erasure_table.add_row(
            erasure.account[:12], erasure.at.isoformat(), erasure.by, number(len(erasure.runs))
        )
    stdout().print(erasure_table)


@journal_app.command("prune")
@guarded
def journal_prune(
    older_than: Annotated[
        str,
        typer.Option(
            "--older-than", help='Remove those of runs older than this: "90 days", "24 months".'
        ),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be removed.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Remove it without asking.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove the inputs that older runs kept, after asking. The journal's entries stay.

    For instance `riskseg journal prune --older-than "24 months" --dry-run`.
    """
    at = now()
    planned = use_cases.retention.prune(root(), older_than, at=at, dry_run=True)
    if planned.runs and not dry_run and not yes:
        _confirm(planned, as_json=as_json)
    present(
        lambda _: (
            planned
            if dry_run or not planned.runs
            else use_cases.retention.prune(root(), older_than, at=at)
        ),
        lambda pruning: _pruned(pruning, "would be" if dry_run else "are"),
        as_json=as_json,
    )


def _pruned(pruning: Pruning, verb: str) -> None:
    print(
        f"The inputs of {counted(pruning.runs, 'run')} of before {pruning.before.isoformat()} "
        f"{verb} removed; those of {counted(pruning.left, 'run')} {verb} kept."
    )
    if pruning.unknown:
        print(
            f"{counted(len(pruning.unknown), 'kept run')} unknown to the journal, so of no known "
            f"age, left as before: {', '.join(pruning.unknown)}."
        )


def _can_ask() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _confirm(planned: Pruning, *, as_json: bool) -> None:
    """Ask before anything is removed; where nobody can be asked, nothing is."""
    runs = counted(planned.runs, "run")
    if as_json or not _can_ask():
        raise typer.BadParameter(
            f"The inputs of {runs} would be removed, and {'they' if planned.runs > 1 else 'it'} "
            "could not be decided again. Give --yes, or --dry-run to see only."
        )
    typer.confirm(
        f"Remove the inputs of {runs} of before {planned.before.isoformat()}? They cannot be "
        "decided again after that.",
        abort=True,
        err=True,
    )


@journal_app.command("erase")
@guarded
def journal_erase(
    account: Annotated[str, typer.Argument(help="The account's id.")],
    by: Annotated[
        str | None, typer.Option(help="Who asked for it; you if left out.", callback=someone)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take an account out of everything riskseg keeps. What runs wrote elsewhere stays.

    For instance `riskseg journal erase A00000042 --by "data protection"`.
    """
    erasure = present(
        lambda _: use_cases.retention.erase(root(), account, by=user_or(by), at=now()),
        _erased,
        as_json=as_json,
    )
    if erasure.problems:
        raise typer.Exit(USERS_FAULT)


def _erased(erasure: Erasure) -> None:
    searched = f"of {erasure.searched} kept"
    print(f"Erased from the inputs of {counted(len(erasure.runs), 'run')}, {searched}.")
    if erasure.rows:
        print(f"Removed from the quarantine: {counted(erasure.rows, 'bad row')} that named it.")
    if erasure.events:
        print(f"Emptied in the journal: {counted(erasure.events, 'event')} of the account.")
    if erasure.problems:
        places = counted(len(erasure.problems), "place")
        print(f"It may still be in {places}: correct or remove what is named, and erase again.")
        problems_to_stderr(erasure.problems)


@journal_app.command("move")
@guarded
def journal_move(
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="ADDRESS",
            help="The PostgreSQL database, as `url` in [journal] has it, in single quotes: a "
            "password is ${NAME}, from the environment. Or the file: .riskseg/journal.db.",
        ),
    ],
    schema: Annotated[
        str | None,
        typer.Option(
            help="The schema of the database; that of riskseg.toml, or else riskseg, if left out."
        ),
    ] = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Move the journal, with all that it holds, to a database that machines share, or back.

    The place it leaves is marked, and every command refuses it from then on. A move that was
    interrupted is completed by giving it again. riskseg.toml is not changed: what to write there is
    shown.

    For instance `riskseg journal move --to 'postgresql://ann:${PASSWORD}@db/water' --schema water`.
    """
    present(
        lambda progress: use_cases.journal_move.move(
            root(), to, schema=schema, at=now(), by=user_or(by), progress=progress
        ),
        _moved,
        as_json=as_json,
    )


def _moved(move: JournalMove) -> None:
    held = f"{counted(move.entries, 'entry', 'entries')} and {counted(move.events, 'event')}"
    if move.done_before:
        print(f"The journal was moved to {move.target} before: nothing is changed.")
    else:
        print(f"The journal is moved from {move.source} to {move.target}: {held}.")
        print("Its digests are the same in both places. The old one is not used any more.")
    if move.settings_current:
        print("riskseg.toml names the new place already.")
    elif move.settings:
        print(
            f"Write in riskseg.toml, in every workspace that shares it:\n\n{move.settings}", end=""
        )
    else:
        print("Remove the table [journal] from riskseg.toml.")
