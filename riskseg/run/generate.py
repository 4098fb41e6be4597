"""`generate`: a synthetic billing history with its truth beside it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from riskseg.domain.problems import problem
from riskseg.pipeline.stages import Progress, Stage

GENERATE = Stage("generate", "households, bills, payments and events, month by month")


def plan() -> list[Stage]:
    return [GENERATE]


def generate(
    folder: Path,
    *,
    accounts: int,
    months: int,
    seed: int,
    until: date,
    progress: Progress | None = None,
) -> list[str]:
    """Write the portfolio; the names of its files. Raises RS010 where the folder holds others."""
    from riskseg.synthetic import generate as portfolio
    from riskseg.synthetic import write

    progress = progress or Progress()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise problem(
            "RS010",
            "There already is something here.",
            file=str(folder),
            hint="Choose a new or empty folder.",
        )

    def tell(done: int, total: int) -> None:
        progress.reached(GENERATE, done, total)

    folder.mkdir(parents=True, exist_ok=True)
    write(portfolio(accounts, months, seed, until=until, progress=tell), folder)
    return sorted(p.name for p in folder.iterdir())
