"""The only door to an execution engine: DuckDB, in the process."""

from riskseg.engine.duck import Engine, EngineError, TooLargeError

__all__ = ["Engine", "EngineError", "TooLargeError"]
