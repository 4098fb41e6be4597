"""A ledger of tests as what insights are asked of, with the tables that they need."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import pairwise
from typing import Any

from riskseg.insight.portfolio import DecidedDay, Portfolio
from riskseg.insight.portfolio_tables import TABLES
from riskseg.pipeline.session import Session
from tests.ledger.loading import Loaded


def portfolio(
    loaded: Loaded, as_of: date, needs: Iterable[str], *, partitions: int = 1
) -> Portfolio:
    """No account of it was decided."""
    subject = Portfolio(
        loaded.engine,
        currency="GBP",
        scale=2,
        sources=frozenset({"bills", "payments"}),
        of=None,
        of_default=False,
        specs={},
    )
    subject.days.append(DecidedDay(as_of, None, "", 0))
    loaded.engine.run(
        "create temp table if not exists decided_days (day date, account_id text, segment text)"
    )
    workspace: Any = None
    session = Session(workspace, loaded.engine, loaded.ledger, loaded.catalogue, loaded.facts)
    accounts = loaded.ledger.accounts
    edges = [accounts * n // partitions for n in range(partitions + 1)]
    for name in needs:
        loaded.engine.run(f"drop table if exists {name}")
        for first, last in pairwise(edges):
            TABLES[name].add(subject, session, (first + 1, last))
    return subject
