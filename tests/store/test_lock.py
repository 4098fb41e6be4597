from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from riskseg.domain.problems import ProblemsError
from riskseg.store.lock import workspace_lock

HOLDER = """
import sys, time
from pathlib import Path
from riskseg.store.lock import workspace_lock
with workspace_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_another_process_is_reported_who_holds_it_until_that_is_killed(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(ProblemsError) as raised, workspace_lock(tmp_path):
            pytest.fail("the lock is held")
        (found,) = raised.value.problems
        assert found.code == "RS604"
        assert f"Process {holder.pid} is writing" in found.what
        assert found.hint
    finally:
        holder.kill()
        holder.communicate()
    with workspace_lock(tmp_path):
        assert (tmp_path / ".riskseg" / "lock").read_text() == f"{os.getpid()}\n"


def test_it_is_let_go_when_the_block_ends_or_fails(tmp_path: Path) -> None:
    with (
        workspace_lock(tmp_path),
        pytest.raises(ProblemsError, match="RS604"),
        workspace_lock(tmp_path),
    ):
        pytest.fail("held by ourselves")
    with pytest.raises(ZeroDivisionError), workspace_lock(tmp_path):
        raise ZeroDivisionError
    (tmp_path / ".riskseg" / "lock").write_text("98765432109876543210\n")  # left by one killed
    with workspace_lock(tmp_path):
        assert (tmp_path / ".riskseg" / "lock").read_text() == f"{os.getpid()}\n"
    assert (tmp_path / ".riskseg" / "lock").read_text() == ""


@pytest.mark.parametrize("make", ["absent", "file"])
def test_a_workspace_that_cannot_be_written(tmp_path: Path, make: str) -> None:
    folder = tmp_path / "w"
    if make == "file":
        folder.touch()
    with pytest.raises(ProblemsError, match=re.escape("RS010")), workspace_lock(folder):
        pytest.fail("the block must not begin")
