"""`explain` tells what was issued, who approved of it, what came of it, and what lasts."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from typer.testing import CliRunner

import riskseg
from riskseg.cli import app
from riskseg.results.runs import Explanation
from tests.support import small

AT = datetime(2025, 12, 2, 9, 0, tzinfo=UTC)
DAY, NEXT, LATER = date(2025, 12, 1), date(2025, 12, 2), date(2025, 12, 3)


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> riskseg.Workspace:
    """A letter that ann approved of reached the party; then it was held, by two events."""
    folder = tmp_path_factory.mktemp("state")
    ws = riskseg.open(small.make(folder / "w"))
    strategy = ws.root / "rules" / "s" / "strategy.yaml"
    significant = "{name: letter, channel: post, significant: true, calendar: {holidays: GB-ENG}}"
    text = strategy.read_text()
    strategy.write_text(text.replace("{name: letter, channel: post}", significant))
    ws.approve(as_of=DAY, by="ann", reason="checked", on=DAY, at=AT)
    ws.issue(as_of=DAY, by="dora", at=AT)
    (folder / "out.csv").write_text("account_id,action,outcome\na,letter,right_party\n")
    ws.outcomes(folder / "out.csv", on=NEXT, at=AT)
    ws.hold("a", reason="in hospital", until=LATER, on=NEXT, by="bob", at=AT)
    ws.hold("a", reason="lost card", kind="complaint", on=NEXT, by="bob", at=AT)
    ws.hold("a", reason="card found", kind="complaint", end=True, on=LATER, by="bob", at=AT)
    ws.assign(as_of=NEXT, at=AT)
    return ws


def holding(explained: Explanation) -> list[tuple[str, date | None]]:
    return [(each.kind, each.until) for each in explained.held]


@pytest.mark.parametrize("fresh", [True, False])
def test_a_step_says_what_was_done(ws: riskseg.Workspace, fresh: bool) -> None:
    explained = ws.explain("a", as_of=NEXT, fresh=fresh)
    assert (explained.run is None) == fresh
    (letter,) = explained.steps
    assert (letter.issued_on, letter.issued_by) == (DAY, "dora")
    assert letter.approved_by == ("ann",)
    assert letter.outcomes == ("right_party",)
    assert holding(explained) == [("hold", LATER), ("complaint", None)]


def test_only_what_was_known_by_then_is_reported(ws: riskseg.Workspace) -> None:
    (letter,) = ws.explain("a", as_of=DAY).steps
    assert (letter.issued_on, letter.approved_by, letter.outcomes) == (None, (), ())
    assert holding(ws.explain("a", as_of=DAY)) == []
    assert holding(ws.explain("a", as_of=LATER)) == [("hold", LATER), ("complaint", LATER)]
    assert holding(ws.explain("a", as_of="2025-12-04")) == []


def test_the_command_shows_it(ws: riskseg.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    done = CliRunner().invoke(app, ["-w", str(ws.root), "explain", "a", "--as-of", str(NEXT)])
    assert "2025-12-01 by dora, approved by ann" in done.output and "right party" in done.output
    assert "hold since 2025-12-02 until 2025-12-03: in hospital (bob)" in done.output
    assert "complaint since 2025-12-02, no end known: lost card (bob)" in done.output
