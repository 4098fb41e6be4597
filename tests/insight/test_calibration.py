"""What probabilities expected against what came true, against plain Python over the same bills."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from math import erfc
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pyarrow.parquet as pq
import pytest

from riskseg.learning.scorecard.imported import Meaning
from riskseg.learning.scorecard.tables import Scale
from riskseg.pipeline.asked import Asked
from riskseg.report.segments.charts.calibration import by_month, by_segment
from riskseg.results.insights.calibration import Calibration
from riskseg.results.insights.split import Structure
from riskseg.run.assign import assign
from riskseg.run.import_card import import_card
from riskseg.run.insight import insight
from tests.support import treated
from tests.support.small_numbers import FEW, not_shown

if TYPE_CHECKING:
    from riskseg.results.insights.report import SegmentReport

DAYS = [date(2026, month, day) for month, day in ((1, 31), (2, 15), (3, 20), (4, 30), (5, 2))]
AS_OF = date(2026, 5, 25)
# Days past due, horizon, and the days until a label is known.
LATE, DEFAULT, AT_ISSUE = (5, 20, 25), (30, 40, 40), (5, 60, 65)
# When the bill of each month was issued.
ISSUED_ON = [date(2026, 1, 1), *DAYS]
SPECS = {
    "late": "target: {event: late, days_past_due: 5, horizon_days: 20}\n",
    "default": "target: {event: default, days_past_due: 30, horizon_days: 40}\n",
    # Of the bill that is issued on the day.
    "issue": "target: {event: late, days_past_due: 5, horizon_days: 60}\nobserve: {at: issue}\n",
}
# 20 points double the odds, and 480 points are odds of 50/64 to 1: too many bad outcomes are
# expected of accounts of a poor grade.
CARD = "feature,levels,points\nbase,,480\ngrade,good,60\ngrade,poor,-10\n"


@dataclass(frozen=True)
class Bill:
    """One that is paid on a day, before later ones, or never."""

    due_on: date
    paid_on: date | None

    def unpaid_on(self, day: date) -> bool:
        return self.paid_on is None or self.paid_on > day


def bills_of(draw: random.Random, poor: bool) -> list[Bill]:
    """A bill a month, each paid sooner or later, in their order."""
    bills: list[Bill] = []
    for month in range(1, 6):
        due_on = date(2026, month, draw.randrange(1, 28))
        after = draw.choice([-3, 0, 3, 5, 6, 9, 29, 30, 34] if poor else [-3, 0, 2, 5, 6])
        paid_on = due_on + timedelta(days=after)
        if bills and bills[-1].paid_on is not None:
            paid_on = max(paid_on, bills[-1].paid_on)
        never = draw.random() < 0.1 * poor or (bills and bills[-1].paid_on is None)
        bills.append(Bill(due_on, None if never else paid_on))
    return bills


def party_of(account: str) -> str:
    """Every account has its party in common with another."""
    return f"p{int(account[1:]) // 2}"


def late(bills: list[Bill], day: date) -> bool | None:
    dpd, horizon, _ = LATE
    due = [b for b in bills if day < b.due_on <= day + timedelta(days=horizon)]
    return any(b.unpaid_on(b.due_on + timedelta(days=dpd)) for b in due) if due else None


def default(bills: list[Bill], day: date) -> bool | None:
    dpd, horizon, _ = DEFAULT
    reached = [(b, b.due_on + timedelta(days=dpd)) for b in bills]
    in_time = [(b, r) for b, r in reached if day < r <= day + timedelta(days=horizon)]
    return any(b.unpaid_on(r - timedelta(days=1)) for b, r in in_time)


def late_at_issue(bills: list[Bill], day: date) -> bool | None:
    dpd, *_ = AT_ISSUE
    issued = [bill for bill, on in zip(bills, ISSUED_ON, strict=False) if on == day]
    return any(b.unpaid_on(b.due_on + timedelta(days=dpd)) for b in issued) if issued else None


@pytest.fixture(scope="module")
def portfolio(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Mapping[str, list[Bill]]]:
    """60 accounts in four segments, one of them of 6 accounts, decided on five days."""
    draw = random.Random(3)  # noqa: S311 (invented data)
    accounts = {
        f"a{n:02}": (
            "few" if n < 6 else "less" if n < 17 else "one" if n % 2 else "two",
            n % 3 == 0,
        )
        for n in range(60)
    }
    bills = {account: bills_of(draw, poor) for account, (_, poor) in accounts.items()}
    numbered = [(a, n, bill) for a, own in bills.items() for n, bill in enumerate(own)]
    rows = {
        "accounts": [
            {
                "account_id": a,
                "party_id": party_of(a),
                "treatment": segment,
                "grade": "poor" if poor else "good",
            }
            for a, (segment, poor) in accounts.items()
        ],
        "bills": [
            {
                "account_id": a,
                "bill_id": f"{a}{n}",
                "due_on": bill.due_on,
                "issued_on": ISSUED_ON[n],
                "amount": 20,
            }
            for a, n, bill in numbered
        ],
        "payments": [
            {"account_id": a, "payment_id": f"{a}{n}", "paid_on": bill.paid_on, "amount": 20}
            for a, n, bill in numbered
            if bill.paid_on is not None
        ],
    }
    for row in rows["accounts"]:
        row["valid_from"] = date(2026, 1, 1)
    root = treated.write(
        tmp_path_factory.mktemp("calibration") / "w",
        paths={
            name: {"steps": [{"day": 1, "action": "sms"}]} for name in ("one", "two", "few", "less")
        },
        rows=rows,
        head={"uses": {f"p_{name}": name for name in SPECS}},
    )
    (root / "models").mkdir()
    for name, spec in SPECS.items():
        (root / "models" / f"{name}.yaml").write_text(f"name: {name}\n{spec}")
        (root / "card.csv").write_text(CARD)
        scale = Meaning(Scale(600, 50, 20))
        import_card(root, root / "card.csv", name, scale, at=treated.AT, reference_as_of=DAYS[0])
    for day in [*DAYS, AS_OF]:
        assign(root, day, str(root / f"{day}.parquet"), at=treated.AT)
    return root, bills


@pytest.fixture(scope="module")
def answer(portfolio: tuple[Path, Mapping[str, list[Bill]]]) -> Calibration:
    answered = insight(portfolio[0], "calibration", Asked(AS_OF)).answer
    assert isinstance(answered, Calibration)
    return answered


def expected(root: Path, bills: Mapping[str, list[Bill]]) -> dict[tuple[str, str, str], list[Any]]:
    """The account, probability and label of every decision of a group."""
    groups: dict[tuple[str, str, str], list[Any]] = defaultdict(list)
    for day in DAYS:
        for row in pq.read_table(root / f"{day}.parquet").to_pylist():
            for model, (*_, known_after), label_of in (
                ("p_late", LATE, late),
                ("p_default", DEFAULT, default),
                ("p_issue", AT_ISSUE, late_at_issue),
            ):
                label = label_of(bills[row["account_id"]], day)
                if row[model] is None or label is None:
                    continue
                if day + timedelta(days=known_after) > AS_OF:
                    continue
                for key in (
                    ("model", model),
                    ("segment", row["segment"]),
                    ("month", f"{day:%Y-%m}"),
                ):
                    groups[model, *key].append((row["account_id"], float(row[model]), label))
    return groups


def standard_error(rows: list[Any]) -> float:
    """That of the share that came true less the mean probability, party by party."""
    by_party: dict[str, list[Any]] = defaultdict(list)
    for account, probability, label in rows:
        by_party[party_of(account)].append((probability, label))
    whole = len(rows)
    excess = sum(label - probability for _, probability, label in rows) / whole
    parties = [sum(label - p - excess for p, label in own) for own in by_party.values()]
    n = len(parties)
    error = (sum(a * a for a in parties) * n / max(n - 1, 1)) ** 0.5 / whole
    of_model = sum(sum((p * (1 - p)) ** 0.5 for p, _ in own) ** 2 for own in by_party.values())
    return max(error, of_model**0.5 / whole)


def hidden(groups: Mapping[tuple[str, str, str], list[Any]]) -> set[tuple[str, str, str]]:
    """The groups of few accounts, and those beside them."""
    sizes: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for (model, by, group), rows in groups.items():
        sizes[model, by][group] = len({account for account, *_ in rows})
    return {(model, by, g) for (model, by), own in sizes.items() for g in not_shown(own)}


def test_it_is_what_came_true_of_the_decisions(
    portfolio: tuple[Path, Mapping[str, list[Bill]]], answer: Calibration
) -> None:
    groups = expected(*portfolio)
    found = {(row.model, row.by, row.group): row for row in answer.groups}
    assert found.keys() == groups.keys()
    assert {day for _, by, day in found if by == "month"} >= {"2026-01", "2026-02", "2026-03"}
    for key, rows in groups.items():
        row = found[key]
        accounts = len({account for account, *_ in rows})
        assert (row.accounts, row.decisions) == (accounts, len(rows)), key
        if key in hidden(groups):
            assert (row.expected, row.observed, row.low, row.high) == (None,) * 4
            continue
        observed = sum(label for *_, label in rows) / len(rows)
        reach = 1.96 * standard_error(rows)
        for value, shown in (
            (sum(p for _, p, _ in rows) / len(rows), row.expected),
            (observed, row.observed),
            (max(observed - reach, 0), row.low),
            (min(observed + reach, 1), row.high),
        ):
            assert shown is not None and abs(float(shown) - value) <= 1e-4, key


def test_segments_are_compared_by_the_last_defaults_that_are_known(
    portfolio: tuple[Path, Mapping[str, list[Bill]]],
) -> None:
    """What `riskseg insight split` looks for where the strategy has models."""
    root, _ = portfolio
    answered = insight(root, "split", Asked(AS_OF)).answer
    assert isinstance(answered, Structure)
    assert answered.outcome == "default within 40 days (30 days past due), as p_default expects it"
    assert answered.day == DAYS[2]
    decided = pq.read_table(root / f"{DAYS[2]}.parquet").to_pylist()
    segments = {row["account_id"]: row["segment"] for row in decided}
    labels: dict[str, list[bool]] = defaultdict(list)
    for account, _, label in expected(*portfolio)["p_default", "month", "2026-03"]:
        labels[segments[account]].append(label)
    pair = next(pair for pair in answered.pairs if (pair.first, pair.second) == ("one", "two"))
    for name, accounts, rate in (
        ("one", pair.first_accounts, pair.first_rate),
        ("two", pair.second_accounts, pair.second_rate),
    ):
        assert accounts == len(labels[name])
        assert float(rate) == pytest.approx(sum(labels[name]) / accounts, abs=1e-4)


def test_the_last_days_are_left_out_of_the_longer_horizon(answer: Calibration) -> None:
    months = {
        m: [r.group for r in answer.groups if (r.model, r.by) == (m, "month")]
        for m in ("p_late", "p_default", "p_issue")
    }
    assert months == {
        "p_late": ["2026-01", "2026-02", "2026-03", "2026-04"],
        "p_default": ["2026-01", "2026-02", "2026-03"],
        "p_issue": ["2026-01", "2026-02", "2026-03"],
    }


def test_words_name_what_differs_clearly_and_what_is_too_small(answer: Calibration) -> None:
    words = answer.words()
    clear = [row for row in answer.groups if row.clear and row.by != "model"]
    assert any(f"{row.model} in {row.group}, {row.expected:.1%} expected" in words for row in clear)
    assert f"Not judged{FEW}few, less." in words


def test_what_is_clear_is_clear_of_many(
    portfolio: tuple[Path, Mapping[str, list[Bill]]], answer: Calibration
) -> None:
    chances = {}
    groups = expected(*portfolio)
    for key, rows in groups.items():
        if key not in hidden(groups):
            excess = sum(label - probability for _, probability, label in rows) / len(rows)
            chances[key] = erfc(abs(excess) / standard_error(rows) / 2**0.5)
    ranked = sorted(chances.values())
    passing = [c for n, c in enumerate(ranked, 1) if c <= 0.05 * n / len(ranked)]
    clear = {key for key, chance in chances.items() if passing and chance <= max(passing)}
    found = {(row.model, row.by, row.group): row.clear for row in answer.groups}
    assert {key for key, which in found.items() if which} == clear
    assert 0 < len(clear) < len(chances) and set(found.values()) == {"", "fewer"}


def test_charts_draw_every_group_that_is_judged(answer: Calibration) -> None:
    judged = [row for row in answer.groups if row.expected is not None]
    for draw, kinds in ((by_segment, ("model", "segment")), (by_month, ("month",))):
        drawn = draw(answer, cast("SegmentReport", None))
        assert drawn is not None
        # Either mark of a group says its figures.
        rows = [row for row in judged if row.by in kinds]
        assert drawn.count("% observed (") == 2 * len(rows)
        assert ">few</text>" not in drawn


def test_nothing_is_reported_of_what_is_not_known_yet(
    portfolio: tuple[Path, Mapping[str, list[Bill]]],
) -> None:
    answered = insight(portfolio[0], "calibration", Asked(DAYS[1])).answer
    assert isinstance(answered, Calibration)
    assert answered.groups == ()
    assert "p_late cannot be judged yet: what came true is known 25 days" in answered.words()
