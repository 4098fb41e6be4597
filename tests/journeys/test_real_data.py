"""Whole journeys on other people's data, by the commands a user types.

The data is no part of this project: it is looked for in ../shared/data, and without it these
tests are skipped. The figures are reported in docs/results.md; here they only have to be in reach.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from riskseg.cli import app
from tests.support.spark import lacking

DATA = Path(__file__).parents[2].parent / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the real data is not in {DATA}")


def riskseg(*words: str) -> str:
    """What a command prints; it must end well."""
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == 0, result.output + result.stderr
    return result.stdout


def reported(*words: str) -> Any:
    return json.loads(riskseg(*words, "--json"))


def same_on_spark(workspace: str, day: str, out: str, *, buckets: int) -> None:
    """Spark's executors decide the same accounts, to the same bytes."""
    if lacking():
        return
    toml = Path(workspace, "riskseg.toml")
    toml.write_text(f"{toml.read_text()}\n[engine]\npartitions = {buckets}\n")
    again = str(Path(workspace, f"on-spark{Path(out).suffix}"))
    words = ("--as-of", day, "--out", again, "--reasons", "all", "--engine", "local[2]")
    reported("-w", workspace, "assign", *words)
    assert Path(again).read_bytes() == Path(out).read_bytes()


def figures(kept: Any) -> None:
    """What docs/results.md tells; `pytest -rP tests/journeys/test_real_data.py` shows it."""
    summary = kept["summary"]
    hold_out = summary["hold_out"]
    print(f"{kept['name']}: hold-out of {hold_out['rows']:,} rows, {hold_out['bad']:,} bad")
    for learner, m in summary["learners"].items():
        ships = " (ships)" if learner == summary["learner"] else ""
        print(
            f"  {learner}{ships}: AUC {m['auc']:.4f}, KS {m['ks']:.4f}, Brier {m['brier']:.4f}, "
            f"log-loss {m['log_loss']:.4f}, ECE {m['expected_calibration_error']:.4f}"
        )


def rows(sql: str) -> list[tuple[Any, ...]]:
    return duckdb.sql(sql).fetchall()


# How good models can be is for bench/quality.py; here they have to be reached.
QUICKLY = "lightgbm: {search: none}\n"

WATER = f"""
[workspace]
currency = "GBP"
strategy = "rules/household-utility"

[source.bills]
from       = "{DATA}/water_utility_synthetic/bills.parquet"
account_id = "customer_id"
bill_id    = "customer_id || '-' || bill_period_end"
issued_on  = "bill_period_end"
due_on     = "due_date"
amount     = "bill_amount"

[source.payments]
from       = "{DATA}/water_utility_synthetic/payments.parquet"
account_id = "customer_id"
paid_on    = "payment_date"

[source.accounts]
from          = "{DATA}/water_utility_synthetic/customers.parquet"
account_id    = "customer_id"
is_vulnerable = "is_vulnerable = 1"

[source.events]
from        = "{DATA}/water_utility_synthetic/collections_actions.parquet"
account_id  = "customer_id"
happened_on = "action_date"
kind        = "case when action like 'Arrangement%' then 'plan' else 'action' end"
outcome     = "case action when 'Arrangement Broken' then 'broken' end"
ref         = "action"
"""


@pytest.mark.slow
def test_a_water_utility_without_bill_ids_in_payments(tmp_path: Path) -> None:
    w = str(tmp_path / "w")
    riskseg("init", w)
    Path(w, "riskseg.toml").write_text(WATER)
    for spec in Path(w, "models").glob("*.yaml"):
        text = spec.read_text().replace("every: 30 days", "every: 90 days")
        spec.write_text(text + QUICKLY)
    checked = reported("-w", w, "check")
    assert checked["problems"] == []
    assert checked["rows"] == {
        "accounts": 1_500,
        "bills": 72_000,
        "payments": 64_738,
        "events": 15_418,
    }
    kept = reported("-w", w, "train")
    assert {k["name"] for k in kept} == {"late_payment", "default"}
    for one in kept:
        figures(one)
    out = f"{w}/d.parquet"
    done = reported("-w", w, "assign", "--as-of", "2025-06-30", "--out", out, "--reasons", "all")
    assert done["rows"] == 1_500
    same_on_spark(w, "2025-06-30", out, buckets=8)

    # What is overdue is what was due before that day less what was paid, to the penny.
    owed = rows(
        f"""with b as (select customer_id as id, sum(bill_amount::decimal(18, 2))
                filter (where due_date < '2025-06-30') as due
            from '{DATA}/water_utility_synthetic/bills.parquet'
            where bill_period_end <= '2025-06-30' group by 1),
        p as (select customer_id as id, sum(amount::decimal(18, 2)) as paid
            from '{DATA}/water_utility_synthetic/payments.parquet'
            where payment_date <= '2025-06-30' group by 1)
        select sum(greatest(due - coalesce(paid, 0), 0)) from b left join p using (id)"""
    )[0][0]
    assert rows(f"select sum(balance_overdue) from '{out}'")[0][0] == owed
    assert sum(float(s["overdue"]) for s in done["segments"]) == pytest.approx(
        float(owed), abs=0.005
    )

    story = reported("-w", w, "explain", "C100000", "--as-of", "2025-06-30")
    decided = duckdb.sql(f"select * from '{out}' where account_id = 'C100000'").to_arrow_table()
    for column in ("segment", "path", "action", "guards", "rows_matched", "facts_hash"):
        assert story["decision"][column] == decided.to_pylist()[0][column]


IBM = f"""
[workspace]
currency     = "USD"
arrears_from = 0.01
strategy     = "rules/invoices"

[source.accounts]
from       = '''select customerID, any_value(countryCode) as country
                from '{DATA}/ibm_ar/ibm_ar.parquet' group by 1'''
account_id = "customerID"

[source.bills]
from       = "{DATA}/ibm_ar/ibm_ar.parquet"
account_id = "customerID"
bill_id    = "invoiceNumber"
issued_on  = "InvoiceDate"
due_on     = "DueDate"
amount     = "InvoiceAmount"

[source.payments]
from       = "{DATA}/ibm_ar/ibm_ar.parquet"
account_id = "customerID"
bill_id    = "invoiceNumber"
paid_on    = "SettledDate"
amount     = "InvoiceAmount"
"""
IBM_SPEC = """
name: late_payment
question: Will the invoice issued today be paid after its due date?
target: {event: late, days_past_due: 0, horizon_days: 45}
observe: {at: issue, for: 560 days, history: 30 days}
hold_out: {last: 150 days}
learners: [scorecard, lightgbm]
seed: 7
"""


def test_business_invoices_one_row_an_invoice(tmp_path: Path) -> None:
    w = tmp_path / "w"
    riskseg("init", str(w), "--strategy", "account-file")
    shutil.move(w / "rules/account-file", w / "rules/invoices")
    strategy = w / "rules/invoices/strategy.yaml"
    strategy.write_text(strategy.read_text().replace("p_bad: outcome", "p_bad: late_payment"))
    (w / "models/outcome.yaml").unlink()
    (w / "models/late_payment.yaml").write_text(IBM_SPEC)
    (w / "riskseg.toml").write_text(IBM)
    assert reported("-w", str(w), "check")["problems"] == []
    [kept] = reported("-w", str(w), "train")
    figures(kept)
    # Every invoice issued inside the windows is one row, none twice.
    summary = kept["summary"]
    for window in ("training", "hold_out"):
        asked = f"InvoiceDate between '{summary[window]['from']}' and '{summary[window]['until']}'"
        [(count, late)] = rows(
            f"select count(*), count(*) filter (where DaysLate > 0) "
            f"from '{DATA}/ibm_ar/ibm_ar.parquet' where {asked}"
        )
        assert (summary[window]["rows"], summary[window]["bad"]) == (count, late)
    assert summary["metrics"]["hold_out"]["auc"] > 0.80
    out = str(w / "d.csv")
    reported("-w", str(w), "assign", "--as-of", "2013-10-31", "--out", out, "--reasons", "all")
    assert rows(f"select count(*), count(reasons) from '{out}'")[0][0] == 100
    same_on_spark(str(w), "2013-10-31", out, buckets=8)
    account = rows(f"select account_id from '{out}' where p_bad is not null limit 1")[0][0]
    assert "p_bad" in riskseg("-w", str(w), "explain", account, "--as-of", "2013-10-31")


UCI = f"""
[workspace]
currency = "TWD"
strategy = "rules/account-file"

[source.accounts]
from       = "{DATA}/uci_credit_default/uci_credit_default.parquet"
account_id = "ID"
"""


@pytest.mark.slow
def test_an_account_file_alone(tmp_path: Path) -> None:
    w = tmp_path / "w"
    riskseg("init", str(w), "--strategy", "account-file")
    spec = w / "models/outcome.yaml"
    text = spec.read_text().replace("column: outcome", "column: default_next_month")
    spec.write_text(text + QUICKLY)
    (w / "riskseg.toml").write_text(UCI)
    assert reported("-w", str(w), "check")["problems"] == []
    [kept] = reported("-w", str(w), "train")
    figures(kept)
    assert kept["summary"]["metrics"]["hold_out"]["auc"] > 0.77
    out = str(w / "d.parquet")
    done = reported("-w", str(w), "assign", "--as-of", "2005-10-01", "--out", out)
    assert done["rows"] == 30_000
    # The riskier the band, the more accounts went bad, and about as many as foretold.
    found = rows(
        f"""select risk, avg(default_next_month), avg(p_bad) from '{out}' d join
        '{DATA}/uci_credit_default/uci_credit_default.parquet' u on u.ID::varchar = d.account_id
        group by 1 order by 3"""
    )
    rates = [rate for _, rate, _ in found]
    assert [level for level, _, _ in found] == ["low", "medium", "high", "very_high"]
    assert rates == sorted(rates)
    assert all(rate == pytest.approx(p, abs=0.05) for _, rate, p in found)
