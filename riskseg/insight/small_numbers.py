"""Which groups are too small for their figures to be shown: the same rule in every question."""

from __future__ import annotations

from collections.abc import Mapping

from riskseg.results.insights.answer import FEWEST


def hidden_groups(sizes: Mapping[str, int]) -> frozenset[str]:
    """Of the groups that make up a whole, by how many accounts each holds, those whose figures are
    not shown: those of fewer than `FEWEST` accounts and, since the whole less all others would say
    what was left out, the next smallest until two groups of `FEWEST` accounts in all are hidden.
    A group of no accounts is not hidden, and hides nobody."""
    order = sorted((group for group, size in sizes.items() if size), key=lambda g: (sizes[g], g))
    hidden = [group for group in order if sizes[group] < FEWEST]
    if not hidden:
        return frozenset()
    for group in order[len(hidden) :]:
        if len(hidden) > 1 and sum(sizes[other] for other in hidden) >= FEWEST:
            break
        hidden.append(group)
    return frozenset(hidden)
