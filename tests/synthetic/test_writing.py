"""The same seed writes the same bytes; what is half written is not left behind."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from riskseg.domain.problems import ProblemsError
from riskseg.synthetic import Portfolio, generate, portfolio, write
from riskseg.synthetic.tables import SCHEMAS

UNTIL = date(2026, 3, 31)
FILES = {f"{name}.parquet" for name in SCHEMAS} | {"README.md"}


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portfolio, "CHUNK", 400)


def written(made: Portfolio, folder: Path) -> dict[str, bytes]:
    write(made, folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_seed_writes_the_same_bytes(small_chunks: None, tmp_path: Path) -> None:
    first = written(generate(1_000, 6, 7, until=UNTIL), tmp_path / "a")
    again = written(generate(1_000, 6, 7, until=UNTIL), tmp_path / "b")
    other = written(generate(1_000, 6, 8, until=UNTIL), tmp_path / "c")
    assert set(first) == FILES
    assert first == again
    assert all(first[name] != other[name] for name in FILES)


def test_chunks_differ_and_their_keys_do_not_collide(small_chunks: None) -> None:
    made = generate(1_000, 6, 7, until=UNTIL)
    assert [len(chunk["accounts"]) for chunk in made.chunks()] == [400, 400, 200]
    tables = made.tables()
    for name, key in (("accounts", "account_id"), ("bills", "bill_id"), ("payments", "payment_id")):
        ids = tables[name][key].to_pylist()
        assert len(ids) == len(set(ids))
        assert tables[name]["account_id"].to_pylist() == sorted(
            tables[name]["account_id"].to_pylist()
        )
    ability = tables["truth"]["ability"].to_pylist()
    assert ability[:200] != ability[400:600]


def test_a_row_group_is_a_chunk(small_chunks: None, tmp_path: Path) -> None:
    made = generate(1_000, 3, 7, until=UNTIL)
    write(made, tmp_path)
    for name, table in made.tables().items():
        file = pq.ParquetFile(tmp_path / f"{name}.parquet")
        assert file.metadata.num_row_groups == 3
        assert file.read().equals(table)


def test_progress_is_reported(small_chunks: None, tmp_path: Path) -> None:
    reported: list[tuple[int, int]] = []
    made = generate(
        1_000, 1, 7, until=UNTIL, progress=lambda done, total: reported.append((done, total))
    )
    assert reported == []
    write(made, tmp_path)
    assert reported == [(400, 1_000), (800, 1_000), (1_000, 1_000)]


def test_a_run_that_breaks_off_leaves_the_old_files_alone(
    small_chunks: None, tmp_path: Path
) -> None:
    before = written(generate(500, 1, 7, until=UNTIL), tmp_path)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(generate(500, 1, 8, until=UNTIL, progress=stop), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_readme_says_it_is_synthetic_and_names_every_column(tmp_path: Path) -> None:
    write(generate(10, 3, 7, until=UNTIL), tmp_path)
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "SYNTHETIC" in text.splitlines()[0]
    for name in SCHEMAS:
        part = text.split(f"## {name}.parquet")[1].split("\n## ")[0]
        for column in pq.read_schema(tmp_path / f"{name}.parquet").names:
            assert f"| {column} |" in part


def test_the_readme_tells_the_story_in_the_worlds_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("riskseg.synthetic.world.WRITE_OFF_LIVE", 271)
    write(generate(10, 3, 7, until=UNTIL), tmp_path)
    assert "271 days past due" in (tmp_path / "README.md").read_text(encoding="utf-8")


def test_values_out_of_range_are_problems_reported_together() -> None:
    with pytest.raises(ProblemsError) as caught:
        generate(0, 0, -1, until=date(1900, 1, 1))
    assert [p.code for p in caught.value.problems] == ["RS004"] * 4
    assert {p.what.split()[0] for p in caught.value.problems} == {
        "accounts", "months", "seed", "until",
    }  # fmt: skip


def test_importing_it_loads_nothing_heavy() -> None:
    heavy = {"pandas", "duckdb", "sklearn", "lightgbm", "sqlalchemy"}
    code = f"import sys, riskseg.synthetic; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
