"""Tables that questions about segments need are kept beside the ledger, and change no answer."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from riskseg.insight import gathering
from riskseg.pipeline import staged_ledger
from riskseg.pipeline.asked import Asked
from riskseg.pipeline.kept_rows import _read
from riskseg.run.account_events import note
from riskseg.run.insight import insight
from riskseg.run.retention import erase
from tests.insight.test_portfolio import FIRST, LAST, decided, workspace
from tests.support import treated
from tests.support.sampled import one_in

# One question of each kind of table: of the ledger alone, and of decisions too.
QUESTIONS = ("arrears", "size", "cures", "collected", "vintages", "movement", "profile", "feeds")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with two runs, whose files count as settled."""
    monkeypatch.setattr(staged_ledger, "_SETTLED_AFTER_NS", -(10**9))
    root = workspace(tmp_path / "w", 3)
    (root / ".riskseg").mkdir(exist_ok=True)
    for day in (FIRST, LAST):
        decided(root, day)
    return root


def asked(root: Path, name: str, as_of: date = LAST) -> str:
    return insight(root, name, Asked(as_of)).model_dump_json(indent=1)


def kept(root: Path) -> list[Path]:
    """The files of the tables that questions need, and not those of every command."""
    files = (root / ".riskseg/staged").glob("*.rows")
    return sorted(file for file in files if file.name.split("-")[1] not in ("answers", "facts"))


@pytest.mark.parametrize("name", one_in(3, QUESTIONS))
def test_the_same_answer_from_what_is_kept(
    root: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    first = asked(root, name)
    files = {file: file.read_bytes() for file in kept(root)}
    with caplog.at_level(logging.DEBUG, logger="riskseg.engine"):
        assert asked(root, name) == first
    made = [str(getattr(r, "sql", "")) for r in caplog.records]
    assert not any("table billed as" in sql or "table facts as" in sql for sql in made)
    assert {file: file.read_bytes() for file in kept(root)} == files
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)
    with (root / "riskseg.toml").open("a") as toml:
        toml.write("[engine]\nkeep_staged = false\n")
    assert asked(root, name) == first


def pay(root: Path) -> None:
    bills = (root / "data/bills.csv").read_text()
    assert ",50\n" in bills
    (root / "data/bills.csv").write_text(bills.replace(",50\n", ",77\n"))


def raise_tolerance(root: Path) -> None:
    toml = (root / "riskseg.toml").read_text()
    (root / "riskseg.toml").write_text(
        toml.replace("[workspace]", "[workspace]\narrears_from = 25")
    )


def write_a_note(root: Path) -> None:
    note(root, "a1-0", "moves in spring", from_=None, on=LAST, by="ann", at=treated.AT)


@pytest.mark.parametrize("change", [pay, raise_tolerance, write_a_note])
def test_what_it_depends_on_makes_it_anew(root: Path, change: Callable[[Path], None]) -> None:
    asked(root, "arrears")
    before = kept(root)
    change(root)
    changed = asked(root, "arrears")
    assert {*kept(root)} - {*before}
    for file in (root / ".riskseg/staged").iterdir():
        file.unlink()
    assert asked(root, "arrears") == changed


def test_another_run_makes_anew_what_reads_decisions(root: Path) -> None:
    asked(root, "collected")
    before = kept(root)
    decided(root, date(2026, 2, 10))
    again = asked(root, "collected")
    assert {*kept(root)} - {*before}
    for file in kept(root):
        file.unlink()
    assert asked(root, "collected") == again


@pytest.mark.parametrize("damage", ["cut", "flipped", "gone"])
def test_a_damaged_file_is_made_anew(root: Path, damage: str) -> None:
    first = asked(root, "arrears")
    (file,) = kept(root)
    content = file.read_bytes()
    if damage == "gone":
        file.unlink()
    elif damage == "cut":
        file.write_bytes(content[: len(content) // 2])
    else:
        for place in range(0, len(content), 97):
            flipped = bytes([content[place] ^ 0x10])
            file.write_bytes(content[:place] + flipped + content[place + 1 :])
            assert _read(file) is None, place
    assert asked(root, "arrears") == first
    assert file.read_bytes() == content


def test_it_goes_with_the_ledger_that_it_was_worked_out_from(root: Path) -> None:
    for amount in (1, 2, 3):
        asked(root, "arrears")
        with (root / "riskseg.toml").open("a") as toml:
            toml.write(f"# {amount}\n")
        with (root / "data/bills.csv").open("a") as bills:
            bills.write(f"a1-0,b{amount},2026-01-21,{amount},\n")
    ledgers = {file.stem for file in (root / ".riskseg/staged").glob("*.duckdb")}
    assert {file.name.partition("-")[0] for file in kept(root)} <= ledgers
    erase(root, "a1-0", by="ann", at=treated.AT)
    assert kept(root) == []


def test_a_folder_that_cannot_be_written_to_is_no_hindrance(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = asked(root, "arrears")
    (file,) = kept(root)
    file.unlink()

    def full(*_: object) -> None:
        raise OSError(os.strerror(28))

    monkeypatch.setattr(os, "replace", full)
    assert asked(root, "arrears") == first
    assert kept(root) == []


def test_days_decided_for_the_answer_are_not_kept(root: Path) -> None:
    insight(root, "collected", Asked(LAST, months=1))
    assert [file for file in kept(root) if "received" in file.name] == []
    assert gathering.DAYS > 2
