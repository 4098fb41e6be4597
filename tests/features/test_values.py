"""Every feature of the catalogue against plain Python, and that each is really computed."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from riskseg.features.snapshots import issue_snapshots
from riskseg.pipeline import facts as run_facts
from tests.features.plain_features import FEATURES, see
from tests.ledger.loading import LACKING, Row, random_ledger, shipped_catalogue
from tests.ledger.random_accounts import AS_OF

DAYS = (AS_OF[2], AS_OF[5], AS_OF[8])


@cache
def found(name: str) -> list[Row]:
    loaded = random_ledger(name)
    return [row for day in DAYS for row in loaded.facts_of(loaded.as_of(day))]


def computed(name: str) -> list[str]:
    return list(random_ledger(name).catalogue.available())


def test_there_is_a_reference_for_every_feature() -> None:
    shipped = shipped_catalogue().features.items()
    assert set(FEATURES) == {name for name, f in shipped if f.range not in ("party", "premise")}
    assert set(computed("everything")) == set(FEATURES)
    assert set(FEATURES) - set(computed("plain")) == {"failed_payments_6m", "pending_payment"}


@pytest.mark.parametrize("name", LACKING)
def test_features_equal_plain_python(name: str) -> None:
    loaded = random_ledger(name)
    rows = found(name)
    assert rows
    for row in rows:
        seen = see(loaded.accounts[row["account_id"]], row["as_of"], 500)
        for feature in computed(name):
            assert row[feature] == FEATURES[feature](seen), (feature, row["account_id"], seen.as_of)


@pytest.mark.parametrize("feature", FEATURES)
def test_the_feature_varies(feature: str) -> None:
    """Several values, and none that nearly all accounts share."""
    values = Counter(row[feature] for row in found("everything"))
    assert len(values) >= (2 if feature in ("open_promise", "plan_kept") else 3)
    assert max(values.values()) < 0.99 * values.total()


def test_bills_that_no_feature_looks_at_change_none(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = random_ledger("everything")
    fewer = found("everything")
    monkeypatch.setattr(run_facts, "days_needed", lambda _features: None)
    assert [row for day in DAYS for row in loaded.facts_of(loaded.as_of(day))] == fewer


@pytest.mark.slow
def test_features_at_the_issue_of_a_bill_take_that_bill_for_the_latest() -> None:
    """Several bills issued on one day are several snapshots, each with its own latest bill."""
    loaded = random_ledger("everything")
    rows = loaded.facts_of(issue_snapshots(AS_OF[0], AS_OF[7]), focus=True)
    assert len(rows) > 1_000
    reported = set()
    for row in rows:
        account = loaded.accounts[row["account_id"]]
        seen = see(account, row["as_of"], 500, focus=row["focus_bill"])
        assert seen.latest is not None
        for feature in FEATURES:
            assert row[feature] == FEATURES[feature](seen), (feature, row)
        reported.add((row["account_id"], row["as_of"], row["focus_bill"]))
    assert len(reported) == len(rows)
