"""Whatever moment a run is stopped at: no half file, no journalled run without its file, and the
next run puts everything right."""

from __future__ import annotations

import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from riskseg.learning.artefact import load
from riskseg.learning.train import train as learn
from riskseg.pipeline.stages import Progress, Stage
from riskseg.run.assign import assign
from riskseg.run.retention import listed
from riskseg.run.train import train
from riskseg.store import files, run_inputs
from riskseg.store.files import sha256_of
from riskseg.store.journal import Journal
from tests.journeys.killing import DOORS, begin, tried
from tests.support import portfolio as p

Copy = Callable[[Path], Path]
MODEL = "late_payment"
needs_kill = pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")


class Cut(BaseException):
    """Not an Exception: nothing may catch it on the way."""


def cut_at(number: int) -> Progress:
    """A progress that cuts the run at the stage boundary of that number, from 0."""
    left = [number]

    def reached(_stage: Stage, _done: int, _total: int) -> None:
        if left[0] == 0:
            raise Cut
        left[0] -= 1

    return Progress(reached)


def boundaries(run: Callable[[Progress], object]) -> int:
    count = [0]

    def reached(_stage: Stage, _done: int, _total: int) -> None:
        count[0] += 1

    run(Progress(reached))
    return count[0]


def leftovers(workspace: Path) -> list[Path]:
    scratch = workspace / ".riskseg" / "scratch"
    found = [f for f in scratch.rglob("*")] if scratch.exists() else []
    return [*found, *(f for f in workspace.rglob("*") if f.name.endswith(".part"))]


def check_trust(workspace: Path) -> None:
    """What readers rely on: a run or a model that the journal names is there, and whole."""
    with Journal.open(workspace / ".riskseg" / "journal.db") as journal:
        for run in journal.runs():
            assert run.output is not None
            # Within the workspace the journal holds places of it.
            assert sha256_of(workspace / run.output) == run.output_sha256
        for record in journal.models():
            folder = workspace / "models" / record.model / record.version
            assert load(folder).version == record.version


def decide(workspace: Path, name: str, progress: Progress | None = None) -> Path:
    place = workspace / name
    assign(workspace, p.AS_OF, str(place), at=p.AT, reasons="due", progress=progress)
    return place


@pytest.fixture(scope="module")
def undisturbed(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    workspace = p.copied(trained, tmp_path_factory.mktemp("undisturbed") / "workspace")
    return decide(workspace, "decisions.parquet").read_bytes()


def check_restored(workspace: Path, place: Path, undisturbed: bytes) -> None:
    check_trust(workspace)
    assert not place.exists() or place.read_bytes() == undisturbed
    decide(workspace, place.name)
    assert place.read_bytes() == undisturbed
    assert leftovers(workspace) == []
    check_trust(workspace)
    # No orphan stays, and no run that the journal has is without the mark of it.
    folders = run_inputs.folders(workspace / ".riskseg" / "runs")
    assert {f.name for f in folders} == {r.run_id for r in listed(workspace).runs}
    assert all(map(run_inputs.is_journalled, folders))


@pytest.mark.slow
def test_assign_cut_at_each_stage_boundary(
    trained: Path, copy_of: Copy, undisturbed: bytes
) -> None:
    workspace = copy_of(trained)
    p.replace(workspace, "riskseg.toml", "threads = 1", "threads = 1\npartitions = 2")
    count = boundaries(lambda progress: decide(workspace, "first.parquet", progress))
    assert count == 4 + 3 * 2
    for number in range(count):
        place = workspace / f"cut-{number}.parquet"
        with pytest.raises(Cut):
            decide(workspace, place.name, cut_at(number))
        check_restored(workspace, place, undisturbed)


def cutting(original: Callable[..., object], when: str) -> Callable[..., object]:
    def cut(*args: object, **kwargs: object) -> object:
        if when == "after":
            original(*args, **kwargs)
        raise Cut

    return cut


@needs_kill
@pytest.mark.parametrize("door", tried(DOORS))
def test_assign_killed_at_a_door(
    door: str, trained: Path, copy_of: Copy, undisturbed: bytes
) -> None:
    workspace = copy_of(trained)
    # The first file that is written is to be that of the decisions.
    p.replace(workspace, "riskseg.toml", "threads = 1", "threads = 1\nkeep_staged = false")
    place = workspace / "decisions.parquet"
    process = begin(workspace, place, DOORS[door])
    process.join()
    assert process.exitcode == -signal.SIGKILL
    # What the next run must sweep up is there, else the test would not show that it does.
    parts = [f.name for f in leftovers(workspace) if f.name.endswith(".part")]
    assert len(parts) == (door in ("in the middle of writing", "before the disk is flushed",
                                   "before a rename"))  # fmt: skip
    assert place.exists() == (door in ("after a rename", "after writing") or "journal" in door)
    with Journal.open(workspace / ".riskseg" / "journal.db") as journal:
        assert len(journal.runs()) == (door == "after the journal")
    # Whatever the next run does, it sweeps: doing the same again would write over the same name.
    assert decide(workspace, "another.parquet").read_bytes() == undisturbed
    assert leftovers(workspace) == []
    check_restored(workspace, place, undisturbed)


def test_a_file_that_was_there_stays_until_the_new_one_is_whole(
    trained: Path, copy_of: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = copy_of(trained)
    place = workspace / "decisions.parquet"
    place.write_bytes(b"what was there before")
    with monkeypatch.context() as patched:
        patched.setattr(files.os, "replace", cutting(files.os.replace, "before"))
        with pytest.raises(Cut):
            decide(workspace, place.name)
    assert place.read_bytes() == b"what was there before"


def _once(original: Callable[..., object]) -> Callable[..., object]:
    results: list[object] = []

    def once(*args: object, **kwargs: object) -> object:
        if not results:
            results.append(original(*args, **kwargs))
        return results[0]

    return once


TRAIN_DOORS = {
    "before the folder is renamed": (files.os, "replace", "before"),
    "after the folder is renamed": (files.os, "replace", "after"),
    "before the model is recorded": (Journal, "record_model", "before"),
    "after the model is recorded": (Journal, "record_model", "after"),
    "before it is promoted": (Journal, "promote", "before"),
}


@pytest.mark.slow
def test_train_cut_at_each_boundary_and_door(
    sound: Path, trained: Path, copy_of: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One cut after the other in one workspace; what each leaves, the next must live with."""
    workspace = copy_of(sound)
    (kept,) = (trained / "models" / MODEL).iterdir()
    # Learning is deterministic, which is tested elsewhere: here it need be done only once.
    monkeypatch.setattr("riskseg.learning.train.train", _once(learn))

    def run(progress: Progress | None = None) -> None:
        train(workspace, [MODEL], at=p.AT, progress=progress)

    def check(whole: bool) -> None:
        check_trust(workspace)
        folders = [f for f in (workspace / "models").glob("*/*") if not f.name.startswith(".")]
        assert [f.name for f in folders] == ([kept.name] if whole else [])

    for number in range(5):
        with pytest.raises(Cut):
            run(cut_at(number))
        check(whole=False)
    for name, (owner, attribute, when) in TRAIN_DOORS.items():
        with monkeypatch.context() as patched:
            patched.setattr(owner, attribute, cutting(getattr(owner, attribute), when))
            with pytest.raises(Cut):
                run()
        check(whole=name != "before the folder is renamed")
    assert boundaries(run) == 5
    check(whole=True)
    assert leftovers(workspace) == []
    for file in kept.iterdir():
        other = workspace / "models" / MODEL / kept.name / file.name
        assert other.read_bytes() == file.read_bytes()
    with Journal.open(workspace / ".riskseg" / "journal.db") as journal:
        champion = journal.champion(MODEL)
        assert champion is not None
        assert (champion.version, len(journal.models())) == (kept.name, 1)


@needs_kill
@pytest.mark.slow  # the doors and boundaries are tried one by one without it
def test_assign_killed_at_twenty_random_moments(
    trained: Path, copy_of: Copy, undisturbed: bytes
) -> None:
    workspace = copy_of(trained)
    warm = begin(workspace, workspace / "warm.parquet")
    warm.join()
    begun = time.monotonic()
    whole = begin(workspace, workspace / "whole.parquet")
    whole.join()
    took = time.monotonic() - begun
    assert (warm.exitcode, whole.exitcode) == (0, 0)
    at_work = False
    assert (workspace / "whole.parquet").read_bytes() == undisturbed
    rng = random.Random(20)  # noqa: S311
    for number in range(20):
        place = workspace / f"killed-{number}.parquet"
        process = begin(workspace, place)
        time.sleep(took * (number + rng.random()) / 20)
        process.kill()
        process.join()
        at_work = at_work or (process.exitcode == -signal.SIGKILL and leftovers(workspace) != [])
        check_restored(workspace, place, undisturbed)
    assert at_work
