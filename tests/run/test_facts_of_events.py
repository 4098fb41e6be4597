"""Facts of events, in a workspace whose sources have none: riskseg records some itself."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import riskseg
from riskseg.domain.problems import Problems
from riskseg.learning.spec import read_spec
from riskseg.pipeline.session import begin, open_checked, scratch_engine
from riskseg.pipeline.training_rows import candidates
from riskseg.run.check import check
from tests.support import treated

FIRST = date(2026, 1, 5)
ROWS: dict[str, list[dict[str, Any]]] = {
    "accounts": [{"account_id": "a1", "valid_from": "2000-01-01", "treatment": "one"}],
    "bills": [{"account_id": "a1", "bill_id": "b1", "due_on": FIRST, "amount": 50}],
    "payments": [{"account_id": "a1", "payment_id": "p1", "paid_on": FIRST, "amount": 1}],
}
GUARDS = [{"hold": "complained", "when": "complaints_12m > 0"}]
SPEC = "name: late\ntarget: {event: late}\n"


def test_they_may_be_named_before_anything_is_recorded(tmp_path: Path) -> None:
    paths = {"one": {"steps": [{"day": 1, "action": "sms"}]}}
    root = treated.write(tmp_path / "w", paths=paths, rows=ROWS, guards=GUARDS)
    toml = (root / "riskseg.toml").read_text()
    (root / "riskseg.toml").write_text(toml.partition("[source.events]")[0])
    found = check(root)
    assert found.problems == ()
    assert (
        "There is no source of events: complaints_12m knows only what riskseg records"
        in "".join(found.notes)
    )
    ws = riskseg.open(root)
    assert [row["step"] for row in treated.listed(root, date(2026, 1, 7))] == ["sms"]
    ws.hold("a1", kind="complaint", reason="by phone", on=date(2026, 1, 6), at=treated.AT)
    assert treated.listed(root, date(2026, 1, 7)) == []
    assert "complaints_12m" in learned_from(root)


def test_nothing_is_learned_of_what_was_never_recorded(tmp_path: Path) -> None:
    root = treated.write(tmp_path / "w", paths={}, rows=ROWS)
    toml = (root / "riskseg.toml").read_text()
    (root / "riskseg.toml").write_text(toml.partition("[source.events]")[0])
    assert "complaints_12m" not in learned_from(root)
    assert "payments_12m" in learned_from(root)


def learned_from(root: Path) -> set[str]:
    """The facts that a model of late payment may learn from."""
    (root / "models").mkdir(exist_ok=True)
    (root / "models" / "late.yaml").write_text(SPEC, encoding="utf-8")
    problems = Problems()
    spec = read_spec(root / "models" / "late.yaml", problems)
    assert spec is not None, list(problems)
    workspace = open_checked(root)
    with scratch_engine(workspace) as engine:
        return {fact.name for fact in candidates(begin(workspace, engine), spec.spec)}


def test_an_attribute_counts_more_than_what_only_riskseg_would_record(tmp_path: Path) -> None:
    """A column of accounts may have the name of a fact that no source of events brings."""
    accounts = [{**ROWS["accounts"][0], "complaints_12m": 2}]
    rows = {**ROWS, "accounts": accounts}
    paths = {"one": {"steps": [{"day": 1, "action": "sms"}]}}
    attributes = {"complaints_12m": "integer"}
    root = treated.write(
        tmp_path / "w", paths=paths, rows=rows, guards=GUARDS, attributes=attributes
    )
    toml = (root / "riskseg.toml").read_text()
    (root / "riskseg.toml").write_text(
        toml.replace('[source.events]\nfrom = "data/events.csv"\n', "")
    )
    found = check(root)
    assert found.problems == ()
    assert "complaints_12m" not in "".join(found.notes)
    assert treated.listed(root, date(2026, 1, 7)) == []
