"""What a run keeps: whole or absent, and an account that is erased leaves no trace in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskseg.store import run_inputs

SCHEMA = pa.schema([("account_id", pa.string()), ("owed", pa.decimal128(18, 2))])


def batches(count: int, size: int) -> Iterator[pa.RecordBatch]:
    for first in range(0, count, size):
        numbers = range(first, min(first + size, count))
        yield pa.record_batch(
            [[f"A{n:05}" for n in numbers], pa.array([n for n in numbers], pa.decimal128(18, 2))],
            schema=SCHEMA,
        )


def keep(home: Path, run: str = "run1", count: int = 25) -> Path:
    (home / "scratch").mkdir(exist_ok=True)
    with run_inputs.keeping(home / "scratch") as keeping:
        keeping.begin(SCHEMA)
        keeping.add(batches(count, 10))
        assert keeping.rows == count
        keeping.describe({"run": run}, {"strategy.yaml": "a: é\n", "packs/x.yaml": "b\r\n"})
        return run_inputs.settle(keeping, home / "runs", run)


def accounts(folder: Path) -> list[str]:
    return [str(a) for a in pq.read_table(folder / run_inputs.INPUTS)["account_id"].to_pylist()]


def test_a_run_is_kept_whole(tmp_path: Path) -> None:
    folder = keep(tmp_path)
    assert run_inputs.is_kept(folder)
    assert len(accounts(folder)) == 25
    texts = {"packs/x.yaml": "b\r\n", "strategy.yaml": "a: é\n"}
    assert run_inputs.read_texts(folder / run_inputs.STRATEGY) == texts
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_run_without_an_account_is_kept_too(tmp_path: Path) -> None:
    assert accounts(keep(tmp_path, count=0)) == []


def test_what_is_not_settled_is_gone(tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    with pytest.raises(KeyboardInterrupt), run_inputs.keeping(tmp_path / "scratch") as keeping:
        keeping.begin(SCHEMA)
        raise KeyboardInterrupt
    assert [p.name for p in tmp_path.rglob("*")] == ["scratch"]


def test_the_same_run_again_leaves_what_is_kept(tmp_path: Path) -> None:
    folder = keep(tmp_path)
    run_inputs.erase(folder, "A00003", "h")
    keep(tmp_path)
    assert len(accounts(folder)) == 24
    (folder / run_inputs.INPUTS).unlink()  # damaged: not worth keeping
    assert len(accounts(keep(tmp_path))) == 25


@pytest.mark.parametrize(
    ("account", "there"),
    [("A00000", True), ("A00017", True), ("A00024", True), ("A00025", False), ("A0001", False)],
)
def test_erasing_an_account(tmp_path: Path, account: str, there: bool) -> None:
    folder = keep(tmp_path)
    before = (folder / run_inputs.INPUTS).read_bytes()
    assert run_inputs.erase(folder, account, "hash") is there
    after = (folder / run_inputs.INPUTS).read_bytes()
    assert (after == before) is not there
    assert run_inputs.erased(folder) == (("hash",) if there else ())
    assert len(accounts(folder)) == 25 - there
    if there:
        assert account not in accounts(folder)
        assert account.encode() not in after
        # Reported again, so that what a killed erasure had done already can be journalled.
        assert run_inputs.erase(folder, account, "hash") is True
        assert (folder / run_inputs.INPUTS).read_bytes() == after
        assert run_inputs.erase(folder, "A00005", "other") is True
        assert run_inputs.erased(folder) == ("hash", "other")


def test_an_erasure_that_is_cut_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = keep(tmp_path)
    before = (folder / run_inputs.INPUTS).read_bytes()

    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", cut)
        with pytest.raises(KeyboardInterrupt):
            run_inputs.erase(folder, "A00003", "h")
    assert (folder / run_inputs.INPUTS).read_bytes() == before
    assert [f.name for f in sorted(folder.iterdir())] == [
        run_inputs.INPUTS,
        run_inputs.ABOUT,
        run_inputs.STRATEGY,
    ]


@pytest.mark.parametrize("size", [0, 4, 1000])
def test_inputs_that_cannot_be_read_stay_as_they_are(tmp_path: Path, size: int) -> None:
    place = keep(tmp_path) / run_inputs.INPUTS
    place.write_bytes(place.read_bytes()[:size])
    torn = place.read_bytes()
    with pytest.raises(run_inputs.Unreadable):
        run_inputs.erase(place.parent, "A00003", "h")
    with pytest.raises(run_inputs.Unreadable):
        run_inputs.erased(place.parent)
    assert place.read_bytes() == torn
    pq.write_table(pa.table({"owed": [1]}), place)
    with pytest.raises(run_inputs.Unreadable, match="no column account_id"):
        run_inputs.erase(place.parent, "A00003", "h")


def test_letting_go_and_sweeping(tmp_path: Path) -> None:
    for run in ("a", "b", "c"):
        keep(tmp_path, run)
    runs = tmp_path / "runs"
    run_inputs.sweep(runs, {"a", "b"})
    assert [f.name for f in run_inputs.folders(runs)] == ["a", "b"]
    # What the journal once knew is no orphan, though the journal has lost it.
    keep(tmp_path, "orphan")
    run_inputs.sweep(runs, {"a"})
    assert [f.name for f in run_inputs.folders(runs)] == ["a", "b"]
    assert run_inputs.let_go(runs, ["b", "absent"]) == 1
    assert [f.name for f in runs.iterdir()] == ["a"]
