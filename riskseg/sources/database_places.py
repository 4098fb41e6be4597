"""Whether two addresses are of one database, and two names of one table."""

from __future__ import annotations

import os
import re
from pathlib import Path

import sqlalchemy as sa

from riskseg.domain.addresses import SPARK

# One part of a table's name, in the quotes of any database.
_PART = re.compile(r'`(?:[^`]|``)+`|"(?:[^"]|"")+"|\[[^\]]+\]|[^."`\[\]]+')


def same_table(one: str, other: str) -> bool:
    """Whether two names are of one table, as far as the names tell: a catalogue may be left out,
    and letter case makes no difference."""
    first, second = _parts(one), _parts(other)
    shared = min(len(first), len(second))
    return first == second or (shared > 1 and first[-shared:] == second[-shared:])


def same_database(one: str, here: Path, other: str, there: Path) -> bool:
    """Whether two addresses are of one database, whoever reaches it and by whichever driver. A file
    is looked up from the folder that goes with its address."""
    if one.startswith(SPARK) or other.startswith(SPARK):
        return one.startswith(SPARK) and other.startswith(SPARK)
    try:
        first, second = sa.make_url(one), sa.make_url(other)
    except (sa.exc.ArgumentError, ValueError):
        return False
    return _place(first, here) == _place(second, there)


def _parts(table: str) -> list[str]:
    return [part.strip('`"[] ').lower() for part in _PART.findall(table)]


def _place(url: sa.URL, folder: Path) -> tuple[object, ...]:
    name, kind = url.database or "", url.get_backend_name()
    if kind == "sqlite":
        return kind, os.path.realpath(folder / name)
    return kind, (url.host or "localhost").lower(), url.port, name
