"""Tables of thousands of rows: what is found unreachable, and accounts that reach the rest."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from riskseg.domain.problems import Problems
from riskseg.rules.model import SegmentRow
from riskseg.strategy import unreachable_rows
from riskseg.strategy.authored import read_strategy
from riskseg.strategy.check import check_strategy
from riskseg.strategy.unreachable_rows import Covered, Reached, reachable
from tests.support.strategies import LACKING, MODELS
from tests.support.tables import TABLE_FACTS, micro


@pytest.mark.parametrize("planted", [0, 8])
def test_planted_rows_are_reported_of_and_no_others(tmp_path: Path, planted: int) -> None:
    for name, text in micro(2000, planted=planted).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    problems = Problems()
    authored = read_strategy(tmp_path, problems, shown="rules")
    assert authored is not None
    check_strategy(authored, TABLE_FACTS, LACKING, MODELS, problems)
    reported = [(p.code, p.what.split('"')[1], p.what) for p in problems]
    assert [t[:2] for t in reported] == [("RS204", f"dead_{n}") for n in range(1, planted + 1)]
    for number, (*_, what) in enumerate(reported, start=1):
        assert f'"half_{number}_a"' in what
        assert f'"half_{number}_b"' in what


@pytest.mark.parametrize("steps", [unreachable_rows._STEPS, 0], ids=["search", "solver"])
@pytest.mark.parametrize("seed", range(12))
def test_each_row_has_a_point_or_rows_that_cover_it(
    monkeypatch: pytest.MonkeyPatch, seed: int, steps: int
) -> None:
    """The search and the solver, each by itself, against the meaning of a point."""
    monkeypatch.setattr(unreachable_rows, "_STEPS", steps)
    rng = random.Random(seed)  # noqa: S311
    columns = [(f"c{i}", tuple("abc")) for i in range(4)]
    rows = []
    for n in range(30):
        some = [rng.sample("abc", rng.randint(1, 2)) for _ in columns]
        cells = tuple(None if rng.random() < 0.4 else frozenset[str | bool](c) for c in some)
        rows.append(SegmentRow(f"r{n}", cells, "s", n))
    found = reachable(rows, columns, {"c0"})
    assert {type(it) for it in found} == {Reached, Covered}
    for n, it in enumerate(found):
        if isinstance(it, Reached):
            assert _taken(rows[n], it.point)
            assert not any(_taken(row, it.point) for row in rows[:n])
            continue
        # The rows named take, between them, every point of the row.
        again = reachable([*it.by, rows[n]], columns, {"c0"})
        assert isinstance(again[-1], Covered)
        assert all(isinstance(above, Reached) for above in again[:-1])


def _taken(row: SegmentRow, point: tuple[unreachable_rows.Level, ...]) -> bool:
    return all(c is None or v in c for c, v in zip(row.cells, point, strict=True))
