"""Facts of the actions of a strategy, whatever they were issued for: when each was last issued. No
expression can name them."""

from __future__ import annotations

_LAST = "last issued "


def last_issued_fact(action: str) -> str:
    """The fact that says on which day an action was last issued, less those that failed to reach
    anybody."""
    return _LAST + action


def action_of(fact: str) -> str | None:
    """The action that a fact is of; None for any other fact."""
    return fact.removeprefix(_LAST) if fact.startswith(_LAST) else None
