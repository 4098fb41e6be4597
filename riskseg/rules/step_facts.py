"""Facts of the steps of a path: when each was last issued, which occurrence of it, when an outcome
of it was last recorded, and when the same was done on another path. No expression can name them."""

from __future__ import annotations

from dataclasses import dataclass

ISSUED, OCCURRENCE, OUTCOME = "issued ", "occurrence ", "outcome "
INSTEAD = "instead "
_ELSEWHERE, _ELSEWHERE_OUTCOME = "elsewhere issued ", "elsewhere outcome "


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """An action with a template, issued so many times on paths other than the `route`."""

    times: int
    action: str
    template: str | None
    route: tuple[str, ...]

    @property
    def issued(self) -> str:
        """The fact that says on which day it was issued: the last day but `times` less one."""
        return f"{_ELSEWHERE}{self.times} {self._what}"

    @property
    def outcome(self) -> str:
        """The fact that says on which day an outcome of any of them was last recorded."""
        return f"{_ELSEWHERE_OUTCOME}1 {self._what}"

    @property
    def _what(self) -> str:
        template = "" if self.template is None else f" as {self.template}"
        return f"{self.action} not on {','.join(self.route)}{template}"


def elsewhere(fact: str) -> tuple[Elsewhere, bool] | None:
    """What a fact says of other paths, and whether it is of the outcome."""
    for prefix in (_ELSEWHERE, _ELSEWHERE_OUTCOME):
        if fact.startswith(prefix):
            times, action, _, _, rest = fact.removeprefix(prefix).split(" ", 4)
            route, as_template, template = rest.partition(" as ")
            what = Elsewhere(
                int(times), action, template if as_template else None, tuple(route.split(","))
            )
            return what, prefix == _ELSEWHERE_OUTCOME
    return None


def issued_fact(path: str, key: str) -> str:
    """The fact that says on which day a step was last issued."""
    return f"{ISSUED}{path} {key}"


def occurrence_fact(path: str, key: str) -> str:
    """The fact that says which occurrence of a step that repeats was last issued, from 1."""
    return f"{OCCURRENCE}{path} {key}"


def outcome_fact(path: str, key: str) -> str:
    """The fact that says on which day an outcome of a step was last recorded."""
    return f"{OUTCOME}{path} {key}"


def instead_fact(path: str, key: str) -> str:
    """The fact that says on which day another action was last issued in the place of a step."""
    return f"{INSTEAD}{path} {key}"


def of_step(fact: str) -> bool:
    """Whether a fact is one of these."""
    return fact.startswith((ISSUED, OCCURRENCE, OUTCOME, INSTEAD, _ELSEWHERE, _ELSEWHERE_OUTCOME))


def is_issue(fact: str) -> bool:
    """Whether a fact is a day on which something was issued."""
    return fact.startswith((ISSUED, INSTEAD, _ELSEWHERE))


def is_outcome(fact: str) -> bool:
    """Whether a fact is a day on which an outcome was recorded."""
    return fact.startswith((OUTCOME, _ELSEWHERE_OUTCOME))
