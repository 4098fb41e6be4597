"""Treatment by cohort, against plain Python over the same decisions and rows."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pyarrow.parquet as pq
import pytest

from riskseg.insight.fairness import MEASURES, _mirrored
from riskseg.insight.intervals import ObservedShare, clear_of_many, difference
from riskseg.insight.legal_frames import legal_frames
from riskseg.insight.proxies import _area
from riskseg.pipeline.asked import Asked
from riskseg.results.insights.fairness import TreatmentByCohort
from riskseg.run.assign import assign
from riskseg.run.insight import insight
from riskseg.workspace.authored import FairnessTable
from tests.support import treated

FIRST, LAST = date(2026, 2, 1), date(2026, 3, 10)
MONTH = timedelta(days=30)
ACTIONS = {"texts": "sms", "letters": "letter", "help": "support", "agency": "agency"}
# From mild to harsh, less what helps.
PLACES = {"sms": 1, "email": 2, "letter": 3, "call": 4, "visit": 5, "agency": 6}

# Of 60 accounts, two of each party: the north has those up to 23, the west the last four.
ACCOUNTS = range(60)
CURED = {n: date(2026, 2, 10) for n in (1, 2, 3, 7, 8, 20, 30)} | {31: date(2026, 3, 6)}
COMPLAINED = {n: date(2026, 2, 15) for n in (4, 5, 26)} | {40: date(2026, 3, 8)}
PLANNED = {n: date(2026, 2, 20) for n in (9, 28, 29, 33, 34, 35)}


def region_of(number: int) -> str:
    return "north" if number < 24 else "south" if number < 56 else "west"


def treatment_of(number: int) -> str:
    """In the north mostly help, elsewhere texts and letters."""
    if number < 24:
        return ("help", "agency", "help", "texts")[number // 3 % 4]
    return ("texts", "letters")[number % 2]


def workspace(place: Path, *, frame: str | None = None, declared: bool = True) -> Path:
    accounts = [
        {
            "account_id": f"a{n}",
            "party_id": f"p{n // 2}",
            "valid_from": FIRST,
            "treatment": treatment_of(n),
            "region": region_of(n),
        }
        for n in ACCOUNTS
    ]
    bills = [
        {"account_id": f"a{n}", "bill_id": f"b{n}", "due_on": "2026-01-20", "amount": 10}
        for n in ACCOUNTS
    ]
    payments = [
        {"account_id": f"a{n}", "payment_id": f"y{n}", "paid_on": day, "amount": 10}
        for n, day in CURED.items()
    ]
    events = [
        {"account_id": f"a{n}", "happened_on": day, "kind": "complaint"}
        for n, day in COMPLAINED.items()
    ]
    events += [
        {"account_id": f"a{n}", "happened_on": day, "kind": "plan", "ref": f"q{n}"}
        for n, day in PLANNED.items()
    ]
    instalments = [
        {"account_id": f"a{n}", "plan_id": f"q{n}", "due_on": "2026-06-01", "amount": 10}
        for n in PLANNED
    ]
    root = treated.write(
        place,
        paths={name: {"steps": [{"day": 1, "action": action}]} for name, action in ACTIONS.items()},
        rows={
            "accounts": accounts,
            "bills": bills,
            "payments": payments,
            "events": events,
            "instalments": instalments,
        },
    )
    with (root / "riskseg.toml").open("a", encoding="utf-8") as toml:
        toml.write("\n[source.accounts.columns.region]\nprotected = true\n" if declared else "")
        toml.write(f'\n[fairness]\nframe = "{frame}"\n' if frame else "")
    for day in (FIRST, LAST):
        assign(root, day, str(root / f"{day}.parquet"), at=treated.AT)
    return root


def answer(root: Path) -> TreatmentByCohort:
    answered = insight(root, "fairness", Asked(LAST)).answer
    assert isinstance(answered, TreatmentByCohort)
    return answered


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return workspace(tmp_path_factory.mktemp("fairness") / "w")


# What each measure counts of a day in arrears, and of how much.
Count = Callable[[int, date, str], tuple[float, float]]


def within(happened: dict[int, date]) -> Count:
    def counts(number: int, day: date, _action: str) -> tuple[float, float]:
        followed = day + MONTH <= LAST
        on = happened.get(number)
        return float(followed and on is not None and day < on <= day + MONTH), float(followed)

    return counts


COUNTS: dict[str, Count] = {
    "contacted": lambda _n, _d, a: (a in ("sms", "letter"), 1),
    "harshness": lambda _n, _d, a: (PLACES.get(a, 0), 6),
    "offered help": lambda _n, _d, a: (a == "support", 1),
    "significant action": lambda _n, _d, a: (a == "agency", 1),
    "plan": within(PLANNED),
    "cured": within(CURED),
    "complaint": within(COMPLAINED),
}


def observed(rows: list[tuple[int, date, str]], count: Count) -> tuple[float, float]:
    """The share, and its standard error by party."""
    by_party: dict[int, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for number, day, action in rows:
        for place, value in enumerate(count(number, day, action)):
            by_party[number // 2][place] += value
    parties = [(part, whole) for part, whole in by_party.values() if whole]
    all_ = sum(whole for _, whole in parties)
    share = sum(part for part, _ in parties) / all_
    spread = sum((part - share * whole) ** 2 for part, whole in parties)
    return share, math.sqrt(spread * len(parties) / (len(parties) - 1)) / all_


def test_every_measure_is_that_of_days_in_arrears(root: Path) -> None:
    rows: list[tuple[int, date, str]] = []
    for day in (FIRST, LAST):
        decided: list[dict[str, Any]] = pq.read_table(root / f"{day}.parquet").to_pylist()
        rows += [
            (int(row["account_id"][1:]), day, row["action"])
            for row in decided
            if row["balance_overdue"] > 0
        ]
    assert {action for *_, action in rows} >= {*ACTIONS.values()}
    found = answer(root)
    assert found.compared == ("region",)
    assert {(row.level, row.measure) for row in found.cohorts} == {
        (level, measure) for level in ("north", "south") for measure in COUNTS
    }
    for row in found.cohorts:
        of_level = [r for r in rows if region_of(r[0]) == row.level]
        # The four of the west are compared with nobody: they could be worked out from the others.
        others = [r for r in rows if region_of(r[0]) not in (row.level, "west")]
        count = COUNTS[row.measure]
        (here, error), (there, other_error) = observed(of_level, count), observed(others, count)
        assert (float(row.here), float(row.elsewhere)) == pytest.approx((here, there), abs=1e-4)
        reach = 1.96 * math.hypot(error, other_error)
        # Where a share is near 0 or 1 its interval ends there, or is the exact one.
        if 1.96 * error < min(here, 1 - here) and 1.96 * other_error < min(there, 1 - there):
            gap = here - there
            assert (float(row.low), float(row.high)) == pytest.approx(
                (gap - reach, gap + reach), abs=2e-4
            )
        looked_at = {n for n, day, _ in of_level if count(n, day, "")[1]}
        assert row.accounts == len(looked_at)


def test_few_accounts_are_not_compared_and_named(root: Path) -> None:
    found = answer(root)
    assert found.suppressed == ("region = west",)
    assert "Not shown, with fewer than 10 accounts: region = west." in found.words()


def test_many_comparisons_are_allowed_for(root: Path) -> None:
    found = answer(root)
    # The two regions are each other's mirror.
    once = [row for row in found.cohorts if not row.mirrored]
    assert found.comparisons == len(COUNTS) == len(once) == len(found.cohorts) / 2
    assert found.alone == sum(row.alone for row in once)
    clear = [row for row in once if row.is_clear]
    assert 0 < found.clear == len(clear) <= found.alone
    words = found.words()
    assert f"Of 7 comparisons, {found.alone} show a difference" in words
    assert "chance alone gives about 0" in words and "no verdict" in words
    for row in clear[:3]:
        assert f"region = {row.level}, {row.measure} {row.here:.1%} against" in words


def test_protective_cohorts_are_named_before_others(root: Path) -> None:
    found = answer(root)
    (row, *_) = (row for row in found.cohorts if row.is_clear and not row.mirrored)
    small = row.model_copy(update={"cohort": "frail", "here": row.elsewhere + Decimal("0.001")})
    more = found.model_copy(
        update={"cohorts": (*[row] * 3, small), "protective": ("frail",), "clear": 4}
    )
    named = more.words().partition("allowed for: ")[2]
    assert named.startswith("frail = north") and "; and 1 more below." in named


@pytest.mark.parametrize(
    ("levels", "mirrored"),
    [
        (("false", "true"), "false"),
        (("false", "true", "unknown"), "false"),
        (("north", "south"), "south"),
        (("north", "south", "west"), None),
    ],
)
def test_a_flag_counts_once(levels: tuple[str, ...], mirrored: str | None) -> None:
    assert _mirrored(levels) == mirrored


def test_without_a_cohort_it_says_how_to_declare_one(tmp_path: Path) -> None:
    found = answer(workspace(tmp_path / "w", declared=False))
    assert found.cohorts == () and "`[source.accounts.columns.region]`" in found.words()


def test_a_legal_frame_chooses_what_is_compared_and_is_cited(tmp_path: Path) -> None:
    found = answer(workspace(tmp_path / "w", frame="us-states"))
    assert found.frame is not None and "29 CFR 1607.4(D)" in found.words()
    by_measure = {(row.measure, row.level): row for row in found.cohorts}
    assert {measure for measure, _ in by_measure} == {*found.frame.measures}
    north, south = by_measure["offered help", "north"], by_measure["offered help", "south"]
    assert (north.ratio, south.ratio) == (1, round(south.here / north.here, 4))
    harsh = by_measure["significant action", "north"]
    other = by_measure["significant action", "south"]
    assert harsh.ratio is not None
    assert float(harsh.ratio) == pytest.approx(float((1 - harsh.here) / (1 - other.here)), abs=1e-3)
    assert "Under 0.8 of the highest rate" in found.words()
    assert "region = south (offered help, 0.00)" in found.words()


def test_what_tells_a_cohort_is_named(root: Path) -> None:
    """The treatment is read by the strategy, and only the north is offered help."""
    (proxy,) = [p for p in answer(root).proxies if p.level == "north"]
    members = [region_of(n) == "north" for n in ACCOUNTS]
    share = {
        name: np.mean(
            [m for n, m in zip(ACCOUNTS, members, strict=True) if treatment_of(n) == name]
        )
        for name in ACTIONS
    }
    pairs = [
        (share[treatment_of(a)] > share[treatment_of(b)])
        + (share[treatment_of(a)] == share[treatment_of(b)]) / 2
        for a in ACCOUNTS
        for b in ACCOUNTS
        if members[a] and not members[b]
    ]
    assert (proxy.cohort, proxy.fact) == ("region", "treatment")
    assert float(proxy.auc) == pytest.approx(float(np.mean(pairs)), abs=1e-4)
    assert proxy.low < proxy.auc < proxy.high and "AUC" in answer(root).words()


def test_an_area_is_the_share_of_pairs_in_order() -> None:
    inside, outside = np.array([0.0, 1.0, 3.0]), np.array([2.0, 2.0, 0.0])
    assert _area(inside, outside) == pytest.approx((1 * (2 + 2 / 2) + 3 * 4) / (4 * 4))


def test_every_frame_can_be_named_and_names_what_there_is() -> None:
    frames = legal_frames()
    assert {*get_args(FairnessTable.model_fields["frame"].annotation)} == {*frames, "none"}
    for frame in frames.values():
        assert {*frame.measures} <= {measure.name for measure in MEASURES}
        assert {*frame.cohorts} <= {"protective", "protected", "named"}
        assert frame.source and frame.applies


def test_the_interval_of_a_difference_is_newcombes() -> None:
    """His example (a): 56 of 70 against 48 of 80."""

    def wilson(part: int, whole: int) -> ObservedShare:
        p, z = part / whole, 1.96
        middle, reach = (
            p + z * z / (2 * whole),
            z * math.sqrt(p * (1 - p) / whole + z * z / (4 * whole**2)),
        )
        ends = [(middle + sign * reach) / (1 + z * z / whole) for sign in (-1, 1)]
        return ObservedShare(*(Decimal(value) for value in (p, *ends)))

    low, high, chance = difference(wilson(56, 70), wilson(48, 80))
    assert (low, high) == pytest.approx((0.0524, 0.3339), abs=1e-4)
    assert 0 < chance < 0.05
    assert difference(wilson(5, 10), wilson(5, 10))[2] == 1


def test_of_many_differences_those_are_clear_that_benjamini_and_hochberg_call_so() -> None:
    """The example of their paper: four of fifteen."""
    chances = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324]
    chances += [0.4262, 0.5719, 0.6528, 0.759, 1.0]
    assert clear_of_many(chances[::-1]) == 0.0095
    assert clear_of_many([0.5, 0.6]) == clear_of_many([]) == -1
