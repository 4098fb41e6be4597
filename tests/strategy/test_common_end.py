"""Which relations of two compiled strategies are the same at their end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from riskseg.domain.relations import Relation
from riskseg.strategy.common_end import own_relations

CHAIN = ("banded", "matched", "segmented", "led", "decided")
OLD = [Relation(name, f"select * from {name}_before") for name in CHAIN]


@pytest.mark.parametrize(
    ("changed", "own"),
    [
        ((), ()),
        (("banded",), ("banded",)),
        (("matched",), ("banded", "matched")),
        (("banded", "segmented"), ("banded", "matched", "segmented")),
        (("led",), None),
        (("banded", "decided"), None),
    ],
)
def test_what_comes_before_the_common_relations(
    changed: tuple[str, ...], own: tuple[str, ...] | None
) -> None:
    new = [replace(r, select="select 1") if r.name in changed else r for r in OLD]
    found = own_relations(OLD, new)
    if own is None:
        assert found is None
    else:
        assert found == (OLD[: len(own)], new[: len(own)])


def test_one_strategy_may_have_a_relation_more() -> None:
    tier = Relation("tiers_0", "select *, 1 as tier from banded")
    found = own_relations(OLD, [*OLD[:1], tier, *OLD[1:]])
    assert found == (OLD[:1], [OLD[0], tier])


def test_a_relation_more_after_the_segments_is_no_common_end() -> None:
    assert own_relations(OLD, [*OLD[:4], Relation("asked", "select 1"), *OLD[4:]]) is None
    assert own_relations([*OLD[:4], Relation("asked", "select 1"), *OLD[4:]], OLD) is None
