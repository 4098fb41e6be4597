"""A folder as a source, and Parquet files that do not have the same columns."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskseg.domain.problems import Problems
from riskseg.sources.reader import open_source
from riskseg.workspace import Source
from tests.sources.reading import faults, read


def write(root: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)


def test_all_files_of_a_folder_are_read(tmp_path: Path) -> None:
    write(tmp_path, {
        "bills/2025/1.csv": b"a,b\n1,2\n", "bills/2025/2.csv.gz.part/_x.csv": b"",
        "bills/2024.csv": b"b;a\n4;3\n", "bills/_SUCCESS": b"", "bills/.1.csv.crc": b"x",
        "bills/year=2023/3.csv": b"a,b\n5,6\n",
    })  # fmt: skip
    columns, rows, counted = read(tmp_path, "bills")
    assert columns == ["b", "a", "year"]
    assert rows == [("4", "3", None), ("2", "1", None), ("6", "5", "2023")]
    assert counted == 3


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"b/1.csv": b"a\n1\n", "b/notes.md": b"x"}, "files of other kinds: b/notes.md"),
        ({"b/1.csv": b"a\n1\n", "b/_delta_log/0.json": b"{}"}, "a Delta Lake table"),
        ({"b/1.csv": b"a\n1\n", "b/metadata/1.metadata.json": b"{}"}, "an Iceberg table"),
    ],
)
def test_a_folder_of_several_kinds_is_refused(
    tmp_path: Path, files: dict[str, bytes], words: str
) -> None:
    write(tmp_path, files)
    (problem,) = faults(tmp_path, "b")
    assert (problem.code, words in problem.what) == ("RS022", True)


def parquet(path: Path, **columns: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


def test_later_columns_of_parquet_files_are_kept_and_reported(tmp_path: Path) -> None:
    parquet(tmp_path / "1.parquet", a=["A1"], amount=pa.array([1], pa.int32()))
    parquet(tmp_path / "2.parquet", amount=[2], Cancelled=["x"], a=pa.array([None], pa.null()))
    columns, rows, counted = read(tmp_path, "*.parquet")
    assert columns == ["a", "amount", "Cancelled"]
    assert rows == [("A1", 1, None), (None, 2, "x")]
    assert counted == 2
    source = open_source(Source("bills", "*.parquet", {}), tmp_path)
    source.prepare(None, Problems())  # type: ignore[arg-type]
    assert source.notes() == [
        '"Cancelled" of bills is null in 1 file that has no such column: 1.parquet.'
    ]


def test_partitioned_parquet_keeps_the_texts_of_its_folders(tmp_path: Path) -> None:
    parquet(tmp_path / "d/no=007/1.parquet", a=["A1"])
    parquet(tmp_path / "d/no=8/1.parquet", a=["A2"])
    assert read(tmp_path, "d/*/*.parquet")[1] == [("A1", "007"), ("A2", "8")]
    assert read(tmp_path, "d")[1] == [("A1", "007"), ("A2", "8")]


TYPES = {
    "text": [pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())],
    "a whole number": [pa.int8(), pa.int32(), pa.int64(), pa.uint16()],
    "a floating-point number": [pa.float32(), pa.float64()],
    "a decimal number": [pa.decimal128(8, 2), pa.decimal128(18, 2)],
    "a date": [pa.date32()],
    "true or false": [pa.bool_()],
}
VALUES = {
    "text": "x", "a whole number": 7, "a floating-point number": 0.5,
    "a decimal number": Decimal("1.25"), "a date": 0, "true or false": True,
}  # fmt: skip
KINDS = st.sampled_from(sorted(TYPES)).flatmap(
    lambda kind: st.sampled_from(TYPES[kind]).map(lambda type_: (kind, type_))
)


@settings(max_examples=12, deadline=None, derandomize=True, database=None)
@given(first=KINDS, second=KINDS)
def test_files_are_joined_where_their_types_are_of_one_kind(
    tmp_path_factory: pytest.TempPathFactory, first: Any, second: Any
) -> None:
    root = tmp_path_factory.mktemp("parquet")
    for name, (kind, type_) in (("1", first), ("2", second)):
        parquet(root / f"{name}.parquet", x=pa.array([VALUES[kind], None], type_))
    problems = faults(root, "*.parquet")
    if first[0] != second[0]:
        (problem,) = problems
        assert problem.what == (
            f'"x" of bills is {first[0]} in 1.parquet and {second[0]} in 2.parquet.'
        )
    else:
        assert problems == []
        rows = read(root, "*.parquet")[1]
        assert [row[0] is None for row in rows] == [False, True, False, True]
        assert rows[0] == rows[2]


def test_a_parquet_file_that_is_cut_off_is_a_problem(tmp_path: Path) -> None:
    parquet(tmp_path / "1.parquet", a=["A1"])
    content = (tmp_path / "1.parquet").read_bytes()
    (tmp_path / "1.parquet").write_bytes(content[:-9])
    (problem,) = faults(tmp_path, "*.parquet")
    assert (problem.code, problem.file) == ("RS006", "1.parquet")
