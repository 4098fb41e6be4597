"""The option --metrics: what a run measured, written to a file for a monitoring system."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskseg import run as use_cases
from riskseg.domain.problems import ProblemsError
from riskseg.pipeline.stages import Progress, Stage

if TYPE_CHECKING:
    from datetime import datetime

    from riskseg.domain.problems import Problem

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
class Measuring:
    """What a command measures while it runs: the seconds of each stage, by its name."""

    command: str
    root: Path
    place: Path
    seconds: dict[str, float] = field(default_factory=dict)
    _stage: str | None = None
    _since: float = 0.0

    def __post_init__(self) -> None:
        use_cases.metrics.check_place(self.root, self.place)

    def over(self, progress: Progress) -> Progress:
        """The same progress, with the time taken at the start of each stage."""

        def reached(stage: Stage, done: int, total: int) -> None:
            self._ended()
            self._stage = stage.name
            progress.reached(stage, done, total)

        self._since = time.perf_counter()
        return replace(progress, reached=reached)

    def write(self, result: Any, at: datetime) -> None:
        """Write what was measured of the run that gave a result and ended `at`."""
        self._ended()
        measured = use_cases.metrics.metrics_of(
            self.command, result, self.seconds, workspace=str(self.root.resolve()), at=at
        )
        use_cases.metrics.write(measured, self.place)

    def ended(self) -> dict[str, float]:
        """The seconds of the stages, the one that is under way included."""
        self._ended()
        return self.seconds

    def _ended(self) -> None:
        moment = time.perf_counter()
        if self._stage is not None:
            taken = moment - self._since
            self.seconds[self._stage] = self.seconds.get(self._stage, 0.0) + taken
        self._since = moment


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
    asked.measuring = Measuring(command, root(), place)
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
    seconds = {} if measured is None else measured.ended()
    root = root_if_any()
    found = use_cases.metrics.metrics_of_failure(
        asked.command,
        exit_code,
        problems,
        seconds,
        workspace=None if root is None else str(root.resolve()),
        at=now(),
        last_success=use_cases.metrics.last_success(asked.place, asked.command),
    )
    # That the disk is full or the folder gone, the command has said itself.
    with suppress(OSError, ProblemsError):
        use_cases.metrics.write(found, asked.place)
