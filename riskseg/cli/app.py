"""The commands. Each parses its words, makes one call into run/, and shows the result.

A use case is loaded when it is called, so that `riskseg --help` is quick.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

import riskseg
import riskseg.cli.diff
import riskseg.cli.sheets
import riskseg.cli.versions
from riskseg import run as use_cases
from riskseg.cli import account_events, completion
from riskseg.cli.ageing import ageing
from riskseg.cli.common import (
    DAY,
    DUCKDB,
    AcceptFeeds,
    AsJson,
    AsOf,
    Draft,
    EngineName,
    Out,
    Plan,
    Sql,
    day,
    now,
    present,
    root,
    spark_master,
    today,
    work_in,
)
from riskseg.cli.contract import contract
from riskseg.cli.exit_codes import guarded
from riskseg.cli.groups import CommandGroup
from riskseg.cli.init import init
from riskseg.cli.insight import InsightCommand, insight, report
from riskseg.cli.journal import journal_app, replay
from riskseg.cli.metrics import MetricsFile, measuring
from riskseg.cli.models import models_app
from riskseg.cli.progress import be_silent, warn
from riskseg.cli.rehearse import rehearse
from riskseg.cli.selecting import Action, Columns, Due, Segment, selection
from riskseg.cli.show.decisions import show_decisions, show_scores
from riskseg.cli.show.explanation import show_explanation
from riskseg.cli.show.models import show_training
from riskseg.cli.show.workspace import show_check, show_demo, show_facts
from riskseg.cli.strategy import strategy_app
from riskseg.cli.terminal import without_secrets
from riskseg.cli.worklist import worklist_app
from riskseg.domain.problems import USERS_FAULT

if TYPE_CHECKING:
    from riskseg.results.workspace import Portfolio


class _Commands(CommandGroup):
    """All commands, by what a person is about to do. What they say of words that they cannot use
    shows no password."""

    sections: ClassVar = {
        "Begin": ("demo", "init", "check", "features", "contract", "generate"),
        "Learn": ("train", "models", "score"),
        "Decide": ("strategy", "assign", "explain", "rehearse", "replay"),
        "Work every day": ("worklist", "hold", "promise", "plan", "dispute", "note", "history"),
        "Look at what came of it": ("ageing", "insight", "report", "journal"),
    }

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
    "from billing history to a decision for every account. For instance `riskseg demo`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(models_app, name="models")
app.add_typer(strategy_app, name="strategy")
app.add_typer(journal_app, name="journal")
app.add_typer(worklist_app, name="worklist")
app.command("ageing")(ageing)
app.command("contract")(contract)
app.command("init")(init)
app.command("insight", cls=InsightCommand)(insight)
app.command("report")(report)
app.command("replay")(replay)
app.command("history")(account_events.history)
app.command("hold")(account_events.hold)
app.command("promise")(account_events.promise)
app.command("plan")(account_events.plan)
app.command("dispute")(account_events.dispute)
app.command("note")(account_events.note)
app.command("rehearse")(rehearse)


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
        typer.Option(
            "-w",
            "--workspace",
            readable=False,  # what stands in the way is said as of any other file
            help="The folder that holds riskseg.toml.",
        ),
    ] = None,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    work_in(workspace)
    be_silent(False)
    if version:
        print(riskseg.__version__)
        raise typer.Exit


@app.command()
@guarded
def demo(
    accounts: Annotated[int, typer.Option(min=1000, max=10_000_000, help="How many.")] = 20_000,
    folder: Annotated[Path, typer.Option("--dir", help="Where to put it.")] = Path("riskseg-demo"),
    seed: Annotated[
        int, typer.Option(min=0, help="The seed: another one gives another portfolio.")
    ] = 7,
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """The whole job on a generated portfolio: generate, train, assign.

    For instance `riskseg demo --accounts 5000 --dir trial`.
    """
    from riskseg.cli import demo as job

    present(
        lambda progress: job.demo(
            folder, accounts=accounts, seed=seed, at=now(), progress=progress
        ),
        show_demo,
        plan=job.plan() if plan else None,
        as_json=as_json,
    )


_LAST_DAY = datetime(2026, 6, 30)


@app.command()
@guarded
def generate(
    out: Annotated[Path, typer.Option("--out", help="A new or empty folder.")],
    accounts: Annotated[int, typer.Option(min=1, max=100_000_000, help="How many.")] = 20_000,
    months: Annotated[int, typer.Option(min=1, max=240, help="Months of history.")] = 24,
    seed: Annotated[
        int, typer.Option(min=0, help="The seed: another one gives another portfolio.")
    ] = 7,
    until: Annotated[
        datetime,
        typer.Option(
            parser=day,
            metavar=DAY,
            help="The last day of the history.",
            show_default=str(_LAST_DAY.date()),
        ),
    ] = _LAST_DAY,
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """Write a synthetic billing history with its truth, labelled synthetic.

    For instance `riskseg generate --out data --accounts 5000`.
    """

    def show_files(portfolio: Portfolio) -> None:
        for portfolio_file in portfolio.files:
            print(out / portfolio_file)

    present(
        lambda progress: use_cases.generate.generate(
            out, accounts=accounts, months=months, seed=seed, until=until.date(), progress=progress
        ),
        show_files,
        plan=use_cases.generate.plan() if plan else None,
        as_json=as_json,
    )


@app.command()
@guarded
def check(
    reread: Annotated[
        bool,
        typer.Option(
            help="Read sources in databases as a whole, and not only what was added or changed."
        ),
    ] = False,
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """Check the data contract, the specs and the strategy. Writes nothing.

    For instance `riskseg -w collections check`.
    """
    checked = present(
        lambda progress: use_cases.check.check(root(), reread=reread, progress=progress),
        show_check,
        plan=use_cases.check.plan() if plan else None,
        as_json=as_json,
        quiet=as_json,
    )
    if checked.problems:
        raise typer.Exit(USERS_FAULT)


@app.command()
@guarded
def features(as_json: AsJson = False) -> None:
    """List the features of the catalogue and the facts of the data that are available here.

    For instance `riskseg features --json`.
    """
    present(lambda _: use_cases.features.features(root()), show_facts, as_json=as_json)


@app.command()
@guarded
def train(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            help="The models to train; all if left out.",
            autocompletion=completion.names("models"),
        ),
    ] = None,
    only: Annotated[
        str | None, typer.Option(help="One learner of the spec, for instance scorecard.")
    ] = None,
    promote: Annotated[
        bool,
        typer.Option(
            "--promote",
            help="Make it the champion, whether or not it is better than the present one.",
        ),
    ] = False,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            "--as-of",
            parser=day,
            metavar=DAY,
            help="Use only what was known by the close of this day: for back-tests.",
        ),
    ] = None,
    accept_feeds: AcceptFeeds = False,
    engine: EngineName = DUCKDB,
    metrics: MetricsFile = None,
    sql: Sql = None,
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """Learn, calibrate, validate out of time, compare, keep a version.

    The first version of a model becomes the champion, unless it ranks barely better than chance;
    a later one waits for `riskseg models promote`. For instance `riskseg train late_payment`.
    """
    spark = spark_master(engine)
    present(
        lambda progress: use_cases.train.train(
            root(),
            models or (),
            at=now(),
            only=only,
            as_of=as_of.date() if as_of else None,
            promote=promote,
            accept_feeds=accept_feeds,
            spark=spark,
            progress=progress,
        ),
        show_training,
        plan=use_cases.train.plan(root(), models or (), only=only, spark=spark is not None)
        if plan
        else None,
        as_json=as_json,
        metrics=None if plan else measuring("train", root, metrics),
    )


@app.command()
@guarded
def score(
    as_of: AsOf,
    out: Out,
    models: Annotated[
        list[str] | None,
        typer.Argument(
            help="The models to score with; all that are trained if left out.",
            autocompletion=completion.names("models"),
        ),
    ] = None,
    accounts_from: AccountsFrom = None,
    columns: Columns = None,
    accept_feeds: AcceptFeeds = False,
    engine: EngineName = DUCKDB,
    metrics: MetricsFile = None,
    sql: Sql = None,
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """Write a probability for each model and account.

    For instance `riskseg score --as-of 2026-06-30 --out scores.parquet --from new.csv`: a file of
    accounts alone needs no column for the outcome.
    """
    spark = spark_master(engine)
    present(
        lambda progress: use_cases.score.score(
            root(),
            as_of.date(),
            out,
            names=models or (),
            accounts_from=accounts_from,
            accept_feeds=accept_feeds,
            selection=selection(columns),
            spark=spark,
            at=now(),
            progress=progress,
        ),
        show_scores,
        plan=use_cases.score.plan(root(), models or (), spark=spark is not None) if plan else None,
        as_json=as_json,
        metrics=None if plan else measuring("score", root, metrics),
    )


@app.command()
@guarded
def assign(
    as_of: AsOf,
    out: Out,
    due: Due = False,
    action: Action = None,
    segment: Segment = None,
    columns: Columns = None,
    reasons: Annotated[
        Reasons,
        typer.Option(help="Give reasons for accounts with an action due, or for all accounts."),
    ] = Reasons.due,
    keep: Annotated[
        bool, typer.Option("--keep/--no-keep", help="Keep what `riskseg replay` needs.")
    ] = True,
    draft: Draft = False,
    accounts_from: AccountsFrom = None,
    accept_feeds: AcceptFeeds = False,
    engine: EngineName = DUCKDB,
    metrics: MetricsFile = None,
    sql: Sql = None,
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """Decide every account, write the decisions, journal the run.

    Every account is decided and journalled, whatever part of the decisions is written.

    For instance `riskseg assign --as-of yesterday --out decisions.parquet`, or, for people,
    `riskseg assign --as-of yesterday --out calls.xlsx --action call --columns phone`.
    """
    spark = spark_master(engine)
    if as_of.date() > today():
        warn(f"{as_of.date()} has not come yet: what is paid or billed until then is not known.")
    present(
        lambda progress: use_cases.assign.assign(
            root(),
            as_of.date(),
            out,
            at=now(),
            reasons=reasons.value,
            keep=keep,
            draft=draft,
            accounts_from=accounts_from,
            accept_feeds=accept_feeds,
            selection=selection(columns, due=due, actions=action, segments=segment),
            spark=spark,
            progress=progress,
        ),
        show_decisions,
        plan=use_cases.assign.plan(spark=spark is not None) if plan else None,
        as_json=as_json,
        metrics=None if plan else measuring("assign", root, metrics),
    )


@app.command()
@guarded
def explain(
    account: Annotated[str, typer.Argument(help="The account's id.")],
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", parser=day, metavar=DAY, help="The close of this day."),
    ] = None,
    run: Annotated[
        str | None,
        typer.Option(
            "--run",
            help="Explain what this run decided: its id, the beginning of one, or `last`.",
            autocompletion=completion.names("runs"),
        ),
    ] = None,
    fresh: Annotated[
        bool,
        typer.Option(
            "--fresh", help="Decide from the sources as they are now, not as a run decided."
        ),
    ] = False,
    draft: Draft = False,
    sql: Sql = None,
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """Show one account's whole story: the numbers, the rows that matched, guards, reasons.

    If a run decided that date, it is that run's decision, and what has changed since.

    For instance `riskseg explain A00000042 --as-of 2026-06-30`.
    """
    if as_of is None and run is None:
        raise typer.BadParameter("Give --as-of or --run.")
    if run is not None and (fresh or draft):
        raise typer.BadParameter("--run shows what was decided: --fresh and --draft do not.")
    day = as_of.date() if as_of else None
    present(
        lambda progress: use_cases.explain.explain(
            root(), account, day, run=run, fresh=fresh, draft=draft, progress=progress
        ),
        show_explanation,
        plan=use_cases.explain.plan(root(), day, run=run, fresh=fresh, draft=draft)
        if plan
        else None,
        as_json=as_json,
        quiet=True,
    )
