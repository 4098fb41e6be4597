"""What a run measures while it goes on, and the file it is written to, however the run ends."""

from __future__ import annotations

import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskseg.domain.problems import ProblemsError
from riskseg.pipeline.stages import Progress, Stage
from riskseg.run.metrics import (
    check_place,
    last_success,
    metrics_of,
    metrics_of_failure,
    write,
)

if TYPE_CHECKING:
    from riskseg.domain.problems import Problem


@dataclass
class Measuring:
    """What a command measures while it runs in the workspace `root`: the seconds of each stage, by
    its name. Raises RS010 where they cannot be written to the file `place`."""

    command: str
    root: Path
    place: Path
    seconds: dict[str, float] = field(default_factory=dict)
    _stage: str | None = None
    _since: float = 0.0

    def __post_init__(self) -> None:
        check_place(self.root, self.place)

    def over(self, progress: Progress) -> Progress:
        """The same progress, with the time taken at the start of each stage."""

        def reached(stage: Stage, done: int, total: int) -> None:
            self._ended()
            self._stage = stage.name
            progress.reached(stage, done, total)

        self._since = time.perf_counter()
        return replace(progress, reached=reached)

    def done(self, result: Any, at: datetime) -> None:
        """Write what was measured of the run that gave a result and ended `at`."""
        self._ended()
        workspace = str(self.root.resolve())
        found = metrics_of(self.command, result, self.seconds, workspace=workspace, at=at)
        write(found, self.place)

    def failed(self, exit_code: int, problems: Collection[Problem], at: datetime) -> None:
        """Write what is known of the run that ended `at` without a result."""
        self._ended()
        write_failure(
            self.command, self.place, exit_code, problems, self.root, at, seconds=self.seconds
        )

    def _ended(self) -> None:
        """Count the stage that is under way up to this moment."""
        moment = time.perf_counter()
        if self._stage is not None:
            taken = moment - self._since
            self.seconds[self._stage] = self.seconds.get(self._stage, 0.0) + taken
        self._since = moment


def write_failure(
    command: str,
    place: Path,
    exit_code: int,
    problems: Collection[Problem],
    root: Path | None,
    at: datetime,
    *,
    seconds: dict[str, float],
) -> None:
    """Write what is known of a command that failed. Where that cannot be written, because the disk
    is full or the folder gone, the command's own Problem says so."""
    found = metrics_of_failure(
        command,
        exit_code,
        problems,
        seconds,
        workspace=None if root is None else str(root.resolve()),
        at=at,
        last_success=last_success(place, command),
    )
    with suppress(OSError, ProblemsError):
        write(found, place)
