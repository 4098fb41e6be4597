"""A stranger's folder to decisions, by the commands a user types: init --from, one correction at
most, check, ageing, train, assign.

The data is no part of this project: it is looked for in ../shared/data, and without it these
tests are skipped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from riskseg.cli import app

DATA = Path(__file__).parents[2].parent / "shared" / "data"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"the real data is not in {DATA}"),
]


@dataclass(frozen=True)
class Folder:
    """A folder, the one decision that a person has to take (texts of riskseg.toml and what they
    become), the rows that are then read, and what is left open without harm."""

    correction: Mapping[str, str] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)
    open_points: tuple[str, ...] = ()
    mapped: Mapping[str, str] = field(default_factory=dict)


# The mark of a proposal, taken away.
def taken(line: str) -> dict[str, str]:
    return {f"# ? {line}": line}


FOLDERS = {
    "ibm_ar": Folder(
        rows={"accounts": 100, "bills": 2_466, "payments": 2_466},
        mapped={"bills.due_on": "due_date", "payments.paid_on": "paid_date"},
    ),
    "road_traffic_fines": Folder(
        rows={"accounts": 113_487, "bills": 113_487, "payments": 58_640},
        # What the words of its events mean.
        open_points=("events",),
        mapped={"bills.due_on": "due_date", "payments.paid_on": "paid_date"},
    ),
    "water_utility_synthetic": Folder(
        rows={"accounts": 1_500, "bills": 72_000, "payments": 64_738},
        open_points=("events",),
        mapped={
            "bills.account_id": "customer_id",
            "bills.bill_id": "concat_ws('-', customer_id, bill_period_end)",
            "bills.issued_on": "bill_period_end",
            "bills.due_on": "due_date",
            "bills.amount": "bill_amount",
            "payments.paid_on": "payment_date",
            "accounts.is_vulnerable": "is_vulnerable = 1",
        },
    ),
    "uci_credit_default": Folder(
        # A sixth of the payments is for bills from before the file begins.
        correction={"max_bad_rows": "max_unmatched = 0.2\nmax_bad_rows"},
        rows={"accounts": 30_000, "bills": 180_000, "payments": 143_103},
        mapped={"accounts.account_id": "ID", "payments.paid_on": "paid_month"},
    ),
    "highradius_open_only": Folder(
        # What `converted_usd` is.
        correction=taken("amount"),
        rows={"bills": 9_681},
        open_points=("issued_on of bills",),
        mapped={
            "bills.account_id": "cust_number",
            "bills.bill_id": "doc_id",
            "bills.due_on": "due_in_date",
            "bills.amount": "converted_usd",
        },
    ),
    "home_credit_mini": Folder(
        # The day that its days are counted from, which the file does not name.
        correction={'# ? from       = "select': 'from       = "select'},
        rows={"bills": 7_244, "payments": 7_346},
        # Its list of borrowers lacks some that have instalments.
        open_points=("accounts",),
    ),
}


def riskseg(*words: str, code: int = 0) -> str:
    """What a command prints; it must end with this code."""
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == code, result.output + result.stderr
    return result.stdout


def reported(*words: str) -> Any:
    return json.loads(riskseg(*words, "--json"))


def begun(folder: str, w: Path, correction: Mapping[str, str]) -> Any:
    """What init --from found; the one decision is then taken in riskseg.toml."""
    new = reported("init", str(w), "--from", str(DATA / folder))
    toml = (w / "riskseg.toml").read_text(encoding="utf-8")
    for marked, line in correction.items():
        assert marked in toml
        toml = toml.replace(marked, line)
    (w / "riskseg.toml").write_text(toml, encoding="utf-8")
    return new


@pytest.mark.parametrize("folder", sorted(FOLDERS))
def test_a_folder_with_bills_needs_one_decision_at_most(folder: str, tmp_path: Path) -> None:
    expected, w = FOLDERS[folder], tmp_path / "w"
    new = begun(folder, w, expected.correction)
    mapped = {
        f"{table['table']}.{column['column']}": column["expression"]
        for table in new["matched"]
        for column in table["columns"]
    }
    assert {name: mapped.get(name) for name in expected.mapped} == dict(expected.mapped)
    checked = reported("-w", str(w), "check")
    assert checked["problems"] == []
    assert checked["rows"] == dict(expected.rows)
    notes = [note for note in checked["notes"] if "is not decided" in note]
    for point in (*expected.open_points, "currency of workspace"):
        assert any(point in note for note in notes), point
    assert len(notes) == len(expected.open_points) + 1, notes
    aged = reported("-w", str(w), "ageing", "--as-of", checked["last_day"])
    assert float(aged["ledger"]["difference"]) == 0


@pytest.mark.parametrize("by_layout", [False, True])
def test_a_sheet_of_invoices_is_bills_and_payments(by_layout: bool, tmp_path: Path) -> None:
    sheet, w = DATA / "ibm_ar" / "ibm_ar.parquet", tmp_path / "w"
    reported("init", str(w), "--from", str(sheet))
    if by_layout:
        tables = "".join(f'[source.{name}]\nfrom = "{sheet}"\n' for name in ("bills", "payments"))
        (w / "riskseg.toml").write_text(f'[source]\nlayout = "invoice-sheet"\n{tables}')
    checked = reported("-w", str(w), "check")
    assert checked["problems"] == []
    assert checked["rows"] == {"bills": 2_466, "payments": 2_466}
    aged = reported("-w", str(w), "ageing", "--as-of", checked["last_day"])
    assert float(aged["ledger"]["balance"]) == float(aged["ledger"]["difference"]) == 0


# Rules that need no model.
BY_AGE = {
    "strategy.yaml": """\
name: by-age
purpose: Which open items are chased, by how long they have been due
owner: collections
actions:
  - {name: email, channel: email, contact: true}
  - {name: call,  channel: phone, contact: true}
protective: []
priority: balance_overdue
""",
    "tiers.yaml": """\
age:
  - {tier: old, when: days_past_due > 10}
  - {tier: rest, otherwise: true}
""",
    "segments.yaml": """\
columns: [age]
rows:
  - {id: old,  match: [old], segment: chase}
  - {id: rest, match: [any], segment: wait}
""",
    "paths.yaml": """\
chase: {for: [chase], starts: as_of, steps: [{day: 0, action: call, template: overdue}]}
wait:  {for: [wait],  starts: as_of}
""",
}


@pytest.mark.parametrize(
    ("folder", "bad"), [("give_me_some_credit", 10_026), ("german_credit", 300)]
)
def test_an_account_file_goes_to_decisions(folder: str, bad: int, tmp_path: Path) -> None:
    w = tmp_path / "w"
    # An applicant is a row: that the rows may be numbered is the one decision of german_credit.
    correction = {"# ? from": "from"} if folder == "german_credit" else {}
    begun(folder, w, correction)
    assert reported("-w", str(w), "check")["problems"] == []
    [kept] = reported("-w", str(w), "train", "--only", "scorecard")
    summary = kept["summary"]
    assert summary["training"]["bad"] + summary["hold_out"]["bad"] == bad
    assert summary["metrics"]["hold_out"]["auc"] > 0.7
    out = str(w / "d.csv")
    done = reported("-w", str(w), "assign", "--as-of", "2026-06-30", "--out", out)
    assert done["rows"] == sum(reported("-w", str(w), "check")["rows"].values())


# What a person asks of each ledger, where the specs that come with riskseg do not suit it.
SPECS = {
    # A fine is one bill of an account of its own: asked of each as it is issued.
    "road_traffic_fines": """\
name: late_payment
question: Will the fine issued today be unpaid 30 days after it falls due?
target: {event: late, days_past_due: 30, horizon_days: 365}
observe: {at: issue, for: 1500 days, history: 1 days}
hold_out: {last: 365 days}
learners: [scorecard]
seed: 7
""",
    "home_credit_mini": """\
name: late_payment
question: Will an instalment that falls due in the next 60 days be paid late?
target: {event: late, days_past_due: 0, horizon_days: 60}
observe: {every: 30 days, for: 1200 days, history: 180 days}
hold_out: {last: 180 days}
learners: [scorecard]
seed: 7
""",
}
DATES = {"road_traffic_fines": "2007-12-31", "home_credit_mini": "2019-12-31"}


@pytest.mark.parametrize("folder", sorted(SPECS))
def test_a_ledger_goes_to_decisions(folder: str, tmp_path: Path) -> None:
    w = tmp_path / "w"
    reported("init", str(w), "--from", str(DATA / folder), "--strategy", "account-file")
    toml = (w / "riskseg.toml").read_text(encoding="utf-8")
    for marked, line in FOLDERS[folder].correction.items():
        toml = toml.replace(marked, line)
    (w / "riskseg.toml").write_text(toml, encoding="utf-8")
    (w / "models/outcome.yaml").unlink()
    (w / "models/late_payment.yaml").write_text(SPECS[folder])
    strategy = w / "rules/account-file/strategy.yaml"
    strategy.write_text(strategy.read_text().replace("p_bad: outcome", "p_bad: late_payment"))
    assert reported("-w", str(w), "check")["problems"] == []
    [kept] = reported("-w", str(w), "train", "--promote", "--as-of", DATES[folder])
    assert kept["summary"]["hold_out"]["bad"] > 30
    out = str(w / "d.parquet")
    done = reported("-w", str(w), "assign", "--as-of", DATES[folder], "--out", out)
    assert done["rows"] > 800


def test_open_items_alone_go_to_decisions_by_their_age(tmp_path: Path) -> None:
    """No invoice was paid yet, so that there is nothing to learn from: rules by age alone."""
    w = tmp_path / "w"
    begun("highradius_open_only", w, FOLDERS["highradius_open_only"].correction)
    for file, text in BY_AGE.items():
        place = w / "rules" / "by-age" / file
        place.parent.mkdir(exist_ok=True)
        place.write_text(text)
    toml = (w / "riskseg.toml").read_text()
    (w / "riskseg.toml").write_text(toml.replace("rules/household-utility", "rules/by-age"))
    for spec in (w / "models").glob("*.yaml"):
        spec.unlink()
    assert reported("-w", str(w), "check")["problems"] == []
    out = str(w / "d.csv")
    done = reported("-w", str(w), "assign", "--as-of", "2020-05-15", "--out", out)
    segments = {row["segment"]: row["accounts"] for row in done["segments"]}
    assert {*segments} == {"chase", "wait"}
    assert sum(segments.values()) == done["rows"]
