"""What is over of an account is shared by its snapshots: the facts are those of no sharing."""

from __future__ import annotations

import pytest

from riskseg.domain.relations import Relation
from riskseg.features.snapshots import issue_snapshots
from riskseg.ledger.allocation import settled_bills
from riskseg.run.stages import build
from tests.ledger.loading import Loaded, random_ledger
from tests.ledger.random_accounts import AS_OF, START
from tests.ledger.test_allocation import every_snapshot


def assert_alike(loaded: Loaded, snapshots: Relation, *, focus: bool) -> None:
    alone = loaded.facts_of(snapshots, focus=focus)
    build(loaded.engine, settled_bills(loaded.ledger.money))
    assert loaded.facts_of(snapshots, focus=focus, shared=True) == alone
    assert loaded.engine.value("select count(*) from settled_bills") > 50


@pytest.mark.parametrize("arrears_from", [0, 500])
@pytest.mark.parametrize("name", ["everything", "named"])
def test_facts_are_those_of_bills_allocated_anew(name: str, arrears_from: int) -> None:
    loaded = random_ledger(name).with_arrears_from(arrears_from)
    assert_alike(loaded, every_snapshot(AS_OF[3:]), focus=False)
    assert_alike(loaded, issue_snapshots(START, AS_OF[-1]), focus=True)
