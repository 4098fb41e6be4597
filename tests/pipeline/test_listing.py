"""Which columns of a decision the list of what is due is made from."""

from __future__ import annotations

import pytest

from riskseg.pipeline.listing import columns_read


@pytest.mark.parametrize(
    ("select", "read"),
    [
        ("select d.snap, d.snap from decided d", {"snap"}),
        ('select d."=action", d."~due on" from decided d', {'"=action"', '"~due on"'}),
        ('select d."a ""d.b"" c" from decided d', {'"a ""d.b"" c"'}),
        ("select 'd.a', 'it''s d.b', d.c from decided d", {"c"}),
        ('select o."d.a", "d.b", paid.c, id.e from decided d', set()),
        ("select (d.as_of-d.day)::int from decided d", {"as_of", "day"}),
    ],
)
def test_the_columns_that_a_select_names(select: str, read: set[str]) -> None:
    assert columns_read(select) == read
