"""`journal erase` empties the events of an account, and the journal still proves whole."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

import riskseg
from riskseg.domain.problems import ProblemsError
from riskseg.store.journal import Journal
from tests.support import small

AT = datetime(2025, 12, 2, 9, 0, tzinfo=UTC)
DAY, NEXT = "2025-12-01", "2025-12-02"
OUTCOMES = "account_id,action,outcome\nacc-1,letter,right_party\nb,sms,done\n"


@pytest.fixture
def ws(tmp_path: Path) -> riskseg.Workspace:
    files = {name: text.replace("\na,", "\nacc-1,") for name, text in small.FILES.items()}
    ws = riskseg.open(small.make(tmp_path / "w", **files))
    ws.issue(as_of=DAY, at=AT)
    (tmp_path / "outcomes.csv").write_text(OUTCOMES)
    ws.outcomes(tmp_path / "outcomes.csv", on=NEXT, at=AT)
    ws.hold("acc-1", reason="in hospital", on=NEXT, by="ann", at=AT)
    return ws


def accounts(ws: riskseg.Workspace) -> set[str]:
    with Journal.open_to_read(ws.root / ".riskseg" / "journal.db") as journal:
        return set(journal.events()["account_id"].to_pylist())


def test_no_trace_of_the_account_is_left_in_the_journal(
    ws: riskseg.Workspace, tmp_path: Path
) -> None:
    assert accounts(ws) == {"acc-1", "b"}
    done = ws.erase("acc-1", by="ann", at=AT)
    assert (done.events, done.problems) == (5, ())
    assert accounts(ws) == {"b"}
    kept = b"".join(path.read_bytes() for path in (ws.root / ".riskseg").glob("journal.db*"))
    assert b"acc-1" not in kept and b"in hospital" not in kept
    assert b"b" in kept
    assert ws.erase("acc-1", by="ann", at=AT).events == 0
    # The next day's list does not know that anything was issued, and what is recorded anew counts.
    assert [row["account_id"] for row in ws.worklist(as_of=NEXT).to_arrow().to_pylist()]
    ws.note("acc-1", "back again", on=NEXT, by="ann", at=AT)
    assert ws.erase("acc-1", by="ann", at=AT).events == 1


def test_a_file_that_is_read_again_does_not_bring_events_back(
    ws: riskseg.Workspace, tmp_path: Path
) -> None:
    ws.erase("acc-1", by="ann", at=AT)
    again = ws.issue(as_of=DAY, at=AT)
    assert again.new == 0
    assert accounts(ws) == {"b"}


@pytest.mark.parametrize(
    "change",
    [
        "update events set kind = 'erased', account_id = 'h' where account_id = 'b'",
        "update events set account_id = 'b' where kind = 'erased'",
        "update events set digest = 'd' where kind = 'erased'",
        "delete from events where kind = 'erased'",
    ],
)
def test_what_looks_erased_and_was_not_is_damage(ws: riskseg.Workspace, change: str) -> None:
    ws.erase("acc-1", by="ann", at=AT)
    connection = sqlite3.connect(ws.root / ".riskseg" / "journal.db")
    connection.execute(change)
    connection.commit()
    connection.close()
    with pytest.raises(ProblemsError, match="RS603"):
        accounts(ws)
