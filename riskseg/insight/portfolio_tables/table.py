"""The port of tables that some questions about segments need beside the decisions of the days."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from riskseg.insight.portfolio import Portfolio
from riskseg.pipeline.events import events_fingerprint
from riskseg.pipeline.kept_rows import kept_rows
from riskseg.pipeline.session import Session
from riskseg.pipeline.stages import Stage


class PortfolioTable(ABC):
    """A table of the engine of a :class:`Portfolio`. An insight names those that it needs, and they
    are made before it is asked, one range of accounts after the other.

    Where the ledger is kept for the next command, so are the rows of the table: the next question
    reads them. They are found again by all that they depend on.
    """

    name: ClassVar[str]
    # What makes it, as `--plan` and progress say.
    stage: ClassVar[Stage]
    # The sources that it is made of, of those that not every workspace has.
    needs: ClassVar[tuple[str, ...]] = ()
    # Whether its rows say what accounts owed, paid or did, by the sources as they are now.
    is_of_accounts: ClassVar[bool] = True
    # Whether it depends on what was decided, and not on the ledger alone.
    reads_decisions: ClassVar[bool] = True

    @abstractmethod
    def rows(self, portfolio: Portfolio, session: Session, first: int, last: int) -> str:
        """Make what the rows of the accounts of a range are read from, and return the select that
        reads them."""

    def add(self, portfolio: Portfolio, session: Session, accounts: tuple[int, int]) -> None:
        """Add the rows of the accounts of a range to the table."""
        engine = portfolio.engine
        made_of = self.made_of(portfolio, accounts)

        def rows() -> str:
            return self.rows(portfolio, session, *accounts)

        with kept_rows(session, self.name, made_of, rows) as select:
            if self.name in portfolio.tables:
                engine.run(f"insert into {self.name} {select}")
            else:
                engine.run(f"create temp table {self.name} as {select}")
        portfolio.tables.add(self.name)

    def made_of(self, portfolio: Portfolio, accounts: tuple[int, int]) -> list[str] | None:
        """What the rows of a range depend on, beside the sources and the definitions of the
        workspace; None where they are not to be kept, since what a day that is decided for an
        answer depends on is not known by a name."""
        as_of = portfolio.as_of
        parts = [f"{as_of}", f"{accounts}", f"{events_fingerprint(portfolio.engine, as_of)}"]
        if self.reads_decisions:
            if any(day.run is None for day in portfolio.days):
                return None
            parts += [f"{day}" for day in portfolio.days]
            parts += [f"{name} {model.version}" for name, model in portfolio.models.items()]
            parts += [portfolio.strategy.fingerprint, *portfolio.facts, *portfolio.cohorts]
        return parts
