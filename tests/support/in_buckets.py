"""The accounts of a ledger in so many buckets, which go through bytes as they do to an executor."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from typing import TypeVar

from riskseg.pipeline.buckets import Bucket, BucketLedger, bucket
from riskseg.pipeline.session import LedgerInEngine, Session

Result = TypeVar("Result")
Sent = TypeVar("Sent")


def ranges(accounts: int, count: int) -> list[tuple[int, int]]:
    """So many ranges of account numbers, or one for each account where there are fewer."""
    count = min(count, accounts)
    return [
        (accounts * number // count + 1, accounts * (number + 1) // count)
        for number in range(count)
    ]


def of_each(
    source: Session | LedgerInEngine,
    given: BucketLedger,
    count: int,
    work: Callable[[Bucket], Result],
) -> Iterator[Result]:
    """What `work` makes of each bucket; its result goes through bytes too."""
    for first, last in ranges(source.ledger.accounts, count):
        yield _through_bytes(work(_through_bytes(bucket(source.engine, given.tables, first, last))))


def _through_bytes(content: Sent) -> Sent:
    received: Sent = pickle.loads(pickle.dumps(content))  # noqa: S301  # made on this line
    return received
