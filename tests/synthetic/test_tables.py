"""The tables keep their contract, and nothing in them knows what had not happened yet."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pandas as pd
import pyarrow as pa
import pytest

from riskseg.synthetic import generate
from tests.synthetic.measure import Shape

UNTIL = date(2026, 3, 31)


@pytest.fixture(scope="module")
def frames(shape_of: Callable[[int], Shape]) -> dict[str, pd.DataFrame]:
    tables = shape_of(1).tables
    return {name: table.to_pandas(date_as_object=False) for name, table in tables.items()}


Frames = dict[str, pd.DataFrame]


@pytest.mark.parametrize(
    ("table", "key"),
    [("accounts", "account_id"), ("bills", "bill_id"), ("payments", "payment_id")],
)
def test_keys_are_unique(frames: Frames, table: str, key: str) -> None:
    assert frames[table][key].is_unique


@pytest.mark.parametrize("table", ["bills", "payments", "events", "instalments", "truth"])
def test_accounts_exist(frames: Frames, table: str) -> None:
    assert frames[table]["account_id"].isin(frames["accounts"]["account_id"]).all()


@pytest.mark.parametrize(
    ("table", "may_be_null"),
    [
        ("bills", {"cancelled_on"}),
        ("payments", {"reverses"}),
        ("events", {"amount", "until", "ref", "bill_id"}),
        ("truth", {"shock_from", "shock_until"}),
        (
            "accounts",
            {
                "closed_on",
                "written_off_on",
                "is_vulnerable",
                "has_continuous_medical_need",
                "breathing_space_from",
                "breathing_space_until",
            },
        ),
    ],
)
def test_only_these_columns_are_sometimes_null(
    frames: Frames, table: str, may_be_null: set[str]
) -> None:
    nulls = frames[table].isna().any()
    assert set(nulls[nulls].index) == may_be_null


def test_nothing_is_later_than_the_last_day(frames: Frames) -> None:
    last = pd.Timestamp(UNTIL)
    ahead = {"due_on", "until", "breathing_space_until", "shock_from", "shock_until"}
    for frame in frames.values():
        for name in frame.select_dtypes("datetime"):
            if name not in ahead:
                assert not (frame[name] > last).any(), name
    assert (frames["bills"]["due_on"] > last).any()


@pytest.mark.parametrize(
    ("table", "earlier", "later"),
    [
        ("accounts", "opened_on", "closed_on"),
        ("accounts", "closed_on", "written_off_on"),
        ("accounts", "breathing_space_from", "breathing_space_until"),
        ("bills", "issued_on", "recorded_on"),
        ("bills", "recorded_on", "due_on"),
        ("bills", "recorded_on", "cancelled_on"),
        ("payments", "paid_on", "recorded_on"),
        ("events", "happened_on", "recorded_on"),
        ("events", "happened_on", "until"),
    ],
)
def test_dates_are_in_order(frames: Frames, table: str, earlier: str, later: str) -> None:
    both = frames[table].dropna(subset=[earlier, later])
    assert len(both)
    assert (both[earlier] <= both[later]).all()


def test_types_are_the_contracts(shape_of: Callable[[int], Shape]) -> None:
    tables = shape_of(1).tables
    for table in tables.values():
        for field in table.schema:
            if field.name == "amount":
                assert field.type == pa.decimal128(18, 2)
            elif field.name.endswith(("_on", "_from", "_until")) or field.name == "until":
                assert field.type == pa.date32()
    assert tables["accounts"]["account_id"][16].as_py() == "A00000017"


def test_every_amount_is_positive_and_bills_fall_due_after_fourteen_days(frames: Frames) -> None:
    bills = frames["bills"]
    assert (bills["amount"] > 0).all()
    assert (frames["payments"]["amount"] > 0).all()
    assert ((bills["due_on"] - bills["issued_on"]).dt.days == 14).all()
    usual = bills.groupby("account_id")["amount"].median().astype(float)
    assert 40 < usual.median() < 120


def test_a_bounced_debit_is_taken_back_once_whole_and_soon(frames: Frames) -> None:
    payments = frames["payments"]
    backs = payments[payments["status"] == "reversed"]
    assert len(backs) > 100
    assert payments[payments["status"] != "reversed"]["reverses"].isna().all()
    pairs = backs.merge(payments, left_on="reverses", right_on="payment_id", suffixes=("", "_of"))
    assert len(pairs) == len(backs)
    assert pairs["reverses"].is_unique
    assert (pairs["status_of"] == "settled").all()
    assert (pairs["method_of"] == "direct_debit").all()
    assert (pairs["account_id"] == pairs["account_id_of"]).all()
    assert (pairs["amount"] == pairs["amount_of"]).all()
    assert (pairs["paid_on"] - pairs["paid_on_of"]).dt.days.between(3, 5).all()
    assert (pairs["recorded_on_of"] <= pairs["recorded_on"]).all()


def test_the_untidy_parts_of_life_are_there(
    frames: Frames, shape_of: Callable[[int], Shape]
) -> None:
    payments, bills, accounts = frames["payments"], frames["bills"], frames["accounts"]
    settled = payments[payments["status"] == "settled"]
    assert settled.duplicated(["account_id", "paid_on", "amount"]).sum() > 50  # paid twice
    assert (payments["status"] == "failed").sum() > 50
    shape = shape_of(1)
    last = shape.overdue[:, -1]
    assert (last < -500).sum() > 10  # in credit
    assert ((last > 0) & (last < 500)).sum() > 5  # a residue
    assert bills["cancelled_on"].notna().sum() > 50
    assert (bills["recorded_on"] > bills["issued_on"]).sum() > 50
    assert accounts["written_off_on"].notna().sum() > 20
    gone = (shape.ends < shape.days) & (last >= 500)
    assert gone.sum() > 50  # closed, and in debt
    assert accounts["breathing_space_from"].notna().sum() > 20


def test_a_withdrawn_bill_is_billed_again_that_day_for_less(frames: Frames) -> None:
    bills = frames["bills"]
    wrong = bills[bills["cancelled_on"].notna() & (bills["cancelled_on"] < "2026-03-01")]
    again = wrong.merge(
        bills,
        left_on=["account_id", "cancelled_on"],
        right_on=["account_id", "issued_on"],
        suffixes=("", "_again"),
    )
    assert again["bill_id"].nunique() == len(wrong) - _written_off(frames, wrong)
    assert (
        again.groupby("bill_id")["amount_again"].min() < again.groupby("bill_id")["amount"].min()
    ).all()


def _written_off(frames: Frames, wrong: pd.DataFrame) -> int:
    """Accounts written off before their bill could be put right."""
    lives = wrong.merge(frames["accounts"], on="account_id")
    return int((lives["written_off_on"] <= lives["cancelled_on"]).sum())


def test_direct_debits_end_after_the_second_bounce(frames: Frames) -> None:
    payments = frames["payments"].merge(frames["accounts"], on="account_id")
    debits = payments[payments["method"] == "direct_debit"]
    bounces = debits["status"].isin(["failed", "reversed"]).groupby(debits["account_id"]).sum()
    assert bounces.max() == 2
    ended = debits[debits["account_id"].isin(bounces[bounces == 2].index)]
    assert (ended["payment_method"] != "direct_debit").all()


@pytest.mark.parametrize("kind", ["promise", "plan"])
def test_agreements_end_once_and_no_sooner_than_the_facts(frames: Frames, kind: str) -> None:
    events = frames["events"]
    events = events[events["kind"] == kind]
    made = events[events["outcome"].isin(["made", "agreed"])]
    ended = events[events["outcome"].isin(["kept", "broken"])]
    assert made["ref"].is_unique
    assert ended["ref"].is_unique
    both = made.merge(ended, on=["account_id", "ref"], suffixes=("", "_end"))
    assert len(both) == len(ended)
    assert (both["happened_on_end"] > both["happened_on"]).all()
    assert (both["happened_on_end"] <= both["until"]).all()
    if kind == "promise":
        assert (both["happened_on_end"] == both["until"]).all()
    over = made[made["until"] < pd.Timestamp(UNTIL)]
    assert over["ref"].isin(ended["ref"]).all()
    assert 0.3 < (ended["outcome"] == "kept").mean() < 0.85


def test_a_dispute_names_a_bill_and_a_right_one_has_it_withdrawn(frames: Frames) -> None:
    events = frames["events"]
    disputes = events[events["kind"] == "dispute"]
    named = disputes.merge(frames["bills"], on="bill_id")
    assert len(named) == len(disputes) > 50
    upheld = named[named["outcome"] == "upheld"]
    assert len(upheld) > 20
    assert (upheld["cancelled_on"] == upheld["happened_on"]).all()
    assert named[named["outcome"] == "rejected"]["cancelled_on"].isna().all()


def test_the_creditor_is_silent_in_breathing_space(frames: Frames) -> None:
    events = frames["events"]
    holds = events[events["kind"] == "breathing_space"]
    assert ((holds["until"] - holds["happened_on"]).dt.days == 59).all()
    acts = events[events["kind"].isin(["action", "visit"])]
    both = holds.merge(acts, on="account_id", suffixes=("", "_act"))
    assert len(both) > 100
    within = both["happened_on_act"].gt(both["happened_on"]) & both["happened_on_act"].le(
        both["until"]
    )
    assert not within.any()


def test_the_old_policy_keeps_its_exceptions(frames: Frames) -> None:
    events, accounts = frames["events"], frames["accounts"]
    acts = events[events["kind"] == "action"].merge(accounts, on="account_id")
    harsh = acts["ref"].isin(["final_notice", "visit", "agency"])
    assert harsh.sum() > 500
    assert not (harsh & acts["is_vulnerable"].eq(True).fillna(False)).any()
    control = acts[acts["trial_arm"] == "control"]
    assert not control["ref"].isin(["sms", "letter", "call"]).any()
    early = acts[acts["trial_arm"] == "early_support"]
    assert "letter" not in set(early["ref"])
    assert "support_review" in set(early["ref"])


def test_nothing_follows_a_write_off(frames: Frames) -> None:
    accounts = frames["accounts"]
    given_up = accounts[accounts["written_off_on"].notna()]
    assert (given_up["closed_on"] <= given_up["written_off_on"]).all()
    bills = frames["bills"].merge(given_up, on="account_id")
    assert (bills["issued_on"] < bills["written_off_on"]).all()
    events = frames["events"].merge(given_up, on="account_id")
    assert (events["happened_on"] <= events["written_off_on"]).all()


@pytest.mark.parametrize(
    ("accounts", "months", "until"),
    [(1, 1, date(2024, 2, 29)), (3, 2, date(2026, 1, 30)), (40, 60, date(2026, 12, 31))],
)
def test_any_size_and_last_day(accounts: int, months: int, until: date) -> None:
    tables = generate(accounts, months, 0, until=until).tables()
    assert len(tables["accounts"]) == len(tables["truth"]) == accounts


@pytest.mark.parametrize(
    ("until", "months", "since"),
    [
        (date(2026, 3, 31), 24, date(2024, 4, 1)),
        (date(2026, 2, 28), 12, date(2025, 3, 1)),
        (date(2024, 2, 29), 1, date(2024, 2, 1)),
        (date(2026, 3, 30), 1, date(2026, 2, 28)),
        (date(2026, 12, 31), 12, date(2026, 1, 1)),
        (date(2026, 1, 15), 1, date(2025, 12, 16)),
    ],
)
def test_history_begins_that_many_months_before(until: date, months: int, since: date) -> None:
    assert generate(1, months, 0, until=until).since == since
