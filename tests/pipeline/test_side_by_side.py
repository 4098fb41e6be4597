"""Stages of several items, carried out at a time in threads of their own."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pytest

from riskseg.engine import DuckDB, EngineError
from riskseg.pipeline.stages import ForEach, Job, Progress, SideBySide, Stage

FIRST, SECOND = Stage("first", "the first of each item"), Stage("second", "the second of each")
INTO = Stage("into", "all of them")
# Longer than any of these tests takes, where nothing is amiss.
PATIENCE_SECONDS = 20


class OfItem(Job):
    """The job of one item, which works out its square, unless it is to fail."""

    def __init__(self, whole: Whole) -> None:
        super().__init__(None)
        self.whole, self.stopped = whole, threading.Event()
        self.opened.callback(whole.closed.append, self)
        self.interrupt = self.stopped.set

    def first(self, item: int) -> None:
        self.number = item
        self.whole.threads.append(threading.get_ident())
        if item in self.whole.together:
            self.whole.barrier.wait(PATIENCE_SECONDS)

    def second(self, item: int) -> None:
        time.sleep(self.whole.seconds.get(item, 0))
        if item in self.whole.failing:
            raise ValueError(f"item {item}")
        if item in self.whole.endless:
            assert self.stopped.wait(PATIENCE_SECONDS)
            self.whole.interrupted.append(item)
            raise InterruptedError
        self.square = item * item


@dataclass
class Whole(Job):
    """The job of all items; what happens to it is noted."""

    items: Sequence[int]
    most: int = 2
    together: Sequence[int] = ()
    failing: Sequence[int] = ()
    endless: Sequence[int] = ()
    seconds: dict[int, float] = field(default_factory=dict)
    take_fails: bool = False

    def __post_init__(self) -> None:
        self.reached: list[tuple[str, int, int, int]] = []
        super().__init__(Progress(self._reach))
        self.barrier = threading.Barrier(2)
        self.closed: list[OfItem] = []
        self.threads: list[int] = []
        self.interrupted: list[int] = []
        self.most_open, self.made, self.squares = 0, 0, list[int]()

    def _reach(self, stage: Stage, done: int, total: int) -> None:
        self.reached.append((stage.name, done, total, threading.get_ident()))

    def of_item(self, _item: int, at_a_time: int) -> OfItem:
        self.made += 1
        self.most_open = max(self.most_open, self.made - len(self.squares))
        assert at_a_time == max(1, min(self.most, len(self.items)))
        return OfItem(self)

    def take(self, job: OfItem) -> Iterator[int]:
        if self.take_fails:
            raise OSError("the disk is full")
        assert job in self.closed
        yield job.square

    def into(self, squares: Iterator[int]) -> None:
        self.squares.extend(squares)

    def worked(self) -> list[int]:
        how = SideBySide(lambda job: job.most, Whole.of_item, Whole.take)
        stages = FIRST.by(OfItem.first), SECOND.by(OfItem.second)
        into = INTO.by(Whole.into)
        self.carry_out(
            [ForEach("item", lambda job: job.items, stages, into=into, side_by_side=how)]
        )
        return self.squares


@pytest.mark.parametrize("most", [0, 1, 2, 3, 9])
@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_results_come_in_the_order_of_the_items(most: int, count: int) -> None:
    whole = Whole(range(count), most, seconds={0: 0.02, 3: 0.02})
    assert whole.worked() == [number * number for number in range(count)]
    assert len(whole.closed) == count


def test_two_items_are_worked_on_at_a_time() -> None:
    # Each of the two waits for the other: one after the other, neither would end.
    whole = Whole([1, 2, 3], together=[1, 2])
    assert whole.worked() == [1, 4, 9]
    assert threading.get_ident() not in whole.threads


def test_progress_is_reported_in_the_thread_that_carries_out_the_plan() -> None:
    whole = Whole([5, 6, 7])
    whole.worked()
    assert {thread for *_, thread in whole.reached} == {threading.get_ident()}
    names = [name for name, *_ in whole.reached]
    assert sorted(names[:-1]) == ["first"] * 3 + ["second"] * 3
    assert names[-1] == "into"
    assert [done for _, done, _, _ in whole.reached] == list(range(7))
    assert {total for _, _, total, _ in whole.reached} == {7}


def test_no_more_are_in_memory_than_are_worked_on_and_one_that_is_taken() -> None:
    whole = Whole(range(30), 2)
    taken: list[int] = []

    def slowly(job: Whole, squares: Iterator[int]) -> None:
        for square in squares:
            time.sleep(0.002)
            taken.append(square)
            # All that were begun and are not taken yet.
            job.most_open = max(job.most_open, job.made - len(taken))

    how = SideBySide(lambda job: job.most, Whole.of_item, Whole.take)
    stages = FIRST.by(OfItem.first), SECOND.by(OfItem.second)
    whole.most_open = 0
    whole.squares = taken
    into = INTO.by(slowly)
    whole.carry_out([ForEach("item", lambda job: job.items, stages, into=into, side_by_side=how)])
    assert len(taken) == 30
    assert whole.most_open <= 3


def test_the_first_item_that_fails_is_reported_and_the_others_are_ended() -> None:
    # The second fails at once, while the first is still at work; both do.
    whole = Whole(range(9), 3, failing=[0, 1], endless=[2], seconds={0: 0.05})
    with pytest.raises(ValueError, match="item 0"):
        whole.worked()
    assert whole.interrupted == [2]
    assert len(whole.closed) == whole.made == 3


def test_where_results_cannot_be_taken_all_are_ended() -> None:
    whole = Whole(range(9), endless=[1, 2], take_fails=True)
    with pytest.raises(OSError, match="disk is full"):
        whole.worked()
    assert set(whole.interrupted) <= {1, 2}
    assert len(whole.closed) == whole.made


def test_an_interrupt_ends_all(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Whole(range(9), endless=[0, 1])

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(whole, "_reach", interrupted)
    whole.progress = Progress(interrupted)
    with pytest.raises(KeyboardInterrupt):
        whole.worked()
    assert len(whole.closed) == whole.made == 2


def test_an_engine_beside_another_sees_its_tables_and_has_temporary_ones_of_its_own() -> None:
    with DuckDB(threads=2, timezone="Europe/Berlin") as engine:
        engine.run("create table shared as select 1 as n")
        engine.run("create temp view seen as select n + 1 as n from shared")
        engine.run("create temp table own as select 1 as n")
        engine.register("Given", pa.table({"n": [3]}))
        with engine.beside(1) as other:
            other.register("more", pa.table({"n": [4]}))
            assert other.rows("select g.n, m.n from Given g, more m") == [(3, 4)]
            assert (other.threads, engine.threads) == (1, 2)
            assert other.value("select n from seen") == 2
            with pytest.raises(EngineError):
                other.rows("select * from own")
            other.run("create temp table own as select 2 as n")
            assert other.value("select n from own") == 2
            late = "cast(timestamptz '2026-01-01 23:30:00+00' as date)"
            assert str(other.value(f"select {late}")) == "2026-01-02"
            with pytest.raises(EngineError):
                other.run("set memory_limit = '1GB'")
            with pytest.raises(EngineError):
                other.rows("select * from read_text('/etc/hostname')")
        assert engine.value("select n from own") == 1


def test_an_engine_is_interrupted_from_another_thread() -> None:
    with DuckDB(threads=1) as engine, engine.beside(1) as other:
        begun = threading.Event()
        raised: list[BaseException] = []

        def count() -> None:
            begun.set()
            try:
                other.value("select count(*) from range(100000000) a, range(1000000) b")
            except EngineError as error:
                raised.append(error)

        counting = threading.Thread(target=count)
        counting.start()
        assert begun.wait(PATIENCE_SECONDS)
        while counting.is_alive():
            other.interrupt()
            counting.join(0.05)
        assert len(raised) == 1
        with pytest.raises(EngineError, match="interrupted"):
            other.value("select 1")
        assert engine.value("select 1") == 1
