"""Types of columns in words of our own, and DuckDB's names for them."""

from __future__ import annotations

import pytest

from riskseg.domain.column_types import ColumnType, column_type
from riskseg.engine import DuckDB

TYPES = {
    "boolean": "boolean",
    "tinyint": "int8",
    "smallint": "int16",
    "integer": "int32",
    "bigint": "int64",
    "hugeint": "int128",
    "utinyint": "uint8",
    "usmallint": "uint16",
    "uinteger": "uint32",
    "ubigint": "uint64",
    "uhugeint": "uint128",
    "float": "float32",
    "double": "float64",
    "decimal(18, 2)": "decimal(18, 2)",
    "decimal(38, 0)": "decimal(38, 0)",
    "date": "date",
    "timestamp": "timestamp",
    "varchar": "text",
    "interval": "other: INTERVAL",
    "decimal(5, 1)[]": "other: DECIMAL(5,1)[]",
}


@pytest.mark.parametrize(("theirs", "ours"), TYPES.items())
def test_a_type_has_a_name_of_ours_and_comes_back(theirs: str, ours: str) -> None:
    with DuckDB() as engine:
        found = engine.columns(f"(select cast(null as {theirs}) as a)")["a"]
        assert (str(found), column_type(ours)) == (ours, found)
        again = engine.columns(f"(select cast(null as {engine.type_sql(found)}) as a)")["a"]
        assert again == found


@pytest.mark.parametrize(
    "theirs",
    ["timestamptz", "timestamp_s", "timestamp_ms", "timestamp_ns"],
)
def test_every_timestamp_is_one(theirs: str) -> None:
    with DuckDB() as engine:
        assert engine.columns(f"(select cast(null as {theirs}) as a)")["a"].family == "timestamp"


def test_a_level_is_text() -> None:
    with DuckDB() as engine:
        engine.run("create type l as enum ('a', 'b')")
        assert engine.columns("(select cast('a' as l) as a)")["a"] == ColumnType("text")


@pytest.mark.parametrize("name", ["BIGINT", "int", "decimal(18)", "DECIMAL(18,2)", ""])
def test_another_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a type of column"):
        column_type(name)
