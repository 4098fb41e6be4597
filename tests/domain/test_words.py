from __future__ import annotations

import pytest

from riskseg.domain.facts import Kind
from riskseg.domain.words import counted, with_article


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_its_article(kind: Kind) -> None:
    assert with_article(kind) == f"{'an' if kind is Kind.INTEGER else 'a'} {kind}"


def test_counted() -> None:
    assert [counted(n, "row") for n in (0, 1, 2, 1234)] == [
        "0 rows",
        "1 row",
        "2 rows",
        "1,234 rows",
    ]
    assert counted(2, "property", "properties") == "2 properties"
