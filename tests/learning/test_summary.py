"""A scorecard's bins as an analyst reads them, where a feature has codes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from riskseg.learning import words
from riskseg.learning.scorecard.edits import around
from riskseg.learning.scorecard.summary import feature_bins
from riskseg.learning.scorecard.tables import Bins, Scorecard, Table
from riskseg.results.scorecard import BinnedFeature

# -1, then 0 to 5, 5, 6 to 8, 8 to 98, 98; and nulls. Codes are -1, 5 and 98.
CUTS = (0.0, 5.0, 6.0, 8.0, 98.0)
COUNTS = (10, 40, 20, 30, 50, 15, 5)
BADS = (9, 4, 1, 3, 25, 1, 0)


def shown(codes: Sequence[float], points: tuple[int, ...]) -> BinnedFeature:
    table = Table(Bins("x", CUTS, None), COUNTS, BADS, points)
    return feature_bins(Scorecard("classic", 0, (table,), (), {}), {"x": codes})[0]


def test_a_bin_with_a_code_in_its_midst_is_one_and_codes_come_last() -> None:
    found = shown((-1, 5, 98), (-900, 400, 900, 400, -300, 700, 0))
    assert [words.held(b.holds, "number") for b in found.bins] == [
        *("0 to <8", "8 to <98"),
        *("-1 (a code)", "5 (a code)", "98 (a code)", "missing"),
    ]
    assert [(b.accounts, b.bad) for b in found.bins] == [
        *((70, 7), (50, 25), (10, 9), (20, 1), (15, 1), (5, 0))
    ]
    assert found.risk == "more"
    assert sum(b.share or 0 for b in found.bins) == pytest.approx(1)


def test_bins_on_both_sides_of_a_code_that_differ_stay_two() -> None:
    found = shown((-1, 5, 98), (-900, 500, 900, 400, -300, 700, 0))
    assert [b.holds.get("to") for b in found.bins[:3]] == [5.0, 8.0, 98.0]


def test_a_bin_that_holds_more_than_a_code_is_none() -> None:
    """7 is within a bin, and without codes the order of the bins is that of the value."""
    for codes in ((7,), ()):
        found = shown(codes, (-900, 400, 900, 400, -300, 700, 0))
        assert len(found.bins) == 7 and found.risk == "turns"
        assert [b.accounts for b in found.bins] == list(COUNTS)


@pytest.mark.parametrize("whole", [False, True])
def test_a_code_is_one_line_and_the_bin_about_it_another(whole: bool) -> None:
    cuts = (0.29, *around((999.0,), whole=whole))
    table = Table(Bins("x", cuts, None), (50, 40, 7, 0, 3), (5, 9, 1, 0, 0), (9, 1, 5, 1, 0))
    [found] = feature_bins(Scorecard("additive", 0, (table,), (), {}), {"x": [999.0]})
    reported = [(words.held(b.holds, "number"), b.accounts) for b in found.bins]
    lines = [("below 0.29", 50), ("0.29 or more", 40), ("999 (a code)", 7), ("missing", 3)]
    assert reported == lines and found.risk == "more"
