"""How the process of a command ends: at once, when all is done and said.

Python would first take apart what it holds, object by object, though the system takes it all back
anyway. For a short command that is a tenth of its time and more.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_exit_codes: list[int] = []


@contextmanager
def ended_at_once() -> Iterator[None]:
    """Around the command of a process of its own, which ends by SystemExit. What other modules
    have to do at the end is still done."""
    try:
        yield
    except SystemExit as ended:
        if isinstance(ended.code, int):
            _exit_codes.append(ended.code)
        raise


# What is registered first is called last, so this module comes before those that register more.
@atexit.register
def _end() -> None:
    if not _exit_codes:
        return
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # nobody reads it any more: Python has its own way to say so
        return
    os._exit(_exit_codes[0])
