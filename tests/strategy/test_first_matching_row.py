"""The first row that takes an account: the compiled SQL against reading the table top to bottom."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from riskseg.domain.relations import literal
from riskseg.engine import DuckDB
from riskseg.pipeline.contracts import build
from riskseg.rules.model import SegmentRow
from riskseg.strategy import first_matching_row as module
from riskseg.strategy.first_matching_row import WORD, first_matching_row
from tests.support.sampled import one_in

Level = str | bool | None
# What an account may have: the last of each is what no row names.
DOMAINS: Sequence[Sequence[Level]] = (
    ("a", "b", "c", None),
    (True, False, None),
    ("it's", "1", "elsewhere", None),
    ("x", "y", "z"),
    ("north", "south", "unnamed"),
)


def table(count: int, seed: int, columns: int) -> list[SegmentRow]:
    """The particular above the general, so that every depth of the table is reached."""
    rng = random.Random(seed)  # noqa: S311
    rows = []
    for n in range(count - 1):
        cells: list[frozenset[str | bool] | None] = []
        for domain in DOMAINS[:columns]:
            named = [v for v in domain if v is not None and v not in ("elsewhere", "unnamed")]
            wide = rng.random() < n / count
            cells.append(None if wide else frozenset(rng.sample(named, rng.choice((1, 1, 2)))))
        rows.append(SegmentRow(f"r{n}", tuple(cells), "s", n))
    return [*rows, SegmentRow("rest", (None,) * columns, "s", count)]


def accounts(count: int, seed: int, columns: int) -> list[tuple[Level, ...]]:
    rng = random.Random(seed)  # noqa: S311
    return [tuple(rng.choice(domain) for domain in DOMAINS[:columns]) for _ in range(count)]


def plainly(rows: Sequence[SegmentRow], account: tuple[Level, ...]) -> int:
    for number, row in enumerate(rows, start=1):
        if all(c is None or v in c for c, v in zip(row.cells, account, strict=True)):
            return number
    raise AssertionError


def by_sql(rows: Sequence[SegmentRow], given: Sequence[tuple[Level, ...]]) -> list[int]:
    columns = [f"c{i}" for i in range(len(rows[0].cells))]
    values = ", ".join(f"({n}, {', '.join(map(_sql, a))})" for n, a in enumerate(given))
    with DuckDB(threads=1) as engine:
        engine.run(
            f"create temp table given as select * from (values {values}) t(n, {', '.join(columns)})"
        )
        relations = first_matching_row(rows, columns, "given", "found", '"=row"')
        build(engine, relations)
        select = relations[-1].select
        return [row[0] for row in engine.rows(f'select "=row" from ({select}) t order by n')]


def _sql(value: Level) -> str:
    if value is None:
        return "null"
    return literal(value) if isinstance(value, str) else str(value).lower()


@pytest.mark.parametrize(
    "count", one_in(3, [1, 2, 7, WORD - 1, WORD, WORD + 1, 2 * WORD, 2 * WORD + 1, 400])
)
@pytest.mark.parametrize("most", [4_096, 6], ids=["few tables", "many tables"])
def test_it_is_the_row_met_first(monkeypatch: pytest.MonkeyPatch, count: int, most: int) -> None:
    monkeypatch.setattr(module, "_MOST_COMBINATIONS", most)
    for columns in (1, 3, len(DOMAINS)):
        rows = table(count, count + columns, columns)
        given = accounts(500, count, columns)
        assert by_sql(rows, given) == [plainly(rows, account) for account in given]


def test_every_row_of_a_long_table_is_found() -> None:
    """One row a combination, so that each word and each of its bits decides somebody."""
    points = [(a, b, c) for a in "abc" for b in (True, False) for c in map(str, range(40))]
    rows = [
        SegmentRow(f"r{n}", tuple(frozenset([v]) for v in point), "s", n)
        for n, point in enumerate(points)
    ]
    rows.append(SegmentRow("rest", (None, None, None), "s", None))
    assert by_sql(rows, [*points, (None, True, "0")]) == list(range(1, len(points) + 2))


@pytest.mark.parametrize("count", [3, 200])
def test_a_table_that_names_nothing_gives_its_first_row(count: int) -> None:
    rows = [SegmentRow(f"r{n}", (None, None), "s", n) for n in range(count)]
    assert by_sql(rows, [("a", True), (None, None)]) == [1, 1]


@pytest.mark.parametrize("count", [WORD, WORD + 1, WORD + 2, WORD + 3])
def test_about_as_many_rows_as_a_number_has_bits(count: int) -> None:
    """No row but the last takes everything, so that none of them is left out."""
    rows = [SegmentRow(f"r{n}", (frozenset([str(n)]),), "s", n) for n in range(count - 1)]
    rows.append(SegmentRow("rest", (None,), "s", None))
    given = [(str(n),) for n in range(count)]
    assert by_sql(rows, given) == list(range(1, count + 1))
