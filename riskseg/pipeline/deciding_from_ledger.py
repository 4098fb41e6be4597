"""The steps from a ledger to decisions, and what is added up beside them: for a run, and for each
of the buckets that a run has decided elsewhere."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from riskseg.domain.column_types import ColumnType
from riskseg.engine import Batches
from riskseg.pipeline.archive import inputs_select
from riskseg.pipeline.control_totals import Controls
from riskseg.pipeline.decisions import Decider, DecidingJob, make_facts
from riskseg.pipeline.facts_of_day import keep_facts, keep_scores
from riskseg.pipeline.segment_totals import SegmentTotals
from riskseg.pipeline.session import LedgerInEngine, Session

if TYPE_CHECKING:
    import pyarrow as pa


class DecidingFromLedger(DecidingJob):
    """A job that decides ranges of accounts from the rows of a ledger. `totals` and `controls` are
    of all ranges that were decided so far."""

    keep = False
    # Facts that are worked out beside those that deciding needs.
    more: Collection[str] = ()

    def decides(self, ledger: Session | LedgerInEngine, decider: Decider) -> None:
        """Name what is decided, and by what: the first thing to do."""
        self.source, self.engine, self.decider = ledger, ledger.engine, decider
        self.totals = SegmentTotals(decider)
        self.controls = Controls(self.engine, ledger.ledger, decider.as_of, ledger.scale)

    def facts(self, accounts: tuple[int, int]) -> None:
        wanted = self.decider.wanted.union(self.more)
        # Control totals are added up from the tables that facts are made of: these are made anew.
        make_facts(self.source, wanted, self.decider.as_of, *accounts)
        keep_facts(self.source, wanted, self.decider.as_of, accounts)

    def score(self, accounts: tuple[int, int]) -> None:
        super().score(accounts)
        by = self.decider
        keep_scores(self.source, by.scorers, self._scores, by.as_of, accounts)

    def decide(self, accounts: tuple[int, int]) -> Iterator[pa.RecordBatch]:
        """The decisions of the accounts in `facts`; then they are added up, and what they were
        decided from is kept where that is asked for."""
        yield from super().decide(accounts)
        self.totals.add(self.engine)
        self.controls.add(accounts)
        if self.keep:
            select, columns = inputs_select(self.engine, set(self.more) - self.decider.wanted)
            self.keep_inputs(self.engine.batches(select), columns)

    @abstractmethod
    def keep_inputs(self, inputs: Batches, columns: Mapping[str, ColumnType]) -> None:
        """Keep what accounts were decided from, after that of the accounts before them."""
