"""Files of more than one group of rows, and endings in capital letters."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from riskseg.domain.problems import Problems
from riskseg.store import sinks


def write(path: Path, rows: int) -> None:
    table = pa.table({"n": list(range(rows))})
    sinks.write(str(path), table.schema, table.to_batches(), token="t")


@pytest.mark.parametrize("rows", [1, 3, 4, 7])
def test_groups_of_json_follow_one_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(sinks, "GROUP", 3)
    write(tmp_path / "a.json", rows)
    write(tmp_path / "a.jsonl", rows)
    wanted = [{"n": n} for n in range(rows)]
    assert json.loads((tmp_path / "a.json").read_text()) == wanted
    assert [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()] == wanted


@pytest.mark.parametrize("name", ["A.CSV", "a.Json", "a.JSONL", "a.Parquet", "a.CSV.gz"])
def test_an_ending_may_be_in_capitals(tmp_path: Path, name: str) -> None:
    problems = Problems()
    sinks.check(str(tmp_path / name), problems)
    assert not list(problems)
    write(tmp_path / name, 2)
    write(tmp_path / name.lower(), 2)
    assert (tmp_path / name).read_bytes() == (tmp_path / name.lower()).read_bytes()
