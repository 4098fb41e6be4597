"""A form that rows are written in is added from outside, by registration alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from riskseg.domain.problems import Problems
from riskseg.engine import DuckDB
from riskseg.pipeline.outputs import file_relation
from riskseg.run.assign import assign
from riskseg.run.replay import replay
from riskseg.store import sinks
from riskseg.store.sinks import port
from tests.support.small import make

DAY = date(2026, 1, 1)
AT = datetime(2026, 1, 1, 9, tzinfo=UTC)


class Tabbed(port.FileSink):
    """Texts with a tab between two columns."""

    def __init__(self) -> None:
        super().__init__(".tsv")

    def write_file(self, path: Path, schema: pa.Schema, groups: Iterator[pa.Table]) -> int:
        rows = [row for group in groups for row in group.to_pylist()]
        texts = [["" if v is None else str(v) for v in row.values()] for row in rows]
        path.write_text("".join("\t".join(line) + "\n" for line in [schema.names, *texts]))
        return len(rows)

    def relation(self, file: str) -> str:
        return f"read_csv({file}, delim = '\t', all_varchar = true, header = true)"


@pytest.fixture
def tabbed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port, "SINKS", [*port.SINKS])
    monkeypatch.setattr(sinks, "SINKS", port.SINKS)
    port.register(Tabbed())


def test_a_registered_sink_is_written_to_replayed_and_read(tmp_path: Path, tabbed: None) -> None:
    root = make(tmp_path)
    run = assign(root, DAY, str(root / "d.tsv"), at=AT).run_id
    head, *rows = [line.split("\t") for line in (root / "d.tsv").read_text().splitlines()]
    decided = [dict(zip(head, row, strict=True)) for row in rows]
    assert {row["account_id"]: row["action"] for row in decided} == {"a": "letter", "b": "sms"}
    assert replay(root, run).verdict == "same bytes"
    with DuckDB(reads=[root / "d.tsv"]) as engine:
        read = engine.rows(
            f"select account_id, action from {file_relation(engine, root / 'd.tsv')}"
        )
    assert dict(read) == {"a": "letter", "b": "sms"}


def test_what_nobody_registered_is_refused_with_the_forms_there_are(tmp_path: Path) -> None:
    problems = Problems()
    sinks.check(str(tmp_path / "d.tsv"), problems)
    assert [(p.code, p.hint) for p in problems] == [
        (
            "RS010",
            "Use one of .parquet, .csv, .csv.gz, .json, .jsonl, .xlsx, "
            "or a URL such as s3://bucket/decisions.parquet, or a database URL with #table, "
            "or spark://MASTER#table.",
        )
    ]
