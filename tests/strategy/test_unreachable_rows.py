"""Rows that can never match, against trying every combination of levels."""

from __future__ import annotations

import itertools
import random
import time

import pytest

from riskseg.rules.model import SegmentRow
from riskseg.strategy.unreachable_rows import unreachable

Cell = frozenset[str | bool] | None
Columns = list[tuple[str, tuple[str | bool, ...] | None]]


def row(number: int, *cells: str | bool | list[str] | None) -> SegmentRow:
    """None is `any`; a list is one of several levels."""
    made: list[Cell] = [
        None if c is None else frozenset(c) if isinstance(c, list) else frozenset({c})
        for c in cells
    ]
    return SegmentRow(f"r{number}", tuple(made), "s", number)


RISK = ("risk", ("low", "high", "unscored"))
TIER = ("tier", ("new", "old"))
FLAG = ("flag", (True, False))
REGION = ("region", ("north", "south"))

CASES: list[tuple[str, Columns, set[str], list[SegmentRow], dict[int, list[int]]]] = [
    ("nothing covered", [RISK], set(), [row(1, "low"), row(2, None)], {}),
    ("the same again", [RISK], set(), [row(1, "low"), row(2, "low"), row(3, None)], {2: [1]}),
    ("below any", [RISK], set(), [row(1, None), row(2, "low")], {2: [1]}),
    (
        "by a union",
        [RISK, TIER],
        set(),
        [row(1, "low", None), row(2, None, "new"), row(3, "low", "new"), row(4, None, None)],
        {3: [1]},
    ),
    (
        "by a union that no one row covers",
        [RISK, TIER],
        set(),
        [
            row(1, ["low", "high"], None),
            row(2, "unscored", "new"),
            row(3, None, "new"),
            row(4, None, None),
        ],
        {3: [1, 2]},
    ),
    (
        "by one that stands below rows that take some",
        [RISK, TIER],
        set(),
        [
            row(1, "unscored", None),
            row(2, "low", "new"),
            row(3, None, "new"),
            row(4, ["low", "high"], "new"),
            row(5, None, None),
        ],
        {4: [3]},
    ),
    (
        "by two that stand below one that takes some",
        [RISK, TIER],
        set(),
        [
            row(1, "unscored", "new"),
            row(2, None, "new"),
            row(3, None, "old"),
            row(4, None, None),
        ],
        {4: [2, 3]},
    ),
    (
        "by one alone, but moved above that one it would be covered still",
        [RISK, TIER],
        set(),
        [
            row(1, "low", None),
            row(2, ["high", "unscored"], "new"),
            row(3, None, None),
            row(4, None, "new"),
        ],
        {4: [1, 2]},
    ),
    (
        "all levels and then any",
        [FLAG],
        set(),
        [row(1, True), row(2, False), row(3, None)],
        {3: [1, 2]},
    ),
    ("any takes the unknown", [FLAG], {"flag"}, [row(1, True), row(2, False), row(3, None)], {}),
    ("levels not known", [("note", None)], set(), [row(1, "a"), row(2, "b"), row(3, None)], {}),
    ("nullable level", [REGION], {"region"}, [row(1, ["north", "south"]), row(2, None)], {}),
    ("level that always is", [REGION], set(), [row(1, ["north", "south"]), row(2, None)], {2: [1]}),
]


@pytest.mark.parametrize(
    ("columns", "nullable", "rows", "wanted"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_cases(
    columns: Columns, nullable: set[str], rows: list[SegmentRow], wanted: dict[int, list[int]]
) -> None:
    found = {row.line: [b.line for b in by] for row, by in unreachable(rows, columns, nullable)}
    assert found == wanted


def _slowly(rows: list[SegmentRow], columns: Columns, nullable: set[str]) -> set[int | None]:
    """Rows that win for no combination, each combination tried."""
    domains = [[*(levels or ()), *([None] if name in nullable else [])] for name, levels in columns]
    won = set()
    for values in itertools.product(*domains):
        for candidate in rows:
            if all(c is None or v in c for c, v in zip(candidate.cells, values, strict=True)):
                won.add(candidate.line)
                break
    return {r.line for r in rows} - won


@pytest.mark.parametrize("seed", range(40))
def test_random_tables_against_every_combination(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    columns: Columns = [RISK, TIER, FLAG, REGION][: rng.randint(1, 4)]
    nullable = {n for n, _ in columns if n in ("flag", "region") and rng.random() < 0.5}
    rows = []
    for number in range(1, rng.randint(3, 14)):
        cells: list[Cell] = []
        for _, levels in columns:
            assert levels is not None
            some = rng.sample(levels, rng.randint(1, len(levels)))
            cells.append(None if rng.random() < 0.4 else frozenset(some))
        rows.append(SegmentRow(f"r{number}", tuple(cells), "s", number))
    assert {r.line for r, _ in unreachable(rows, columns, nullable)} == _slowly(
        rows, columns, nullable
    )


@pytest.mark.parametrize("seed", range(40))
def test_the_rows_named_are_all_needed_and_moving_above_them_mends_it(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    levels = tuple("abc")
    columns: Columns = [(f"c{i}", levels) for i in range(3)]
    rows = [
        row(n, *(None if rng.random() < 0.4 else rng.sample(levels, 2) for _ in columns))
        for n in range(1, 20)
    ]
    found = unreachable(rows, columns, set())
    assert found
    dead = {r.line for r, _ in found}
    for one, by in found:
        # One row that covers it is named alone, unless those above that one cover it too.
        assert _slowly([*by, one], columns, set()) == {one.line}
        for left_out in by:
            fewer = [r for r in by if r is not left_out]
            assert _slowly([*fewer, one], columns, set()) == set()
        moved = [r for r in rows if r.line not in dead]
        moved.insert(moved.index(by[0]), one)
        assert one.line not in _slowly(moved, columns, set())


def test_many_rows_that_all_are_needed_take_no_time() -> None:
    """A thousand levels, each with a row: all of them cover the last, and are looked into once."""
    levels = tuple(f"l{n}" for n in range(1000))
    rows = [row(n, level) for n, level in enumerate(levels, start=1)]
    rows += [row(n, None) for n in range(1001, 1051)]
    begun = time.process_time()
    found = unreachable(rows, [("c", levels)], set())
    assert time.process_time() - begun < 10
    assert [len(by) for _, by in found] == [1000] * 50


def test_a_big_table_is_quick() -> None:
    """Six columns of eight levels make 262,144 combinations; 300 rows."""
    rng = random.Random(1)  # noqa: S311
    levels = tuple("abcdefgh")
    columns: Columns = [(f"c{i}", levels) for i in range(6)]
    rows = [
        row(n, *(None if rng.random() < 0.6 else rng.sample(levels, 2) for _ in columns))
        for n in range(1, 300)
    ]
    rows.append(row(300, *[None] * 6))
    begun = time.process_time()
    unreachable(rows, columns, set())
    assert time.process_time() - begun < 10
