"""`generate`: a synthetic billing history with its truth beside it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from riskseg.domain.problems import problem
from riskseg.pipeline.stages import Job, Plan, Progress, Stage
from riskseg.results.workspace import Portfolio

GENERATE = Stage("generate", "households, bills, payments and events, month by month")


class _Generation(Job):
    def __init__(
        self,
        folder: Path,
        *,
        accounts: int,
        months: int,
        seed: int,
        until: date,
        progress: Progress | None,
    ) -> None:
        super().__init__(progress)
        self.folder, self.accounts, self.months = folder, accounts, months
        self.seed, self.until = seed, until

    def generate(self) -> None:
        from riskseg.synthetic import generate as portfolio
        from riskseg.synthetic import write

        self.folder.mkdir(parents=True, exist_ok=True)
        generated = portfolio(
            self.accounts,
            self.months,
            self.seed,
            until=self.until,
            progress=lambda done, total: self.progress.within(done / max(total, 1), ""),
        )
        write(generated, self.folder)


def plan() -> Plan:
    """What `generate` carries out."""
    return [GENERATE.by(_Generation.generate)]


def generate(
    folder: Path,
    *,
    accounts: int,
    months: int,
    seed: int,
    until: date,
    progress: Progress | None = None,
) -> Portfolio:
    """Write the portfolio. Raises RS010 where the folder holds others."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise problem(
            "RS010",
            "There already is something here.",
            file=str(folder),
            hint="Choose a new or empty folder.",
        )
    job = _Generation(
        folder, accounts=accounts, months=months, seed=seed, until=until, progress=progress
    )
    job.carry_out(plan())
    files_there = tuple(sorted(file_there.name for file_there in folder.iterdir()))
    return Portfolio(folder=str(folder), files=files_there)
