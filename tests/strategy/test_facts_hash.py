"""Accounts that differ in a fact have different hashes of their facts, whatever texts hold."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from riskseg.domain.facts import Kind
from riskseg.rules.model import Strategy
from tests.support.accounts import decided, random_accounts
from tests.support.strategies import FACTS, SMALL, fact, sound

AS_OF = date(2026, 3, 2)
# Two texts that stand beside each other in the order of names.
TEXTS = {n: fact(n, Kind.TEXT, nullable=True) for n in ("text_a", "text_b")}
SEGMENTS = """\
columns: [text_a, text_b]
rows:
  - {id: closed, match: [a, any], segment: trace}
  - {id: chase, match: [any, b], segment: chase}
  - {id: rest, match: [any, any], segment: leave}
"""
FILES = {n: t for n, t in SMALL.items() if n != "examples.yaml"} | {"segments.yaml": SEGMENTS}


@pytest.fixture(scope="module")
def strategy(tmp_path_factory: pytest.TempPathFactory) -> Strategy:
    return sound(tmp_path_factory.mktemp("hashed"), FILES, {**FACTS, **TEXTS})


def hashes(strategy: Strategy, pairs: Sequence[tuple[str | None, str | None]]) -> list[Any]:
    account = random_accounts(strategy, AS_OF, 1, 5)[0]
    accounts = [account | {"text_a": a, "text_b": b} for a, b in pairs]
    return [d["facts_hash"] for d in decided(strategy, accounts, AS_OF)]


@pytest.mark.parametrize(
    "pairs",
    [
        (("x|=y", "z"), ("x", "y|=z")),
        (("x\\", "|=y"), ("x|=\\", "y")),
        (("x|?", "y"), ("x", None)),
        ((None, "x"), ("?", "x")),
        (("", None), (None, "")),
        (("x", "y"), ("y", "x")),
        (("x", "y"), ("X", "y")),
    ],
)
def test_no_text_looks_like_another_and_a_part_of_the_next(
    strategy: Strategy, pairs: Sequence[tuple[str | None, str | None]]
) -> None:
    one, other = hashes(strategy, pairs)
    assert one != other


def test_the_hash_is_that_of_the_facts_by_name(strategy: Strategy) -> None:
    """Written out once by hand: runs of today and of later are compared by it."""
    facts: dict[str, Any] = dict.fromkeys(strategy.facts) | {
        "text_a": "a|b\\c",
        "text_b": "",
        "days_past_due": 31,
        "on_plan": True,
    }
    text = {
        "text_a": "=a\\|b\\\\c",
        "text_b": "=",
        "days_past_due": "=31",
        "on_plan": "=true",
        "as_of": "=2026-03-02",
    }
    written = "|".join(text.get(name, "?") for name in sorted(strategy.facts))
    (found,) = decided(strategy, [facts | {"as_of": AS_OF}], AS_OF)
    assert found["facts_hash"] == hashlib.md5(written.encode()).hexdigest()  # noqa: S324
