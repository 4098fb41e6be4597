"""A journey on real monthly statuses, by the commands a user types."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from riskseg.cli import app

DATA = Path(__file__).parents[3] / "shared" / "data" / "cc_monthly_status"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"the real data is not in {DATA}"),
]

TOML = f"""
[workspace]
strategy = "rules/cards"
[source.balances]
from       = "select ID, STATUS, MONTHS_BALANCE from '{DATA}/credit_record.parquet'"
account_id = "ID"
as_of      = "date '2020-01-31' + to_months(cast(MONTHS_BALANCE as integer))"
status     = "STATUS"
[source.balances.statuses]
X = "none"
C = "current"
0 = "1-29"
1 = "30-59"
2 = "60-89"
3 = "90-119"
4 = "120-149"
5 = "150+"
"""
FILES = {
    "rules/cards/strategy.yaml": "name: cards\npurpose: to follow cards in arrears\nowner: tests\n"
    "uses: {p: default}\nactions: [{name: sms, channel: sms}, {name: letter, channel: post}]\n",
    "rules/cards/tiers.yaml": "arrears:\n"
    '  - {tier: late, when: "coalesce(months_past_due, 0) >= 2"}\n'
    '  - {tier: slipping, when: "coalesce(months_in_arrears_6m, 0) >= 3"}\n'
    "  - {tier: fine, otherwise: true}\n",
    "rules/cards/segments.yaml": "columns: [arrears]\nrows:\n"
    "  - {id: l, match: [late], segment: late}\n"
    "  - {id: s, match: [slipping], segment: slipping}\n"
    "  - {id: r, match: [any], segment: rest}\n",
    "rules/cards/paths.yaml": "hard: {for: [late], starts: as_of, "
    "steps: [{day: 0, action: letter}]}\n"
    "soft: {for: [slipping, rest], starts: as_of, steps: [{day: 0, action: sms}]}\n",
    "models/default.yaml": "name: default\n"
    "target: {column: defaulted_12m, positive: 1, horizon_days: 365}\n"
    "hold_out: {last: 365 days}\nfeatures: {exclude: [months_balance]}\nlearners: [scorecard]\n",
}


def test_monthly_statuses_from_check_to_an_explanation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "riskseg.toml").write_text(TOML)
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)

    def riskseg(*words: str) -> str:
        result = CliRunner().invoke(app, list(words))
        assert result.exit_code == 0, result.output + result.stderr
        return result.stdout

    assert "No problems." in riskseg("check")
    (kept,) = json.loads(riskseg("train", "--json"))
    assert kept["summary"]["learners"]["scorecard"]["auc"] > 0.84
    riskseg("assign", "--as-of", "2019-06-30", "--out", "decisions.parquet")
    decisions = pq.read_table("decisions.parquet").to_pylist()
    assert len(decisions) > 40_000
    late = [row for row in decisions if row["segment"] == "late"]
    assert len(late) == 422 and {row["action"] for row in late} == {"letter"}
    reported = riskseg("explain", late[0]["account_id"], "--as-of", "2019-06-30")
    assert "months_past_due" in reported and "at least" in reported
