"""The only door to an execution engine: DuckDB, in the process."""

from riskseg.engine.duck import DuckDB, duckdb_type, holds_databases, syntax_tree
from riskseg.engine.port import (
    Batches,
    DuplicateColumnsError,
    Engine,
    EngineError,
    KeptTablesError,
    NoMemoryError,
    NoRoomError,
    TooLargeError,
    statements_are_logged,
)
from riskseg.engine.sql_file import sql_written

__all__ = [
    "Batches",
    "DuckDB",
    "DuplicateColumnsError",
    "Engine",
    "EngineError",
    "KeptTablesError",
    "NoMemoryError",
    "NoRoomError",
    "TooLargeError",
    "duckdb_type",
    "holds_databases",
    "sql_written",
    "statements_are_logged",
    "syntax_tree",
]
