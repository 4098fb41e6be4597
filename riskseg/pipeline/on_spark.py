"""Buckets of accounts that the executors of Apache Spark decide."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from riskseg.domain.problems import Problem, ProblemsError, problem
from riskseg.engine import EngineError, NoMemoryError, TooLargeError
from riskseg.pipeline.buckets import Bucket, DecidedBucket, Deciding, bucket, decide_bucket
from riskseg.pipeline.session import Session

if TYPE_CHECKING:
    from riskseg.engine.spark import Spark

# What an executor may report of the accounts it was given; anything else is a fault of its own.
_Refusal = tuple[Problem, ...] | NoMemoryError | TooLargeError


@contextmanager
def spark_at(master: str) -> Iterator[Spark]:
    """Spark, at a master. Raises RS004 where it is not installed, and RS618 where it is not to be
    had."""
    try:
        from riskseg.engine.spark import Spark
    except ImportError as error:
        raise problem(
            "RS004",
            "To decide on Spark, pyspark is needed.",
            hint="Install it with: pip install 'riskseg[spark]'; Spark itself needs Java 17.",
        ) from error
    try:
        spark = Spark(master)
    except EngineError as error:
        raise problem(
            "RS618",
            f"There is no Spark at {master}: {error.reason}",
            hint="Name a master such as local[4] or spark://host:7077, and see that Java 17 is "
            "installed.",
        ) from error
    with spark:
        yield spark


def decided_on_spark(
    spark: Spark, session: Session, given: Deciding, ranges: Sequence[tuple[int, int]]
) -> Iterator[DecidedBucket]:
    """The decisions of ranges of accounts, in their order. Raises what deciding them raises, and
    RS618 where Spark fails."""

    def work(piece: bytes) -> bytes:
        return packed(_decided(given, unpacked(piece)))

    buckets = (
        packed(bucket(session.engine, given.ledger.tables, *accounts)) for accounts in ranges
    )
    try:
        for result in spark.each(work, buckets):
            decided = unpacked(result)
            if isinstance(decided, tuple):
                raise ProblemsError(decided)
            if isinstance(decided, Exception):
                raise decided
            yield decided
    except (NoMemoryError, TooLargeError):
        raise
    except EngineError as error:
        raise problem(
            "RS618",
            f"Spark failed: {error.reason}",
            hint="See the log of its executors. Nothing was written; the same command can be given "
            "again.",
        ) from error


def _decided(given: Deciding, accounts: Bucket) -> DecidedBucket | _Refusal:
    try:
        return decide_bucket(given, accounts)
    except ProblemsError as error:
        return error.problems
    except (NoMemoryError, TooLargeError) as error:
        return error


# What goes over the network is a quarter or less of what it is in memory.
_CODEC, _SIZE_BYTES = "zstd", 8


def packed(sent: object) -> bytes:
    """An object as it goes over the network."""
    content = pickle.dumps(sent)
    size = len(content).to_bytes(_SIZE_BYTES, "little")
    return size + bytes(pa.compress(content, codec=_CODEC, asbytes=True))


def unpacked(received: bytes) -> Any:
    """What our own driver or executor has packed."""
    size = int.from_bytes(received[:_SIZE_BYTES], "little")
    content = pa.decompress(received[_SIZE_BYTES:], size, codec=_CODEC, asbytes=True)
    return pickle.loads(content)  # noqa: S301
