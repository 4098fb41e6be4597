"""The starters' properties speak of what is meant, so a strategy that keeps to it stays proved when
its bands are cut elsewhere, added or called otherwise."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from riskseg.run.prove import prove

STARTER = Path(__file__).parents[2] / "rules" / "account-file"
ADDED = "  - {id: none, match: [none], segment: leave_alone}\n"
CHANGES = {
    "a cut that is moved": [("strategy.yaml", "low: 0.10, medium: 0.25", "low: 0.12, medium: 0.3")],
    "bands by other names": [
        (file, old, new)
        for old, new in (("very_high", "red"), ("medium", "amber"))
        for file in ("strategy.yaml", "segments.yaml", "examples.yaml")
    ],
    "a band that is added": [
        ("strategy.yaml", "{low: 0.10,", "{none: 0.01, low: 0.10,"),
        ("segments.yaml", "rows:\n", f"rows:\n{ADDED}"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_meant_holds_after_a_change_of_bands(change: str, tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    shutil.copytree(STARTER, folder)
    for file, old, new in CHANGES[change]:
        text = (folder / file).read_text()
        assert old in text or file == "examples.yaml"
        (folder / file).write_text(text.replace(old, new))
    proof = prove(None, str(folder), here=tmp_path)
    assert proof.verdict == "proved"


def test_a_change_that_breaks_what_is_meant_is_refuted(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    shutil.copytree(STARTER, folder)
    head = folder / "strategy.yaml"
    head.write_text(head.read_text().replace("high: 0.50, very_high", "high: 0.80, very_high"))
    proof = prove(None, str(folder), here=tmp_path)
    refuted = {claim.subject for claim in proof.proofs.results if claim.verdict == "refuted"}
    assert refuted == {"the_most_likely_are_called"}
