"""Sources kept in CSV files, compressed or not."""

from __future__ import annotations

import re
from pathlib import Path

from riskseg.domain.relations import quoted
from riskseg.engine import Engine
from riskseg.sources.files import PlainFiles

# Rows that are enough to see that a column numbers them.
ENOUGH_ROWS = 10_000
_ENDING = re.compile(r"\.(csv|tsv|txt)(\.gz)?$", re.IGNORECASE)


class CsvFiles(PlainFiles):
    """CSV is read as text throughout, so that an id keeps its leading zeros and every value is
    checked against the contract rather than guessed at."""

    endings = (".csv", ".csv.gz")
    function = "read_csv"
    options = ", all_varchar = true, header = true"

    @classmethod
    def reads(cls, loaded_from: str) -> bool:
        return _ENDING.search(loaded_from) is not None

    @property
    def first_line(self) -> int | None:
        # The line before it has the header.
        return 2 if len(self.files()) == 1 else None

    @classmethod
    def headers_of(cls, engine: Engine, path: Path) -> list[str]:
        first = f"read_csv({engine.file(path)}, header = false, all_varchar = true)"
        return [str(v) for row in engine.rows(f"select * from {first} limit 1") for v in row]

    @classmethod
    def index_of(cls, engine: Engine, path: Path) -> list[str]:
        """The first column where it has no name and numbers rows: it is called so by the engine, or
        by pandas when it read such a file and wrote it again."""
        quoted_file = engine.file(path)
        with_header = f"read_csv({quoted_file}, header = false, all_varchar = true)"
        first_column = next(iter(engine.columns(with_header)))
        header = engine.value(f"select {quoted(first_column)} from {with_header} limit 1")
        if header is not None and header != "" and header != "Unnamed: 0":
            return []
        csv_relation = f"read_csv({quoted_file}, header = true, all_varchar = true)"
        index_header = next(iter(engine.columns(csv_relation)))
        some = f"(select {quoted(index_header)} as value from {csv_relation} limit {ENOUGH_ROWS})"
        is_numbered = engine.value(
            "select count(*) > 0 and count(distinct value) = count(*) and "
            f"bool_and(regexp_full_match(value, '[0-9]+')) from {some}"
        )
        return [index_header] if is_numbered else []
