"""In what segments differ, against plain Python over the same accounts."""

from __future__ import annotations

import statistics
from datetime import date

import pytest

from riskseg.pipeline.asked import Asked
from riskseg.results.insights.profile import Profile
from riskseg.run.insight import insight
from tests.support import treated

DAY = date(2026, 2, 1)


def account(number: int) -> dict[str, object]:
    """60 accounts: 20 in `gentle`, of which most are in the north and rent, 4 in `firm`."""
    segment = "gentle" if number < 20 else "firm" if number < 24 else "none"
    return {
        "account_id": f"a{number}",
        "valid_from": DAY,
        "treatment": segment,
        "region": "north" if number % (5 if segment == "gentle" else 2) else "south",
        "rents": "true" if number % (4 if segment == "gentle" else 3) else "false",
        "age": 30 + number % 7 + (9 if segment == "gentle" else 0),
        "phone": f"0{number}",
    }


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    root = treated.write(
        tmp_path_factory.mktemp("profile") / "w",
        paths={name: {"steps": [{"day": 1, "action": "sms"}]} for name in ("gentle", "firm")},
        rows={
            "accounts": [account(number) for number in range(60)],
            "bills": [
                {"account_id": f"a{n}", "bill_id": "b", "due_on": "2026-01-20", "amount": 10}
                for n in range(60)
            ],
        },
        attributes={"rents": "boolean", "age": "integer"},
    )
    answer = insight(root, "profile", Asked(DAY)).answer
    assert isinstance(answer, Profile)
    return answer


def test_means_and_shares_are_those_of_the_accounts(profile: Profile) -> None:
    rows = [account(number) for number in range(60)]
    gentle = [row for row in rows if row["treatment"] == "gentle"]
    others = [row for row in rows if row["treatment"] != "gentle"]
    found = {(d.fact, d.value): d for d in profile.differences if d.segment == "gentle"}

    ages = found["age", "mean"]
    mine, theirs = ([float(str(row["age"])) for row in some] for some in (gentle, others))
    assert float(ages.here) == pytest.approx(statistics.mean(mine), abs=1e-4)
    assert float(ages.elsewhere) == pytest.approx(statistics.mean(theirs), abs=1e-4)
    spread = ((statistics.pvariance(mine) + statistics.pvariance(theirs)) / 2) ** 0.5
    wanted = (statistics.mean(mine) - statistics.mean(theirs)) / spread
    assert float(ages.standardised) == pytest.approx(wanted, abs=1e-4)
    assert ages.low < ages.here - ages.elsewhere < ages.high
    assert ages.compared == f"age is {statistics.mean(mine):.1f}"
    assert ages.elsewhere_in_words == f"{statistics.mean(theirs):.1f}"

    north = found["region", "north"]
    assert north.with_value == sum(row["region"] == "north" for row in gentle) == 16
    assert (north.accounts, ages.accounts, ages.with_value) == (20, 20, None)
    assert float(north.here) == pytest.approx(16 / 20)
    assert north.compared == "region is north"
    assert float(north.elsewhere) == pytest.approx(
        sum(row["region"] == "north" for row in others) / 40
    )
    assert float(str(north.index)) == pytest.approx(100 * 0.8 / float(north.elsewhere), abs=0.01)


def test_few_accounts_are_not_described(profile: Profile) -> None:
    assert profile.suppressed == ("firm",)
    assert "firm" not in {difference.segment for difference in profile.differences}
    assert min(d.with_value or d.accounts for d in profile.differences) >= profile.least


def test_what_names_an_account_is_no_group(profile: Profile) -> None:
    assert "phone" not in {difference.fact for difference in profile.differences}
