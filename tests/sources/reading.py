"""Reads a source as the engine does, without a whole ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from riskseg.domain.problems import Problem, Problems
from riskseg.engine import DuckDB
from riskseg.sources import reader
from riskseg.workspace import Source
from riskseg.workspace.reading import ReadTable

Rows = tuple[list[str], list[tuple[Any, ...]], int | None]


def read(root: Path, loaded_from: str, table: str = "accounts", **options: Any) -> Rows:
    """The columns of a source, its rows in order, and how many rows its files have by another
    count. Problems are raised."""
    opened = reader.open_source(Source(table, loaded_from, {}, read=ReadTable(**options)), root)
    problems = Problems()
    opened.check(problems)
    problems.raise_if_any()
    with DuckDB(reads=opened.files(), threads=2) as engine:
        return read_by(engine, root, loaded_from, table, **options)


def read_by(engine: DuckDB, root: Path, loaded_from: str, table: str, **options: Any) -> Rows:
    """The same by an engine that was opened for the files."""
    opened = reader.open_source(Source(table, loaded_from, {}, read=ReadTable(**options)), root)
    problems = Problems()
    opened.prepare(engine, problems)
    problems.raise_if_any()
    relation = opened.relation(engine)
    return (
        list(engine.columns(relation)),
        engine.rows(f"select * from {relation}"),
        opened.rows_in_files,
    )


def faults(root: Path, loaded_from: str, table: str = "bills", **options: Any) -> list[Problem]:
    """The Problems of a source, as far as its files show them."""
    source = Source(table, loaded_from, {}, read=ReadTable(**options))
    opened = reader.open_source(source, root)
    problems = Problems()
    if opened.check(problems):
        with DuckDB(reads=opened.files(), threads=1) as engine:
            if opened.prepare(engine, problems):
                problems.extend(opened.faults())
    return list(problems)
