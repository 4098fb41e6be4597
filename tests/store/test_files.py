from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from riskseg.domain.problems import Problems, ProblemsError
from riskseg.store.files import (
    check_place,
    folder_beside,
    part_of,
    sha256_of,
    sweep,
    write_beside,
)

Run = Callable[..., subprocess.CompletedProcess[str]]


RUN_ID = "r1"


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_a_file_appears_whole_and_replaces_the_earlier_one(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("old")
    with write_beside(path, token=RUN_ID) as part:
        part.write_text("new")
        assert part.parent == tmp_path
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert names(tmp_path) == ["out.csv"]


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), write_beside(path, token=RUN_ID) as part:
        part.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert names(tmp_path) == ["out.csv"]


def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to("real.csv")
    with write_beside(tmp_path / "link.csv", token=RUN_ID) as part:
        part.write_text("new")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text() == "new"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda f: f, "This is a folder; the output is a file. Name a file."),
        (lambda f: f / "no" / "out.csv", "does not exist. Make the folder"),
        (lambda f: f / "file" / "out.csv", "does not exist. Make the folder"),
        (lambda f: f / ("x" * 255), "file name too long"),
        (lambda _: Path("/proc/out.csv"), "This cannot be written: "),
        (lambda _: Path("/dev/null"), "This is a device; the output is a file."),
    ],
)
def test_a_place_that_cannot_be_written(
    tmp_path: Path, make: Callable[[Path], Path], says: str
) -> None:
    (tmp_path / "file").touch()
    path = make(tmp_path)
    with pytest.raises(ProblemsError) as raised, write_beside(path, token=RUN_ID):
        pytest.fail("the block must not begin")
    (found,) = raised.value.problems
    assert (found.code, found.file) == ("RS010", str(path))
    assert says in str(found)
    problems = Problems()
    check_place(path, problems)
    assert list(problems) == [found]


def test_a_place_that_can_be_written_is_no_problem_and_stays_as_it_was(tmp_path: Path) -> None:
    problems = Problems()
    check_place(tmp_path / "out.csv", problems)
    assert not list(problems)
    assert not names(tmp_path)


def test_a_full_disk_is_a_problem(run: Run, tmp_path: Path) -> None:
    # A limit on the size of files stands in for the disk: the same error, another number.
    reported = run(
        """
        import resource, sys
        from pathlib import Path
        from riskseg.domain.problems import ProblemsError
        from riskseg.store.files import write_beside

        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            with write_beside(Path(sys.argv[1]), token="r1") as part:
                part.write_bytes(bytes(2000))
        except ProblemsError as error:
            print(error)
        """,
        tmp_path / "out.csv",
    )
    assert reported.stdout.startswith("RS010 "), reported.stderr
    assert "Make room" in reported.stdout
    assert not names(tmp_path)


def test_another_fault_in_the_block_is_not_reported_as_a_fault_of_the_place(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), write_beside(tmp_path / "out.csv", token=RUN_ID):
        (tmp_path / "input.csv").read_text()


KILLED = """
import os, signal, sys
from pathlib import Path
from riskseg.store import files

target, point, kind = Path(sys.argv[1]), sys.argv[2], sys.argv[3]

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

if point == "at the flush":
    files._flush = die
elif point == "at the rename":
    os.replace = die
elif point == "after the rename":
    files._flush_folder = lambda path: die() if target.exists() else None
if kind == "file":
    with files.write_beside(target, token="r1") as part:
        with part.open("wb") as file:
            file.write(b"new" * 10_000)
            file.flush()
            if point == "in the block":
                die()
            file.write(b"end")
else:
    with files.folder_beside(target, token="r1") as part:
        (part / "inner").mkdir()
        (part / "inner" / "one").write_bytes(b"new")
        if point == "in the block":
            die()
        (part / "two").write_bytes(b"new")
"""


@pytest.mark.parametrize("kind", ["file", "folder"])
@pytest.mark.parametrize(
    "point", ["in the block", "at the flush", "at the rename", "after the rename"]
)
def test_killed_at_any_point_it_is_whole_or_absent_and_sweeps_clean(
    run: Run, tmp_path: Path, point: str, kind: str
) -> None:
    target = tmp_path / "v1"
    reported = run(KILLED, target, point, kind)
    assert reported.returncode == -signal.SIGKILL, reported.stderr
    left = sorted(tmp_path.glob(".v1.r1.*.riskseg.part"))
    assert len(left) == (0 if point == "after the rename" else 1)
    assert target.exists() == (point == "after the rename")
    assert sweep([tmp_path]) == left
    if target.is_file():
        assert target.read_bytes() == b"new" * 10_000 + b"end"
    elif target.is_dir():
        assert names(target) == ["inner", "two"]
    assert names(tmp_path) == (["v1"] if target.exists() else [])
    # Done again without a sweep before, it succeeds.
    reported = run(KILLED, target, "in the block", kind)
    assert run(KILLED, target, "never", kind).returncode == 0
    assert names(tmp_path) == ["v1"]


def test_sweep_takes_only_what_is_ours(tmp_path: Path) -> None:
    kept = [".hidden", "out.csv", ".film.part", "x.riskseg.part"]
    for name in kept:
        (tmp_path / name).touch()
    (tmp_path / "below").mkdir()
    part_of(tmp_path / "below" / "out.csv", "r1").touch()
    folder, file = part_of(tmp_path / "v1", "r2"), part_of(tmp_path / "out.csv", "r1")
    folder.mkdir()
    (folder / "manifest.json").touch()
    file.touch()
    assert sweep([tmp_path, tmp_path, tmp_path / "absent"]) == [file, folder]
    assert names(tmp_path) == sorted([*kept, "below"])
    assert len(names(tmp_path / "below")) == 1


def fill(path: Path, text: str) -> None:
    with folder_beside(path, token=RUN_ID) as part:
        (part / "inner").mkdir()
        (part / "inner" / "a").write_text(text)


def test_a_folder_done_again_is_left_and_another_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "v1"
    path.mkdir()  # an empty folder is no content
    fill(path, "same")
    inode = path.stat().st_ino
    fill(path, "same")
    assert path.stat().st_ino == inode
    with pytest.raises(ProblemsError, match=r"RS010 .*already holds something else. Move it away"):
        fill(path, "different")
    # Neither size nor time tells two contents apart.
    (path / "inner" / "a").write_text("SAME")
    with pytest.raises(ProblemsError, match="RS010"), folder_beside(path, token=RUN_ID) as part:
        (part / "inner").mkdir()
        (part / "inner" / "a").write_text("same")
        os.utime(part / "inner" / "a", ns=(0, 0))
        os.utime(path / "inner" / "a", ns=(0, 0))
    (path / "inner" / "a").write_text("same")
    (path / "more").touch()
    with pytest.raises(ProblemsError, match="RS010"):
        fill(path, "same")
    assert (path / "inner" / "a").read_text() == "same"
    assert names(tmp_path) == ["v1"]


def test_a_folder_where_a_file_is(tmp_path: Path) -> None:
    (tmp_path / "v1").touch()
    with pytest.raises(ProblemsError, match="This is a file; the output is a folder"):
        fill(tmp_path / "v1", "x")


def test_a_folder_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), folder_beside(tmp_path / "v1", token=RUN_ID) as part:
        (part / "a").touch()
        raise ZeroDivisionError
    assert not names(tmp_path)


def test_sha256(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_of(tmp_path / "a") == known


def test_files_and_lock_load_none_of_the_large_libraries(run: Run) -> None:
    reported = run(
        """
        import sys
        import riskseg.store.files, riskseg.store.lock, riskseg.store.records
        print({"sqlalchemy", "alembic", "pyarrow"} & set(sys.modules))
        import riskseg.store.sinks
        print({"sqlalchemy", "alembic"} & set(sys.modules))
        """
    )
    assert reported.stdout.split() == ["set()", "set()"], reported.stderr
