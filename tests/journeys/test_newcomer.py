"""A newcomer's first proof: the starter strategy on a utility's own files, nothing trained."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from riskseg.run.activate import activate
from riskseg.run.init import init
from riskseg.run.prove import prove
from tests.docs import water_utility
from tests.docs.pages import ROOT, blocks
from tests.support.portfolio import AT

REAL = ROOT.parent / "shared" / "data" / "water_utility_synthetic"
FILES = ("bills", "payments", "customers")


def settings() -> str:
    """The riskseg.toml that the README shows."""
    (text,) = (b.text for b in blocks(ROOT / "README.md") if b.title == "w/riskseg.toml")
    return text


def workspace(folder: Path, sources: tuple[str, ...]) -> Path:
    init(folder)
    text = settings()
    if "accounts" not in sources:
        text = text[: text.index("[source.accounts]")]
    if "payments" not in sources:
        text = text[: text.index("[source.payments]")]
    (folder / "riskseg.toml").write_text(text, encoding="utf-8")
    (folder / "data").mkdir(exist_ok=True)
    return folder


def held(folder: Path) -> None:
    """Everything is proved; activating proves it again, and puts it in force."""
    done = prove(folder)
    assert {r.name: r.fault for r in done.proofs.results if r.verdict != "proved"} == {}
    assert any("breathing_space_from" in line and "default value" in line for line in done.granted)
    assert activate(folder, effective_from=date(2026, 1, 1), by="me", at=AT).new


@pytest.mark.parametrize(
    "sources",
    [
        ("bills", "payments", "accounts"),
        pytest.param(("bills", "payments"), marks=pytest.mark.slow),
        pytest.param(("bills",), marks=pytest.mark.slow),
    ],
    ids=" ".join,
)
def test_everything_is_proved_and_can_be_activated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sources: tuple[str, ...]
) -> None:
    monkeypatch.setattr(water_utility, "CUSTOMERS", 12)
    folder = workspace(tmp_path / "w", sources)
    water_utility.write(folder / "data")
    held(folder)


@pytest.mark.skipif(not REAL.is_dir(), reason=f"the real data is not in {REAL}")
def test_everything_is_proved_on_the_real_files(tmp_path: Path) -> None:
    folder = workspace(tmp_path / "w", ("bills", "payments", "accounts"))
    for name in FILES:
        (folder / "data" / f"{name}.parquet").symlink_to(REAL / f"{name}.parquet")
    held(folder)
