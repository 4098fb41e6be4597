"""Files and folders of sources that riskseg is not allowed to read: said, and not passed over.

What looks for files takes a folder that it may not look into for one that is empty.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from itertools import accumulate
from pathlib import Path

from riskseg.domain.problems import Problems
from riskseg.domain.system_errors import FOLDER_CURE, READ_CURE

# How the names of files and folders begin that programs write beside data.
LEFT_OUT = (".", "_")


def check_allowed(
    names: Iterable[str], files: Iterable[Path], root: Path, problems: Problems
) -> bool:
    """Whether riskseg may look into the folders in which the files of `names` are looked for, from
    `root`, and read the `files` that are there. Adds RS616, once for several sources."""
    closed = dict.fromkeys(folder for name in names for folder in _closed_folders(name, root))
    refused = [(folder, "look into this folder", FOLDER_CURE) for folder in closed]
    refused += [(file, "read this file", READ_CURE) for file in files if not _may(file, os.R_OK)]
    for path, what, cure in refused:
        message = f"riskseg may not {what}: permission denied."
        problems.add("RS616", message, file=_shown(path, root), hint=cure)
    return not refused


def _closed_folders(name: str, root: Path) -> Iterator[Path]:
    """The folders that lie on the way to what a name or pattern means and may not be looked into,
    and those below one that is named itself."""
    parts = Path(name).parts
    for end, prefix in enumerate(accumulate(parts, os.path.join), start=1):
        # Only what a pattern is compared with has to be listed.
        listed = end < len(parts) and glob.has_magic(parts[end])
        needed = os.X_OK | (os.R_OK if listed or end == len(parts) else 0)
        found = glob.glob(prefix, root_dir=root, recursive=True) or [prefix]
        for folder in (Path(os.path.join(root, place)) for place in found):
            if os.path.isdir(folder) and not _may(folder, needed):
                yield folder
    folder = Path(os.path.join(root, name))
    if os.path.isdir(folder):
        for place, below, _ in os.walk(folder):
            below[:] = [one for one in below if not one.startswith(LEFT_OUT)]
            yield from filter(is_closed, (Path(place, one) for one in below))


def is_closed(folder: Path) -> bool:
    """Whether this is a folder that riskseg may not look into."""
    return os.path.isdir(folder) and not _may(folder, os.R_OK | os.X_OK)


def _may(path: Path, needed: int) -> bool:
    """Whether the user who runs riskseg may do what is needed with a file or folder."""
    effective = os.access in os.supports_effective_ids
    return os.access(path, needed, effective_ids=effective)


def _shown(path: Path, root: Path) -> str:
    return os.path.relpath(path, root) if path.is_relative_to(root) else str(path)
