"""Why an account's probability is as high as it is, in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from riskseg.domain.facts import Fact, Kind

if TYPE_CHECKING:
    import pandas as pd

    from riskseg.learning.frame import Floats

# Contributions closer than this are equal, and the order of the features decides.
DIGITS = 6


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that raised a probability. `contribution` is that of the feature's whole family:
    points lost in a scorecard, log-odds in boosted trees. `feature` is the family's member that
    raised it most, `value` the account's own value of it."""

    feature: str
    contribution: float
    value: Any
    words: str


def joined(reasons: Iterable[Reason]) -> str:
    """The reasons as one line of text."""
    return "; ".join(reason.words for reason in reasons)


def ranked_reasons(
    batch: pd.DataFrame, contributions: Floats, facts: Sequence[Fact], top: int
) -> list[tuple[Reason, ...]]:
    """For each row the `top` families that raised its probability most, the strongest first.

    `contributions` is (rows, facts), positive where the risk is raised. Features of one family
    say much the same, so their contributions are added before they are ranked.
    """
    import numpy as np

    families = list(dict.fromkeys(fact.family or fact.name for fact in facts))
    totals = np.zeros((len(batch), len(families)))
    loudest = np.zeros((len(batch), len(families)), dtype=np.int64)
    for place, family in enumerate(families):
        members = [n for n, fact in enumerate(facts) if (fact.family or fact.name) == family]
        part = np.round(contributions[:, members], DIGITS)
        totals[:, place] = np.round(part.sum(axis=1), DIGITS)
        loudest[:, place] = np.asarray(members)[part.argmax(axis=1)]
    order = np.argsort(-totals, axis=1, kind="stable")[:, :top]
    columns = [batch[fact.name].astype(object).to_numpy() for fact in facts]
    found: list[tuple[Reason, ...]] = []
    for row, ranking in enumerate(order):
        reasons = []
        for place in ranking:
            total = float(totals[row, place])
            if total <= 0:
                break
            fact = facts[loudest[row, place]]
            value = columns[loudest[row, place]][row]
            value = None if value is None or value != value else value
            reasons.append(Reason(fact.name, total, value, _words(fact, value)))
        found.append(tuple(reasons))
    return found


def _words(fact: Fact, value: Any) -> str:
    shown = _shown(fact.kind, value)
    if not fact.words:
        return f"{fact.name} = {shown}"
    return fact.words.replace("{value}", shown)


def _shown(kind: Kind, value: Any) -> str:
    if value is None:
        return "unknown"
    if kind.is_textual:
        return str(value)
    if kind is Kind.BOOLEAN:
        return "yes" if value else "no"
    number = float(value)
    return f"{number:.0f}" if number.is_integer() else f"{number:.2f}"
