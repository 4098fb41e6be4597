"""What proofs assume and `assign` checks: a run stops at an account of which nothing is proved."""

from __future__ import annotations

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from riskseg.domain.problems import Problem, ProblemsError
from riskseg.run.assign import assign
from riskseg.run.prove import prove
from tests.support.portfolio import AT

DAY = date(2026, 1, 1)
HEAD = """\
name: s
purpose: what is assumed
owner: tests
actions: [{name: sms, channel: sms}, {name: agency, channel: file}]
"""
SEGMENTS = """\
columns: [t]
rows:
  - {id: a, match: [a], segment: hit}
  - {id: b, match: [any], segment: miss}
"""
PATHS = """\
hit: {for: [hit], starts: as_of, steps: [{day: 0, action: agency}]}
miss: {for: [miss], starts: as_of, steps: [{day: 0, action: sms}]}
"""
TOML = """\
[workspace]
currency = "GBP"
strategy = "rules/s"
[source.accounts]
from = "select id, cast(x as {type}) as {name} from read_csv('accounts.csv', all_varchar = true)"
account_id = "id"
"""


def workspace(
    folder: Path,
    when: str,
    *,
    type_: str = "varchar",
    x: tuple[str, ...] = ("0",),
    name: str = "x",
    that: str = "",
    more: str = "",
) -> Path:
    """Accounts a, b, … with an attribute each; those of whom `when` is true go to the agency."""
    rules = folder / "rules" / "s"
    rules.mkdir(parents=True)
    (rules / "strategy.yaml").write_text(HEAD)
    (rules / "tiers.yaml").write_text(
        f't:\n  - {{tier: a, when: "{when}", unknown: skip}}\n  - {{tier: b, otherwise: true}}\n'
    )
    (rules / "segments.yaml").write_text(SEGMENTS)
    (rules / "paths.yaml").write_text(PATHS)
    if that:
        (rules / "guards.yaml").write_text(f'- prove: "{that}"\n  name: p\n  unknown: match\n')
    (folder / "riskseg.toml").write_text(TOML.format(type=type_, name=name) + more)
    rows = [f"{chr(ord('a') + n)},{value}" for n, value in enumerate(x)]
    (folder / "accounts.csv").write_text("\n".join(["id,x", *rows]) + "\n")
    return folder


def decided(folder: Path) -> dict[str, str]:
    """The action of every account."""
    assign(folder, DAY, str(folder / "d.csv"), at=AT, keep=False)
    with (folder / "d.csv").open(encoding="utf-8-sig") as stream:
        return {row["account_id"]: row["action"] for row in csv.DictReader(stream)}


def stopped(folder: Path) -> list[Problem]:
    with pytest.raises(ProblemsError) as raised:
        decided(folder)
    return list(raised.value.problems)


def verdict(folder: Path) -> str:
    (found,) = (r.verdict for r in prove(folder).proofs.results if r.claim == "declared")
    return found


TINY = {"when": "x >= 0 and x < 0.000001", "that": "action <> 'agency' or x = 0"}


def test_more_decimals_than_six_are_not_decided_by(tmp_path: Path) -> None:
    """Between 0 and a millionth there is no decimal: so it is proved, and so it must be."""
    bad = workspace(tmp_path / "bad", type_="decimal(18, 8)", x=("0.0000005", "0.5"), **TINY)
    assert verdict(bad) == "proved"
    (reported,) = stopped(bad)
    assert reported.code == "RS613"
    assert "1 account (a)" in reported.what and "x has at most 6 decimals" in reported.what
    fine = workspace(tmp_path / "fine", type_="decimal(18, 8)", x=("0.000001", "0.00"), **TINY)
    assert decided(fine) == {"a": "sms", "b": "agency"}


@pytest.mark.parametrize(
    ("type_", "value", "says"),
    [
        ("bigint", "-1", "is at least 0"),
        ("double", "-0.5", "is at least 0"),
        ("decimal(9, 2)", "-0.01", "is at least 0"),
        ("bigint", str(10**18), "is below 1000000000000000000"),
        ("decimal(38, 0)", str(10**37), "is below 1000000000000000000"),
        ("decimal(38, 20)", "-1", "is at least 0"),
    ],
)
def test_a_count_of_the_workspace_s_own_is_within_the_catalogue_s_bounds(
    tmp_path: Path, type_: str, value: str, says: str
) -> None:
    """`open_disputes` is a count wherever it comes from: here there are no events to count."""
    folder = workspace(
        tmp_path,
        "open_disputes > 1",
        type_=type_,
        x=("3", value),
        name="open_disputes",
        that="open_disputes >= 0",
    )
    assert verdict(folder) == "proved"
    reported = stopped(folder)
    assert {p.code for p in reported} == {"RS613"}
    assert any(says in p.what and "(b)" in p.what for p in reported), reported


OVERFLOWS = ("x * x - x * x >= 1", "x * x > 5 and x < 0", "1 / nullif(x / 1e0, 0) > x * x * x")


@pytest.mark.parametrize("when", [w.replace("1e0", "1.0") for w in OVERFLOWS])
def test_a_float_that_overflows_is_not_decided_by(tmp_path: Path, when: str) -> None:
    folder = workspace(tmp_path, when, type_="double", x=("3.0", "-1e200"))
    (reported, *_) = found = stopped(folder)
    assert {p.code for p in found} == {"RS614"}
    assert (reported.file, reported.line) == ("rules/s/tiers.yaml", 2)
    assert "x * x" in reported.what and "for b first" in reported.what


def test_what_is_never_calculated_for_an_account_still_holds_in_proofs(tmp_path: Path) -> None:
    """NaN is above every number to the engine, and nothing to a proof: no account has one."""
    folder = workspace(
        tmp_path,
        "x > 1000 or x * x - x * x >= 1",
        type_="double",
        x=("1e100", "3.0"),
        that="action <> 'agency' or x > 1000",
    )
    assert verdict(folder) == "proved"
    assert decided(folder) == {"a": "agency", "b": "sms"}


def test_a_counterexample_may_be_as_large_as_a_fact(tmp_path: Path) -> None:
    folder = workspace(
        tmp_path,
        "x > 999999999999999999.5",
        type_="decimal(38, 6)",
        that="action <> 'agency' or x < 0",
    )
    assert verdict(folder) == "refuted"
    whole = workspace(
        tmp_path / "whole",
        "x > 999999999999999998",
        type_="bigint",
        that="action <> 'agency' or x < 0",
    )
    assert verdict(whole) == "refuted"


BILLS = """\
[source.bills]
from = "bills.csv"
[source.payments]
from = "payments.csv"
"""


@pytest.mark.parametrize("scale", [0, 2, 3])
def test_money_is_of_the_workspace_s_scale_to_rules_and_proofs(tmp_path: Path, scale: int) -> None:
    """A third of a hundred, as money: no account is between its value and the next coin."""
    coin = Decimal(1).scaleb(-scale)
    third = round(Decimal(100) / 3, scale)
    folder = workspace(
        tmp_path,
        f"third > {third}",
        that=f"action <> 'agency' or third >= {third + coin}",
        more=BILLS,
    )
    toml = (
        (folder / "riskseg.toml")
        .read_text()
        .replace("[workspace]", f"[workspace]\nscale = {scale}")
    )
    (folder / "riskseg.toml").write_text(toml)
    (folder / "models").mkdir()
    (folder / "models" / "features.yaml").write_text(
        '- {name: third, range: account, unit: money, value: "balance_overdue / 3", words: w}\n'
    )
    (folder / "bills.csv").write_text("account_id,bill_id,due_on,amount\na,1,2025-11-01,100\n")
    (folder / "payments.csv").write_text("account_id,paid_on,amount\na,2025-01-01,0\n")
    assert verdict(folder) == "proved"
    assert decided(folder) == {"a": "sms"}
