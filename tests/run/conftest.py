"""Use cases are tried on ledgers that are kept, as they are for people: files that a test has just
written count as settled."""

from __future__ import annotations

import pytest

from riskseg.pipeline import staged_ledger


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staged_ledger, "_SETTLED_AFTER_NS", -(10**9))
