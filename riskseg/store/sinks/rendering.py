"""Arrow tables as CSV and JSON text, a column at a time.

Arrow's own CSV writer quotes every text and gives small decimals an exponent; Python's writers
go row by row. Here each column becomes a column of text, and Arrow joins them into rows.

A table has one chunk a column, and at least one row. Both forms: decimals with all their places
and no exponent, dates as YYYY-MM-DD, booleans as true and false. Lists and structures are JSON,
in which dates and decimals are text.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

# How a formula begins in some spreadsheet; apostrophes before it are kept apart from ours.
_FORMULA = "^'*[=+\\-@\t\r＝＋－＠]"


def csv_header(schema: pa.Schema) -> bytes:
    names = _quoted_where_needed(pa.array(schema.names, pa.string()))
    return (",".join(names.to_pylist()) + "\n").encode()


def csv_rows(table: pa.Table) -> bytes:
    """A line a row. Null is empty; the empty text is `""`. A text that begins like a formula has
    an apostrophe before it, so that no spreadsheet works it out."""
    columns = [pc.fill_null(_csv_column(column), "") for column in _only_chunks(table)]
    return _joined(pc.binary_join_element_wise(*columns, ","), "", "\n")


def json_rows(table: pa.Table, *, before: str = "", after: str = "") -> bytes:
    """An object a row, each between `before` and `after`. Null is null, as are NaN and infinity,
    for which JSON has no words."""
    parts: list[Any] = []
    for name, column in zip(table.column_names, _only_chunks(table), strict=True):
        parts.append(("," if parts else "{") + json_text(name) + ":")
        parts.append(pc.fill_null(_json_column(column), "null"))
    return _joined(pc.binary_join_element_wise(*parts, ""), before, "}" + after)


def json_text(value: object) -> str:
    """One value as JSON; what JSON lacks becomes text."""
    return json.dumps(value, ensure_ascii=False, default=str)


def _only_chunks(table: pa.Table) -> list[Any]:
    return [column.chunk(0) for column in table.columns]


def _joined(rows: Any, before: str, after: str) -> bytes:
    """All rows one after the other, which is how Arrow keeps a new array of text."""
    rows = pc.binary_join_element_wise(before, rows, after, "")
    _, _, text = rows.buffers()
    return bytes(text.slice(0, pc.sum(pc.binary_length(rows)).as_py()))


def _csv_column(column: Any) -> Any:
    if pa.types.is_nested(column.type):
        return _quoted_where_needed(_each(column, json_text))
    text = _text(column)
    return _quoted_where_needed(_no_formula(text)) if _is_text(column.type) else text


def _no_formula(text: Any) -> Any:
    """Texts with an apostrophe before one that a spreadsheet would take for a formula."""
    formula = pc.match_substring_regex(text, _FORMULA)
    if not pc.any(formula).as_py():
        return text
    return pc.if_else(formula, pc.binary_join_element_wise("'", text, ""), text)


def _json_column(column: Any) -> Any:
    kind = column.type
    if pa.types.is_nested(kind):
        return _each(column, json_text)
    if pa.types.is_floating(kind):
        return pc.if_else(pc.is_finite(column), _text(column), None)
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        return _text(column)
    text = _text(column)
    if pc.any(pc.match_substring_regex(text, r'["\\\x00-\x1f]')).as_py():
        return _each(text, json_text)
    return pc.binary_join_element_wise('"', text, '"', "")


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _each(column: Any, render: Callable[[object], str]) -> Any:
    values = (None if value is None else render(value) for value in column.to_pylist())
    return pa.array(values, pa.string())


def _text(column: Any) -> Any:
    return _decimal_text(column) if pa.types.is_decimal(column.type) else column.cast(pa.string())


def _decimal_text(column: Any) -> Any:
    """Decimals in plain notation. Arrow writes an exponent from the seventh place on, so the
    digits are read as a whole number and the point is put in again."""
    scale = column.type.scale
    if scale <= 0:
        return column.cast(pa.decimal256(76, 0)).cast(pa.string())
    wide = column.cast(pa.decimal256(76, scale))
    whole = pa.Array.from_buffers(
        pa.decimal256(76, 0), len(wide), wide.buffers(), offset=wide.offset
    )
    digits = pc.utf8_lpad(pc.abs(whole).cast(pa.string()), scale + 1, "0")
    sign = pc.if_else(pc.less(whole, pa.scalar(0, whole.type)), "-", "")
    units = pc.utf8_slice_codeunits(digits, 0, -scale)
    places = pc.utf8_slice_codeunits(digits, -scale)
    return pc.binary_join_element_wise(sign, units, ".", places, "")


def _quoted_where_needed(text: Any) -> Any:
    quoted = pc.binary_join_element_wise('"', pc.replace_substring(text, '"', '""'), '"', "")
    return pc.if_else(pc.match_substring_regex(text, '^$|[",\r\n]'), quoted, text)
