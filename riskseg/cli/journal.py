"""`riskseg replay` and `riskseg journal …`: what was decided, decided again, and for how long."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from riskseg.cli.common import AsJson, Plan, Sql, now, print_json, root, someone
from riskseg.cli.progress import (
    USERS_FAULT,
    end_progress,
    guarded,
    problems_to_stderr,
    progress,
    show_plan,
    stdout,
    visible,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from riskseg.results.journal import ErasureEntry, Pruning, RunEntry
    from riskseg.results.runs import Differences, Replay, SinceRun

journal_app = typer.Typer(
    help="What was decided, and what is kept to decide it again.", no_args_is_help=True
)


@guarded
def replay(
    run: Annotated[str, typer.Argument(help="A run's id, the beginning of one, or `last`.")],
    from_source: Annotated[
        bool, typer.Option("--from-source", help="Tell what has changed at the source since.")
    ] = False,
    sql: Sql = None,
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """Decide a journalled run again from what it kept, and compare."""
    from riskseg.run import replay as job

    if plan:
        show_plan(job.plan(from_source=from_source), as_json=as_json)
        return
    done = job.replay(root(), run, from_source=from_source, progress=progress(quiet=as_json))
    end_progress()
    if as_json:
        print_json(done)
    else:
        _tell(done)
    if not done.same:
        raise typer.Exit(USERS_FAULT)


def _tell(done: Replay) -> None:
    print(f"Run {done.run_id} as of {done.as_of}: {_count(done.rows, 'account')} decided again.")
    if done.erased:
        they = "it" if done.erased == 1 else "they"
        told = f"{_count(done.erased, 'account')} erased since: {they} cannot be decided again."
        print(told)
    if done.verdict == "same bytes":
        print(f"The same bytes: sha256 {done.sha256}.")
    elif done.verdict == "same rows":
        rest = "All other rows are" if done.erased else "Every row is"
        print(f"{rest} the same as in {done.output}.")
    elif done.verdict == "not compared":
        print(f"There is nothing to compare with: {done.why}.")
    else:
        print(f"Not the same as the journal says of {done.output or 'decisions in memory'}.")
        if done.why:
            print(f"How they differ cannot be told: {done.why}.")
        elif done.differing is not None and done.differing.any:
            _tell_differing(done.differing, done.rows, "decided otherwise")
        else:
            print("All rows are the same; only the bytes of the file are not.")
        if done.riskseg_then != done.riskseg_now:
            print(f"It was decided by riskseg {done.riskseg_then}; this is {done.riskseg_now}.")
    _show_file(done)
    if done.since is not None:
        _tell_since(done.since, done.rows)


def _show_file(done: Replay) -> None:
    """What is found where the run wrote its decisions."""
    file = done.file
    if file.state == "gone":
        print(f"The file is not there any more: {done.output}.")
    elif file.state == "written over":
        print(f"Run {file.by} has written over {done.output} since.")
    elif file.state == "altered":
        print(f"The file was altered since the run wrote it: {done.output}.")
        if file.differing is None:
            print("Its rows cannot be compared.")
        elif file.differing.any:
            _tell_differing(file.differing, done.rows, "stand otherwise in the file")
        else:
            print("Its rows are the same; only its bytes are not.")
    elif file.manifest is False:
        print(f"The manifest beside {done.output} does not tell of this run.")


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _tell_differing(found: Differences, rows: int, what: str) -> None:
    print(f"{found.rows:,} of {_count(rows, 'account')} {what}.")
    for name, count in sorted(found.columns.items(), key=lambda item: (-item[1], item[0])):
        print(f"  {name}: {count:,}")
    if found.appeared:
        print(f"{_count(found.appeared, 'account')} appeared.")
    if found.vanished:
        print(f"{_count(found.vanished, 'account')} vanished.")
    if found.accounts:
        print(f"The first: {visible(', '.join(found.accounts))}.")


def _tell_since(since: SinceRun, rows: int) -> None:
    print("At the source, as it is now:")
    if since.sources:
        print(f"Changed: {', '.join(since.sources)}.")
    else:
        print("No source has changed.")
    if since.gone:
        print(f"It does not give {', '.join(since.gone)} any more, so nothing can be decided.")
    if since.facts is not None and since.decisions is not None:
        if not since.facts.any:
            print("The facts of every account are the same.")
        else:
            _tell_differing(since.facts, rows, "have other facts")
        print(
            f"Decided now by the same strategy and models, {_count(since.decisions.rows, 'row')} "
            f"would read otherwise; {_count(since.moved, 'account')} would be treated otherwise."
        )


@journal_app.command("show")
@guarded
def journal_show(
    limit: Annotated[int | None, typer.Option(min=1, help="The last so many.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the runs that decided accounts, and the accounts erased, the latest first."""
    from riskseg.run.retention import listed

    found = listed(root(), limit=limit)
    if as_json:
        print_json(found)
        return
    if found.runs:
        _tell_runs(found.runs)
    else:
        print("No run is journalled.")
    if found.erasures:
        _tell_erasures(found.erasures)
    if found.unknown:
        print(f"Kept, but unknown to the journal: {', '.join(found.unknown)}.")


def _tell_runs(runs: Sequence[RunEntry]) -> None:
    from riskseg.cli.show import number, table

    columns = ("run", "at", "as of", "strategy", "activated", "rows", "inputs")
    made = table(*columns, right=("rows",))
    for run in runs:
        inputs = "not kept" if not run.kept else "damaged" if run.erased is None else "kept"
        made.add_row(
            run.run_id,
            run.at.isoformat(),
            str(run.as_of),
            run.strategy or "",
            "yes" if run.activated else "no",
            number(run.rows or 0),
            f"{inputs}, {run.erased} erased" if run.erased else inputs,
        )
    stdout().print(made)


def _tell_erasures(erasures: Sequence[ErasureEntry]) -> None:
    """The account is shown by the beginning of its hash, as the journal has no more of it."""
    from riskseg.cli.show import number, table

    made = table("erased account", "at", "by", "from runs", right=("from runs",))
    for one in erasures:
        made.add_row(one.account[:12], one.at.isoformat(), one.by, number(len(one.runs)))
    stdout().print(made)


@journal_app.command("prune")
@guarded
def journal_prune(
    older_than: Annotated[
        str, typer.Option("--older-than", help='Of runs before that: "90 days", "24 months".')
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be removed.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Remove it without asking.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove the inputs that older runs kept, after asking. The journal's entries stay."""
    from riskseg.run.retention import prune

    at = now()
    done = prune(root(), older_than, at=at, dry_run=True)
    if done.runs and not dry_run:
        if not yes:
            _confirm(done, as_json=as_json)
        done = prune(root(), older_than, at=at)
    if as_json:
        print_json(done)
        return
    verb = "would be" if dry_run else "are"
    print(
        f"The inputs of {_count(done.runs, 'run')} of before {done.before.isoformat()} {verb} "
        f"removed; those of {_count(done.left, 'run')} {verb} kept."
    )
    if done.unknown:
        print(
            f"{_count(len(done.unknown), 'kept run')} unknown to the journal, so of no known age, "
            f"left as before: {', '.join(done.unknown)}."
        )


def _can_ask() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _confirm(planned: Pruning, *, as_json: bool) -> None:
    """Ask before anything is removed; where nobody can be asked, nothing is."""
    runs = _count(planned.runs, "run")
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
    """Take an account out of everything riskseg keeps. What runs wrote elsewhere stays."""
    from riskseg.run.retention import erase

    done = erase(root(), account, by=by or getpass.getuser(), at=now())
    if as_json:
        print_json(done)
    else:
        kept = f"of {done.searched} kept"
        print(f"Erased from the inputs of {_count(len(done.runs), 'run')}, {kept}.")
        if done.rows:
            print(f"{_count(done.rows, 'bad row')} that named it left the quarantine.")
        if done.problems:
            left = _count(len(done.problems), "run")
            print(
                f"It may still stand in {left}: correct or remove what is named, and erase again."
            )
            problems_to_stderr(done.problems)
    if done.problems:
        raise typer.Exit(USERS_FAULT)
