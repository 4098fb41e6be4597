"""Sources in object stores, with fsspec's memory file system in the place of one."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from riskseg.domain.problems import Problem, Problems, ProblemsError
from riskseg.engine import DuckDB, Engine
from riskseg.pipeline.load import load
from riskseg.run.assign import assign
from riskseg.run.contract import contract
from riskseg.run.replay import replay
from riskseg.sources.describe import fingerprints
from riskseg.sources.unchanged import readable
from riskseg.workspace import open_workspace
from tests.support.small import FILES, make

DAY = date(2026, 1, 1)
AT = datetime(2026, 1, 1, 9, tzinfo=UTC)


@pytest.fixture
def store() -> Iterator[MemoryFileSystem]:
    files = MemoryFileSystem()
    yield files
    files.store.clear()
    files.pseudo_dirs[:] = [""]


def in_store(root: Path, store: MemoryFileSystem) -> Path:
    """The smallest workspace, its files in the store."""
    make(root)
    for name, text in FILES.items():
        store.pipe(f"/bucket/{name}.csv", text.encode())
        (root / "data" / f"{name}.csv").unlink()
    toml = (root / "riskseg.toml").read_text()
    (root / "riskseg.toml").write_text(toml.replace('"data/', '"memory://bucket/'))
    return root


def asked(root: Path, ask: Any = lambda _engine, _workspace: None) -> tuple[Any, list[Problem]]:
    problems = Problems()
    workspace = open_workspace(root, problems)
    assert workspace is not None
    with DuckDB(reads=readable(workspace), threads=1) as engine:
        ledger = load(engine, workspace, problems)
        return (ask(engine, workspace) if ledger else None), list(problems)


def test_an_output_in_the_store(tmp_path: Path, store: MemoryFileSystem) -> None:
    root = in_store(tmp_path / "w", store)
    here = str(tmp_path / "d.csv")
    assign(root, DAY, here, at=AT)
    run = assign(root, DAY, "memory://bucket/out/d.csv", at=AT)
    assert store.cat("/bucket/out/d.csv") == Path(here).read_bytes()
    manifest = json.loads(store.cat("/bucket/out/d.csv.manifest.json"))
    assert (manifest["run"], manifest["file"], manifest["kept"]) == (run.run_id, "d.csv", True)
    assert run.place == "memory://bucket/out/d.csv"
    done = replay(root, run.run_id)
    assert (done.verdict, done.file.state) == ("same bytes", "elsewhere")


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("memory://bucket/bills.csv", "This would write over the source of bills"),
        ("memory:///bucket/bills.csv", "This would write over the source of bills"),
        ("memory://bucket/d.csv?token=SECRET", r"bucket/d.csv\?token=\*\*\*: .* has no \? in it"),
        ("memory://bucket/d#e.csv", "has no # in it"),
        ("nowhere://bucket/d.csv", "RS010 nowhere://bucket/d.csv: .*[Pp]rotocol"),
        ("memory://bucket/d.doc", "A file of an object store is known by its ending"),
        ("memory://bucket/bills.csv/d.csv", "The object store refuses"),
    ],
)
def test_an_output_that_cannot_be_written(
    target: str, said: str, tmp_path: Path, store: MemoryFileSystem
) -> None:
    root = in_store(tmp_path / "w", store)
    with pytest.raises(ProblemsError, match=said):
        assign(root, DAY, target, at=AT)
    assert sorted(store.find("/bucket")) == [f"/bucket/{name}.csv" for name in sorted(FILES)]


def test_an_output_in_the_store_that_a_later_run_wrote_over(
    tmp_path: Path, store: MemoryFileSystem
) -> None:
    root, target = in_store(tmp_path / "w", store), "memory://bucket/out/d.csv"
    first, second = (
        assign(root, day, target, at=AT).run_id for day in (DAY - timedelta(days=1), DAY)
    )
    found = replay(root, first)
    assert (found.verdict, found.file.state, found.file.by) == (
        "same bytes",
        "written over",
        second,
    )


def test_a_url_of_a_file_of_this_machine_is_that_file(tmp_path: Path) -> None:
    root = make(tmp_path / "w")
    (tmp_path / "a#b%20 c.csv").write_text("old")
    run = assign(root, DAY, f"file://{tmp_path}/a#b%20 c.csv", at=AT)
    assert run.place == f"{tmp_path}/a#b%20 c.csv"
    assert replay(root, run.run_id).file.state == "as written"
    for target in (root / "data/bills.csv", root / "rules/d.csv"):
        before = target.exists() and target.read_bytes()
        with pytest.raises(ProblemsError, match="This would write over the "):
            assign(root, DAY, f"FILE://{target}", at=AT)
        assert (target.exists() and target.read_bytes()) == before


def test_a_source_that_a_url_of_a_file_names_is_not_written_over(tmp_path: Path) -> None:
    root = make(tmp_path / "w")
    edit(root, '"data/bills.csv"', f'"file://{root}/data/bills*.csv"')
    for target in ("bills.csv", "bills-2.csv"):
        with pytest.raises(ProblemsError, match="This would write over the source of bills"):
            assign(root, DAY, str(root / "data" / target), at=AT)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("s3://me:SECRET@bucket/c.yaml", "s3://me:***@bucket/c.yaml"),
        ("file:///exports/c.yaml", "file:///exports/c.yaml"),
    ],
)
def test_a_page_is_not_sent_to_a_store(url: str, shown: str, tmp_path: Path) -> None:
    root = make(tmp_path / "w")
    with pytest.raises(ProblemsError) as raised:
        contract(root, Path(url))
    [problem] = raised.value.problems
    assert (problem.code, problem.file) == ("RS010", shown)


def edit(root: Path, old: str, new: str) -> None:
    text = (root / "riskseg.toml").read_text()
    assert old in text
    (root / "riskseg.toml").write_text(text.replace(old, new))


def test_what_is_decided_is_the_same_as_from_files(tmp_path: Path, store: MemoryFileSystem) -> None:
    here, there = make(tmp_path / "here"), in_store(tmp_path / "there", store)
    for root in (here, there):
        assign(root, DAY, str(root / "d.csv"), at=AT)
    assert (here / "d.csv").read_bytes() == (there / "d.csv").read_bytes()


def test_a_glob_with_folders_that_are_columns(tmp_path: Path, store: MemoryFileSystem) -> None:
    root = in_store(tmp_path, store)
    for year, account in ((2024, "a"), (2025, "b")):
        table = pa.table({"account_id": [account], "bill_id": ["1"], "amount": [100.0]})
        with store.open(f"/bucket/bills/year={year}/part.parquet", "wb") as file:
            pq.write_table(table, file)
    edit(
        root,
        'from = "memory://bucket/bills.csv"',
        'from = "memory://bucket/bills/*/*.parquet"\ndue_on = "year || \'-11-01\'"',
    )

    def days(engine: Engine, _: object) -> Any:
        return engine.rows("select due_on from bills order by 1")

    assert asked(root, days) == ([(date(2024, 11, 1),), (date(2025, 11, 1),)], [])


def test_the_fingerprint_is_of_the_content(tmp_path: Path, store: MemoryFileSystem) -> None:
    root = in_store(tmp_path, store)
    before = asked(root, fingerprints)[0]
    assert asked(root, fingerprints)[0] == before
    store.pipe("/bucket/bills.csv", FILES["bills"].replace("a,1", "a,9").encode())
    after = asked(root, fingerprints)[0]
    assert {name for name in before if before[name] != after[name]} == {"bills"}


@pytest.mark.parametrize(
    ("url", "code", "words"),
    [
        ("memory://bucket/nothing.csv", "RS006", 'no file "memory://bucket/nothing.csv"'),
        ("memory://bucket/none/*.csv", "RS006", "no file"),
        ("memory://bucket/bills", "RS006", "not a file that can be loaded"),
        ("nosuch://bucket/bills.csv", "RS016", "nosuch"),
        ("memory://bucket/empty.csv", "RS109", "empty"),
    ],
)
def test_what_is_not_there_is_a_problem(
    tmp_path: Path, store: MemoryFileSystem, url: str, code: str, words: str
) -> None:
    store.pipe("/bucket/empty.csv", b"")
    root = in_store(tmp_path, store)
    edit(root, "memory://bucket/bills.csv", url)
    problems = asked(root)[1]
    assert [problem.code for problem in problems] == [code]
    assert words in problems[0].what


def test_without_the_extra_the_hint_says_what_to_install(
    tmp_path: Path, store: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = in_store(tmp_path, store)
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    problems = asked(root)[1]
    assert {problem.code for problem in problems} == {"RS024"}
    assert "pip install 'riskseg[remote]'" in problems[0].hint


def test_a_bad_row_is_pointed_at(tmp_path: Path, store: MemoryFileSystem) -> None:
    root = in_store(tmp_path, store)
    store.pipe("/bucket/bills.csv", (FILES["bills"] + "a,3,soon,1\n").encode())
    problems = asked(root)[1]
    assert [(p.code, p.where) for p in problems] == [("RS102", "memory://bucket/bills.csv:4")]


def test_rows_of_a_store_are_staged_once(tmp_path: Path, store: MemoryFileSystem) -> None:
    """Two files with the same rows are one, whenever they were written; others are staged anew."""
    root = in_store(tmp_path, store)
    (root / ".riskseg").mkdir()

    def ledgers() -> set[str]:
        assign(root, DAY, str(root / "d.csv"), at=AT)
        return {kept.name for kept in (root / ".riskseg/staged").glob("*.duckdb")}

    first = ledgers()
    assert len(first) == 1
    store.pipe("/bucket/payments.csv", FILES["payments"].encode())
    assert ledgers() == first
    store.pipe("/bucket/payments.csv", FILES["payments"].replace("100", "101").encode())
    assert len(ledgers() - first) == 1
