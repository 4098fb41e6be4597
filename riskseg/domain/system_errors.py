"""What to do where the system refuses a file or folder."""

from __future__ import annotations

import errno

READ_CURE = "Give the user who runs riskseg the right to read it."
FOLDER_CURE = "Give the user who runs riskseg the right to list it and to enter it."
_USE_CURE = (
    "Give the user who runs riskseg the right to use this file or folder, or name another place."
)


def use_cure(error: OSError) -> str:
    """What to do about a file or folder that was to be read or written."""
    if isinstance(error, PermissionError):
        return _USE_CURE
    if error.errno == errno.EROFS:
        return "Name another place: nothing can be written there."
    return "Free some space, allow riskseg to use it, or name another place."


def read_cure(error: OSError) -> str:
    """What to do about a file that could not be read."""
    return READ_CURE if isinstance(error, PermissionError) else ""
