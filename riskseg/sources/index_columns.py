"""Columns of a file that are no data: the index that pandas writes along with a data frame."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

from riskseg.domain.relations import quoted
from riskseg.engine import Engine, EngineError
from riskseg.ledger.selects import reader
from riskseg.sources.files import samples
from riskseg.workspace import Source

# Rows that are enough to see that a column numbers them.
ENOUGH_ROWS = 10_000


def index_columns(engine: Engine, source: Source, root: Path, found: Iterable[str]) -> set[str]:
    """The columns of a source that are the index of a data frame, less those that its `from`
    names itself."""
    files = samples(source, root)
    index = {name for path in files for name in _index_of(engine, path)}
    return {
        name
        for name in index.intersection(found)
        if not (source.is_select and re.search(rf"\b{re.escape(name)}\b", source.loaded_from))
    }


def _index_of(engine: Engine, path: Path) -> list[str]:
    try:
        if reader(path.name) == "read_parquet":
            return _of_parquet(path)
        if reader(path.name) == "read_csv":
            return _of_csv(engine, path)
    except (EngineError, OSError, ValueError):
        pass  # whoever loads the file says what is wrong with it
    return []


def _of_parquet(path: Path) -> list[str]:
    """Those that the schema's metadata lists; a range, which is no column, is listed as such."""
    import pyarrow.parquet as pq

    written = (pq.read_schema(path).metadata or {}).get(b"pandas")
    told = json.loads(written) if written else {}
    listed = told.get("index_columns", []) if isinstance(told, dict) else []
    return [name for name in listed if isinstance(name, str)]


def _of_csv(engine: Engine, path: Path) -> list[str]:
    """The first column where it has no name and numbers rows: it is called so by the engine, or by
    pandas when it read such a file and wrote it again."""
    file = engine.file(path)
    rows = f"read_csv({file}, header = false, all_varchar = true)"
    first = next(iter(engine.columns(rows)))
    header = engine.value(f"select {quoted(first)} from {rows} limit 1")
    if header is not None and header != "" and header != "Unnamed: 0":
        return []
    rows = f"read_csv({file}, header = true, all_varchar = true)"
    name = next(iter(engine.columns(rows)))
    some = f"(select {quoted(name)} as value from {rows} limit {ENOUGH_ROWS})"
    numbers = engine.value(
        "select count(*) > 0 and count(distinct value) = count(*) and "
        f"bool_and(regexp_full_match(value, '[0-9]+')) from {some}"
    )
    return [name] if numbers else []
