"""`riskseg insight`: a question about the segments; `riskseg report`: all of them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core

from riskseg import run as use_cases
from riskseg.cli import completion
from riskseg.cli.common import DAY, AsJson, AsOf, Plan, Sql, day, present, root, whole_number
from riskseg.cli.exit_codes import guarded
from riskseg.cli.show.insights import insight as show_insight
from riskseg.cli.show.insights import report as show_report
from riskseg.pipeline.asked import Asked

Compare = Annotated[
    datetime | None,
    typer.Option(
        "--compare",
        parser=day,
        metavar=DAY,
        help="The earlier day that movement is seen from; that of the run before if left out.",
    ),
]
Months = Annotated[
    int,
    typer.Option(
        "--months",
        parser=whole_number(0, 120, "Past months are decided again for at most ten years."),
        metavar="<0 to 120>",
        help="Also decide the last day of each of this many past months again.",
    ),
]


def _asked(as_of: datetime, compare: datetime | None, months: int) -> Asked:
    return Asked(as_of.date(), None if compare is None else compare.date(), months)


class InsightCommand(typer.core.TyperCommand):
    """Its help lists the questions, which are loaded when it is shown."""

    def format_epilog(self, _ctx: Any, formatter: Any) -> None:
        with formatter.section("Questions"):
            formatter.write_dl(list(use_cases.insight.questions().items()))


@guarded
def insight(
    question: Annotated[
        str,
        typer.Argument(
            autocompletion=completion.questions,
            help="size, profile, movement, arrears, vintages, roll, cures, "
            "collected, promises, plans, "
            "performance, calibration, split, coverage, drift, feeds or fairness.",
        ),
    ],
    as_of: AsOf,
    compare: Compare = None,
    months: Months = 0,
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            help="Where the table goes: a .parquet, .csv, .csv.gz, .json, .jsonl or .xlsx file, "
            "or a database URL with #table.",
        ),
    ] = None,
    sql: Sql = None,
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """Ask a question about the segments: how large they are, who is in them, who moves.

    For instance `riskseg insight movement --as-of 2026-06-30 --compare 2026-05-31`.
    """
    asked = _asked(as_of, compare, months)
    present(
        lambda progress: use_cases.insight.insight(
            root(),
            question,
            asked,
            target=out,
            progress=progress,
        ),
        show_insight,
        plan=use_cases.insight.plan(root(), question) if plan else None,
        as_json=as_json,
    )


@guarded
def report(
    as_of: AsOf,
    compare: Compare = None,
    months: Months = 0,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="An .html page or an .xlsx workbook to write it to."),
    ] = None,
    sql: Sql = None,
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """Answer every question about the segments, on one page with charts or in one workbook.

    For instance `riskseg report --as-of 2026-06-30 --compare 2026-05-31 --out report.html`.
    """
    asked = _asked(as_of, compare, months)
    present(
        lambda progress: use_cases.report.report(
            root(),
            asked,
            out=out,
            progress=progress,
        ),
        show_report,
        plan=use_cases.report.plan(root()) if plan else None,
        as_json=as_json,
    )
