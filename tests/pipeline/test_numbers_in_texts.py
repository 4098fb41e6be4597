"""Attributes of an account file that are texts and hold numbers are named by `check`."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskseg.run.check import check
from riskseg.run.init import init

ROWS = "".join(f"A{n},{n % 2},{n % 15 * 3},0{n},{n % 5},word{n},\n" for n in range(20))
HEAD = "account_id,outcome,income,postcode,rooms,name,empty\n"


def notes(root: Path, more: str = "") -> list[str]:
    init(root, "account-file")
    (root / "accounts.csv").write_text(HEAD + ROWS)
    (root / "riskseg.toml").write_text(
        '[workspace]\nstrategy = "rules/account-file"\n[engine]\nthreads = 1\n'
        f'[source.accounts]\nfrom = "accounts.csv"\noutcome = "cast(outcome as integer)"\n{more}'
    )
    return [note for note in check(root).notes if "numbers alone" in note]


def test_they_are_named(tmp_path: Path) -> None:
    # Codes with leading zeros, words, and a few numbers that may be words are none.
    (note,) = notes(tmp_path / "w")
    assert note.startswith("income is text that holds numbers alone.")


@pytest.mark.parametrize("kind", ["number", "text"])
def test_what_is_declared_is_left_alone(tmp_path: Path, kind: str) -> None:
    more = f'[source.accounts.columns]\nincome = {{kind = "{kind}"}}\n'
    assert notes(tmp_path / "w", more) == []
