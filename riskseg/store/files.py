"""Files and folders that are whole or absent, whenever the process is killed.

Everything is written under another name in the same folder, flushed to the disk and renamed.
A killed run leaves only names that end in `.riskseg.part`, which no reader takes for an output
and :func:`sweep` removes.
"""

from __future__ import annotations

import errno
import filecmp
import glob
import hashlib
import os
import platform
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from riskseg.domain.problems import Problems, ProblemsError, problem

_PART = ".riskseg.part"
# Whose part files this process writes: see `own_parts`.
_owner = {"tag": "none"}
# What the operating system says where a disk can hold no more.
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}


def own_parts(workspace: Path) -> None:
    """Name the part files of this process after the workspace that it works for, so that others,
    which may write into the same folder, leave them alone."""
    _owner["tag"] = hashlib.sha256(str(workspace).encode()).hexdigest()[:8]


@contextmanager
def write_beside(path: Path, *, token: str) -> Iterator[Path]:
    """A path to write to, which becomes `path` when the block ends without an error.

    `token` keeps the writings of different runs apart: a run id. The path given does not exist
    yet. An earlier file at `path` is replaced in one step. Raises RS010 where `path` cannot be
    written, before the block begins, or where the disk has no room, within it.
    """
    path = Path(os.path.realpath(path))
    part_file = part_of(path, token)
    _probe(path, part_file)
    _remove_dead(path.parent, f".{glob.escape(path.name)}.{glob.escape(token)}")
    try:
        yield part_file
        _flush(part_file)
        os.replace(part_file, path)
        _flush_folder(path.parent)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise _unwritable(path, error) from error
        raise
    finally:
        part_file.unlink(missing_ok=True)


@contextmanager
def folder_beside(path: Path, *, token: str) -> Iterator[Path]:
    """An empty folder to fill, which becomes `path` when the block ends without an error.

    A folder once written is never changed: where `path` already holds the very same files it
    is left as it is, so doing a thing again after a crash is harmless; where it holds anything
    else, that is RS010.
    """
    path = Path(os.path.realpath(path))
    part_folder = part_of(path, token)
    _probe(path, part_folder, folder=True)
    _remove_dead(path.parent, f".{glob.escape(path.name)}.{glob.escape(token)}")
    try:
        part_folder.mkdir()
        yield part_folder
        if path.exists() and any(path.iterdir()):
            if not _same(part_folder, path):
                raise problem(
                    "RS010",
                    "This folder already holds something else.",
                    file=str(path),
                    hint="Move it away, then run again.",
                )
            return
        flush_all(part_folder)
        os.replace(part_folder, path)
        _flush_folder(path.parent)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise _unwritable(path, error) from error
        raise
    finally:
        shutil.rmtree(part_folder, ignore_errors=True)


def sweep(folders: Iterable[Path]) -> list[Path]:
    """Remove what killed runs of this workspace left in `folders` (not below them); returns what
    was removed.

    Call it while holding the workspace's lock. A part of another workspace, or of a process that
    is alive, is left; so is what may not be removed, which is not returned.
    """
    return [part for folder in sorted(set(folders)) for part in _remove_dead(folder, ".*")]


def _remove_dead(folder: Path, pattern: str) -> list[Path]:
    """Remove the part files of this workspace in a folder that no other live process writes, and
    what an engine has put beside them."""
    removed = []
    for part in sorted(folder.glob(f"{pattern}.{_owner['tag']}-*{_PART}*")):
        pid = part.name.rpartition(_PART)[0].rpartition("-")[2]
        if pid.isdigit() and int(pid) != os.getpid() and is_alive(int(pid)):
            continue
        with suppress(OSError):
            shutil.rmtree(part) if part.is_dir() else part.unlink()
            removed.append(part)
    return removed


def is_alive(pid: int) -> bool:
    """Whether a process of that number runs on this machine."""
    if sys.platform == "win32":
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def private_folder(path: Path) -> Path:
    """The folder, made where it is not there, for nobody but its owner to look into."""
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def private_file(path: Path) -> None:
    """Let nobody but its owner read a file."""
    with suppress(OSError):
        path.chmod(0o600)


def check_place(path: Path, problems: Problems) -> None:
    """Add RS010 where a file at `path` could not be written, without writing it."""
    path = Path(os.path.realpath(path))
    try:
        _probe(path, part_of(path, "probe"))
    except ProblemsError as error:
        problems.extend(error.problems)


def flush_all(folder: Path) -> None:
    """Put a folder and all in it on the disk."""
    for inner in [*folder.rglob("*"), folder]:
        _flush_folder(inner) if inner.is_dir() else _flush(inner)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def part_of(path: Path, token: str) -> Path:
    """What a file or folder is called while it is written, or removed."""
    return path.with_name(f".{path.name}.{token}.{_owner['tag']}-{os.getpid()}{_PART}")


def part_token() -> str:
    """What tells apart the half-written tables of processes and workspaces, as
    :func:`part_of` does for files: letters, digits and underscores."""
    return f"{_tag_here()}_{os.getpid()}"


def is_left(token: str) -> bool:
    """Whether a process of this workspace on this machine, which is not alive any more, left what
    has this :func:`part_token`."""
    tag, _, pid = token.rpartition("_")
    return tag == _tag_here() and pid.isdigit() and not is_alive(int(pid))


def _tag_here() -> str:
    """The workspace on this machine: others may work for one of the same path."""
    return hashlib.sha256(f"{_owner['tag']} {platform.node()}".encode()).hexdigest()[:8]


def _probe(path: Path, part: Path, *, folder: bool = False) -> None:
    """Raise RS010 unless `part` can be made. It is made and removed, because permission bits
    do not tell the truth of network and read-only file systems; and not kept, because some
    writers treat a file that already exists differently."""
    if not path.parent.is_dir():
        raise problem(
            "RS010",
            f"The folder {path.parent} does not exist.",
            file=str(path),
            hint="Make the folder, or name another.",
        )
    if path.exists() and not (path.is_dir() if folder else path.is_file()):
        kind_there = "folder" if path.is_dir() else "file" if path.is_file() else "device"
        kind_wanted = "folder" if folder else "file"
        raise problem(
            "RS010",
            f"This is a {kind_there}; the output is a {kind_wanted}.",
            file=str(path),
            hint=f"Name a {kind_wanted}.",
        )
    try:
        if part.is_dir():
            shutil.rmtree(part)
        part.touch()
        part.unlink()
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> ProblemsError:
    return problem(
        "RS010",
        f"This cannot be written: {os.strerror(error.errno or 0).lower()}.",
        file=str(path),
        hint="Make room or give the right to write there, or name another place.",
    )


def _same(first: Path, second: Path) -> bool:
    """Whether two folders hold the same names with the same bytes."""
    names = {inner.relative_to(first) for inner in first.rglob("*")}
    if names != {inner.relative_to(second) for inner in second.rglob("*")}:
        return False
    return all(
        (first / name).is_dir() == (second / name).is_dir()
        and ((first / name).is_dir() or filecmp.cmp(first / name, second / name, shallow=False))
        for name in names
    )


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _flush_folder(path: Path) -> None:
    """Make a rename last through a power cut. Windows cannot, and need not: NTFS journals it."""
    if sys.platform != "win32":
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
