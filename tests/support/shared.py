"""What takes long to make is made by one worker, and copied by the others."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

# As long as a worker waits for what another makes.
SECONDS = 300


def shared(
    tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]
) -> Path:
    """A folder of this worker's own with what `make` makes, once a session.

    Nobody opens the folder that is shared: a journal that is read has files beside it that come
    and go, and a copy could meet them.
    """
    base = tmp_path_factory.getbasetemp()
    own = base / f"{name}-shared"
    if "PYTEST_XDIST_WORKER" not in os.environ:
        make(own)
        return own
    whole, begun = base.parent / name, base.parent / f"{name}-begun"
    try:
        begun.touch(exist_ok=False)
    except FileExistsError:
        until = time.monotonic() + SECONDS
        while not whole.exists():
            assert time.monotonic() < until, f"the worker that makes {name} has not ended"
            time.sleep(0.05)
    else:
        part = base.parent / f"{name}-part"
        make(part)
        part.rename(whole)
    shutil.copytree(whole, own)
    return own
