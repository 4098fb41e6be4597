"""The only door to an execution engine: DuckDB, in the process."""

from riskseg.engine.duck import (
    Batches,
    DuplicateColumnsError,
    Engine,
    EngineError,
    NoMemoryError,
    TooLargeError,
    holds_databases,
    syntax_tree,
)

__all__ = [
    "Batches",
    "DuplicateColumnsError",
    "Engine",
    "EngineError",
    "NoMemoryError",
    "TooLargeError",
    "holds_databases",
    "syntax_tree",
]
