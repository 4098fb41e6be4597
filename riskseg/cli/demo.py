"""`demo`: the whole job on a generated portfolio, by the steps a person would take."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

from riskseg.pipeline.stages import Job, Plan, Progress, Stage
from riskseg.results.workspace import Demo
from riskseg.run import assign as assigning
from riskseg.run import generate as generating
from riskseg.run import init as starters
from riskseg.run import train as training

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

[source.instalments]
from = "data/instalments.parquet"
"""


class _Start(Job):
    def __init__(self, folder: Path, progress: Progress | None) -> None:
        super().__init__(progress)
        self.folder = folder

    def init(self) -> None:
        starters.init(self.folder, toml=TOML)


START = [INIT.by(_Start.init)]


def plan() -> Plan:
    """What the steps carry out, one after the other."""
    return [*START, *generating.plan(), *training.stages(), *assigning.plan()]


def demo(
    folder: Path, *, accounts: int, seed: int, at: datetime, progress: Progress | None = None
) -> Demo:
    """Generate, train, assign. The workspace stays in `folder`, which must be new."""
    _Start(folder, progress).carry_out(START)
    generating.generate(
        folder / "data", accounts=accounts, months=MONTHS, seed=seed, until=AS_OF, progress=progress
    )
    trained = training.train(folder, (), at=at, progress=progress)
    assigned = assigning.assign(
        folder, AS_OF, str(folder / "decisions.parquet"), at=at, progress=progress
    )
    return Demo(folder=str(folder), models=tuple(trained), assigned=assigned)
