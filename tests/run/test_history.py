"""`history`: what had happened to an account and was known by a day, in the order of time."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
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


def reported(history: History) -> list[tuple[str, str]]:
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
    assert reported(ws.history("a", as_of="2025-12-02")) == BEFORE
    later = reported(ws.history("a", as_of="2025-12-05"))
    assert later == [
        *BEFORE[:2],
        ("2025-11-20", "paid GBP 10.00"),
        *BEFORE[2:],
        ("2025-12-05", "hold ended until 2025-12-05: solved"),
    ]
    assert reported(ws.history("a", as_of="2025-11-09")) == BEFORE[:1]


def test_the_page_holds_all_of_it_and_a_picture(ws: riskseg.Workspace, tmp_path: Path) -> None:
    out = tmp_path / "history.html"
    done = ws.history("a", as_of="2025-12-05", out=out)
    assert done.place == str(out)
    text = out.read_text()
    assert "call &lt;17&gt;" in text and "<17>" not in text
    # For screen readers and the keyboard: one main part, headings of columns, frames that scroll.
    assert text.count("<main>") == 1
    assert text.count('<th scope="col">') == text.count("<th") - text.count("<thead")
    assert text.count('tabindex="0"') == 2
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


PROMISED = "account_id,happened_on,kind,amount,until,ref\n"


@pytest.mark.parametrize(
    ("paid", "as_of", "entries"),
    [
        ("", "2025-11-12", [("2025-11-12", "promise of GBP 60.00 until 2025-11-10 is open")]),
        (
            "a,2025-11-11,60\n",
            "2025-11-30",
            [("2025-11-11", "promise of GBP 60.00 until 2025-11-10 was kept")],
        ),
        (
            "a,2025-11-06,20\n",
            "2025-11-30",
            [("2025-11-14", "promise of GBP 60.00 until 2025-11-10 was kept in part")],
        ),
        (
            "a,2025-11-14,60\n",
            "2025-11-30",
            [("2025-11-14", "promise of GBP 60.00 until 2025-11-10 was broken")],
        ),
    ],
)
def test_a_story_says_what_became_of_a_promise(
    paid: str, as_of: str, entries: list[tuple[str, str]], tmp_path: Path
) -> None:
    root = small.make(
        tmp_path / "w",
        payments="account_id,paid_on,amount\n" + paid,
        events=PROMISED
        + "a,2025-11-05,promise,60,2025-11-10,r1\nb,2025-11-05,promise,9,2025-11-10,\n",
    )
    ws = riskseg.open(root)
    out = tmp_path / "history.html"
    history = ws.history("a", as_of=as_of, out=out)
    assert reported(history)[-1:] == entries
    entry = history.entries[-1]
    assert (entry.kind, entry.ref, entry.amount) == ("promise", "r1", Decimal("60.00"))
    assert f"<title>{entries[0][0]}: {entries[0][1]}</title>" in out.read_text()
    # The words of a source come first: nothing is worked out of a promise that it settled.
    (root / "data" / "events.csv").write_text(
        PROMISED.replace(",ref", ",ref,outcome") + "a,2025-11-05,promise,60,2025-11-10,r1,broken\n"
    )
    assert len(ws.history("a", as_of=as_of).entries) == len(history.entries) - 1


def test_a_story_says_what_became_of_a_plan(ws: riskseg.Workspace) -> None:
    ws.plan("a", instalments={"2025-12-10": "40", "2025-12-20": "50"}, on="2025-12-05", by="ann")
    plan = "plan of GBP 90.00 until 2025-12-20"
    assert reported(ws.history("a", as_of="2025-12-06"))[-1] == ("2025-12-06", f"{plan} is running")
    later = reported(ws.history("a", as_of="2025-12-31"))
    assert later[-3:] == [
        ("2025-12-16", "instalment of GBP 40.00 due 2025-12-10 was missed"),
        ("2025-12-16", f"{plan} was broken"),
        ("2025-12-26", "instalment of GBP 50.00 due 2025-12-20 was missed"),
    ]
