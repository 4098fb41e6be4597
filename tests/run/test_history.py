"""`history`: what had happened to an account and was known by a day, in the order of time."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

import riskseg
from riskseg.domain.problems import ProblemsError
from riskseg.results.worklist import History
from tests.support import small

AT = datetime(2025, 12, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def ws(tmp_path: Path) -> riskseg.Workspace:
    root = small.make(
        tmp_path / "w",
        payments="account_id,paid_on,amount,recorded_on\na,2025-11-20,10,2025-12-03\n",
        events="account_id,happened_on,kind,channel,outcome\na,2025-11-10,contact,phone,no_answer\n",
    )
    ws = riskseg.open(root)
    ws.assign(as_of="2025-12-01", at=AT)
    ws.issue(as_of="2025-12-01", at=AT)
    ws.hold("a", reason="call <17>", until="2025-12-20", on="2025-12-02", by="ann")
    ws.hold("a", reason="solved", end=True, on="2025-12-05", by="bob")
    return ws


def told(history: History) -> list[tuple[str, str]]:
    return [(str(entry.day), entry.words) for entry in history.entries]


BEFORE = [
    ("2025-11-01", "bill 1 of GBP 100.00, due 2025-11-01"),
    ("2025-11-10", "contact no answer by phone"),
    ("2025-12-01", "letter issued by post: step letter of p"),
    ("2025-12-01", "placed on path p"),
    ("2025-12-01", "segment late, path p day 0: letter"),
    ("2025-12-02", "hold until 2025-12-20: call <17>"),
]


def test_a_story_holds_what_was_known_by_then(ws: riskseg.Workspace) -> None:
    assert told(ws.history("a", as_of="2025-12-02")) == BEFORE
    later = told(ws.history("a", as_of="2025-12-05"))
    assert later == [
        *BEFORE[:2],
        ("2025-11-20", "paid GBP 10.00"),
        *BEFORE[2:],
        ("2025-12-05", "hold ended until 2025-12-05: solved"),
    ]
    assert told(ws.history("a", as_of="2025-11-09")) == BEFORE[:1]


def test_the_page_holds_all_of_it_and_a_picture(ws: riskseg.Workspace, tmp_path: Path) -> None:
    out = tmp_path / "history.html"
    done = ws.history("a", as_of="2025-12-05", out=out)
    assert done.place == str(out)
    text = out.read_text()
    assert "call &lt;17&gt;" in text and "<17>" not in text
    svg = text[text.index("<svg") : text.index("</svg>") + len("</svg>")]
    assert "<title>2025-11-20: paid GBP 10.00</title>" in svg
    (wide,) = re.findall(r'<rect [^>]*width="([0-9.]+)"[^>]*fill-opacity', svg)
    days = (date(2025, 12, 5) - date(2025, 11, 1)).days
    # From 2 to 5 December, not to the 20th: the hold was ended.
    assert abs(float(wide) - 3 / days * (820 - 118 - 20)) < 0.1
    assert ws.history("a", as_of="2025-12-05", out=out).entries == done.entries


def test_an_account_that_is_not_there_is_a_problem(ws: riskseg.Workspace) -> None:
    with pytest.raises(ProblemsError, match="RS601"):
        ws.history("c", as_of="2025-12-05")
    with pytest.raises(ProblemsError, match="RS010"):
        ws.history("a", as_of="2025-12-05", out=ws.root / "history.csv")
