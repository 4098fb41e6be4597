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
_FAILED = ("partly_kept", "broken", "missed")
_ENDS = ("ended", "cancelled", "kept", "partly_kept", "broken", "upheld", "rejected")


def picture(history: History) -> Markup | None:
    """The last two years of the history, drawn; None where nothing happened in them."""
    last_day = history.as_of
    recent_entries = [
        history_entry
        for history_entry in history.entries
        if (last_day - history_entry.day).days <= _DAYS
    ]
    if not recent_entries:
        return None
    lanes = [
        (
            lane_name,
            [
                history_entry
                for history_entry in recent_entries
                if _lane(history_entry) == lane_name
            ],
        )
        for lane_name in _LANES
    ]
    lanes = [(lane_name, entries) for lane_name, entries in lanes if entries]
    first_day = min(entry.day for entry in recent_entries)
    drawing = Drawing(
        "history",
        f"What happened to {history.account_id}",
        f"Each kind of thing in a lane of its own, from {first_day} to {last_day}.",
        (WHOLE, 42 + _LANE * len(lanes)),
        left=_LEFT,
        right=20,
        bottom=28,
    )
    days = drawing.x(first_day.toordinal(), max(last_day.toordinal(), first_day.toordinal() + 1))
    ends = _ends(history.entries)
    drawing.across(days, _months(first_day, last_day, days), _month)
    for lane_number, (lane_name, entries) in enumerate(lanes):
        middle = drawing.top + _LANE * (lane_number + 0.5)
        drawing.line((drawing.left, middle), (drawing.right, middle), RULE)
        drawing.text((drawing.left - 8, middle + 4.3), lane_name, anchor="end")
        _, colour, shape = _LANES[lane_name]
        for entry in entries:
            hover = f"{entry.day}: {entry.words}"
            entry_colour = ORANGE if entry.outcome in _FAILED else colour
            entry_x = days(entry.day.toordinal())
            if entry.kind in _LASTING and entry.outcome not in (*_ENDS, "open"):
                until = ends.get(entry.ref) or entry.until or last_day
                wide = days(min(until, last_day).toordinal()) - entry_x
                drawing.box(entry_x, middle - 7, max(wide, 2), 14, colour, hover, faint=0.25)
            drawing.dot((entry_x, middle), entry_colour, hover, shape=shape)
    return drawing.done()


def _lane(entry: HistoryEntry) -> str:
    """The lane that an entry is drawn in."""
    if entry.kind == "action" and not entry.by_riskseg:
        return "events"
    return next(
        (lane_name for lane_name, (kinds, _, _) in _LANES.items() if entry.kind in kinds), "events"
    )


def _ends(entries: Sequence[HistoryEntry]) -> dict[str | None, date]:
    """The day on which what has a `ref` was ended; the `until` of a promise is not that day."""
    return {
        entry.ref: entry.day if entry.kind == "promise" else entry.until or entry.day
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
