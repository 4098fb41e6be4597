"""The commands of `riskseg models`."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskseg import run as use_cases
from riskseg.cli import completion
from riskseg.cli.common import (
    DAY,
    AcceptFeeds,
    AsJson,
    Plan,
    Sql,
    day,
    now,
    one_line,
    present,
    root,
    someone,
    user_or,
)
from riskseg.cli.exit_codes import guarded
from riskseg.cli.groups import CommandGroup
from riskseg.cli.show.models import (
    show_comparison,
    show_export,
    show_imported_card,
    show_model,
    show_recalibration,
    show_registration,
    show_versions,
)

if TYPE_CHECKING:
    from riskseg.learning.scorecard.imported import Meaning

models_app = typer.Typer(
    cls=CommandGroup,
    help="What is trained, how good it is, which version is the champion. "
    "For instance `riskseg models`.",
)

ModelName = Annotated[
    str, typer.Argument(help="Its name.", autocompletion=completion.names("models"))
]
ModelVersion = Annotated[
    str | None,
    typer.Argument(
        help="The beginning is enough; the champion if left out.",
        autocompletion=completion.versions,
    ),
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
    present(lambda _: use_cases.models.versions(root()), show_versions, as_json=as_json)


@models_app.command("show")
@guarded
def models_show(
    model: ModelName,
    version: ModelVersion = None,
    as_json: AsJson = False,
) -> None:
    """Show what a model is and how good; without a champion, the only version there is.

    For instance `riskseg models show late_payment`.
    """
    present(lambda _: use_cases.models.show(root(), model, version), show_model, as_json=as_json)


@models_app.command("bins")
@guarded
def models_bins(
    model: ModelName,
    feature: Annotated[
        str | None, typer.Argument(help="One feature, bin by bin; all of them if left out.")
    ] = None,
    version: Annotated[
        str | None,
        typer.Option(
            "--version",
            help="The beginning is enough; the champion if left out.",
            autocompletion=completion.versions,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show a scorecard's bins: their evidence and points.

    For instance `riskseg models bins late_payment` or `riskseg models bins late_payment age`.
    """
    from riskseg.cli.show.bins import show_bins

    present(
        lambda _: use_cases.bins.bins(root(), model, version, feature=feature),
        lambda model_bins: show_bins(model_bins, feature),
        as_json=as_json,
    )


@models_app.command("promote")
@guarded
def models_promote(
    model: ModelName,
    version: Annotated[
        str,
        typer.Argument(
            help="One that `riskseg models` lists, or its beginning.",
            autocompletion=completion.versions,
        ),
    ],
    by: Annotated[
        str | None, typer.Option(help="Who decided it; you if left out.", callback=someone)
    ] = None,
    reason: Annotated[str, typer.Option(help="Why.", callback=one_line)] = "",
    as_json: AsJson = False,
) -> None:
    """Make a version the champion.

    For instance `riskseg models promote late_payment 10a31f7caa26 --reason "ranks better"`.
    """
    present(
        lambda _: use_cases.models.promote(
            root(), model, version, at=now(), by=user_or(by), reason=reason
        ),
        print,
        as_json=as_json,
    )


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
    """Take a version that was trained in another workspace.

    For instance `riskseg models register ../test/models/late_payment/10a31f7caa26`.
    """
    present(
        lambda _: use_cases.register.register(
            root(), folder, promote=promote, at=now(), by=user_or(by), reason=reason
        ),
        show_registration,
        as_json=as_json,
    )


@models_app.command("import")
@guarded
def models_import(
    card: Annotated[Path, typer.Argument(help="A CSV file: feature, bins, points.")],
    model: Annotated[
        str,
        typer.Option(
            "--model",
            help="The model that it is a version of.",
            autocompletion=completion.names("models"),
        ),
    ],
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
        typer.Option(
            parser=day, metavar=DAY, help="Compare later accounts with those of this day."
        ),
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
    meaning = _meaning(
        points_at_odds,
        higher_is,
        pdo=pdo,
        factor=factor,
        offset=offset,
        base=base,
        intercept=intercept,
    )
    present(
        lambda progress: use_cases.import_card.import_card(
            root(),
            card,
            model,
            meaning,
            target=target,
            question=question,
            reference_as_of=reference_as_of.date() if reference_as_of else None,
            promote=promote,
            at=now(),
            by=by or "import",
            reason=reason,
            progress=progress,
        ),
        show_imported_card,
        plan=use_cases.import_card.plan(reference=reference_as_of is not None) if plan else None,
        as_json=as_json,
        quiet=as_json,
    )


def _meaning(points_at_odds: str | None, higher_is: HigherIs | None, **given: Any) -> Meaning:
    """What the options say of a card's points."""
    odds = None
    if points_at_odds is not None:
        score_at_odds = re.fullmatch(r"(-?\d+(?:\.\d+)?):(\d+(?:\.\d+)?)", points_at_odds)
        if score_at_odds is None:
            raise typer.BadParameter("Write --pdo 20 --points-at-odds 600:50.")
        odds = float(score_at_odds[1]), float(score_at_odds[2])
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
    """Write the evidence of a version as one page of HTML.

    For instance `riskseg models card late_payment --out card.html`.
    """
    present(lambda _: use_cases.models.card(root(), model, version, out), print, as_json=as_json)


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
        str, typer.Option(help="Of the SQL: duckdb, postgres, snowflake, bigquery or spark.")
    ] = "duckdb",
    as_json: AsJson = False,
) -> None:
    """Write a version as SQL, ONNX or a table of points, checked against riskseg.

    For instance `riskseg models export late_payment --to sql --dialect postgres`.
    """
    present(
        lambda _: use_cases.export.export(root(), model, version, to.value, out, dialect=dialect),
        lambda export: show_export(export, runs=to is not ExportForm.points),
        as_json=as_json,
    )


@models_app.command("compare")
@guarded
def models_compare(
    first: Annotated[
        str,
        typer.Argument(
            help="MODEL (its champion) or MODEL@VERSION.",
            autocompletion=completion.models_with_versions,
        ),
    ],
    second: Annotated[
        str,
        typer.Argument(
            help="The same, for the other.",
            autocompletion=completion.models_with_versions,
        ),
    ],
    cut: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="The probability from which an account is treated."),
    ] = None,
    sql: Sql = None,
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """Compare two versions on accounts that neither was trained on.

    For instance `riskseg models compare late_payment late_payment@10a31f7caa26`.
    """
    present(
        lambda progress: use_cases.compare.compare(
            root(), first, second, cut=cut, progress=progress
        ),
        show_comparison,
        plan=use_cases.compare.plan(root(), first, second) if plan else None,
        as_json=as_json,
        quiet=as_json,
    )


@models_app.command("recalibrate")
@guarded
def models_recalibrate(
    model: ModelName,
    version: ModelVersion = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            parser=day,
            metavar=DAY,
            help="Accounts observed from this day on, less those it learned from; from after its "
            "hold-out if left out.",
        ),
    ] = None,
    slope: Annotated[
        bool, typer.Option("--slope", help="Move the slope too, not the intercept alone.")
    ] = False,
    accept_feeds: AcceptFeeds = False,
    sql: Sql = None,
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """Keep a new version, its probabilities moved to how recent accounts came out.

    For instance `riskseg models recalibrate default --since 2026-01-01`.
    """
    present(
        lambda progress: use_cases.recalibrate.recalibrate(
            root(),
            model,
            version,
            since=since.date() if since else None,
            slope=slope,
            accept_feeds=accept_feeds,
            at=now(),
            progress=progress,
        ),
        show_recalibration,
        plan=use_cases.recalibrate.plan(root(), model, version) if plan else None,
        as_json=as_json,
    )
