"""What `init --from` proposed: the file of each table, what fills its columns, how sure that is."""

from __future__ import annotations

from riskseg.results.part import Part


class MatchedColumn(Part):
    """A column of the contract, and the SQL expression that may fill it, null where nothing was
    found. `confidence` is from 0 to 1; what is not `decided` is left to a person."""

    column: str
    expression: str | None
    confidence: float
    why: str
    decided: bool
    needed: bool


class MatchedTable(Part):
    """A table of the contract and where it is read from; `note` says what to mind or decide."""

    table: str
    loaded_from: str
    sheet: str | None
    decided: bool
    columns: tuple[MatchedColumn, ...]
    note: str = ""
