"""The picture of an account's time: a lane for each kind of thing, the days from left to right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from markupsafe import Markup

from riskseg.report.drawing import BLUE, GREEN, GREY, INK, ORANGE, RULE, WHOLE, Drawing, Scale
from riskseg.results.worklist import History, HistoryEntry

_LANE, _LEFT, _GAP = 30, 118, 62
# No more than this is drawn; the table beneath holds everything.
_DAYS = 730

_HOLDS = ("hold", "complaint", "bereavement", "breathing_space", "adviser")

# Each lane: what it is called, the kinds of entries in it (none: all others), their colour and
# shape.
_LANES: Mapping[str, tuple[Sequence[str], str, str]] = {
    "bills": (("bill",), GREY, "square"),
    "payments": (("payment", "reversal"), GREEN, "circle"),
    "events": ((), INK, "circle"),
    "holds": (_HOLDS, ORANGE, "square"),
    "promises, plans": (("promise", "plan", "instalment"), GREEN, "diamond"),
    "decisions": (("decision",), BLUE, "open"),
    "paths": (("placement",), GREY, "diamond"),
    "approvals": (("approval",), ORANGE, "square"),
    "issued": (("action",), BLUE, "diamond"),
    "outcomes": (("outcome",), ORANGE, "circle"),
    "notes": (("note",), GREY, "open"),
}
# What lasts is a bar: a bill's `until` is only when it is due.
_LASTING = (*_HOLDS, "dispute", "promise")
_ENDS = ("ended", "cancelled", "kept", "partly_kept", "broken", "upheld", "rejected")


def picture(history: History) -> Markup | None:
    """The last two years of the history, drawn; None where nothing happened in them."""
    last = history.as_of
    shown = [e for e in history.entries if (last - e.day).days <= _DAYS]
    if not shown:
        return None
    lanes = [(name, [e for e in shown if _lane(e) == name]) for name in _LANES]
    lanes = [(name, entries) for name, entries in lanes if entries]
    first = min(entry.day for entry in shown)
    drawing = Drawing(
        "history",
        f"What happened to {history.account_id}",
        f"Each kind of thing in a lane of its own, from {first} to {last}.",
        (WHOLE, 42 + _LANE * len(lanes)),
        left=_LEFT,
        right=20,
        bottom=28,
    )
    days = drawing.x(first.toordinal(), max(last.toordinal(), first.toordinal() + 1))
    ends = _ends(history.entries)
    drawing.across(days, _months(first, last, days), _month)
    for number, (name, entries) in enumerate(lanes):
        middle = drawing.top + _LANE * (number + 0.5)
        drawing.line((drawing.left, middle), (drawing.right, middle), RULE)
        drawing.text((drawing.left - 8, middle + 4.3), name, anchor="end")
        _, colour, shape = _LANES[name]
        for entry in entries:
            hover = f"{entry.day}: {entry.words}"
            place = days(entry.day.toordinal())
            if entry.kind in _LASTING and entry.outcome not in _ENDS:
                until = ends.get(entry.ref) or entry.until or last
                wide = days(min(until, last).toordinal()) - place
                drawing.box(place, middle - 7, max(wide, 2), 14, colour, hover, faint=0.25)
            drawing.dot((place, middle), colour, hover, shape=shape)
    return drawing.done()


def _lane(entry: HistoryEntry) -> str:
    """The lane that an entry is drawn in."""
    if entry.kind == "action" and not entry.by_riskseg:
        return "events"
    return next((name for name, (kinds, _, _) in _LANES.items() if entry.kind in kinds), "events")


def _ends(entries: Sequence[HistoryEntry]) -> dict[str | None, date]:
    """The day on which what has a `ref` was ended."""
    return {
        entry.ref: entry.until or entry.day
        for entry in entries
        if entry.ref is not None and entry.outcome in _ENDS
    }


def _months(first: date, last: date, days: Scale) -> list[float]:
    """The first days of months, as far apart as their names need."""
    ticks: list[float] = []
    for month in _firsts(first, last):
        if not ticks or days(month.toordinal()) - days(ticks[-1]) >= _GAP:
            ticks.append(month.toordinal())
    return ticks


def _firsts(first: date, last: date) -> Iterator[date]:
    for number in range(first.year * 12 + first.month, last.year * 12 + last.month):
        yield date(number // 12, number % 12 + 1, 1)


def _month(day: float) -> str:
    return date.fromordinal(int(day)).strftime("%b %Y")
