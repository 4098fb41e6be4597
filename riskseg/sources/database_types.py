"""Types of the columns of databases, and their values as Arrow.

Decimals travel as texts, and become decimals in the engine, where none is rounded unseen. A type
that has none of ours is read as text: the contract checks it, nothing guesses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import mssql, mysql

from riskseg.domain.column_types import ColumnType, column_type

_TEXT = ColumnType("text")
_ZONED = ColumnType("timestamp", zoned=True)
# Of a number whose digits are not stated, so many stand after the point at most.
_DIGITS, _SCALE = 38, 9


class MisfitError(Exception):
    """A value that is not of the type which its column says."""


def decimal_of(precision: int | None, scale: int | None) -> ColumnType:
    """The type of a decimal column with so many digits, as far as they are stated."""
    if precision is None or scale is None or not 0 <= scale <= precision <= _DIGITS:
        return ColumnType("decimal", _DIGITS, _SCALE)
    return ColumnType("decimal", precision, scale)


def type_in_engine(type_: sa.types.TypeEngine[Any], dialect: str) -> ColumnType:
    """The type that the engine keeps a column as, by what its table says."""
    match type_:
        case sa.Boolean() | mssql.BIT():
            return ColumnType("boolean")
        case mysql.BIT() if type_.length == 1:
            return ColumnType("boolean")
        case mysql.TINYINT() if type_.display_width == 1:
            return ColumnType("boolean")
        case mysql.BIGINT() if type_.unsigned:
            return column_type("uint64")
        case sa.Float():
            return column_type("float64")
        case mssql.MONEY() | mssql.SMALLMONEY():
            return decimal_of(19, 4)
        case sa.Numeric():
            return decimal_of(type_.precision, type_.scale)
        case sa.Integer():
            return column_type("int64")
        case sa.Date() | sa.DateTime() if dialect == "sqlite":
            return _TEXT  # which is what it keeps them as
        case sa.Date():
            return ColumnType("date")
        case mysql.TIMESTAMP() | mssql.DATETIMEOFFSET():
            return _ZONED
        case sa.DateTime():
            return _ZONED if type_.timezone else ColumnType("timestamp")
        case _:
            return _TEXT


# What a driver says of a column of a select, where that is a type of Python.
_PYTHON_TYPES = {
    bool: ColumnType("boolean"),
    int: column_type("int64"),
    float: column_type("float64"),
    date: ColumnType("date"),
    datetime: ColumnType("timestamp"),
}
# https://dev.mysql.com/doc/dev/mysql-server/latest/field__types_8h.html
_MYSQL_TYPES = {
    **dict.fromkeys((1, 2, 3, 8, 9), column_type("int64")),
    **dict.fromkeys((4, 5), column_type("float64")),
    **dict.fromkeys((0, 246), decimal_of(None, None)),
    7: _ZONED,
    10: ColumnType("date"),
    12: ColumnType("timestamp"),
}


def type_of_result(code: Any, precision: Any, scale: Any, dialect: str) -> ColumnType:
    """The type of a column of a select, by what the driver's cursor says of it."""
    if code is Decimal:
        return decimal_of(precision, scale)
    if isinstance(code, type):
        return _PYTHON_TYPES.get(code, _TEXT)
    if dialect in ("mysql", "mariadb"):
        return _MYSQL_TYPES.get(code, _TEXT)
    return _TEXT


def arrow_type(type_: ColumnType) -> pa.DataType:
    """The type of Arrow that values travel as."""
    match type_.family:
        case "boolean":
            return pa.bool_()
        case "integer":
            return pa.int64()
        case "unsigned":
            return pa.uint64()
        case "float":
            return pa.float64()
        case "date":
            return pa.date32()
        case "timestamp":
            return pa.timestamp("us", tz="UTC" if type_.zoned else None)
        case _:
            return pa.string()


def array_of(values: Sequence[Any], type_: ColumnType) -> pa.Array:
    """Values of a driver as a column of Arrow. Raises MisfitError."""
    arrow = arrow_type(type_)
    # Asked for a type, Arrow would make 2 of 2.5: what it takes the values for must be the type.
    with suppress(pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        taken_for = pa.array(values)
        if taken_for.type in (arrow, pa.null()):
            return taken_for.cast(arrow)
    convert: Callable[[Any], Any] = _CONVERSIONS.get(type_.family, _text)
    converted = [None if value is None else convert(value) for value in values]
    try:
        return pa.array(converted, arrow)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
        raise MisfitError(str(error)) from error


def _text(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case Decimal():
            return format(value, "f")
        case float():
            # All digits, and no exponent, which no decimal has.
            return format(Decimal(repr(value)), "f")
        case datetime():
            return value.isoformat(" ")
        case bytes():
            try:
                return value.decode()
            except UnicodeDecodeError:
                return value.hex()
        case _:
            return str(value)


def _boolean(value: Any) -> bool:
    if isinstance(value, bytes):
        value = int.from_bytes(value, "big")
    if value not in (0, 1):
        raise MisfitError(f"{value!r} is neither true nor false")
    return bool(value)


def _whole(value: Any) -> int:
    if not isinstance(value, int | float | Decimal) or value != value // 1:
        raise MisfitError(f"{value!r} is not a whole number")
    return int(value)


def _number(value: Any) -> float:
    if not isinstance(value, int | float | Decimal):
        raise MisfitError(f"{value!r} is not a number")
    return float(value)


def _day(value: Any) -> date:
    if isinstance(value, datetime) or not isinstance(value, date):
        raise MisfitError(f"{value!r} is not a date")
    return value


def _time(value: Any) -> datetime:
    if not isinstance(value, datetime):
        raise MisfitError(f"{value!r} is not a time")
    return value.astimezone(UTC) if value.tzinfo else value


_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "boolean": _boolean,
    "integer": _whole,
    "unsigned": _whole,
    "float": _number,
    "date": _day,
    "timestamp": _time,
}


def value_of(text: str, type_: ColumnType) -> Any:
    """The value that stands in a text for a column of a type, as drivers take it."""
    match type_.family:
        case "timestamp":
            return datetime.fromisoformat(text).replace(tzinfo=UTC if type_.zoned else None)
        case "date":
            return date.fromisoformat(text)
        case "integer" | "unsigned":
            return int(text)
        case "decimal":
            return Decimal(text)
        case _:
            return text
