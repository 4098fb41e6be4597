"""The commands of `riskseg models`."""

from __future__ import annotations

import getpass
import re
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskseg import run as use_cases
from riskseg.cli.common import AsJson, Plan, Sql, now, one_line, print_json, root, someone
from riskseg.cli.progress import end_progress, guarded, progress, show_plan, stderr, stdout

if TYPE_CHECKING:
    from riskseg.learning.scorecard.imported import Meaning

models_app = typer.Typer(help="What is trained, how good it is, which version is the champion.")

ModelName = Annotated[str, typer.Argument(help="Its name.")]
ModelVersion = Annotated[
    str | None, typer.Argument(help="The beginning is enough; the champion if left out.")
]


class ExportForm(StrEnum):
    sql = "sql"
    onnx = "onnx"
    points = "points.csv"


class HigherIs(StrEnum):
    better = "better"
    riskier = "riskier"


@models_app.callback(invoke_without_command=True)
@guarded
def models(context: typer.Context, as_json: AsJson = False) -> None:
    """List every trained version."""
    if context.invoked_subcommand is not None:
        return
    from riskseg.run.models import versions

    found = versions(root())
    if as_json:
        print_json(found)
        return
    from riskseg.cli.show import table

    made = table("model", "version", "learner", "AUC", "trained", "", right=("AUC",))
    for v in found:
        auc = "–" if v.auc is None else f"{v.auc:.4f}"
        champion = "champion" if v.champion else ""
        champion += "" if v.there else ", its folder is gone"
        made.add_row(v.model, v.version, v.learner, auc, v.at.isoformat(), champion)
    stdout().print(made if found else "No model has been trained here. Run `riskseg train`.")


@models_app.command("show")
@guarded
def models_show(
    model: ModelName,
    version: ModelVersion = None,
    as_json: AsJson = False,
) -> None:
    """Show what a model is and how good; without a champion, the only version there is."""
    from riskseg.run.models import show as run

    told = run(root(), model, version)
    if as_json:
        print_json(told)
        return
    from riskseg.cli import show

    show.model(stdout(), told)


@models_app.command("bins")
@guarded
def models_bins(
    model: ModelName,
    feature: Annotated[
        str | None, typer.Argument(help="One feature, bin by bin; all of them if left out.")
    ] = None,
    version: Annotated[
        str | None,
        typer.Option("--version", help="The beginning is enough; the champion if left out."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show a scorecard's bins: their evidence and points.

    For instance `riskseg models bins late_payment` or `riskseg models bins late_payment age`.
    """
    from riskseg.run.bins import bins

    found = bins(root(), model, version, feature=feature)
    if as_json:
        print_json(found)
        return
    from riskseg.cli import bins as show

    if feature is None:
        show.overview(stdout(), found)
    else:
        show.detail(stdout(), found, feature)


@models_app.command("promote")
@guarded
def models_promote(
    model: Annotated[str, typer.Argument(help="Its name.")],
    version: Annotated[
        str, typer.Argument(help="One that `riskseg models` lists, or its beginning.")
    ],
    by: Annotated[
        str | None, typer.Option(help="Who decided it; you if left out.", callback=someone)
    ] = None,
    reason: Annotated[str, typer.Option(help="Why.", callback=one_line)] = "",
    as_json: AsJson = False,
) -> None:
    """Make a version the champion."""
    from riskseg.run.models import promote

    done = promote(root(), model, version, at=now(), by=by or getpass.getuser(), reason=reason)
    if as_json:
        print_json(done)
        return
    print(f"{done.model} {done.version} is the champion now.")


@models_app.command("register")
@guarded
def models_register(
    folder: Annotated[Path, typer.Argument(help="A version's folder, with its manifest.json.")],
    promote: Annotated[bool, typer.Option("--promote", help="Make it the champion.")] = False,
    by: Annotated[
        str | None, typer.Option(help="Who decided it; you if left out.", callback=someone)
    ] = None,
    reason: Annotated[str, typer.Option(help="Why.", callback=one_line)] = "",
    as_json: AsJson = False,
) -> None:
    """Take a version that was trained in another workspace."""
    from riskseg.run.register import register

    done = register(
        root(), folder, promote=promote, at=now(), by=by or getpass.getuser(), reason=reason
    )
    if as_json:
        print_json(done)
        return
    for note in done.notes:
        stderr().print(note, markup=False)
    champion = "; it is the champion" if done.champion else ""
    print(f"{done.model} {done.version} is in {done.place}{champion}.")


@models_app.command("import")
@guarded
def models_import(
    card: Annotated[Path, typer.Argument(help="A CSV file: feature, bins, points.")],
    model: Annotated[str, typer.Option("--model", help="The model that it is a version of.")],
    pdo: Annotated[float | None, typer.Option(min=0, help="Points that double the odds.")] = None,
    points_at_odds: Annotated[
        str | None,
        typer.Option(metavar="SCORE:ODDS", help="As in 600:50, odds of good to bad."),
    ] = None,
    factor: Annotated[
        float | None,
        typer.Option(min=0, help="In place of --pdo: score = offset + factor·ln(odds)."),
    ] = None,
    offset: Annotated[float | None, typer.Option(help="The score at even odds.")] = None,
    base: Annotated[
        float | None, typer.Option(help="Points everyone begins with, where no row says so.")
    ] = None,
    intercept: Annotated[
        float | None, typer.Option(help="Of a table of weights of evidence: its log-odds.")
    ] = None,
    higher_is: Annotated[
        HigherIs | None,
        typer.Option(help="What more of it means: better for points, riskier for log-odds."),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(help="What it predicts, where there is no spec: late, default, column:NAME."),
    ] = None,
    question: Annotated[str, typer.Option(help="The same in words.", callback=one_line)] = "",
    reference_as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Compare later accounts with those of this day."),
    ] = None,
    promote: Annotated[bool, typer.Option("--promote", help="Make it the champion.")] = False,
    by: Annotated[
        str | None, typer.Option(help="Who decided it; you if left out.", callback=someone)
    ] = None,
    reason: Annotated[str, typer.Option(help="Why.", callback=one_line)] = "",
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """Take a scorecard that was made elsewhere, from a CSV file.

    For instance `riskseg models import card.csv --model default --pdo 20 --points-at-odds 600:50`.
    """
    from riskseg.run import import_card as job

    if plan:
        show_plan(job.plan(reference=reference_as_of is not None), as_json=as_json)
        return
    done = job.import_card(
        root(),
        card,
        model,
        _meaning(
            points_at_odds,
            higher_is,
            pdo=pdo,
            factor=factor,
            offset=offset,
            base=base,
            intercept=intercept,
        ),
        target=target,
        question=question,
        reference_as_of=reference_as_of.date() if reference_as_of else None,
        promote=promote,
        at=now(),
        by=by or "import",
        reason=reason,
        progress=progress(quiet=as_json),
    )
    end_progress()
    if as_json:
        print_json(done)
        return
    for note in done.notes:
        stderr().print(f"Note: {note}", markup=False)
    if done.spec:
        print(f"Wrote {done.spec}.")
    state = "; it is the champion" if done.champion else ""
    print(f"{done.model} {done.version}: {done.features} features{state}.")


def _meaning(points_at_odds: str | None, higher_is: HigherIs | None, **given: Any) -> Meaning:
    """What the options say of a card's points."""
    odds = None
    if points_at_odds is not None:
        match = re.fullmatch(r"(-?\d+(?:\.\d+)?):(\d+(?:\.\d+)?)", points_at_odds)
        if match is None:
            raise typer.BadParameter("Write --pdo 20 --points-at-odds 600:50.")
        odds = float(match[1]), float(match[2])
    riskier = None if higher_is is None else higher_is is HigherIs.riskier
    try:
        return use_cases.import_card.meaning_of_points(
            points_at_odds=odds, riskier=riskier, **given
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


@models_app.command("card")
@guarded
def models_card(
    model: ModelName,
    out: Annotated[Path, typer.Option("--out", help="The page to write, an .html file.")],
    version: ModelVersion = None,
    as_json: AsJson = False,
) -> None:
    """Write the evidence of a version as one page of HTML."""
    from riskseg.run.models import card

    written = card(root(), model, version, out)
    if as_json:
        print_json(written)
        return
    print(f"{written.model} {written.version}: {written.place}")


@models_app.command("export")
@guarded
def models_export(
    model: ModelName,
    to: Annotated[ExportForm, typer.Option("--to", help="What the other system takes.")],
    version: ModelVersion = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="The file; MODEL.sql and the like if left out.")
    ] = None,
    dialect: Annotated[
        str, typer.Option(help="Of the SQL: duckdb, postgres, spark or snowflake.")
    ] = "duckdb",
    as_json: AsJson = False,
) -> None:
    """Write a version as SQL, ONNX or a table of points, checked against riskseg."""
    from riskseg.run.export import export

    done = export(root(), model, version, to.value, out, dialect=dialect)
    if as_json:
        print_json(done)
        return
    print(f"{done.model} {done.version}: {done.place}")
    if to is ExportForm.points:
        print("The bins and points are those of the version; there is nothing to run.")
    elif done.rows is None:
        print("It was not run here, and so not checked against riskseg.")
    else:
        print(
            f"{done.rows:,} made-up accounts scored both ways: "
            f"probabilities differ by {done.difference:.2g} at most."
        )


@models_app.command("compare")
@guarded
def models_compare(
    first: Annotated[str, typer.Argument(help="MODEL (its champion) or MODEL@VERSION.")],
    second: Annotated[str, typer.Argument(help="The same, for the other.")],
    cut: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="The probability from which an account is treated."),
    ] = None,
    sql: Sql = None,
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """Compare two versions on accounts that neither was trained on."""
    from riskseg.run import compare as job

    if plan:
        show_plan(job.plan(), as_json=as_json)
        return
    told = job.compare(root(), first, second, cut=cut, progress=progress(quiet=as_json))
    end_progress()
    if as_json:
        print_json(told)
        return
    from riskseg.cli import show

    show.comparison(stdout(), told)


@models_app.command("recalibrate")
@guarded
def models_recalibrate(
    model: ModelName,
    version: ModelVersion = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="Accounts observed from this day on, less those it learned from; from after its "
            "hold-out if left out.",
        ),
    ] = None,
    slope: Annotated[
        bool, typer.Option("--slope", help="Move the slope too, not the intercept alone.")
    ] = False,
    sql: Sql = None,
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """Keep a new version, its probabilities moved to how recent accounts came out."""
    from riskseg.run import recalibrate as job

    if plan:
        show_plan(job.plan(), as_json=as_json)
        return
    done = job.recalibrate(
        root(),
        model,
        version,
        since=since.date() if since else None,
        slope=slope,
        at=now(),
        progress=progress(),
    )
    end_progress()
    if as_json:
        print_json(done)
        return
    from riskseg.cli import show

    show.recalibrated(stdout(), done)
