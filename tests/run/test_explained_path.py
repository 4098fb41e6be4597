"""`explain` dates a step that waits for another from the day on which that one was issued."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import riskseg
from tests.support import treated

NOTICE = date(2026, 1, 20)
PATHS = {
    "notice": {
        "steps": [
            {"day": 5, "action": "letter", "must": True},
            {"after": {"action": "letter", "days": 28}, "action": "visit"},
        ]
    }
}


def test_a_step_after_a_notice_has_no_day_until_the_notice_is_issued(tmp_path: Path) -> None:
    bills = [{"account_id": "A", "bill_id": "b", "due_on": "2026-01-01", "amount": 100}]
    rows = {"accounts": [{"account_id": "A", "treatment": "notice"}], "bills": bills}
    ws = riskseg.open(treated.write(tmp_path / "w", paths=PATHS, rows=rows))

    def visit(day: date) -> tuple[int, date | None, str, str | None]:
        step = ws.explain("A", as_of=day, fresh=True).steps[1]
        return step.day, step.on, step.when, step.waits_for

    # The earliest day of the visit, 33, has passed, and the notice is still due.
    assert visit(date(2026, 2, 20)) == (33, None, "ahead", "letter")
    ws.issue(as_of=NOTICE, out=tmp_path / "list.csv", by="Ann")
    first_day = date(2026, 2, 17)
    assert visit(date(2026, 1, 25)) == (46, first_day, "ahead", None)
    assert visit(first_day) == (46, first_day, "today", None)
