"""The option --metrics: what a run measured, written to a file for a monitoring system."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskseg import run as use_cases

if TYPE_CHECKING:
    from riskseg.domain.problems import Problem
    from riskseg.run.measuring import Measuring

MetricsFile = Annotated[
    Path | None,
    typer.Option(
        "--metrics",
        help="Write counts, control totals, drift and the seconds of each stage to this file, also "
        "if the command fails: "
        ".json, or .prom or .txt for OpenMetrics text.",
    ),
]


@dataclass
class _Asked:
    """A command that was asked for metrics; `measuring` once it is known that they may be written
    where they are to go."""

    command: str
    place: Path
    measuring: Measuring | None = None


_asked: list[_Asked] = []


def measuring(command: str, root: Callable[[], Path], place: Path | None) -> Measuring | None:
    """What measures a command, where a file is named. Raises RS010 where it cannot be written."""
    _asked.clear()
    if place is None:
        return None
    _asked.append(asked := _Asked(command, place))
    asked.measuring = use_cases.measuring.Measuring(command, root(), place)
    return asked.measuring


def write_failure(exit_code: int, problems: Collection[Problem]) -> None:
    """Write what is known of the command that failed. Where it failed before it was known that the
    file may be written, only a free file and one with metrics are."""
    from riskseg.cli.common import now, root_if_any

    if not _asked:
        return
    asked = _asked.pop()
    measured = asked.measuring
    if measured is None:
        refused = "RS010" in {problem.code for problem in problems}
        if refused or not use_cases.metrics.may_replace(asked.place):
            return
        use_cases.measuring.write_failure(
            asked.command, asked.place, exit_code, problems, root_if_any(), now(), seconds={}
        )
        return
    measured.failed(exit_code, problems, now())
