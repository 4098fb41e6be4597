"""Sources kept in Parquet files."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq

from riskseg.engine import Engine
from riskseg.sources.files import PlainFiles


class ParquetFiles(PlainFiles):
    endings = (".parquet",)
    function = "read_parquet"

    @classmethod
    def reads(cls, loaded_from: str) -> bool:
        return loaded_from.lower().endswith((".parquet", ".pq"))

    @property
    def first_line(self) -> int | None:
        return 1 if len(self.files()) == 1 else None

    @classmethod
    def headers_of(cls, engine: Engine, path: Path) -> list[str]:
        return list(pq.read_schema(path).names)

    @classmethod
    def index_of(cls, engine: Engine, path: Path) -> list[str]:
        """Those that the schema's metadata lists; a range, which is no column, is listed as a
        mapping."""
        pandas_metadata = (pq.read_schema(path).metadata or {}).get(b"pandas")
        pandas = json.loads(pandas_metadata) if pandas_metadata else {}
        index_listed = pandas.get("index_columns", []) if isinstance(pandas, dict) else []
        return [index_name for index_name in index_listed if isinstance(index_name, str)]
