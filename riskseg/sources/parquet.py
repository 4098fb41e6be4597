"""Sources kept in Parquet files."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from riskseg.domain.facts import folded
from riskseg.domain.problems import Problems
from riskseg.domain.words import first_few
from riskseg.engine import Engine
from riskseg.sources.files import PlainFiles


class ParquetFiles(PlainFiles):
    endings = (".parquet",)
    function = "read_parquet"

    @classmethod
    def reads(cls, loaded_from: str) -> bool:
        return loaded_from.lower().endswith((".parquet", ".pq"))

    def rows_by_file(self) -> list[tuple[Path, int]]:
        return [(path, int(pq.read_metadata(path).num_rows)) for path in self.files()]

    def relation(self, engine: Engine) -> str:
        listed = ", ".join(engine.file(path) for path in self.files())
        options = f"union_by_name = true, hive_partitioning = {str(self.is_partitioned).lower()}"
        if self.is_partitioned:
            options += ", hive_types_autocast = false"
        return f"read_parquet([{listed}], {options})"

    def prepare(self, engine: Engine, problems: Problems) -> bool:
        """Whether every file is Parquet, and no column is of several types in them."""
        before = len(problems)
        files_by_type: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        self.columns_by_file = {}
        for path in self.files():
            shown = self.shown(path)
            try:
                schema = pq.read_schema(path)
            except (pa.ArrowInvalid, OSError) as error:
                problems.add(
                    "RS006",
                    f"The file cannot be read as Parquet: {_said(error)}.",
                    file=shown,
                    hint="Copy it again; it may be cut off, or a file of another form.",
                )
                continue
            self.columns_by_file[shown] = list(schema.names)
            for field in schema:
                if kind := _kind(field.type):
                    files_by_type[folded(field.name)][kind].append(shown)
        for column, files in files_by_type.items():
            if len(files) > 1:
                types = " and ".join(
                    f"{kind} in {first_few(tuple(shown_files))}"
                    for kind, shown_files in files.items()
                )
                problems.add(
                    "RS022",
                    f'"{column}" of {self.source.table} is {types}.',
                    file=self.source.file,
                    line=self.source.lines.get("from"),
                    hint="Write the files with one type, or join two selects that cast it: "
                    "`select * replace (cast(… as …) as …) from '…' union all by name …`.",
                )
        return len(problems) == before

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


def _kind(type_: Any) -> str:
    """What a column of several files has to be in all of them; nothing where it holds no value."""
    if pa.types.is_dictionary(type_):
        return _kind(type_.value_type)
    kinds = {
        "text": pa.types.is_string(type_) or pa.types.is_large_string(type_),
        "a whole number": pa.types.is_integer(type_),
        "a floating-point number": pa.types.is_floating(type_),
        "a decimal number": pa.types.is_decimal(type_),
        "true or false": pa.types.is_boolean(type_),
        "a date": pa.types.is_date(type_),
    }
    if pa.types.is_null(type_):
        return ""
    if pa.types.is_timestamp(type_):
        return "a time" if type_.tz is None else "a time of a time zone"
    return next((kind for kind, is_kind in kinds.items() if is_kind), str(type_))


def _said(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
