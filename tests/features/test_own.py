"""Features of one's own: money means money, a feature is kept as its kind says, and what does not
fit together is a Problem."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

from riskseg.domain.facts import Kind
from riskseg.domain.problems import Problem, Problems
from riskseg.engine import DuckDB, TooLargeError
from riskseg.features.catalogue import Catalogue, read_catalogue
from riskseg.features.snapshots import as_of_snapshots
from riskseg.pipeline.contracts import build
from riskseg.pipeline.facts import facts
from riskseg.pipeline.load import load
from riskseg.pipeline.workspace_facts import workspace_facts
from riskseg.sources.unchanged import readable
from riskseg.workspace import open_workspace
from tests.support.account_file import decide, write

DAY = date(2025, 12, 31)
# (due, amount, paid) of the bills of account `a`, in units of the smallest coin; `b` has none.
BILLS = ((date(2025, 10, 1), 10_005, 10_005), (date(2025, 11, 1), 20_010, 7), (DAY, 1, 0))
TOML = """\
[workspace]
currency = "GBP"
scale = {scale}
arrears_from = {least}
strategy = "rules"
[source.accounts]
from = "accounts.csv"
account_id = "id"
[source.bills]
from = "bills.csv"
[source.payments]
from = "payments.csv"
[source.events]
from = "events.csv"
"""


def money(minor: int, scale: int) -> Decimal:
    return Decimal(minor).scaleb(-scale)


def catalogue(folder: Path, *own: str) -> tuple[Catalogue, list[Problem]]:
    problems = Problems()
    (folder / "features.yaml").write_text("".join(f"- {one}\n" for one in own), encoding="utf-8")
    return read_catalogue(folder / "features.yaml", problems, shown="features.yaml"), list(problems)


def values(folder: Path, scale: int, own: Mapping[str, str]) -> dict[str, tuple[str, Any, Any]]:
    """Of each feature the engine's type, and its value for `a` and for `b`; each is given as the
    keys of an entry beside its name and words."""
    entries = [f'{{name: {name}, words: "{{value}}", {keys}}}' for name, keys in own.items()]
    known, found = catalogue(folder, *entries)
    assert not found, "\n".join(map(str, found))
    (folder / "rules").mkdir(exist_ok=True)
    least = money(1, scale)
    (folder / "riskseg.toml").write_text(TOML.format(scale=scale, least=least), encoding="utf-8")
    (folder / "accounts.csv").write_text("id\na\nb\n")
    bills = [f"a,{n},{due},{due},{money(m, scale)}" for n, (due, m, _) in enumerate(BILLS)]
    paid = [f"a,{n},{DAY},{money(m, scale)}" for n, (_, _, m) in enumerate(BILLS) if m]
    events = [f"a,{DAY},action,{money(m, scale)}" for m in (-300, 100)]
    for name, rows in {
        "bills": ["account_id,bill_id,issued_on,due_on,amount", *bills],
        "payments": ["account_id,bill_id,paid_on,amount", *paid],
        "events": ["account_id,happened_on,kind,amount", *events],
    }.items():
        (folder / f"{name}.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    problems = Problems()
    workspace = open_workspace(folder, problems)
    problems.raise_if_any()
    assert workspace is not None
    with DuckDB(reads=readable(workspace)) as engine:
        ledger = load(engine, workspace, problems)
        problems.raise_if_any()
        assert ledger is not None
        here, _ = workspace_facts(known, ledger, problems)
        snapshots = as_of_snapshots(DAY, 1, 2, listed=True, dated=False)
        build(engine, facts(ledger, here, scale, own, snapshots))
        types = {name: str(type_) for name, type_ in engine.columns("facts").items()}
        rows = engine.arrow("select * from facts order by account_no").to_pylist()
    return {n: (types[f"@{n}"], *(row[f"@{n}"] for row in rows)) for n in own}


def half_up(value: Decimal, scale: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)


@pytest.mark.parametrize("scale", [0, 2, 3])
def test_a_number_in_a_money_feature_is_one_of_money(tmp_path: Path, scale: int) -> None:
    amounts = [money(m, scale) for _, m, _ in BILLS]
    overdue = [money(m - p, scale) for _, m, p in BILLS[:2]]
    own = {
        "plain": "range: bills, aggregate: sum, value: amount",
        "both": "range: bills, aggregate: sum, value: amount - paid + overdue",
        "above": 'range: bills, aggregate: sum, value: "greatest(amount - 10, 0)"',
        "part": 'range: bills, aggregate: sum, value: "amount * 0.15"',
        "largest": 'range: bills, aggregate: max, value: "amount / 3"',
        "least": 'range: bills, aggregate: min, value: "amount + 0.005"',
        "newest": 'range: bills, aggregate: latest, value: "amount * 2.5"',
        "fixed": 'range: bills, aggregate: sum, value: "12"',
        "daily": 'range: bills, aggregate: sum, value: "days_past_due * 2"',
        "some": 'range: bills, aggregate: sum, value: amount, filter: "amount > 10"',
        "none": "range: payments, aggregate: max, value: amount, empty: 5",
        "shown": 'range: bills, aggregate: sum, value: "case when amount > 10 then overdue end"',
    }
    found = values(tmp_path, scale, {n: f"{keys}, unit: money" for n, keys in own.items()})
    late = sum((DAY - due).days for due, m, p in BILLS if m > p)
    expected = {
        "plain": sum(amounts),
        "both": sum(amounts) - sum(money(p, scale) for _, _, p in BILLS) + sum(overdue),
        "above": sum(max(x - 10, Decimal(0)) for x in amounts),
        "part": sum(amounts) * Decimal("0.15"),
        "largest": max(amounts) / 3,
        "least": min(amounts) + Decimal("0.005"),
        "newest": amounts[-1] * Decimal("2.5"),
        "fixed": Decimal(12 * len(amounts)),
        "some": sum(x for x in amounts if x > 10),
        "none": money(10_005, scale),
        "shown": sum(o for x, o in zip(amounts, overdue, strict=False) if x > 10),
    }
    for name, value in expected.items():
        assert found[name][1] == half_up(Decimal(value), scale), name
    assert found["daily"][1] >= 2 * late > 0
    assert found["none"][2] == 5
    assert {type_ for type_, *_ in found.values()} == {f"decimal(18, {scale})"}


@pytest.mark.parametrize("scale", [0, 2, 3])
def test_money_worked_out_of_features_has_the_decimals_of_money(tmp_path: Path, scale: int) -> None:
    found = values(
        tmp_path,
        scale,
        {
            "third": 'range: account, unit: money, value: "balance_overdue / 3"',
            "rest": 'range: account, unit: money, type: decimal, value: "third * 2 + 0.5"',
            "share": 'range: account, unit: share, value: "third / nullif(billed_12m, 0)"',
        },
    )
    owed = money(sum(m - p for _, m, p in BILLS[:2]), scale)
    third = half_up(owed / 3, scale)
    assert found["third"] == (f"decimal(18, {scale})", third, Decimal(0))
    assert found["rest"][:2] == (
        f"decimal(18, {scale})",
        half_up(third * 2 + Decimal("0.5"), scale),
    )
    assert found["share"][0] == "decimal(18, 4)"
    assert found["share"][2] is None


def test_a_feature_is_kept_as_its_kind_says(tmp_path: Path) -> None:
    found = values(
        tmp_path,
        2,
        {
            "whole": 'range: bills, aggregate: sum, value: "amount * 0.5", type: integer',
            "exact": 'range: bills, aggregate: sum, value: "amount * 0.0005"',
            "days": "range: bills, aggregate: sum, value: days_past_due, type: decimal",
            "first": "range: bills, aggregate: min, value: due_on",
            "settles": "range: payments, aggregate: max, value: settled",
            "halves": 'range: account, type: integer, value: "balance_overdue / 2"',
        },
    )
    total = money(sum(m for _, m, _ in BILLS), 2)
    assert found["whole"] == ("int64", int(half_up(total / 2, 0)), 0)
    assert found["exact"] == ("decimal(38, 6)", half_up(total * Decimal("0.0005"), 6), 0)
    assert found["days"][0] == "decimal(38, 6)"
    assert found["first"] == ("date", BILLS[0][0], None)
    assert found["settles"] == ("boolean", True, None)
    assert found["halves"][:2] == ("int64", 100)  # 100.015


def test_a_value_that_can_be_negative_has_no_lower_bound(tmp_path: Path) -> None:
    own = {
        "owed": "range: events, aggregate: sum, value: amount, unit: money",
        "left": 'range: bills, aggregate: sum, value: "paid - amount", unit: money',
        "over": 'range: bills, aggregate: sum, value: "greatest(amount - 10, 0)", unit: money',
        "none": 'range: bills, aggregate: max, value: "coalesce(paid, 0) * 2", empty: -1',
    }
    known, _ = catalogue(tmp_path, *(f"{{name: {n}, words: w, {k}}}" for n, k in own.items()))
    lower = {n: known.features[n].fact.lower for n in own}
    assert lower == {"owed": None, "left": None, "over": 0, "none": -1}
    assert values(tmp_path, 2, own)["owed"][1] == -2


def test_an_amount_too_large_for_money_stops_the_engine(tmp_path: Path) -> None:
    own = 'range: bills, aggregate: sum, unit: money, value: "amount * 900000000000000"'
    with pytest.raises(TooLargeError):
        values(tmp_path, 2, {"huge": own})


@pytest.mark.parametrize(
    ("entry", "code", "says"),
    [
        ("range: bills, aggregate: max, value: issued_on, type: integer", "RS304", "integer"),
        ("range: bills, aggregate: max, value: amount, type: date", "RS304", "date"),
        ("range: bills, aggregate: max, value: amount > 1, type: decimal", "RS304", "boolean"),
        ("range: bills, aggregate: max, value: amount, type: boolean", "RS304", "boolean"),
        ("range: bills, aggregate: max, value: issued_on, unit: money", "RS304", "date"),
        ("range: bills, aggregate: max, value: amount, type: integer, unit: money", "RS304",
         "not an amount"),
        ("range: bills, aggregate: count, unit: money", "RS304", "not an amount"),
        ("range: bills, aggregate: sum, value: due_on", "RS304", "not numbers"),
        ("range: bills, aggregate: sum, value: amount > 1", "RS304", "not numbers"),
        ("range: payments, aggregate: max, value: method", "RS304", "text"),
        ("range: account, value: \"case when late_bills_6m > 1 then 'x' else 'y' end\"", "RS304",
         "text"),
        ("range: bills, aggregate: max, value: due_on, empty: 0", "RS304", "cannot be"),
        ("range: bills, aggregate: max, value: amount > 1, empty: 0", "RS304", "cannot be"),
        ("range: bills, aggregate: count, empty: 3", "RS004", "0"),
        (f"range: bills, aggregate: sum, value: amount, empty: {10**19}", "RS002", "digits"),
        ("range: payments, aggregate: latest, value: amount", "RS004", "latest"),
        ("range: events, aggregate: count, window: open", "RS004", "open"),
        ("range: account, value: late_bills_6m, window: 90 days", "RS004", "window"),
        ("range: account, value: late_bills_6m, empty: 0", "RS004", "empty"),
        ("range: account, value: late_bills_6m, filter: late_bills_6m > 1", "RS004", "filter"),
        ("range: account, value: late_bills_6m, aggregate: sum", "RS004", "aggregate"),
        ("range: account", "RS005", "no value"),
        ("range: bills, aggregate: sum", "RS004", "count has no value"),
        ("range: bills, value: amount", "RS005", "no aggregate"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_a_problem(tmp_path: Path, entry: str, code: str, says: str) -> None:
    _, problems = catalogue(tmp_path, f"{{name: one, words: w, {entry}}}")
    assert [(p.code, p.file, p.line) for p in problems] == [(code, "features.yaml", 1)]
    assert says in problems[0].what


def test_the_catalogue_says_what_is_never_negative() -> None:
    """Every count, sum and largest value that is shipped, as before anything was derived."""
    known = read_catalogue(None, Problems()).features.values()
    aggregates = [f for f in known if f.range != "account" and f.fact.kind is not Kind.DATE]
    assert aggregates
    assert all(f.fact.lower == 0 for f in aggregates)


def test_the_longest_window_of_a_range_counts(tmp_path: Path) -> None:
    """Payments and events are read as far back as any feature looks."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "features.yaml").write_text(
        "".join(
            f"- {{name: {range_}_{days}, range: {range_}, aggregate: count, window: {days} days, "
            'words: "{value}"}\n'
            for range_ in ("payments", "events")
            for days in (30, 300)
        )
    )
    (tmp_path / "bills.csv").write_text("account_id,bill_id,due_on,amount\na,1,2025-01-01,9\n")
    (tmp_path / "payments.csv").write_text("account_id,paid_on,amount\na,2025-09-01,1\n")
    (tmp_path / "events.csv").write_text("account_id,happened_on,kind\na,2025-09-01,action\n")
    sources = ("bills", "payments", "events")
    write(
        tmp_path,
        "id\na\n",
        {
            "tiers.yaml": "t:\n"
            "  - {tier: all, when: payments_300 = 1 and events_300 = 1 and payments_30 = 0}\n"
            "  - {tier: none_of_it, otherwise: true}\n",
            "segments.yaml": "columns: [t]\nrows:\n  - {id: a, match: [all], segment: hit}\n"
            "  - {id: b, match: [any], segment: miss}\n",
        },
        toml="".join(f'[source.{name}]\nfrom = "{name}.csv"\n' for name in sources),
    )
    assert decide(tmp_path)["a"]["segment"] == "hit"


def test_what_hurts_needs_a_side_of_more_risk(tmp_path: Path) -> None:
    late = '{name: late_1m, range: bills, window: 30 days, aggregate: count, words: "{value} late"'
    _, found = catalogue(tmp_path, late + ", hurts_beyond: 0}")
    assert [(one.code, one.line) for one in found] == [("RS005", 1)]
    known, found = catalogue(tmp_path, late + ", risky: +, hurts_beyond: 0}")
    assert not found and known.features["late_1m"].fact.hurts_beyond == 0
