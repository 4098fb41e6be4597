"""The learners there are, by name. A learner from outside is added with :func:`register`."""

from __future__ import annotations

import re

from riskseg.learning.learner import AnyLearner
from riskseg.learning.scorecard.learner import ScorecardLearner
from riskseg.learning.trees.learner import LightGBMLearner

# What a spec learns with where it does not say.
DEFAULT_LEARNERS = ("scorecard", "lightgbm")

_LEARNERS: dict[str, AnyLearner] = {}


def register(learner: AnyLearner) -> None:
    """Add a learner: from now on a spec may name it. Raises ValueError for a name that is taken,
    or that no key of a spec can have."""
    if learner.name in _LEARNERS:
        raise ValueError(f"there is a learner {learner.name} already")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", learner.name):
        raise ValueError(f"{learner.name!r} is not a name of small letters, digits and underscores")
    _LEARNERS[learner.name] = learner


def registered() -> tuple[AnyLearner, ...]:
    """All learners, in the order in which they were registered."""
    return tuple(_LEARNERS.values())


def is_registered(name: str) -> bool:
    return name in _LEARNERS


def learner_named(name: str) -> AnyLearner:
    """The learner of a name. Raises KeyError."""
    return _LEARNERS[name]


def known_learner(name: str) -> str:
    """The name, if a learner has it. Raises ValueError, for pydantic, where none has."""
    if name not in _LEARNERS:
        raise ValueError(f"it should be {' or '.join(map(repr, _LEARNERS))}")
    return name


register(ScorecardLearner())
register(LightGBMLearner())
