"""Types and statements of databases of which no server is at hand, by their dialects alone."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mssql, mysql, oracle, sqlite

from riskseg.domain.column_types import column_type
from riskseg.sources.database_any import select_of
from riskseg.sources.database_connections import DatabaseColumn, is_select, select_text
from riskseg.sources.database_types import (
    MisfitError,
    array_of,
    type_in_engine,
    type_of_result,
)


@pytest.mark.parametrize(
    ("type_", "dialect", "expected"),
    [
        (mysql.BIGINT(), "mysql", "int64"),
        (mysql.BIGINT(unsigned=True), "mariadb", "uint64"),
        (mysql.INTEGER(unsigned=True), "mysql", "int64"),
        (mysql.TINYINT(display_width=1), "mariadb", "boolean"),
        (mysql.TINYINT(display_width=4), "mariadb", "int64"),
        (mysql.BIT(1), "mysql", "boolean"),
        (mysql.DECIMAL(12, 2), "mysql", "decimal(12, 2)"),
        (mysql.DECIMAL(65, 2), "mysql", "decimal(38, 9)"),
        (mysql.DOUBLE(), "mysql", "float64"),
        (mysql.FLOAT(), "mysql", "float64"),
        (mysql.DATETIME(), "mysql", "timestamp"),
        (mysql.TIMESTAMP(), "mysql", "timestamp with zone"),
        (mysql.VARCHAR(20), "mysql", "text"),
        (mysql.ENUM("a", "b"), "mysql", "text"),
        (mysql.JSON(), "mysql", "text"),
        (mssql.BIT(), "mssql", "boolean"),
        (mssql.MONEY(), "mssql", "decimal(19, 4)"),
        (mssql.DATETIMEOFFSET(), "mssql", "timestamp with zone"),
        (mssql.DATETIME2(), "mssql", "timestamp"),
        (mssql.DATE(), "mssql", "date"),
        (mssql.UNIQUEIDENTIFIER(), "mssql", "text"),
        (mssql.NVARCHAR(20), "mssql", "text"),
        (sa.Numeric(18, 2), "mssql", "decimal(18, 2)"),
        (sa.REAL(), "mssql", "float64"),
        (oracle.NUMBER(), "oracle", "decimal(38, 9)"),
        (oracle.NUMBER(10, 0), "oracle", "decimal(10, 0)"),
        (sa.DATE(), "sqlite", "text"),
        (sa.DATETIME(), "sqlite", "text"),
        (sa.NUMERIC(10, 2), "sqlite", "decimal(10, 2)"),
        (sqlite.VARCHAR(), "sqlite", "text"),
        (sa.types.NullType(), "sqlite", "text"),
    ],
)
def test_types_of_tables(type_: sa.types.TypeEngine[Any], dialect: str, expected: str) -> None:
    assert str(type_in_engine(type_, dialect)) == expected


@pytest.mark.parametrize(
    ("code", "dialect", "expected"),
    [
        (Decimal, "mssql", "decimal(12, 2)"),
        (datetime, "mssql", "timestamp"),
        (bool, "mssql", "boolean"),
        (bytearray, "mssql", "text"),
        (246, "mysql", "decimal(38, 9)"),
        (8, "mysql", "int64"),
        (10, "mariadb", "date"),
        (253, "mysql", "text"),
        (None, "sqlite", "text"),
        (8, "other", "text"),
    ],
)
def test_types_of_selects(code: Any, dialect: str, expected: str) -> None:
    assert str(type_of_result(code, 12, 2, dialect)) == expected


@pytest.mark.parametrize(
    ("values", "type_name", "expected"),
    [
        ([Decimal("1.50"), None, Decimal("1E+3")], "decimal(12, 2)", ["1.50", None, "1000"]),
        ([0.1, 1e-7, 5], "decimal(12, 9)", ["0.1", "0.0000001", "5"]),
        ([UUID(int=1), b"ab", b"\xff", True], "text", [str(UUID(int=1)), "ab", "ff", "true"]),
        ([date(2025, 6, 15), "x"], "text", ["2025-06-15", "x"]),
        ([0, 1, None, b"\x01"], "boolean", [False, True, None, True]),
        ([1.0, 2], "int64", [1, 2]),
        ([1, 2.5], "float64", [1.0, 2.5]),
        (
            [datetime(2025, 6, 14, 22)],
            "timestamp with zone",
            [datetime(2025, 6, 14, 22, tzinfo=UTC)],
        ),
        ([], "text", []),
    ],
)
def test_values_travel_as_they_are(values: list[Any], type_name: str, expected: list[Any]) -> None:
    assert array_of(values, column_type(type_name)).to_pylist() == expected


@pytest.mark.parametrize(
    ("value", "type_name"),
    [
        ("x", "int64"),
        (1.5, "int64"),
        (2**70, "int64"),
        ("x", "float64"),
        (2, "boolean"),
        ("2025-06-15", "timestamp"),
        ("2025-06-15", "date"),
    ],
)
def test_a_value_of_another_type_is_no_value(value: Any, type_name: str) -> None:
    with pytest.raises(MisfitError):
        array_of([value], column_type(type_name))


COLUMNS = [
    DatabaseColumn("Kunde", column_type("text")),
    DatabaseColumn("order", column_type("text")),
]


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        (mysql.dialect(), "SELECT `Kunde`, `order` \nFROM billing.`Rechnung`"),
        (mssql.dialect(), "SELECT [Kunde], [order] \nFROM billing.[Rechnung]"),
        (oracle.dialect(), 'SELECT "Kunde", "order" \nFROM billing."Rechnung"'),
    ],
)
def test_the_select_of_a_table(dialect: sa.Dialect, expected: str) -> None:
    select = select_of("billing.Rechnung", COLUMNS)
    assert str(select.compile(dialect=dialect)) == expected


@pytest.mark.parametrize(
    ("written", "select"),
    [
        ("billing.invoices", False),
        ("selections", False),
        ("  SELECT 1", True),
        ("with t as (select 1) select * from t", True),
        ("(select 1)", True),
    ],
)
def test_what_is_a_select(written: str, select: bool) -> None:
    assert is_select(written) is select


def test_a_select_is_taken_without_its_end() -> None:
    assert select_text(" select 1 ;; ") == "select 1 "
