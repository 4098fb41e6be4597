"""The steps from a ledger to the decisions of a range of accounts, and what is added up beside
them: for a run, which decides several ranges at a time, and for each of the buckets that executors
decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from riskseg.domain.column_types import ColumnType
from riskseg.pipeline.archive import inputs_select
from riskseg.pipeline.control_totals import Controls
from riskseg.pipeline.decisions import DECIDE, FACTS, SCORE, Decider, DecidingJob, make_facts
from riskseg.pipeline.facts_of_day import keep_facts, keep_scores
from riskseg.pipeline.segment_totals import SegmentTotals
from riskseg.pipeline.selected_decisions import SelectedDecisions
from riskseg.pipeline.session import LedgerInEngine, Session
from riskseg.pipeline.stages import Stage

if TYPE_CHECKING:
    from riskseg.learning.drift import Watch


@dataclass(frozen=True)
class Deciding:
    """What every range of accounts of a run is decided with. `keep` says that what they are decided
    from is asked for too; `selected`, what of the decisions is written, where it is not all."""

    decider: Decider
    keep: bool
    selected: SelectedDecisions | None = None


@dataclass(frozen=True)
class DecidedRange:
    """The decisions of a range of accounts in the order of account ids, and those that are
    `selected`; what they were decided from, where it is kept, and the types of its columns; what
    was added up beside them; and watches of the models that have seen these accounts and no others.
    """

    decisions: pa.Table
    selected: pa.Table | None
    inputs: pa.Table | None
    columns: Mapping[str, ColumnType]
    totals: SegmentTotals
    controls: Mapping[str, int]
    watches: Mapping[str, Watch]


class DecidingRange(DecidingJob):
    """A job that decides one range of accounts from the rows of a ledger, into `decided`."""

    decided: DecidedRange

    def __init__(self, source: Session | LedgerInEngine, given: Deciding) -> None:
        super().__init__(None)
        self.source, self.engine, self.given = source, source.engine, given
        self.decider = given.decider.unwatched()
        self.more = frozenset(given.selected.more if given.selected else ())

    @classmethod
    def stages(cls) -> tuple[Stage, ...]:
        """The stages from a ledger to decisions, each of which takes the range."""
        return FACTS.by(cls.facts), SCORE.by(cls.score), DECIDE.by(cls.collect)

    def facts(self, accounts: tuple[int, int]) -> None:
        # Control totals are added up from the tables that facts are made of: these are made anew.
        as_of, wanted = self.decider.as_of, self.decider.wanted | self.more
        make_facts(self.source, wanted, as_of, *accounts)
        keep_facts(self.source, wanted, as_of, accounts)

    def score(self, accounts: tuple[int, int]) -> None:
        super().score(accounts)
        by = self.decider
        keep_scores(self.source, by.scorers, self._scores, by.as_of, accounts)

    def collect(self, accounts: tuple[int, int]) -> None:
        """Decide the accounts in `facts`, and gather what goes with their decisions."""
        rows = list(self.decide(accounts))
        given, decider, engine = self.given, self.decider, self.engine
        totals = SegmentTotals(decider)
        totals.add(engine)
        ledger, scale = self.source.ledger, self.source.scale
        controls = Controls(engine, ledger, decider.as_of, scale)
        controls.add(accounts)
        inputs, columns = None, dict[str, ColumnType]()
        if given.keep:
            select, columns = inputs_select(engine, self.more - decider.wanted)
            inputs = engine.arrow(select)
        self.decided = DecidedRange(
            pa.Table.from_batches(rows, self.schema),
            given.selected and given.selected.rows(engine, decider),
            inputs,
            columns,
            totals,
            controls.sums,
            decider.watches,
        )
