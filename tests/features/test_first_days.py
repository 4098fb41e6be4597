"""First days that count: an account is there from the first day of its first row."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.ledger.loading import load_workspace


@pytest.mark.parametrize(("as_of", "there"), [(date(2026, 3, 31), []), (date(2026, 4, 1), ["a"])])
def test_an_account_is_there_from_the_day_its_first_row_holds(
    tmp_path: Path, as_of: date, there: list[str]
) -> None:
    text = "account_id,valid_from\na,2026-04-01\na,2026-06-01\n"
    (tmp_path / "accounts.csv").write_text(text, encoding="utf-8")
    (tmp_path / "riskseg.toml").write_text(
        '[source.accounts]\nfrom = "accounts.csv"\n', encoding="utf-8"
    )
    loaded = load_workspace(tmp_path)
    assert [row["account_id"] for row in loaded.facts_of(loaded.as_of(as_of))] == there
