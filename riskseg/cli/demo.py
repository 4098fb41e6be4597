"""`demo`: the whole job on a generated portfolio, by the steps a person would take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from riskseg.pipeline.stages import Progress, Stage
from riskseg.run import assign as assigning
from riskseg.run import generate as generating
from riskseg.run import init as starters
from riskseg.run import train as training
from riskseg.run.assign import Assigned
from riskseg.run.train import Kept

AS_OF = date(2026, 6, 30)
MONTHS = 24
INIT = Stage("init", "a workspace with the starter strategy household-utility")

TOML = """\
# The demo's workspace: a generated portfolio, in riskseg's own column names.
[workspace]
currency     = "GBP"
scale        = 2
arrears_from = 5.00
strategy     = "rules/household-utility"

[source.accounts]
from = "data/accounts.parquet"

[source.bills]
from = "data/bills.parquet"

[source.payments]
from = "data/payments.parquet"

[source.events]
from = "data/events.parquet"
"""


def plan() -> list[Stage]:
    return [INIT, *generating.plan(), *training.plan(), *assigning.plan()]


@dataclass(frozen=True)
class Shown:
    folder: Path
    models: Sequence[Kept]
    assigned: Assigned


def demo(
    folder: Path, *, accounts: int, seed: int, at: datetime, progress: Progress | None = None
) -> Shown:
    """Generate, train, assign. The workspace stays in `folder`, which must be new."""
    progress = progress or Progress()
    progress.reached(INIT, 0, 1)
    starters.init(folder, toml=TOML)
    generating.generate(
        folder / "data", accounts=accounts, months=MONTHS, seed=seed, until=AS_OF, progress=progress
    )
    kept = training.train(folder, (), at=at, progress=progress)
    assigned = assigning.assign(
        folder, AS_OF, str(folder / "decisions.parquet"), at=at, progress=progress
    )
    return Shown(folder, kept, assigned)
