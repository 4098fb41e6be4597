"""What is said of facts that a run did not keep."""

from __future__ import annotations

import pytest

from riskseg.pipeline.archive import _in_words


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (["balance_overdue"], "balance_overdue"),
        (["issued 1 call", "issued 1 sms"], "2 facts of what was issued before"),
        (["issued 1 call", "size"], "size and 1 fact of what was issued before"),
    ],
)
def test_facts_without_a_name_of_their_own_are_counted(facts: list[str], words: str) -> None:
    assert _in_words(facts) == words
