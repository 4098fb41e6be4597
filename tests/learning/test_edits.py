from __future__ import annotations

import math
import sys

import pytest

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems
from riskseg.learning.scorecard.edits import Edit, around, check_edits, hand_bins
from riskseg.learning.spec import parse_spec

HEAD = "name: late\ntarget: {column: bad}\nscorecard:\n  edits:\n"  # edits begin on line 5
FACTS = (
    Fact("late_bills", Kind.INTEGER),
    Fact("tariff", Kind.LEVEL, levels=("flat", "night", "prepay")),
    Fact("has_debit", Kind.BOOLEAN),
)


def reported(edits: str) -> list[tuple[str, int | None, str]]:
    problems = Problems()
    text = HEAD + "".join(f"    {line}\n" for line in edits.splitlines())
    authored = parse_spec(text, "late.yaml", problems)
    if authored is not None:
        check_edits(authored, authored.spec.settings("scorecard").edits, FACTS, problems)
    return [(p.code, p.line, p.what) for p in problems]


@pytest.mark.parametrize(
    "edits",
    [
        "late_bills: {cuts: [1, 3.5, 6]}",
        "late_bills: {cuts: []}",
        "late_bills: {specials: [-1, 98], without: [14]}",
        "late_bills: {cuts: [1, 3], specials: [98]}",
        "late_bills: {drop: true}",
        "tariff: {levels: [[night, flat], [prepay]]}",
        "late_bills: {max_bins: 4, min_bin_share: 0.1, monotone: increasing}",
        "tariff: {max_bins: 2, min_bin_share: 0.1}",
        "has_debit: {monotone: always}",
    ],
)
def test_edits_that_can_be_carried_out(edits: str) -> None:
    assert reported(edits) == []


@pytest.mark.parametrize(
    ("edits", "code", "line", "what"),
    [
        ("late_bill: {cuts: [1]}", "RS501", 5, '"late_bill" is not a feature'),
        ("late_bills:\n  cuts: [1, 3, 2]", "RS004", 6, "2 comes after 3"),
        ("late_bills: {specials: [98, 98]}", "RS004", 5, "do not rise"),
        ("late_bills: {cuts: [one]}", "RS004", 5, ""),
        ("late_bills: {cuts: [.nan]}", "RS004", 5, ""),
        ("late_bills: {cut: [1]}", "RS003", 5, '"cut"'),
        ("late_bills: {cuts: [1], levels: [[a]]}", "RS004", 5, "do not go together"),
        ("late_bills: {levels: [[a]]}", "RS004", 5, "is not text"),
        ("late_bills: {cuts: [1], without: [1]}", "RS004", 5, '"without"'),
        ("late_bills: {drop: true, cuts: [1]}", "RS004", 5, "dropped, and edited"),
        ("late_bills: {}", "RS004", 5, "is empty"),
        ("tariff: {cuts: [1]}", "RS004", 5, "is text"),
        ("tariff: {specials: [1]}", "RS004", 5, "is text"),
        ("tariff:\n  levels:\n    - [flat, nite]", "RS004", 7, '"nite" is not a level'),
        ("tariff:\n  levels:\n    - [flat]\n    - [flat]", "RS004", 8, "occurs twice"),
        ("tariff: {levels: []}", "RS004", 5, "no group"),
        ("tariff: {levels: [[]]}", "RS004", 5, "no levels"),
        ("late_bills: {max_bins: 1}", "RS004", 5, "max_bins"),
        ("late_bills: {min_bin_share: 0.6}", "RS004", 5, "min_bin_share"),
        ("late_bills: {monotone: rising}", "RS004", 5, "monotone"),
        ("late_bills: {cuts: [1], max_bins: 3}", "RS004", 5, "here they are given"),
        ("tariff: {monotone: increasing}", "RS004", 5, "in order of risk"),
        ("has_debit: {max_bins: 2}", "RS004", 5, "true or false"),
        ("has_debit: {cuts: [1]}", "RS004", 5, "true or false"),
    ],
)
def test_edits_that_cannot(edits: str, code: str, line: int, what: str) -> None:
    found = reported(edits)
    assert any(c == code and n == line and what in t for c, n, t in found), found


def test_all_problems_are_reported_together() -> None:
    assert len(reported("late_bill: {cuts: [1]}\nlate_bills: {cuts: [3, 1]}")) == 2


def test_bins_by_hand() -> None:
    bins = hand_bins(Edit(levels=(("a", "b"), ("c",), ("d",))), "x")
    assert bins is not None
    assert [reported.get("levels") for reported in bins.described()[:3]] == [
        ["a", "b"],
        ["c"],
        ["d"],
    ]
    bins = hand_bins(Edit(cuts=(1, 2.5)), "x")
    assert bins is not None and bins.cuts == (1.0, 2.5) and bins.levels is None
    assert hand_bins(Edit(specials=(9,)), "x") is None and hand_bins(None, "x") is None


@pytest.mark.parametrize(
    ("codes", "whole", "cuts"),
    [
        ((-1.0,), False, (-1.0, math.nextafter(-1.0, 0.0))),
        ((-1.0,), True, (-1.0, 0.0)),
        ((97.0, 98.0), True, (97.0, 98.0, 99.0)),
        ((5.5,), True, (5.5, 6.0)),
        ((1e17,), True, (1e17, math.nextafter(1e17, math.inf))),
        ((sys.float_info.max,), False, (sys.float_info.max,)),
        ((0.0,), False, (0.0, sys.float_info.min)),
        ((), True, ()),
    ],
)
def test_a_code_is_cut_from_both_sides(
    codes: tuple[float, ...], whole: bool, cuts: tuple[float, ...]
) -> None:
    assert around(codes, whole=whole) == cuts
