"""Decisions of Spark's executors: the bytes, the manifest and the journal of a run without it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from riskseg.domain.problems import ProblemsError
from riskseg.engine import EngineError
from riskseg.run.assign import assign
from riskseg.run.replay import replay
from tests.support import portfolio as p
from tests.support import spark as installed

Copy = Callable[[Path], Path]


@pytest.fixture(autouse=True)
def _installed() -> None:
    installed.required()


def run_of(workspace: Path, master: str | None) -> tuple[bytes, dict[str, object]]:
    place = workspace / "out.parquet"
    assign(workspace, p.AS_OF, str(place), at=p.AT, reasons="all", spark=master)
    return place.read_bytes(), json.loads(Path(f"{place}.manifest.json").read_text())


def test_the_same_run_to_the_byte(trained: Path, copy_of: Copy) -> None:
    workspace = copy_of(trained)
    here = run_of(workspace, None)
    assert run_of(workspace, "local[2]") == here
    done = replay(workspace, "last")
    assert done.verdict == "same bytes"


def fails_once(pieces: Iterable[bytes]) -> Callable[[bytes], bytes]:
    """Work that fails the first time that each piece is tried."""

    def work(piece: bytes) -> bytes:
        from pyspark import TaskContext

        context = TaskContext.get()
        assert context is not None
        if context.attemptNumber() == 0:
            raise RuntimeError("the executor is lost")
        return piece * 2

    return work


def test_a_piece_that_is_lost_is_done_again_and_counts_once() -> None:
    from riskseg.engine.spark import Spark

    pieces = [bytes([number]) for number in range(5)]
    with Spark("local[2, 3]") as spark:
        assert spark.slots == 2
        found = list(spark.each(fails_once(pieces), pieces))
    assert found == [piece * 2 for piece in pieces]
    with Spark("local[2]") as spark, pytest.raises(EngineError, match="the executor is lost"):
        list(spark.each(fails_once(pieces), pieces))


def test_no_such_master_is_a_problem(trained: Path, copy_of: Copy) -> None:
    workspace = copy_of(trained)
    with pytest.raises(ProblemsError, match="There is no Spark at nonsense") as raised:
        run_of(workspace, "nonsense")
    assert [problem.code for problem in raised.value.problems] == ["RS618"]
    assert not (workspace / "out.parquet").exists()
