"""Apache Spark: pieces of work are sent to its executors, and the result of each is returned.

Spark decides nothing itself. What is done with a piece is the same Python that a run without Spark
carries out, on an engine of its own in each executor. A piece that is lost with its executor, or is
worked on twice because one was slow, is returned once.
"""

from __future__ import annotations

import atexit
import os
import pickle
import re
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import islice

import pyarrow as pa
from py4j.protocol import Py4JError
from pyspark import cloudpickle
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from riskseg.engine.port import EngineError

_RESULT = "number int, result binary"
# Of Spark itself; of its Java, which ran out of memory, for instance; and where that has ended.
FAILURES = (PySparkException, Py4JError, OSError)
_PYTHON_ERROR = re.compile(r"(\w+\.)*\w*(Error|Exception)\b: ")
_NAMED_ERROR = re.compile(r"\[[A-Z][A-Z0-9_.]+\] .*")

# It says so of each pandas that is newer than itself; only Arrow is used here.
warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)


class Spark:
    """A session with the cluster that a master names, such as `local[4]` or `spark://host:7077`;
    without one, that of the settings of Spark. A session that this process has already is used, as
    in a notebook. One that is started here stays until the process ends, since a cluster takes long
    to give another, or until another master is asked for. `slots` is how many pieces are worked on
    at a time. Raises EngineError where there is none, or a session of others with another master.
    """

    def __init__(self, master: str = "") -> None:
        try:
            self.session = _running(master) or _started(master)
        # What the driver's own Java says where a master is wrong or cannot be reached is no error
        # of Spark's Python.
        except Exception as error:
            raise EngineError(reason_of(error)) from error
        context = self.session.sparkContext
        there = str(context.master)
        if master and there != master:
            raise EngineError(f"this process already uses the Spark of {there}")
        # Executors of this very machine have what this process has; those of a cluster have their
        # own Python, with riskseg in it.
        self._modules = list(sys.path) if there.startswith("local") else []
        self.slots = max(context.defaultParallelism, 1)

    def each(self, work: Callable[[bytes], bytes], pieces: Iterable[bytes]) -> Iterator[bytes]:
        """What `work` makes of each piece, in their order. As many pieces as there are slots are at
        work while the next ones are made, and no more are held."""
        left = iter(pieces)
        at_work: Future[list[bytes]] | None = None
        with ThreadPoolExecutor(1) as pool:
            while wave := list(islice(left, self.slots)):
                begun = pool.submit(self._wave, work, wave)
                if at_work is not None:
                    yield from at_work.result()
                at_work = begun
            if at_work is not None:
                yield from at_work.result()

    def _wave(self, work: Callable[[bytes], bytes], pieces: list[bytes]) -> list[bytes]:
        pickled: bytes = cloudpickle.dumps(work)  # type: ignore[no-untyped-call]
        modules = self._modules

        def carry_out(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            sys.path[:0] = [place for place in modules if place not in sys.path]
            work = pickle.loads(pickled)  # noqa: S301  # from our own driver
            for batch in batches:
                for number, piece in zip(batch["number"], batch["piece"], strict=True):
                    result = work(piece.as_py())
                    yield pa.record_batch(
                        {
                            "number": pa.array([number.as_py()], pa.int32()),
                            "result": pa.array([result], pa.binary()),
                        }
                    )

        rows = [(number, bytearray(piece)) for number, piece in enumerate(pieces)]
        try:
            frame = self.session.createDataFrame(rows, "number int, piece binary")
            found = frame.mapInArrow(carry_out, _RESULT).collect()
        except FAILURES as error:
            raise EngineError(reason_of(error)) from error
        by_number = {row["number"]: bytes(row["result"]) for row in found}
        return [by_number[number] for number in range(len(pieces))]


# The sessions that were started here: one at most.
_own: list[SparkSession] = []


def _running(master: str) -> SparkSession | None:
    """The session that this process has, unless it is one of ours that has another master."""
    running = SparkSession.getActiveSession()
    if running is not None and running in _own and master not in ("", running.sparkContext.master):
        _end()
        return None
    return running


def _started(master: str) -> SparkSession:
    builder = (
        SparkSession.builder.appName("riskseg")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
    )
    session = (builder.master(master) if master else builder).getOrCreate()
    # What fails is said by what is raised; executors keep logs of their own.
    context = session.sparkContext
    context.setLogLevel("OFF")
    if str(context.master).startswith("local") and "PYSPARK_PYTHON" not in os.environ:
        context.pythonExec = sys.executable
    _own[:] = [session]
    return session


@atexit.register
def _end() -> None:
    while _own:
        # Its Java may have ended already.
        with suppress(*FAILURES):
            _own.pop().stop()


def reason_of(error: Exception) -> str:
    """The line that says what went wrong: that of the Python error where an executor had one, or
    what Spark has a name for, which stands below the call of Java that failed."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    of_python = [line for line in lines if _PYTHON_ERROR.match(line)]
    named = [found[0] for line in lines if (found := _NAMED_ERROR.search(line))]
    return (of_python or named or lines or [repr(error)])[0]
