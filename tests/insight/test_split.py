"""Splits of segments, segments that are alike, and those nobody reached, against plain Python over
the same accounts; and the rows that are made ready, pasted."""

from __future__ import annotations

import hashlib
import math
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
import yaml
from markupsafe import escape

from riskseg.pipeline.asked import Asked
from riskseg.report.segments.charts.split import rates_of_parts
from riskseg.results.insights.split import Structure
from riskseg.run.insight import insight
from riskseg.run.strategy import check
from tests.support import treated

if TYPE_CHECKING:
    from riskseg.results.insights.report import SegmentReport

FIRST, LAST = date(2026, 2, 1), date(2026, 4, 5)
SEGMENTS = ("one", "two", "three", "four", "few")
# Actions of the paths: those of the first four are half alike, `few` has none in common.
STEPS = {"one": "sms", "two": "sms", "three": "sms", "four": "sms", "few": "letter"}


@dataclass(frozen=True)
class Account:
    id: str
    party: str
    segment: str
    visits: int | None
    grade: str
    colour: str
    sex: str
    unpaid: bool

    @property
    def is_for_finding(self) -> bool:
        return hashlib.md5(self.party.encode()).hexdigest() < "8"  # noqa: S324 (no secret)


def accounts() -> list[Account]:
    """In `one` the number of visits tells who does not pay, in `two` the grade; elsewhere nothing
    does but a column that is protected. Every fourth account belongs to the party before."""
    draw = random.Random(5)  # noqa: S311 (invented data)
    made = []
    for number in range(700):
        segment = "few" if number >= 685 else SEGMENTS[number % 4]
        visits = draw.choice([None, *range(10)])
        grade = draw.choice("abcd")
        likely = {"one": (visits or 0) >= 6, "two": grade in "bd"}.get(segment)
        unpaid = draw.random() < (0.5 if likely is None else 0.85 if likely else 0.2)
        made.append(
            Account(
                id=f"a{number}",
                party=f"p{number - 1 if number % 4 == 3 else number}",
                segment=segment,
                visits=visits,
                grade=grade,
                colour=draw.choice(["red", "blue", "green"]),
                sex="f" if unpaid else "m",
                unpaid=unpaid,
            )
        )
    return made


ACCOUNTS = accounts()


def write(root: Path) -> Path:
    """All owe 10 from 20 January; those who do not pay in full by 2 April pay 9."""
    treated.write(
        root,
        paths={name: {"steps": [{"day": 1, "action": STEPS[name]}]} for name in SEGMENTS},
        rows={
            "accounts": [
                {
                    "account_id": a.id,
                    "party_id": a.party,
                    "valid_from": date(2026, 1, 1),
                    "treatment": a.segment,
                    "visits": "" if a.visits is None else a.visits,
                    "grade": a.grade,
                    "colour": a.colour,
                    "sex": a.sex,
                }
                for a in ACCOUNTS
            ],
            "bills": [
                {"account_id": a.id, "bill_id": a.id, "due_on": "2026-01-20", "amount": 10}
                for a in ACCOUNTS
            ],
            "payments": [
                {
                    "account_id": a.id,
                    "payment_id": a.id,
                    # The last day that counts is 2 April.
                    "paid_on": "2026-04-02",
                    "amount": 9 if a.unpaid else 10,
                }
                for a in ACCOUNTS
            ],
        },
        attributes={"visits": "integer"},
    )
    with (root / "riskseg.toml").open("a", encoding="utf-8") as toml:
        toml.write("\n[source.accounts.columns.sex]\nprotected = true\n")
    return root


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("split") / "w")


@pytest.fixture(scope="module")
def answer(root: Path) -> Structure:
    found = insight(root, "split", Asked(LAST, compare=FIRST)).answer
    assert isinstance(found, Structure)
    return found


def rate(accounts: Iterable[Account]) -> tuple[float, float]:
    """The share that did not pay, and half the width of its 95% interval, by party."""
    by_party: dict[str, list[bool]] = defaultdict(list)
    for account in accounts:
        by_party[account.party].append(account.unpaid)
    whole = sum(map(len, by_party.values()))
    bad = sum(map(sum, by_party.values()))
    share, parties = bad / whole, len(by_party)
    spread = sum((sum(own) - share * len(own)) ** 2 for own in by_party.values())
    error = math.sqrt(spread * parties / (parties - 1)) / whole
    adjusted = (bad + 2) / (whole + 4)
    return share, 1.96 * max(error, math.sqrt(adjusted * (1 - adjusted) / (whole + 4)))


def test_what_separates_outcomes_is_found_and_what_does_not_is_not(answer: Structure) -> None:
    assert {split.segment: split.apart for split in answer.splits} == {
        "one": "visits >= 6",
        "two": "grade in ('b', 'd')",
    }
    assert answer.not_clear == ("three", "four")
    assert answer.too_few == ("few",)
    assert answer.left_out == ("sex",)
    assert "Left out, as protected or as a cohort of fairness: sex." in answer.words()


def test_a_split_is_measured_on_the_half_that_it_was_not_found_on(answer: Structure) -> None:
    apart: dict[str, Callable[[Account], bool]] = {
        "one": lambda a: (a.visits or 0) >= 6,
        "two": lambda a: a.grade in "bd",
    }
    for split in answer.splits:
        own = [a for a in ACCOUNTS if a.segment == split.segment]
        parts = [[a for a in own if apart[a.segment](a) is side] for side in (True, False)]
        assert [split.accounts, split.others] == [len(part) for part in parts]
        measured = [[a for a in part if not a.is_for_finding] for part in parts]
        assert all(0 < len(half) < len(part) for half, part in zip(measured, parts, strict=True))
        figures = [
            (split.rate, split.low, split.high),
            (split.other_rate, split.other_low, split.other_high),
        ]
        for half, (found, low, high) in zip(measured, figures, strict=True):
            share, reach = rate(half)
            assert float(found) == pytest.approx(share, abs=1e-4)
            assert float(low) == pytest.approx(max(share - reach, 0), abs=1e-4)
            assert float(high) == pytest.approx(min(share + reach, 1), abs=1e-4)
        assert float(split.gain) == pytest.approx(explained(*measured), abs=1e-4)


def explained(part: Sequence[Account], others: Sequence[Account]) -> float:
    """The square of the correlation between being apart and not paying."""
    pairs = [(1, a.unpaid) for a in part] + [(0, a.unpaid) for a in others]
    n = len(pairs)
    x, y = (sum(pair[side] for pair in pairs) / n for side in (0, 1))
    both = sum((a - x) * (b - y) for a, b in pairs) / n
    return both**2 / (x * (1 - x) * y * (1 - y))


def test_segments_that_do_not_differ_clearly_are_named(answer: Structure) -> None:
    order = [*SEGMENTS, treated.IDLE]
    rates = {name: rate(a for a in ACCOUNTS if a.segment == name) for name in SEGMENTS}
    wanted = {}
    for first, second in pairwise(order):
        alike = STEPS.get(first) == STEPS.get(second)
        if alike:
            (one, reach), (other, other_reach) = rates[first], rates[second]
            whole = math.hypot(reach, other_reach)
            if abs(one - other) < whole:
                wanted[first, second] = (one - other - whole, one - other + whole)
    found = {(p.first, p.second): (float(p.low), float(p.high)) for p in answer.pairs}
    assert found.keys() == wanted.keys() >= {("three", "four")}
    for key, ends in wanted.items():
        assert found[key] == pytest.approx(ends, abs=1e-4)
    assert {pair.treatment for pair in answer.pairs} == {"1 of 1 actions"}


def test_the_chart_draws_both_parts_of_every_split(answer: Structure) -> None:
    drawn = rates_of_parts(answer, cast("SegmentReport", None))
    assert drawn is not None
    for split in answer.splits:
        for part, rate in (("apart", split.rate), ("the others", split.other_rate)):
            assert re.search(f"{re.escape(escape(split.apart))}, {part}[^:]*: {rate:.1%}", drawn)
    nothing = answer.model_copy(update={"splits": ()})
    assert rates_of_parts(nothing, cast("SegmentReport", None)) is None


def test_segments_nobody_reached_are_named(answer: Structure) -> None:
    assert [row.segment for row in answer.unreached] == [treated.IDLE]
    assert answer.unreached[0].rows.startswith(f"{treated.IDLE} (line ")


@pytest.mark.parametrize("splits", [1, 2])
def test_what_is_made_ready_can_be_pasted(tmp_path: Path, answer: Structure, splits: int) -> None:
    """The strategy is sound, and decides who is apart; everybody else is as before. So it is with
    the first split alone, and with both."""
    root = write(tmp_path / "w")
    pasted = [split.segment for split in answer.splits[:splits]]
    assert {"one", "two"} >= {*pasted} and len(pasted) == splits
    changes = [change for change in answer.changes if change.segment in pasted]
    for change in changes:
        file = root / change.file
        if change.file.endswith("tiers.yaml"):
            file.write_text(f"{file.read_text()}{change.text}\n", encoding="utf-8")
        elif change.file.endswith("segments.yaml"):
            for line in change.text.splitlines()[1:]:
                assert yaml.safe_load(line)[0] in yaml.safe_load(change.whole)["rows"]
            file.write_text(change.whole, encoding="utf-8")
        else:
            old = f"  for:\n  - {change.segment}\n"
            assert file.read_text().count(old) == 1
            file.write_text(file.read_text().replace(old, f"{change.text}\n"), encoding="utf-8")
    assert len(changes) == sum(3 if segment == "one" else 2 for segment in pasted)
    check(root)
    after = {row["account_id"]: row["segment"] for row in treated.decide(root, FIRST)}
    for account in ACCOUNTS:
        own = account.segment in pasted
        is_one = account.segment == "one"
        apart = (account.visits or 0) >= 6 if is_one else account.grade in "bd"
        assert after[account.id] == account.segment + ("_apart" if own and apart else "")


def test_nothing_is_said_where_no_outcome_is_known(root: Path) -> None:
    found = insight(root, "split", Asked(FIRST)).answer
    assert isinstance(found, Structure)
    assert (found.splits, found.pairs, found.day) == ((), (), None)
    assert "No outcome is known yet" in found.words()
