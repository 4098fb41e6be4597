"""Row numbers and identifiers are set aside with a reason; measures are not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems
from riskseg.learning.frame import TrainingFrame
from riskseg.learning.selection import usable
from riskseg.learning.spec import AuthoredSpec

Author = Callable[[str], AuthoredSpec]
random = np.random.default_rng(0)


def set_aside(
    author: Author, values: Any, name: str = "x", *, each: int = 1, source: str = "accounts"
) -> str | None:
    """Why a feature of an account file is, or None. Each account has so many rows, all alike."""
    count = len(values)
    kind = Kind.TEXT if isinstance(values[0], str) else Kind.NUMBER
    ids = np.repeat([f"C{n:05d}" for n in random.permutation(count)], each)
    rows = pd.DataFrame({name: np.repeat(values, each), "other": random.normal(size=count * each)})
    frame = TrainingFrame(
        rows=rows.astype({name: object}) if kind is Kind.TEXT else rows,
        features=(Fact(name, kind, source=source), Fact("other", Kind.NUMBER)),
        label=random.integers(0, 2, count * each).astype(np.int8),
        account=ids,
        group=ids,
        as_of=np.full(count * each, np.datetime64("NaT"), dtype="datetime64[D]"),
        held_out=np.zeros(count * each, dtype=np.bool_),
        weight=np.ones(count * each),
    )
    problems = Problems()
    _, why, _ = usable(author(""), frame, problems)
    problems.raise_if_any()
    kept = author(f"features: {{keep: [{name}]}}\n")
    assert name not in usable(kept, frame, problems)[1]
    return why.get(name)


NUMBERS = {
    "row numbers": np.arange(500.0),
    "row numbers of a sample": random.permutation(1000)[:800].astype(float),
    "a counter with gaps": np.cumsum(random.integers(1, 15, 1000)).astype(float) + 4e6,
    "a counter with a few repeats": np.r_[np.arange(990.0), np.arange(10.0)],
}
MEASURES = {
    "incomes": random.normal(42_000, 9_000, 1000).round(),
    "incomes, all different": random.permutation(80_000)[:1000].astype(float),
    "large amounts in cents": random.lognormal(12, 1, 3000).round(),
    "ages": random.integers(18, 90, 1000).astype(float),
    "fractions": random.random(1000),
    "days on book": random.integers(0, 3650, 1000).astype(float),
}


@pytest.mark.parametrize("what", NUMBERS)
@pytest.mark.parametrize("each", [1, 12])
def test_whole_numbers_that_do_not_repeat_as_chance_would(
    author: Author, what: str, each: int
) -> None:
    why = set_aside(author, NUMBERS[what], each=each)
    assert why is not None and why.startswith("a row number or identifier: ")


@pytest.mark.parametrize("what", MEASURES)
def test_measures_are_learned_from(author: Author, what: str) -> None:
    assert set_aside(author, MEASURES[what]) is None


@pytest.mark.parametrize(
    ("name", "aside"), [("customer_no", True), ("file_id", True), ("income", False)]
)
def test_sparse_numbers_all_different_are_judged_by_name(
    author: Author, name: str, aside: bool
) -> None:
    values = random.permutation(10**6)[:1000] * 7.0
    assert (set_aside(author, values, name) is not None) == aside
    assert set_aside(author, random.integers(0, 9, 1000).astype(float), name) is None


def test_texts_of_an_account_each(author: Author) -> None:
    assert set_aside(author, [f"{n:06d}-A" for n in range(500)], "x") is not None
    assert set_aside(author, [f"{n % 40}" for n in range(500)], "customer_no") is None


def test_what_is_worked_out_from_bills_is_no_identifier(author: Author) -> None:
    assert set_aside(author, np.arange(500.0), source="bills") is None


def test_what_differs_within_an_account_is_judged_by_row(
    frame: TrainingFrame, author: Author
) -> None:
    wide = replace(
        frame,
        rows=frame.rows.assign(row=np.arange(float(len(frame)))),
        features=(*frame.features, Fact("row", Kind.NUMBER)),
    )
    problems = Problems()
    assert "each row" in usable(author(""), wide, problems)[1]["row"]
