"""The port of tables that some questions about segments need beside the decisions of the days."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from riskseg.insight.portfolio import Portfolio
from riskseg.pipeline.session import Session
from riskseg.pipeline.stages import Stage


class PortfolioTable(ABC):
    """A table of the engine of a :class:`Portfolio`. An insight names those that it needs, and they
    are made before it is asked, one range of accounts after the other."""

    name: ClassVar[str]
    # What makes it, as `--plan` and progress say.
    stage: ClassVar[Stage]
    # Whether it is made of bills and payments, which not every workspace has.
    needs_bills: ClassVar[bool] = False

    @abstractmethod
    def rows(self, portfolio: Portfolio, session: Session, first: int, last: int) -> str:
        """Make what the rows of the accounts of a range are read from, and return the select that
        reads them."""

    def add(self, portfolio: Portfolio, session: Session, accounts: tuple[int, int]) -> None:
        """Add the rows of the accounts of a range to the table."""
        select = self.rows(portfolio, session, *accounts)
        into = "insert into" if self.name in portfolio.tables else "create temp table"
        portfolio.engine.run(
            f"{into} {self.name} {'' if self.name in portfolio.tables else 'as'} {select}"
        )
        portfolio.tables.add(self.name)
