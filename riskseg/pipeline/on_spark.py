"""Buckets of accounts that the executors of Apache Spark work on."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from riskseg.domain.problems import Problem, ProblemsError, problem
from riskseg.engine import EngineError, NoMemoryError, TooLargeError
from riskseg.pipeline.buckets import Bucket, BucketLedger, bucket
from riskseg.pipeline.session import Session

if TYPE_CHECKING:
    from riskseg.engine.spark import Spark

Result = TypeVar("Result")

# Ranges of accounts that Spark gets for each piece of work that it can do at a time.
_BUCKETS_A_SLOT = 2
# Rows of all sources that a bucket has on average at most: docs/guide/spark.md has what memory an
# executor needs for them.
ROWS_A_BUCKET = 1_000_000
_BUCKET_MB, _ROW_BYTES = 300, 350

# What an executor may report of the accounts it was given; anything else is a fault of its own.
_Refusal = tuple[Problem, ...] | NoMemoryError | TooLargeError


def spark_at(master: str) -> Spark:
    """Spark, at a master. Raises RS024 where it is not installed, and RS618 where it is not to be
    had."""
    try:
        from riskseg.engine.spark import Spark
    except ImportError as error:
        raise problem(
            "RS024",
            "To work on Spark, pyspark is needed.",
            hint="Install it with: pip install 'riskseg[spark]'; Spark itself needs Java 17.",
        ) from error
    try:
        return Spark(master)
    except EngineError as error:
        raise problem(
            "RS618",
            f"There is no Spark at {master}: {error.reason}",
            hint="Name a master such as local[4] or spark://host:7077, and see that Java 17 is "
            "installed.",
        ) from error


def ranges_for(spark: Spark, session: Session) -> list[tuple[int, int]]:
    """Ranges of accounts, each of which is a bucket, where riskseg.toml does not say how many there
    are. Executors have less memory each than a whole machine, and one that fails loses less."""
    return session.partitions(least_buckets(spark.slots, sum(session.ledger.rows.values())))


def least_buckets(slots: int, rows: int) -> int:
    """How many buckets there are at least, for so many pieces at a time and rows of all sources."""
    return max(_BUCKETS_A_SLOT * slots, -(-rows // ROWS_A_BUCKET))


def most_memory_mb(rows: int) -> int:
    """What the Python of an executor needs at most for a bucket of so many rows, in megabytes,
    beyond what it holds before it has the bucket: measured by bench/buckets.py, and tested."""
    return _BUCKET_MB + rows * _ROW_BYTES // 10**6


def on_spark(
    spark: Spark,
    session: Session,
    ledger: BucketLedger,
    ranges: Sequence[tuple[int, int]],
    work: Callable[[Bucket], Result],
) -> Iterator[Result]:
    """What `work` makes of the bucket of each range of accounts, in their order. Raises what it
    raises, and RS618 where Spark fails."""

    def carry_out(piece: bytes) -> bytes:
        return packed(_result_of(work, unpacked(piece)))

    buckets = (packed(bucket(session.engine, ledger.tables, *accounts)) for accounts in ranges)
    try:
        for piece in spark.each(carry_out, buckets):
            result = unpacked(piece)
            if isinstance(result, tuple):
                raise ProblemsError(result)
            if isinstance(result, Exception):
                raise result
            yield result
    except (NoMemoryError, TooLargeError):
        raise
    except EngineError as error:
        raise problem(
            "RS618",
            f"Spark failed: {error.reason}",
            hint="See the log of its executors. Nothing was written; the same command can be given "
            "again.",
        ) from error


def _result_of(work: Callable[[Bucket], Result], accounts: Bucket) -> Result | _Refusal:
    try:
        return work(accounts)
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
