"""A named select: what the rooms hand to `run/` instead of running anything themselves."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Relation:
    """`select` may name any relation before it. A `stored` one is worth computing once: others
    read it more than once, or it ends a stage."""

    name: str
    select: str
    stored: bool = False


def quoted(name: str) -> str:
    """A SQL identifier, quoted."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A SQL text literal."""
    return "'" + text.replace("'", "''") + "'"
