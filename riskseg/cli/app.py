"""The commands. Each parses its words, makes one call into run/, and shows the result.

What a command needs is imported when it is called, so that `riskseg --help` is quick.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core

import riskseg
import riskseg.cli.diff
import riskseg.cli.sheets
import riskseg.cli.versions
from riskseg.cli.common import AsJson, AsOf, Out, Plan, Sql, now, print_json, root, work_in
from riskseg.cli.journal import journal_app, replay
from riskseg.cli.models import models_app
from riskseg.cli.progress import (
    USERS_FAULT,
    end_progress,
    guarded,
    problems_to_stderr,
    progress,
    show_plan,
    stdout,
    without_secrets,
)
from riskseg.cli.strategy import strategy_app
from riskseg.domain.words import counted


class _Commands(typer.core.TyperGroup):
    """The commands; what they say of words they cannot use shows no password."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:  # an error of usage has no class of its own in typer
            if isinstance(message := vars(error).get("message"), str):
                vars(error)["message"] = without_secrets(message)
            raise


app = typer.Typer(
    name="riskseg",
    cls=_Commands,
    help="Credit and collections segmentation: "
    "from billing history to a decision for every account.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(models_app, name="models")
app.add_typer(strategy_app, name="strategy")
app.add_typer(journal_app, name="journal")
app.command("replay")(replay)


Draft = Annotated[
    bool, typer.Option("--draft", help="By the folder's strategy, whatever is in force.")
]


AccountsFrom = Annotated[
    Path | None,
    typer.Option(
        "--from",
        help="A file of accounts to read instead of the workspace's own, through its mapping.",
    ),
]


class Reasons(StrEnum):
    due = "due"
    all = "all"
    none = "none"


@app.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    workspace: Annotated[
        Path | None,
        typer.Option("-w", "--workspace", help="The folder that holds riskseg.toml."),
    ] = None,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    work_in(workspace)
    if version:
        print(riskseg.__version__)
        raise typer.Exit


@app.command()
@guarded
def init(
    folder: Annotated[Path, typer.Argument(help="A folder that is no workspace yet.")],
    strategy: Annotated[str, typer.Option(help="The starter strategy.")] = "household-utility",
    as_json: AsJson = False,
) -> None:
    """Make a new workspace with specs and a starter strategy."""
    from riskseg.run.init import init as run

    made = run(folder, strategy)
    if as_json:
        print_json(made)
        return
    for name in made.written:
        print(folder / name)
    print(f"Now point {folder / 'riskseg.toml'} at your data, then: riskseg -w {folder} check")


@app.command()
@guarded
def demo(
    accounts: Annotated[int, typer.Option(min=1000, max=10_000_000, help="How many.")] = 20_000,
    folder: Annotated[Path, typer.Option("--dir", help="Where to put it.")] = Path("riskseg-demo"),
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another portfolio.")] = 7,
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """The whole job on a generated portfolio: generate, train, assign."""
    from riskseg.cli import demo as job

    if plan:
        show_plan(job.plan(), as_json=as_json)
        return
    shown = job.demo(folder, accounts=accounts, seed=seed, at=now(), progress=progress())
    end_progress()
    if as_json:
        print_json(shown)
        return
    from riskseg.cli import show

    console = stdout()
    for one in shown.models:
        show.trained(console, one)
    show.decisions(console, shown.assigned)
    account = _an_account(shown.assigned.place)
    console.print(
        f"\nThe workspace is {folder}. Ask it why: "
        f"riskseg -w {folder} explain {account} --as-of {shown.assigned.as_of}"
    )


def _an_account(place: str) -> str:
    """An account with something due, for the hint at the end of the demo."""
    import pyarrow.parquet as pq

    decided = pq.read_table(place, columns=["account_id", "action", "priority"]).to_pylist()
    due = [d for d in decided if d["action"] != "none"] or decided
    best = max(due, key=lambda d: (d["priority"] or 0, d["account_id"]))
    return str(best["account_id"])


@app.command()
@guarded
def generate(
    out: Annotated[Path, typer.Option("--out", help="A new or empty folder.")],
    accounts: Annotated[int, typer.Option(min=1, max=100_000_000, help="How many.")] = 20_000,
    months: Annotated[int, typer.Option(min=1, max=240, help="Months of history.")] = 24,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another portfolio.")] = 7,
    until: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="The last day of the history.")
    ] = datetime(2026, 6, 30),
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """Write a synthetic billing history with its truth, labelled synthetic."""
    from riskseg.run import generate as job

    if plan:
        show_plan(job.plan(), as_json=as_json)
        return
    done = job.generate(
        out, accounts=accounts, months=months, seed=seed, until=until.date(), progress=progress()
    )
    end_progress()
    if as_json:
        print_json(done)
        return
    for name in done.files:
        print(out / name)


@app.command()
@guarded
def check(plan: Plan = False, as_json: AsJson = False) -> None:
    """Check the data contract, the specs and the strategy. Writes nothing."""
    from riskseg.run import check as job

    if plan:
        show_plan(job.plan(), as_json=as_json)
        return
    done = job.check(root(), progress=progress(quiet=as_json))
    end_progress()
    if as_json:
        print_json(done)
    else:
        from riskseg.cli import show

        for table, count in done.rows.items():
            bad = f", {done.bad[table]:,} of them bad" if table in done.bad else ""
            print(f"{table}: {counted(count, 'row')}{bad}")
        if done.models:
            print(f"models: {', '.join(done.models)}")
        if done.strategy:
            print(f"strategy: {done.strategy}")
        if done.default_values:
            print(show.default_values(done.default_values))
        for note in done.notes:
            print(note)
        if done.problems:
            problems_to_stderr(done.problems)
        else:
            print("No problems.")
    if done.problems:
        raise typer.Exit(USERS_FAULT)


@app.command()
@guarded
def features(as_json: AsJson = False) -> None:
    """List the catalogue, and what of it is available here."""
    from riskseg.run.features import features as run

    listed = run(root())
    if as_json:
        print_json(listed)
        return
    from riskseg.cli import show

    show.features(stdout(), listed)


@app.command()
@guarded
def train(
    models: Annotated[list[str] | None, typer.Argument(help="Which; all if left out.")] = None,
    only: Annotated[
        str | None, typer.Option(help="One learner of the spec, for instance scorecard.")
    ] = None,
    promote: Annotated[
        bool,
        typer.Option("--promote", help="Make it the champion, whatever there is and however good."),
    ] = False,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            "--as-of",
            formats=["%Y-%m-%d"],
            help="Use only what was known by the close of this day: for back-tests.",
        ),
    ] = None,
    sql: Sql = None,
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """Learn, calibrate, validate out of time, compare, keep a version.

    The first version of a model becomes the champion, unless it ranks barely better than chance;
    a later one waits for `riskseg models promote`. For instance `riskseg train late_payment`.
    """
    from riskseg.run import train as job

    if plan:
        show_plan(job.plan(), as_json=as_json)
        return
    kept = job.train(
        root(),
        models or (),
        at=now(),
        only=only,
        as_of=as_of.date() if as_of else None,
        promote=promote,
        progress=progress(),
    )
    end_progress()
    if as_json:
        print_json(kept)
        return
    from riskseg.cli import show

    for one in kept:
        show.trained(stdout(), one)


@app.command()
@guarded
def score(
    as_of: AsOf,
    out: Out,
    models: Annotated[
        list[str] | None, typer.Argument(help="Which; all trained if left out.")
    ] = None,
    accounts_from: AccountsFrom = None,
    sql: Sql = None,
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """Write a probability for each model and account.

    For instance `riskseg score --as-of 2026-06-30 --out scores.parquet --from new.csv`: a file of
    accounts alone needs no column for the outcome.
    """
    from riskseg.run import score as job

    if plan:
        show_plan(job.plan(), as_json=as_json)
        return
    done = job.score(
        root(),
        as_of.date(),
        out,
        names=models or (),
        accounts_from=accounts_from,
        progress=progress(),
    )
    end_progress()
    if as_json:
        print_json(done)
        return
    print(f"{counted(done.rows, 'row' if done.of_bills else 'account')} in {done.place}")
    for name, count in done.scored.items():
        print(f"p_{name}: {count:,} scored by version {done.models[name]}")


@app.command()
@guarded
def assign(
    as_of: AsOf,
    out: Out,
    reasons: Annotated[
        Reasons, typer.Option(help="For accounts with an action due, or all.")
    ] = Reasons.due,
    keep: Annotated[
        bool, typer.Option("--keep/--no-keep", help="Keep what `riskseg replay` needs.")
    ] = True,
    draft: Draft = False,
    accounts_from: AccountsFrom = None,
    sql: Sql = None,
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """Decide every account, write the decisions, journal the run."""
    from riskseg.run import assign as job

    if plan:
        show_plan(job.plan(), as_json=as_json)
        return
    done = job.assign(
        root(),
        as_of.date(),
        out,
        at=now(),
        reasons=reasons.value,
        keep=keep,
        draft=draft,
        accounts_from=accounts_from,
        progress=progress(),
    )
    end_progress()
    if as_json:
        print_json(done)
        return
    from riskseg.cli import show

    show.decisions(stdout(), done)


@app.command()
@guarded
def explain(
    account: Annotated[str, typer.Argument(help="The account's id.")],
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", formats=["%Y-%m-%d"], help="The close of this day."),
    ] = None,
    run: Annotated[
        str | None,
        typer.Option("--run", help="As this run decided: its id, the beginning of one, or `last`."),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="By the sources as they are now, whatever was decided.")
    ] = False,
    draft: Draft = False,
    sql: Sql = None,
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """Show one account's whole story: the numbers, the rows that matched, guards, reasons.

    If a run decided that date, it is that run's decision, and what has changed since.
    """
    from riskseg.run import explain as job

    if as_of is None and run is None:
        raise typer.BadParameter("Give --as-of or --run.")
    if run is not None and (fresh or draft):
        raise typer.BadParameter("--run shows what was decided: --fresh and --draft do not.")
    day = as_of.date() if as_of else None
    if plan:
        stages = job.plan(root(), day, run=run, fresh=fresh, draft=draft)
        show_plan(stages, as_json=as_json)
        return
    story = job.explain(
        root(),
        account,
        day,
        run=run,
        fresh=fresh,
        draft=draft,
        progress=progress(quiet=True),
    )
    if as_json:
        print_json(story)
        return
    from riskseg.cli import show

    show.explanation(stdout(), story)
