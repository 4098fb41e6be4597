"""Which rows two versions of a strategy differ in: what their files say, not what it leads to.

Entries of the two versions are paired by name and compared part by part.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from riskseg.strategy.entries import Edition, Entry, Part, Table, together

Kind = Literal["added", "removed", "moved", "changed"]


@dataclass(frozen=True)
class Change:
    """One difference. `was` and `now` are values as the files write them; where a whole entry
    came or went, what it says; where it moved, the entry it stands after. `part` is empty for
    an entry that says one thing only. Lines are those in the old and the new file."""

    file: str
    item: str
    kind: Kind
    part: str = ""
    was: str | None = None
    now: str | None = None
    old_line: int | None = None
    new_line: int | None = None

    @property
    def lines(self) -> str:
        """`line 9`, or `line 9 -> 10` where it is another line now."""
        known = [str(n) for n in (self.old_line, self.new_line) if n is not None]
        return f"line {' -> '.join(dict.fromkeys(known))}" if known else ""

    @property
    def text(self) -> str:
        """The whole in one line."""
        return str(self)

    def __str__(self) -> str:
        where = f" ({self.lines})" if self.lines else ""
        if self.kind in ("added", "removed"):
            said = self.now if self.kind == "added" else self.was
            told = f": {said}" if said else ""
            return f"{self.file} {self.item} {self.kind}{where}{told}"
        moved = " moved" if self.kind == "moved" else ""
        part = f"{self.part} " if self.part else ""
        return f"{self.file} {self.item}{moved}{where}: {part}was {self.was}, is {self.now}"


def changes(old: Edition, new: Edition) -> tuple[Change, ...]:
    """Every difference, in the order of the files and within each from top to bottom.

    Examples are left out: they decide nothing. Versions of one fingerprint have no differences:
    it is one of meaning, to which `6` and `6.0` are the same.
    """
    if old.strategy.fingerprint == new.strategy.fingerprint:
        return ()
    return tuple(change for a, b in together(old, new) for change in _compared(a, b))


def _compared(old: Table, new: Table) -> list[Change]:
    pairs = _paired(old.entries, new.entries)
    found: list[tuple[int, Change]] = []
    file = new.file
    gone = set(range(len(old.entries))) - {i for i, _ in pairs}
    come = set(range(len(new.entries))) - {j for _, j in pairs}
    for i in sorted(gone):
        entry = old.entries[i]
        told = Change(file, entry.item, "removed", was=entry.told, old_line=entry.line)
        found.append((i, told))
    for j in sorted(come):
        entry = new.entries[j]
        found.append((j, Change(file, entry.item, "added", now=entry.told, new_line=entry.line)))
    for i, j in _moved(pairs) if new.ordered else ():
        was, now = old.entries[i], new.entries[j]
        places = _after(old.entries, i), _after(new.entries, j)
        change = Change(file, was.item, "moved", "", *places, was.line, now.line)
        found.append((j, change))
    for i, j in pairs:
        found += ((j, change) for change in _differ(file, old.entries[i], new.entries[j]))
    return [change for _, change in sorted(found, key=lambda f: f[0])]


def _paired(old: Sequence[Entry], new: Sequence[Entry]) -> list[tuple[int, int]]:
    """Which entry of one version is which of the other, by their places, in the new order.

    Entries of one key pair where they are wholly the same, then in order; what is left pairs by
    `or_key`.
    """
    of: dict[int, int] = {}
    names: tuple[Callable[[Entry], Hashable], ...] = (
        lambda entry: entry.content,
        lambda entry: entry.key,
        lambda entry: entry.or_key,
    )
    for name in names:
        taken = set(of.values())
        waiting: dict[Hashable, deque[int]] = {}
        for i, entry in enumerate(old):
            if i not in taken and name(entry) is not None:
                waiting.setdefault(name(entry), deque()).append(i)
        for j, entry in enumerate(new):
            if j not in of and waiting.get(name(entry)):
                of[j] = waiting[name(entry)].popleft()
    return [(of[j], j) for j in sorted(of)]


def _moved(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The fewest pairs that, taken away, leave the others in their old order. `pairs` are in the
    new order: what stays is a longest rising run of old places."""
    ends: list[int] = []  # the least last place of a run of each length
    last: list[int] = []  # the pair that place belongs to
    before: list[int | None] = []
    for n, (i, _) in enumerate(pairs):
        at = bisect_left(ends, i)
        before.append(last[at - 1] if at else None)
        ends[at : at + 1] = [i]
        last[at : at + 1] = [n]
    stay: set[int] = set()
    here = last[-1] if last else None
    while here is not None:
        stay.add(here)
        here = before[here]
    return [pair for n, pair in enumerate(pairs) if n not in stay]


def _after(entries: Sequence[Entry], place: int) -> str:
    return f"after {entries[place - 1].key}" if place else "first"


def _differ(file: str, old: Entry, new: Entry) -> Iterator[Change]:
    nothing = Part(None, "none", None)
    for name in dict.fromkeys((*new.parts, *old.parts)):
        was, now = old.parts.get(name, nothing), new.parts.get(name, nothing)
        if was.same == now.same:
            continue
        texts = was.told, now.told
        if was.told == now.told:
            texts = was.exactly, now.exactly
        if texts[0] != texts[1]:
            lines = was.line or old.line, now.line or new.line
            yield Change(file, old.item, "changed", name, *texts, *lines)
