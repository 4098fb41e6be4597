"""Ids of actions and events: the same thing, the same id."""

from __future__ import annotations

# As many characters of a hash as tell the events of a century apart.
_LENGTH = 20


def id_sql(*parts: str) -> str:
    """SQL of the id of what the parts, as SQL, amount to."""
    return f"substr(sha256(concat_ws('|', {', '.join(parts)})), 1, {_LENGTH})"
