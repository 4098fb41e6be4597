"""Columns that may be protected by law are named until riskseg.toml says whether they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskseg.run.check import check
from riskseg.run.init import init

COLUMNS = "id,defaulted,income,sex,client_age,account_age,sector,marital_status"


def notes(folder: Path, *declared: str) -> list[str]:
    init(folder, "account-file")
    (folder / "data").mkdir()
    rows = "".join(f"{n},{n % 2},{30 + n},{1 + n % 2},{20 + n},{n},a,m\n" for n in range(40))
    (folder / "data" / "accounts.csv").write_text(f"{COLUMNS}\n{rows}")
    columns = "".join(f"{line}\n" for line in declared)
    (folder / "riskseg.toml").write_text(
        '[workspace]\nstrategy = "rules/account-file"\n[source.accounts]\n'
        'from = "data/accounts.csv"\naccount_id = "id"\noutcome = "defaulted"\n'
        f"[source.accounts.columns]\n{columns}"
    )
    return [note for note in check(folder).notes if "protected" in note]


def test_they_are_named_together_with_the_line_that_declares_them(tmp_path: Path) -> None:
    [note] = notes(tmp_path / "w")
    assert note.startswith("sex, client_age, marital_status: ")
    assert "`protected = true` under [source.accounts.columns.sex]" in note


@pytest.mark.parametrize("word", ["true", "false"])
def test_a_column_of_which_it_is_said_is_named_no_more(word: str, tmp_path: Path) -> None:
    declared = (f"{name} = {{protected = {word}}}" for name in ("sex", "client_age"))
    [note] = notes(tmp_path / "w", *declared)
    assert note.startswith("marital_status: by its name, it may be protected")
