"""What Spark's executors work out: the bytes of a run without it, its manifest and its journal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from riskseg.domain.problems import ProblemsError
from riskseg.engine import EngineError
from riskseg.learning.frame import TrainingFrame
from riskseg.pipeline.buckets import BucketLedger, bucket_ledger
from riskseg.pipeline.selection import Selection
from riskseg.pipeline.session import Session
from riskseg.run.assign import assign
from riskseg.run.replay import replay
from riskseg.run.score import score
from riskseg.run.train import _Training, train
from riskseg.run.worklist import worklist
from tests.support import portfolio as p
from tests.support import spark as installed
from tests.support.sampled import only
from tests.support.training_frames import assert_same

if TYPE_CHECKING:
    from riskseg.engine.spark import Spark

Copy = Callable[[Path], Path]
pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas")

# How long a slow executor sleeps.
SLOW_SECONDS = 300
# Two threads, and a piece may fail three times.
MASTER = "local[2, 3]"


@pytest.fixture(scope="module")
def spark() -> Spark:
    """Spark that this process has already: to start it takes seconds."""
    installed.required()
    from riskseg.engine.spark import Spark

    return Spark(MASTER)


def run_of(workspace: Path, master: str | None) -> tuple[bytes, dict[str, object]]:
    place = workspace / "out.parquet"
    assign(workspace, p.AS_OF, str(place), at=p.AT, reasons="all", spark=master)
    return place.read_bytes(), json.loads(Path(f"{place}.manifest.json").read_text())


def divide(workspace: Path, count: int) -> None:
    """Have the accounts worked on in so many buckets."""
    p.replace(workspace, "riskseg.toml", "threads = 1\n", f"threads = 1\npartitions = {count}\n")


@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize("count", only(3, [1, 8, 64]))
def test_the_same_run_to_the_byte(trained: Path, copy_of: Copy, count: int) -> None:
    workspace = copy_of(trained)
    here = run_of(workspace, None)
    divide(workspace, count)
    assert run_of(workspace, MASTER) == here
    done = replay(workspace, "last")
    assert done.verdict == "same bytes"


@pytest.mark.slow
@pytest.mark.usefixtures("spark")
def test_the_same_run_of_20_000_accounts(tmp_path: Path) -> None:
    workspace = p.make(tmp_path / "w", accounts=20_000)
    train(workspace, (), at=p.AT)
    assert run_of(workspace, MASTER) == run_of(workspace, None)


@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize("count", only(3, [1, 8, 64]))
def test_the_same_probabilities_to_the_byte(trained: Path, copy_of: Copy, count: int) -> None:
    workspace = copy_of(trained)
    place = workspace / "scores.parquet"
    here = score(workspace, p.AS_OF, str(place))
    expected = place.read_bytes()
    divide(workspace, count)
    assert score(workspace, p.AS_OF, str(place), spark=MASTER) == here
    assert place.read_bytes() == expected


@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize("count", only(3, [1, 8, 64]))
def test_the_same_worklist_to_the_byte(trained: Path, copy_of: Copy, count: int) -> None:
    workspace = copy_of(trained)
    place, capacity = workspace / "list.parquet", {"call": 2}
    here = worklist(workspace, p.AS_OF, str(place), capacity=capacity)
    expected = place.read_bytes()
    assert here.rows > 10
    divide(workspace, count)
    found = worklist(workspace, p.AS_OF, str(place), capacity=capacity, spark=MASTER)
    assert found == here
    assert place.read_bytes() == expected


@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize("count", only(3, [1, 8, 64]))
def test_the_same_rows_to_learn_from(
    sound: Path, copy_of: Copy, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames: list[TrainingFrame] = []
    monkeypatch.setattr(_Training, "learn", lambda _job, model: frames.append(model.frame))
    monkeypatch.setattr(_Training, "keep", lambda _job, _model: None)
    workspace = copy_of(sound)
    train(workspace, (), at=p.AT)
    divide(workspace, count)
    train(workspace, (), at=p.AT, spark=MASTER)
    here, on_spark = frames[:2], frames[2:]
    assert len(here) == len(on_spark) == 2
    for expected, found in zip(here, on_spark, strict=True):
        assert_same(found, expected)


@pytest.mark.slow
@pytest.mark.usefixtures("spark")
def test_the_same_versions_of_models(trained: Path, sound: Path, copy_of: Copy) -> None:
    workspace = copy_of(sound)
    divide(workspace, 8)
    train(workspace, (), at=p.AT, spark=MASTER)
    files = {file.relative_to(trained) for file in (trained / "models").rglob("*.*")}
    assert len(files) > 10
    for file in files:
        assert (workspace / file).read_bytes() == (trained / file).read_bytes(), file


# Work that is defined in a test goes to executors as it is: they import nothing for it.


def test_a_piece_that_is_lost_is_done_again_and_counts_once(spark: Spark) -> None:
    def killed_at_first(piece: bytes) -> bytes:
        from pyspark import TaskContext

        context = TaskContext.get()
        assert context is not None
        if context.attemptNumber() == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return piece * 2

    pieces = [b"a", b"b", b"c"]
    assert spark.slots == 2
    assert list(spark.each(killed_at_first, pieces)) == [b"aa", b"bb", b"cc"]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="Linux names child processes")
def test_a_slow_executor_and_one_that_is_killed_lose_and_double_nothing(
    trained: Path, copy_of: Copy
) -> None:
    """On a cluster of two workers: Spark starts a slow task a second time and takes what is done
    first; and an executor is killed while it decides, without a change in a byte."""
    installed.required()
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.spark_cluster", str(copy_of(trained))],
        check=True,
        capture_output=True,
        text=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["slow"] == ["a1", "b0"]
    assert found["seconds"] < SLOW_SECONDS
    assert found["decided"] == 6
    assert found["killed"] == found["here"]


def test_work_that_fails_each_time_is_an_error_that_says_why(spark: Spark) -> None:
    def fails(_piece: bytes) -> bytes:
        raise ValueError("no room")

    with pytest.raises(EngineError, match="no room"):
        list(spark.each(fails, [b"a"]))


def test_spark_that_others_started_is_used_and_left(
    spark: Spark, monkeypatch: pytest.MonkeyPatch
) -> None:
    from riskseg.engine.spark import Spark

    monkeypatch.setattr("riskseg.engine.spark._own", [])
    assert list(Spark(MASTER).each(bytes.upper, [b"a"])) == [b"A"]
    assert list(spark.each(bytes.upper, [b"b"])) == [b"B"]
    with pytest.raises(EngineError, match=r"already uses the Spark of local\[2, 3\]"):
        Spark("local[1]")


@pytest.mark.usefixtures("spark")
def test_a_bucket_that_needs_more_memory_than_there_is(
    trained: Path, copy_of: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_little(loaded: Session) -> BucketLedger:
        return replace(bucket_ledger(loaded), memory="1MB")

    monkeypatch.setattr("riskseg.run.assign.bucket_ledger", with_little)
    workspace = copy_of(trained)
    with pytest.raises(ProblemsError, match="more memory than its limit") as raised:
        run_of(workspace, MASTER)
    assert [problem.code for problem in raised.value.problems] == ["RS615"]
    assert not (workspace / "out.parquet").exists()


def test_no_such_master_is_a_problem(trained: Path, copy_of: Copy) -> None:
    installed.required()
    workspace = copy_of(trained)
    with pytest.raises(ProblemsError, match="There is no Spark at nonsense") as raised:
        run_of(workspace, "nonsense")
    assert [problem.code for problem in raised.value.problems] == ["RS618"]
    assert not (workspace / "out.parquet").exists()


@pytest.mark.usefixtures("spark")
def test_the_same_part_of_the_decisions(trained: Path, copy_of: Copy) -> None:
    workspace = copy_of(trained)
    divide(workspace, 3)
    place = workspace / "due.parquet"
    selection = Selection(columns=("bills_12m",), due=True)
    here = assign(workspace, p.AS_OF, str(place), at=p.AT, selection=selection)
    expected = place.read_bytes()
    assert here.selection is not None
    assert 10 < here.selection.rows < here.rows
    found = assign(workspace, p.AS_OF, str(place), at=p.AT, selection=selection, spark=MASTER)
    assert found == here
    assert place.read_bytes() == expected
