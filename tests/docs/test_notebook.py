"""docs/guide/riskseg.ipynb: a notebook without outputs, whose cells run one after the other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import ROOT
from tests.docs.test_python import cell

NOTEBOOK = json.loads((ROOT / "docs" / "guide" / "riskseg.ipynb").read_text(encoding="utf-8"))


def test_it_is_a_notebook_without_outputs() -> None:
    assert (NOTEBOOK["nbformat"], NOTEBOOK["nbformat_minor"]) == (4, 5)
    identifiers = [part["id"] for part in NOTEBOOK["cells"]]
    assert len(set(identifiers)) == len(identifiers)
    for part in NOTEBOOK["cells"]:
        code = {"execution_count", "outputs"} if part["cell_type"] == "code" else set()
        assert set(part) == {"cell_type", "id", "metadata", "source", *code}
        assert part["cell_type"] in ("code", "markdown")
        assert not part.get("outputs") and part.get("execution_count") is None


@pytest.mark.slow
def test_its_cells_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    shown = [
        cell("".join(part["source"]), names)
        for part in NOTEBOOK["cells"]
        if part["cell_type"] == "code"
    ]
    assert all(shown[1:]), "a cell shows nothing"
    difference = names["difference"]
    assert len(difference.changes) == 1 and difference.moves is not None
    assert 'Did you mean "late_payment"?' in shown[-1]
    assert "<table>" in names["decisions"]._repr_html_()
