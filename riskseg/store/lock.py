"""One writer a workspace at a time."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from riskseg.domain.problems import problem
from riskseg.store.files import private_folder

if sys.platform == "win32":
    import msvcrt

    def _take(handle: int, *, waits: bool = False) -> None:
        # Windows forbids others to read a locked byte, so it is one far behind the pid.
        os.lseek(handle, 1 << 30, os.SEEK_SET)
        while True:
            try:
                msvcrt.locking(handle, msvcrt.LK_LOCK if waits else msvcrt.LK_NBLCK, 1)
            except OSError:
                if not waits:
                    raise
            else:
                break
        os.lseek(handle, 0, os.SEEK_SET)
else:
    import fcntl

    def _take(handle: int, *, waits: bool = False) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))


@contextmanager
def workspace_lock(folder: Path) -> Iterator[None]:
    """Hold the workspace at `folder` while the block runs.

    The operating system holds the lock on `.riskseg/lock` for the process and drops it when
    the process ends, however it ends; the file stays and only tells others who holds it.
    Raises RS604 when another process holds it, RS010 when the file cannot be written.
    """
    path = folder / ".riskseg" / "lock"
    try:
        private_folder(path.parent)
        with suppress(OSError):  # one that an earlier version made
            path.parent.chmod(0o700)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise problem(
            "RS010",
            f"This cannot be written: {os.strerror(error.errno or 0).lower()}.",
            file=str(path),
            hint="Give the right to write in the workspace.",
        ) from error
    try:
        try:
            _take(handle)
        except (BlockingIOError, PermissionError) as error:
            pid = os.read(handle, 32).decode("ascii", "replace").strip()
            raise problem(
                "RS604",
                f"Process {pid or '(not yet named)'} is writing in this workspace.",
                file=str(path),
                hint="Wait until it has ended, or end it.",
            ) from error
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        yield
        os.ftruncate(handle, 0)
    finally:
        os.close(handle)


@contextmanager
def waiting_lock(path: Path) -> Iterator[None]:
    """Hold the lock on a file while the block runs; where another process holds it, wait. Raises
    RS010 where the file cannot be written or locked."""
    handle = None
    try:
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            _take(handle, waits=True)
        except OSError as error:
            raise problem(
                "RS010",
                f"This cannot be locked: {os.strerror(error.errno or 0).lower()}.",
                file=str(path),
                hint="Make room or give the right to write there, or set `keep_staged = false` in "
                "[engine].",
            ) from error
        yield
    finally:
        if handle is not None:
            os.close(handle)


def hold(path: Path) -> int:
    """The handle of a file that others find held until it is closed, or its process ends."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with suppress(OSError):  # a file system without locks
        _take(handle)
    return handle


def is_held(path: Path) -> bool:
    """Whether a process, on this machine or another, holds a file."""
    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:
        return path.exists()
    try:
        _take(handle)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(handle)
