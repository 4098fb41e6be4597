"""What `strategy export` gives: a strategy as SQL for a warehouse."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal

import pyarrow as pa

from riskseg.domain.words import counted
from riskseg.results.base import Result, records
from riskseg.results.part import Part
from riskseg.results.runs import Written
from riskseg.results.strategies import StrategyVersion


class ExportedFact(Part):
    """A column of the table of facts that the query reads."""

    column: str
    fact: str
    """What riskseg calls it."""
    type: str
    """Its type in the database."""
    nullable: bool
    """Whether it may be unknown."""
    origin: Literal["account", "model", "treatment", "day"]
    """`account`: of the account's data. `model`: a probability. `treatment`: what was done about
    the account, or what holds it. `day`: of the as-of date."""
    meaning: str


class StrategyExport(Result):
    """A strategy as one query for a database."""

    strategy: str
    version: str
    from_data: bool
    """Whether the facts are those of data, or merely declared."""
    to: str
    """The database that it is written for."""
    dbt: bool
    """Whether it is a dbt package."""
    first_day: date | None
    """The first day on which the rules of the query are in force; null where there is none."""
    last_day: date | None
    table: str
    """The table of facts that the query reads."""
    facts: tuple[ExportedFact, ...]
    columns: tuple[str, ...]
    """The columns that the query gives."""
    days: int
    """The days of which it is written what calendars say."""
    test_accounts: int
    """How many made-up accounts test it."""
    not_reached: tuple[str, ...]
    """The parts of the strategy that none of them reaches."""
    folder: str | None
    files: tuple[str, ...]
    """The files that were written to the folder."""
    sql: str | None
    """The query, where no folder was named."""

    def to_arrow(self) -> pa.Table:
        """A row for each column of the table of facts."""
        columns = dict.fromkeys(("column", "fact", "type"), pa.string())
        columns |= {"nullable": pa.bool_(), "origin": pa.string(), "meaning": pa.string()}
        return records(columns, self.facts)

    def _title(self) -> str:
        place = f": {self.folder}" if self.folder else ""
        read = counted(len(self.facts), "column")
        return f"{self.strategy} {self.version} for {self.to}{place}. It reads {read} of facts."


class FactTable(Written):
    """The table of facts that an exported query reads, of a workspace's accounts as of a day."""

    as_of: date
    strategy: StrategyVersion
    columns: tuple[str, ...]
    models: Mapping[str, str]
    """The model and version that gave each probability."""
    accepted_feeds: tuple[str, ...] = ()
    """What of the sources is not as riskseg.toml expects, and was accepted."""

    def _title(self) -> str:
        return (
            f"The facts of {counted(self.rows, 'account')} as of {self.as_of} for "
            f"{self.strategy.name} {self.strategy.version}: {self.place}."
        )
