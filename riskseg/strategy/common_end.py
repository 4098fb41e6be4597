"""Which relations of two compiled strategies are the same from some relation to the last."""

from __future__ import annotations

from collections.abc import Sequence

from riskseg.domain.relations import Relation

# Up to this relation each only adds columns to the one before, and none after it changes these.
LAST_OF_SEGMENTS = "segmented"


def own_relations(
    old: Sequence[Relation], new: Sequence[Relation]
) -> tuple[Sequence[Relation], Sequence[Relation]] | None:
    """The relations of each strategy before those that both have in common at their end; None
    where the strategies also differ after they have found the segment.

    What the common relations make of an account depends on the last of its own alone.
    """
    shared = 0
    for old_relation, new_relation in zip(reversed(old), reversed(new), strict=False):
        if old_relation != new_relation:
            break
        shared += 1
    own = [relations[: len(relations) - shared] for relations in (old, new)]
    shared_names = {relation.name for relation in old[len(own[0]) :]}
    names = [relation.name for relation in old]
    if not shared_names.issuperset(names[names.index(LAST_OF_SEGMENTS) + 1 :]):
        return None
    return own[0], own[1]
