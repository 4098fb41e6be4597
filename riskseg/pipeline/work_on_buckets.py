"""What is done with a bucket of accounts: its decisions, what is due of it, its probabilities, or
the rows of it that models learn from.

Each is a pure function of the bucket's rows. It carries out the very stages that a run carries out
on its own engine, so that the results are the same, however many buckets there are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from riskseg.pipeline.buckets import Bucket, BucketLedger, column_types, in_engine
from riskseg.pipeline.deciding_from_ledger import DecidedRange, Deciding, DecidingRange
from riskseg.pipeline.decisions import Decider
from riskseg.pipeline.due_from_ledger import DueFromLedger
from riskseg.pipeline.labelled_rows import Drawn, labelled, observe
from riskseg.pipeline.labelling import WantedRows
from riskseg.pipeline.listing import DUE_TABLES
from riskseg.pipeline.scoring_accounts import ScoredPass, Scoring, ScoringPass
from riskseg.pipeline.session import LedgerInEngine
from riskseg.pipeline.stages import ForEach, Stage

if TYPE_CHECKING:
    pass


def decide_bucket(given: Deciding, in_common: BucketLedger, bucket: Bucket) -> DecidedRange:
    """Decide the accounts of a bucket. Raises what deciding them raises."""
    with in_engine(in_common, bucket) as ledger:
        job = DecidingRange(ledger, given)
        _carry_out(job, (bucket.first, bucket.last))
        return job.decided


@dataclass(frozen=True)
class Listing:
    """What every bucket is decided with for a worklist, and the attributes of accounts to add."""

    decider: Decider
    ledger: BucketLedger
    columns: Collection[str]


@dataclass(frozen=True)
class DueOfBucket:
    """The rows that a bucket adds to each table of what is due, and the types of its columns."""

    rows: Mapping[str, pa.Table]
    columns: Mapping[str, Mapping[str, str]]


class _ListingBucket(DueFromLedger):
    """The one range of accounts of a bucket."""

    def __init__(self, ledger: LedgerInEngine, given: Listing, bucket: Bucket) -> None:
        super().__init__(None)
        self.decides(ledger, given.decider.unwatched())
        self.columns, self.ranges = given.columns, [(bucket.first, bucket.last)]

    def collect(self, parts: Iterator[pa.RecordBatch]) -> None:
        for _ in parts:
            pass


def list_bucket(given: Listing, bucket: Bucket) -> DueOfBucket:
    """What is due of the accounts of a bucket. Raises what deciding them raises."""
    with in_engine(given.ledger, bucket) as ledger:
        job = _ListingBucket(ledger, given, bucket)
        job.carry_out([job.deciding(_COLLECT.by(_ListingBucket.collect))])
        engine = ledger.engine
        return DueOfBucket(
            {name: engine.arrow(f"select * from {name}") for name in DUE_TABLES},
            {name: column_types(engine, name) for name in DUE_TABLES},
        )


def score_bucket(scoring: Scoring, in_common: BucketLedger, bucket: Bucket) -> list[ScoredPass]:
    """The passes over the accounts of a bucket. Raises what scoring them raises."""
    scored = []
    with in_engine(in_common, bucket) as ledger:
        for looked_at in scoring.passes([(bucket.first, bucket.last)]):
            job = ScoringPass(ledger, scoring)
            _carry_out(job, looked_at)
            scored.append(job.scored)
    return scored


_COLLECT = Stage("collect", "the rows of the bucket")


@dataclass(frozen=True)
class Observing:
    """What models learn from, of every bucket."""

    wanted: Sequence[WantedRows]
    ledger: BucketLedger


def observe_bucket(given: Observing, bucket: Bucket) -> list[Drawn]:
    """For each model the labelled rows of the accounts of a bucket, no more of them than its sample
    may take."""
    with in_engine(given.ledger, bucket) as ledger:
        observed = observe(ledger, given.wanted, [(bucket.first, bucket.last)])
        return [
            labelled(ledger, wanted, facts)
            for wanted, facts in zip(given.wanted, observed, strict=True)
        ]


def _carry_out(job: DecidingRange | ScoringPass, item: Any) -> None:
    """Carry out the stages of a job of one range."""
    job.carry_out([ForEach("bucket", lambda _: [item], job.stages())])
