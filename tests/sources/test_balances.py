"""Monthly balances in place of a ledger: by hand, and against plain loops on random histories."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest

from riskseg.domain.problems import ProblemsError
from riskseg.pipeline.session import begin, open_checked, scratch_engine
from riskseg.pipeline.training_rows import candidates
from riskseg.run.check import check

STATUSES = """
[source.balances.statuses]
X = "none"
C = "current"
0 = "1-29"
1 = "30-59"
2 = "60-89"
3 = "90+"
"""
DAYS = {"X": None, "C": 0, "0": 1, "1": 30, "2": 60, "3": 90}
SPEC = "name: default\ntarget: {column: defaulted_12m, positive: 1, horizon_days: 365}\n"


def workspace(root: Path, rows: list[dict[str, Any]], settings: str = STATUSES) -> Path:
    with (root / "status.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    toml = f'[source.balances]\nfrom = "status.csv"\n{settings}'
    (root / "riskseg.toml").write_text(toml)
    return root


def observed(root: Path) -> dict[tuple[str, date], dict[str, Any]]:
    """The attributes of each account and day."""
    opened = open_checked(root)
    with scratch_engine(opened) as engine:
        session = begin(opened, engine)
        assert session.ledger.observed and not session.ledger.billed
        rows = engine.arrow("select * from ledger_accounts join account_ids using (account_no)")
    return {
        (row["account_id"], row["observed_on"]): {k[1:]: v for k, v in row.items() if k[0] == "@"}
        for row in rows.to_pylist()
    }


def month(number: int) -> date:
    return date(2024 + number // 12, number % 12 + 1, 1)


def history(account: str, statuses: str) -> list[dict[str, Any]]:
    """A status a month; a blank is a month that is missing."""
    return [
        {"account_id": account, "as_of": month(n), "status": status}
        for n, status in enumerate(statuses)
        if status != " "
    ]


def test_a_history_worked_out_by_hand(tmp_path: Path) -> None:
    rows = history("a", "CC0012 CCCCCCCCC") + history("b", "X0")
    found = observed(workspace(tmp_path, rows))
    shown = (
        *("days_past_due", "months_past_due", "months_on_book", "months_since_arrears"),
        *("months_in_arrears_3m", "months_in_arrears_6m", "worst_months_past_due_6m"),
        *("roll", "rolled_3m", "defaulted_12m"),
    )

    def of(account: str, n: int) -> tuple[Any, ...]:
        row = found[account, month(n)]
        return tuple(row[name] for name in shown)

    assert of("a", 0) == (0, 0, 0, None, 0, 0, 0, None, 1, 0)
    assert of("a", 2) == (1, 1, 2, 0, 1, 1, 1, "worse", 1, 0)
    assert of("a", 3) == (1, 1, 3, 0, 2, 2, 1, "same", 1, 0)
    assert of("a", 5) == (60, 3, 5, 0, 3, 4, 3, "worse", 0, None)
    # A month that is missing is no month in arrears, and the next is compared with the last known.
    assert of("a", 7) == (0, 0, 7, 2, 1, 4, 3, "better", 0, None)
    assert of("a", 15) == (0, 0, 15, 10, 0, 0, 0, "same", None, None)
    assert of("b", 0) == (None, None, 0, None, 0, 0, None, None, None, None)
    assert of("b", 1) == (1, 1, 1, 0, 1, 1, 1, None, 0, 0)


def test_random_histories_equal_plain_loops(tmp_path: Path) -> None:
    draw = Random(7)  # noqa: S311
    reported = {
        f"a{n}": "".join(draw.choice("XCC0012 3C") for _ in range(draw.choice((1, 6, 30))))
        for n in range(40)
    }
    reported = {a: s for a, s in reported.items() if s.strip()}
    found = observed(workspace(tmp_path, [r for a, s in reported.items() for r in history(a, s)]))
    last = max(len(statuses.rstrip()) for statuses in reported.values()) - 1
    compared = 0
    for account, statuses in reported.items():
        levels = {
            n: None if (days := DAYS[s]) is None else 0 if days == 0 else days // 30 + 1
            for n, s in enumerate(statuses)
            if s != " "
        }
        for n, level in levels.items():
            row = found[account, month(n)]
            for window in (3, 6, 12):
                seen = [v for m, v in levels.items() if n - window < m <= n and v is not None]
                assert row[f"months_in_arrears_{window}m"] == sum(v > 0 for v in seen)
                assert row[f"worst_months_past_due_{window}m"] == max(seen, default=None)
            ahead = [v for m, v in levels.items() if n < m <= n + 12 and v is not None]
            known = level is not None and level < 4 and n + 12 <= last
            assert row["defaulted_12m"] == (int(max(ahead, default=0) >= 4) if known else None)
            ahead = [v for m, v in levels.items() if n < m <= n + 3 and v is not None]
            known = level is not None and n + 3 <= last
            assert row["rolled_3m"] == (int(max(ahead, default=0) > level) if known else None)  # type: ignore[operator]
            compared += 1
    assert compared == len(found) > 300


def test_buckets_and_days_say_how_late_an_account_is(tmp_path: Path) -> None:
    row = {"account_id": "a", "as_of": "2024-01-31"}
    for reported, days, months in (
        ({"current": "5", "d1_30": "0", "d61_90": "7.50", "d90_plus": ""}, 61, 3),
        ({"days_past_due": "31"}, 31, 2),
        ({"overdue": "0.01"}, 1, 1),
        ({"overdue": "0"}, 0, 0),
        ({"overdue": "-3"}, 0, 0),
        ({"days_past_due": "-2"}, 0, 0),
        # What is not known is not current.
        ({"days_past_due": ""}, None, None),
        ({"overdue": ""}, None, None),
        ({"current": "", "d1_30": ""}, None, None),
        ({"current": "5", "d1_30": ""}, 0, 0),
    ):
        (found,) = observed(workspace(tmp_path, [{**row, **reported}], "")).values()
        assert (found["days_past_due"], found["months_past_due"]) == (days, months), reported


def test_no_model_learns_from_an_outcome(tmp_path: Path) -> None:
    root = workspace(tmp_path, history("a", "CC0"))
    (root / "models").mkdir()
    (root / "models" / "default.yaml").write_text(SPEC)
    from riskseg.domain.problems import Problems
    from riskseg.pipeline.models import read_specs

    opened = open_checked(root)
    spec = read_specs(opened, Problems())["default"].spec
    with scratch_engine(opened) as engine:
        names = {fact.name for fact in candidates(begin(opened, engine, outcomes=True), spec)}
    assert {"months_past_due", "roll", "status"} <= names
    assert not {"rolled_3m", "defaulted_12m"} & names
    assert any("no bills" in note for note in check(root).notes)


@pytest.mark.parametrize(
    ("row", "settings", "code", "message"),
    [
        ({"status": "9"}, STATUSES, "RS107", '"9" (1 row)'),
        ({"status": "C"}, '[source.balances.statuses]\nC = "fine"\n', "RS004", "cannot mean"),
        ({"status": "C"}, STATUSES + "[source.balances.outcomes]\nroll = 0\n", "RS004", "ahead 0"),
        ({"status": "C"}, STATUSES + "[source.balances.outcomes]\nrol = 1\n", "RS003", "rol"),
        ({"colour": "C"}, "", "RS005", "how late"),
        ({"overdue": "much"}, "", "RS102", "overdue is not a number (1 row)"),
        ({"overdue": "1", "as_of": "31/01/2024"}, "", "RS102", "as_of is not a date"),
        ({"overdue": "1", "roll": "x"}, "", "RS503", '"roll"'),
        ({"overdue": "1"}, '[source.bills]\nfrom = "bills.csv"\n', "RS004", "in place of bills"),
    ],
)
def test_what_is_wrong_is_said(
    tmp_path: Path, row: dict[str, str], settings: str, code: str, message: str
) -> None:
    rows = [{"account_id": "a", "as_of": "2024-01-31", **row}]
    with pytest.raises(ProblemsError) as refused:
        observed(workspace(tmp_path, rows, settings))
    (problem,) = refused.value.problems
    assert (problem.code, message in problem.what) == (code, True), problem
    assert problem.hint
