"""Rows as a JSON list, or as one JSON object a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from riskseg.store.sinks.port import FileSink
from riskseg.store.sinks.rendering import json_rows


class JsonLines(FileSink):
    def __init__(self, ending: str = ".jsonl") -> None:
        super().__init__(ending)

    def write_file(self, path: Path, schema: pa.Schema, groups: Iterator[pa.Table]) -> int:
        rows = 0
        with path.open("wb") as file:
            for group in groups:
                file.write(json_rows(group, after="\n"))
                rows += group.num_rows
        return rows

    def relation(self, file: str) -> str:
        return f"read_json({file}, convert_strings_to_integers = false)"


class Json(JsonLines):
    def __init__(self) -> None:
        super().__init__(".json")

    def write_file(self, path: Path, schema: pa.Schema, groups: Iterator[pa.Table]) -> int:
        rows = 0
        with path.open("wb") as file:
            file.write(b"[\n")
            for group in groups:
                text = json_rows(group, before=",\n")
                file.write(text if rows else text.removeprefix(b",\n"))
                rows += group.num_rows
            file.write(b"\n]\n" if rows else b"]\n")
        return rows
