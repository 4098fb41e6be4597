"""What every command shares: its options, the workspace it works in, the clock, JSON."""

from __future__ import annotations

import getpass
import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from riskseg.cli.progress import end_progress, progress, show_plan
from riskseg.domain.problems import ProblemsError
from riskseg.domain.words import DAYS_AGO, is_one_line

if TYPE_CHECKING:
    from riskseg.pipeline.stages import Plan as Stages
    from riskseg.pipeline.stages import Progress
    from riskseg.results.base import Shown
    from riskseg.run.measuring import Measuring

R = TypeVar("R", bound="Shown")

# How help shows an option that takes a day.
DAY = "<YYYY-MM-DD|today|yesterday>"


# Typer has the default of an option read too, as the value that it is.


def day(given: str | datetime) -> datetime:
    """The day that an option names; refused where it is none."""
    if isinstance(given, datetime):
        return given
    if given in DAYS_AGO:
        return datetime.combine(today() - timedelta(days=DAYS_AGO[given]), time())
    try:
        return datetime.strptime(given, "%Y-%m-%d")
    except ValueError:
        raise typer.BadParameter(
            f'"{given}" is not a day. Write the year, the month and the day, such as 2026-06-30, '
            "or today or yesterday."
        ) from None


def whole_number(first: int, last: int, hint: str) -> Callable[[str | int], int]:
    """What reads the whole number of an option, refused outside its bounds. `hint` says how to cure
    that."""

    def read(given: str | int) -> int:
        text = str(given)
        if text.isascii() and text.isdigit() and first <= int(text) <= last:
            return int(text)
        raise typer.BadParameter(f'"{text}" is not a whole number from {first} to {last}. {hint}')

    return read


AsOf = Annotated[
    datetime, typer.Option("--as-of", parser=day, metavar=DAY, help="The close of this day.")
]
Out = Annotated[
    str,
    typer.Option(
        "--out",
        help="A .parquet, .csv, .csv.gz, .json, .jsonl or .xlsx file, or a database URL with "
        "#table.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="For machines: JSON on stdout.")]
Plan = Annotated[bool, typer.Option("--plan", help="Print the stages and stop.")]

Sql = Annotated[
    Path | None,
    typer.Option(
        "--sql",
        help="Write the statements of the run, with their times, to this .sql or .txt file.",
    ),
]

DUCKDB = "duckdb"
EngineName = Annotated[
    str,
    typer.Option(
        "--engine",
        help="Where accounts are worked on: duckdb, in this process, or the executors of a Spark "
        "master, such as local[4] or spark://host:7077.",
    ),
]


def spark_master(engine: str) -> str | None:
    """The master of Spark that an option names; None for this process."""
    return None if engine == DUCKDB else engine


def one_line(text: str | None) -> str | None:
    """What is journalled to be shown in a table, refused where it is no single line of text."""
    if text and not is_one_line(text):
        raise typer.BadParameter("Write it in one line, without control characters.")
    return text


def someone(by: str | None) -> str | None:
    """Who it was; None where that is left out."""
    if by is not None and not by.strip():
        raise typer.BadParameter("Say who.")
    return one_line(by)


AcceptFeeds = Annotated[
    bool,
    typer.Option(
        "--accept-feeds",
        help="Use sources that are not as [source.TABLE.expect] says; a warning says which.",
    ),
]
Draft = Annotated[
    bool, typer.Option("--draft", help="Use the strategy in the folder, not the version in force.")
]
By = Annotated[
    str | None, typer.Option("--by", help="Who does it; you if left out.", callback=someone)
]
On = Annotated[
    datetime | None,
    typer.Option(
        "--on", parser=day, metavar=DAY, help="The day it is recorded; today if left out."
    ),
]


_workspace: dict[str, Path | None] = {"given": None}


def work_in(folder: Path | None) -> None:
    """Take the folder that -w names, if any, for the workspace."""
    _workspace["given"] = folder


def root() -> Path:
    """The workspace named by -w, or the nearest folder upward that holds riskseg.toml."""
    from riskseg.workspace import find

    folder_given = _workspace["given"]
    return folder_given if folder_given is not None else find(Path.cwd())


def root_if_any(*names: str | None) -> Path | None:
    """The workspace as :func:`root` finds it, else the nearest one upward from a folder among the
    names; None where there is none to be found."""
    from riskseg.workspace import find

    if _workspace["given"] is not None:
        return _workspace["given"]
    folders = (
        Path(strategy_name).resolve()
        for strategy_name in names
        if strategy_name and os.path.isdir(strategy_name)
    )
    for start in (Path.cwd(), *folders):
        with suppress(ProblemsError):
            return find(start)
    return None


def user_or(by: str | None) -> str:
    """Who does it: the one named, or the user of this machine."""
    return by or getpass.getuser()


def today() -> date:
    """The day that it is in the time zone of the workspace, or, where riskseg.toml names none, in
    that of this machine (`TZ`)."""
    from riskseg.workspace import day_of

    return day_of(datetime.now(UTC), root_if_any())


def day_or_today(on: datetime | None) -> date:
    """The day that is given, or today."""
    return today() if on is None else on.date()


def now() -> datetime:
    """The clock is read here and in `api`, and nowhere else."""
    return datetime.now(UTC).replace(microsecond=0)


def present(
    run: Callable[[Progress], R],
    show: Callable[[R], object],
    *,
    as_json: bool,
    plan: Stages | None = None,
    quiet: bool = False,
    metrics: Measuring | None = None,
) -> R:
    """Run a use case and print its result, as JSON or as `show` does; or only the plan, where one
    is given. `quiet` shows no progress; `metrics` has what was measured written to a file."""
    if plan is not None:
        show_plan(plan, as_json=as_json, sources=_planned_sources)
        raise typer.Exit
    shown_progress = progress(quiet=quiet)
    result = run(shown_progress if metrics is None else metrics.over(shown_progress))
    end_progress()
    if metrics is not None:
        metrics.done(result, now())
    if as_json:
        print_json(result)
    else:
        show(result)
    return result


def _planned_sources() -> list[str]:
    from riskseg.run.planned_sources import planned_sources

    with suppress(ProblemsError):  # of a workspace that is not there, where a plan needs none
        return planned_sources(root())
    return []


def print_json(result: Shown) -> None:
    """Print a result as JSON."""
    # Where the encoding lacks a character, JSON has a way to write it of its own.
    encoding = (getattr(sys.stdout, "encoding", None) or "utf-8").lower()
    print(json.dumps(result.as_json(), indent=2, ensure_ascii=not encoding.startswith("utf")))
