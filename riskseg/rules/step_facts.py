"""Facts of the steps of a path: when each was last issued, which occurrence of it, and when an
outcome of it was last recorded. No expression can name them."""

from __future__ import annotations

ISSUED, OCCURRENCE, OUTCOME = "issued ", "occurrence ", "outcome "


def issued_fact(path: str, key: str) -> str:
    """The fact that says on which day a step was last issued."""
    return f"{ISSUED}{path} {key}"


def occurrence_fact(path: str, key: str) -> str:
    """The fact that says which occurrence of a step that repeats was last issued, from 1."""
    return f"{OCCURRENCE}{path} {key}"


def outcome_fact(path: str, key: str) -> str:
    """The fact that says on which day an outcome of a step was last recorded."""
    return f"{OUTCOME}{path} {key}"


def of_step(fact: str) -> bool:
    """Whether a fact is one of these."""
    return fact.startswith((ISSUED, OCCURRENCE, OUTCOME))
