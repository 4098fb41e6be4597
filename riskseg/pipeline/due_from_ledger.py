"""The steps from a ledger to what is due on a day: for a run of `worklist`, and for each of the
buckets that a run has decided elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from riskseg.pipeline.decisions import Decider, DecidingJob, decide_scored
from riskseg.pipeline.facts import ALWAYS, OVERDUE
from riskseg.pipeline.facts_of_day import have_facts, have_scores
from riskseg.pipeline.listing import add_due, decided_for_due
from riskseg.pipeline.session import LedgerInEngine, Session

if TYPE_CHECKING:
    import pyarrow as pa


class DueFromLedger(DecidingJob):
    """A job that adds up in tables what is due of ranges of accounts (see
    :func:`riskseg.pipeline.listing.add_due`). `columns` are attributes of accounts to add."""

    columns: Collection[str] = ()

    def decides(self, ledger: Session | LedgerInEngine, decider: Decider) -> None:
        """Name what is decided, and by what: the first thing to do."""
        self.source, self.engine, self.decider = ledger, ledger.engine, decider

    def facts(self, accounts: tuple[int, int]) -> None:
        by = self.decider
        self._wanted = by.wanted.union(self.columns)
        read = by.read_by_rules.union(ALWAYS, OVERDUE, self.columns)
        have_facts(self.source, self._wanted, by.as_of, accounts, read)

    def score(self, accounts: tuple[int, int]) -> None:
        by = self.decider
        self._scores = have_scores(
            self.source, self._wanted, by.scorers, by.facts, by.as_of, accounts
        )

    def decide(self, accounts: tuple[int, int]) -> Iterator[pa.RecordBatch]:
        due = decided_for_due(self.decider, tuple(self.columns))
        decide_scored(self.engine, self.decider, self._scores, due)
        anew = accounts == self.ranges[0]
        add_due(self.engine, self.decider, columns=tuple(self.columns), anew=anew)
        yield from ()
