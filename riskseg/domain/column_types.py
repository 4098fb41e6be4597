"""Types of columns, by names that belong to no engine: code outside `engine/` and files on disk use
these alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Family = Literal[
    "boolean", "integer", "unsigned", "decimal", "float", "date", "timestamp", "text", "other"
]
# Names by family, of types that are whole with it; the others have their size in their name.
_PLAIN: dict[str, Family] = {
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
    "text": "text",
}
_ZONED = "timestamp with zone"
_SIZED: dict[str, Family] = {"int": "integer", "uint": "unsigned", "float": "float"}


@dataclass(frozen=True, slots=True)
class ColumnType:
    """The type of a column. `size` is the bits of an integer or a float, and the digits of a
    decimal, of which `scale` stand after the point; `detail` is the engine's own name of a type of
    the family `other`. A `zoned` timestamp is an instant: its day depends on where one is."""

    family: Family
    size: int = 0
    scale: int = 0
    detail: str = ""
    zoned: bool = False

    @property
    def is_integer(self) -> bool:
        return self.family in ("integer", "unsigned")

    def __str__(self) -> str:
        """The name that is kept on disk: `int64`, `decimal(18, 2)`, `text`."""
        match self.family:
            case "decimal":
                return f"decimal({self.size}, {self.scale})"
            case "integer" | "unsigned" | "float":
                prefix = next(
                    sized_name for sized_name, family in _SIZED.items() if family == self.family
                )
                return f"{prefix}{self.size}"
            case "other":
                return f"other: {self.detail}"
            case "timestamp" if self.zoned:
                return _ZONED
            case _:
                return self.family


def column_type(name: str) -> ColumnType:
    """The type of a name as `str` writes it. Raises ValueError for another."""
    if name in _PLAIN:
        return ColumnType(_PLAIN[name])
    if name == _ZONED:
        return ColumnType("timestamp", zoned=True)
    if sized := re.fullmatch(r"(int|uint|float)(\d+)", name):
        return ColumnType(_SIZED[sized[1]], int(sized[2]))
    if decimal := re.fullmatch(r"decimal\((\d+), (\d+)\)", name):
        return ColumnType("decimal", int(decimal[1]), int(decimal[2]))
    if name.startswith("other: "):
        return ColumnType("other", detail=name.removeprefix("other: "))
    raise ValueError(f'"{name}" is not a type of column')
