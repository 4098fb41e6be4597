"""How a layout's column is filled: signs, dates that mean none, words; and that nothing is lost."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from riskseg.domain.relations import literal
from riskseg.engine import DuckDB
from riskseg.layouts.columns import Dates, Headers, LayoutColumn


def values(column: dict[str, Any], order: str = "ymd", **cells: list[str | None]) -> list[Any]:
    """What a column is filled with, row by row, from columns of texts."""
    rows = [
        "select "
        + ", ".join(
            f'{"null" if cell is None else literal(cell)} as "{name}"'
            for name, cell in zip(cells, row, strict=True)
        )
        for row in zip(*cells.values(), strict=True)
    ]
    dates = Dates(["00000000", "1900-01-01"], order)
    sql = LayoutColumn.model_validate(column).filled(Headers(cells), dates)
    with DuckDB(threads=1) as engine:
        found = engine.rows(f"select {sql} from ({' union all '.join(rows)})")
    return [value for (value,) in found]


@pytest.mark.parametrize(
    ("column", "written", "expected"),
    [
        ({"money": ["x"]}, ["1.5", "-2", "zq", None], ["1.5", "-2", "zq", None]),
        ({"money": ["x"], "negate": True}, ["1.5", "-2", "zq"], ["-1.5", "2", "-zq"]),
        ({"money": ["x"], "sign_last": True}, ["1.5-", "2"], ["-1.5", "2"]),
        (
            {"word": ["x"], "values": {"A": "settled", "B": ""}},
            ["A", "B", "C"],
            ["settled", None, "C"],
        ),
        ({"word": ["x"], "values": {"A": "b"}, "otherwise": ""}, ["A", "C"], ["b", None]),
        ({"id": ["y", "x"]}, ["007"], ["007"]),
        ({"sql": ["{y} || 'z'", "{x} || 'z'"]}, ["a"], ["az"]),
        ({"date": ["x"]}, ["20260131", "2026-01-31"], ["2026-01-31", "2026-01-31"]),
        ({"date": ["x"]}, ["00000000", "", "1900-01-01 00:00:00", None], [None] * 4),
        ({"date": ["x"]}, ["31.01.2026", "zq"], ["31.01.2026", "zq"]),
    ],
)
def test_a_value_is_what_the_contract_wants_or_stays_what_it_is(
    column: dict[str, Any], written: list[str | None], expected: list[Any]
) -> None:
    assert values(column, x=written) == expected


@pytest.mark.parametrize(
    ("order", "written", "expected"),
    [
        (
            "dmy",
            ["31/1/2026", "05 Jan 2026", "31012026"],
            ["2026-1-31", "2026-01-05", "2026-01-31"],
        ),
        ("mdy", ["1/31/2026", "01312026"], ["2026-1-31", "2026-01-31"]),
    ],
)
def test_dates_are_in_the_order_of_the_system(
    order: str, written: list[str], expected: list[str]
) -> None:
    assert values({"date": ["x"]}, order, x=list(written)) == expected


def test_an_indicator_tells_credits_from_debits() -> None:
    column = {"money": ["amount"], "credit": {"column": ["D/C"], "values": ["C", "H"]}}
    amounts = values(column, **{"amount": ["5.00", "5.00", "-1"], "D/C": ["D", "C", "H"]})
    assert amounts == ["5.00", "-5.00", "1"]
    # Without the indicator nothing says which is which: the column is not filled.
    assert LayoutColumn.model_validate(column).filled(Headers(["amount"]), Dates()) is None


def test_headers_are_found_however_they_are_spelt() -> None:
    headers = Headers(["Customer_No", "Due Date"])
    assert headers.first(["nothing", "customer no."]) == "Customer_No"
    assert headers.filled("{DueDate|due} = '{4}'", Dates()) == "\"Due Date\" = '{4}'"
    assert headers.filled("{other}", Dates()) is None


def test_a_column_is_filled_in_one_way() -> None:
    for wrong in ({}, {"id": ["x"], "date": ["x"]}):
        with pytest.raises(ValidationError, match="one of id, date, money, word and sql"):
            LayoutColumn.model_validate(wrong)
