"""Which rows two versions of a strategy differ in: what their files say, not what it leads to.

Entries of the two versions are paired by name and compared part by part.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from riskseg.strategy.editions import Edition
from riskseg.strategy.entries import CONSTANT, HEAD, PATHS, SEGMENTS, Entry, Part, Table, together
from riskseg.strategy.renames import Renames, renamed, renames

Kind = Literal["added", "removed", "moved", "changed", "renamed"]


@dataclass(frozen=True)
class Change:
    """One difference. `was` and `now` are values as the files write them; where a whole entry
    came or went, what it says; where it moved, the entry it stands after. `part` is empty for
    an entry that says one thing only. `reaches` are the entries that use a constant which has
    another value. Lines are those in the old and the new file."""

    file: str
    item: str
    kind: Kind
    part: str = ""
    was: str | None = None
    now: str | None = None
    old_line: int | None = None
    new_line: int | None = None
    reaches: tuple[str, ...] = ()

    @property
    def lines(self) -> str:
        """`line 9`, or `line 9 -> 10` where it is another line now."""
        known = [str(line) for line in (self.old_line, self.new_line) if line is not None]
        return f"line {' -> '.join(dict.fromkeys(known))}" if known else ""

    @property
    def text(self) -> str:
        """The whole in one line."""
        return str(self)

    def __str__(self) -> str:
        lines = f" ({self.lines})" if self.lines else ""
        if self.kind in ("added", "removed"):
            entry_text = self.now if self.kind == "added" else self.was
            value_text = f": {entry_text}" if entry_text else ""
            return f"{self.file} {self.item} {self.kind}{lines}{value_text}"
        if self.kind == "renamed":
            return f"{self.file} {self.item}{lines}: renamed, was {self.was}, is {self.now}"
        moved_text = " moved" if self.kind == "moved" else ""
        part_text = f"{self.part} " if self.part else ""
        reaches = f"; used by {', '.join(self.reaches)}" if self.reaches else ""
        return (
            f"{self.file} {self.item}{moved_text}{lines}: {part_text}was {self.was}, "
            f"is {self.now}{reaches}"
        )


def changes(old: Edition, new: Edition) -> tuple[Change, ...]:
    """Every difference, in the order of the files and within each from top to bottom.

    Examples are left out: they decide nothing. Versions of one fingerprint have no differences:
    it is one of meaning, to which `6` and `6.0` are the same.
    """
    if old.strategy.fingerprint == new.strategy.fingerprint:
        return ()
    names = renames(old.strategy, new.strategy)
    named = replace(old, strategy=renamed(old.strategy, names))
    pairs = list(together(named, new))
    users = _users([table for _, table in pairs])
    return (
        *_renamed(old, new, names),
        *(
            replace(change, reaches=users.get(change.item, ()))
            if change.item.startswith(CONSTANT) and change.part == "value"
            else change
            for a, b in pairs
            for change in _compared(a, b)
        ),
    )


def _renamed(old: Edition, new: Edition, names: Renames) -> Iterator[Change]:
    """What has another name wherever it is mentioned."""

    def change(
        file: str, sort: str, was: str, now: str, line: Callable[[Edition, str], int | None]
    ) -> Change:
        return Change(
            file,
            f"{sort} {was}",
            "renamed",
            was=was,
            now=now,
            old_line=line(old, was),
            new_line=line(new, now),
        )

    for was, now in names.actions.items():
        yield change(HEAD, "action", was, now, _line_of_action)
    for was, now in names.segments.items():
        yield change(SEGMENTS, "segment", was, now, _line_of_segment)
    for was, now in names.paths.items():
        yield change(PATHS, "path", was, now, lambda edition, name: edition.line(PATHS, name))


def _line_of_action(edition: Edition, name: str) -> int | None:
    names = [action.name for action in edition.strategy.actions]
    return edition.line(HEAD, "actions", names.index(name))


def _line_of_segment(edition: Edition, name: str) -> int | None:
    """The line of its first row."""
    return next(row.line for row in edition.strategy.rows if row.segment == name)


def _users(tables: Sequence[Table]) -> dict[str, tuple[str, ...]]:
    """The entries that use each constant, by its item."""
    users: dict[str, dict[str, None]] = {}
    for table in tables:
        for entry in table.entries:
            for name in sorted({name for part in entry.parts.values() for name in part.constants}):
                users.setdefault(f"{CONSTANT}{name}", {})[f"{table.file} {entry.item}"] = None
    return {constant: tuple(entries) for constant, entries in users.items()}


def _compared(old: Table, new: Table) -> list[Change]:
    pairs = _paired(old.entries, new.entries)
    same_by_another_name = _same_by_another_name(old, new, pairs)
    pairs = sorted([*pairs, *same_by_another_name], key=lambda pair: pair[1])
    placed_changes: list[tuple[int, Change]] = []
    file = new.file
    removed_indexes = set(range(len(old.entries))) - {i for i, _ in pairs}
    added_indexes = set(range(len(new.entries))) - {j for _, j in pairs}
    for i in sorted(removed_indexes):
        lone_entry = old.entries[i]
        removal = Change(
            file, lone_entry.item, "removed", was=lone_entry.text, old_line=lone_entry.line
        )
        placed_changes.append((i, removal))
    for j in sorted(added_indexes):
        lone_entry = new.entries[j]
        placed_changes.append(
            (
                j,
                Change(
                    file, lone_entry.item, "added", now=lone_entry.text, new_line=lone_entry.line
                ),
            )
        )
    for i, j in same_by_another_name:
        was, now = old.entries[i], new.entries[j]
        change = Change(file, was.item, "renamed", "", was.key, now.key, was.line, now.line)
        placed_changes.append((j, change))
    for i, j in _moved(pairs) if new.ordered else ():
        was, now = old.entries[i], new.entries[j]
        predecessors = _after(old.entries, i), _after(new.entries, j)
        change = Change(file, was.item, "moved", "", *predecessors, was.line, now.line)
        placed_changes.append((j, change))
    for i, j in pairs:
        placed_changes += ((j, change) for change in _differ(file, old.entries[i], new.entries[j]))
    return [change for _, change in sorted(placed_changes, key=lambda placed: placed[0])]


def _paired(old: Sequence[Entry], new: Sequence[Entry]) -> list[tuple[int, int]]:
    """Which entry of one version is which of the other, by their places, in the new order.

    Entries of one key pair where they are wholly the same, then in order; what is left pairs by
    `or_key`.
    """
    old_of_new: dict[int, int] = {}
    identities: tuple[Callable[[Entry], Hashable], ...] = (
        lambda entry: entry.content,
        lambda entry: entry.key,
        lambda entry: entry.or_key,
    )
    for identity in identities:
        paired_old = set(old_of_new.values())
        unpaired: dict[Hashable, deque[int]] = {}
        for i, entry in enumerate(old):
            if i not in paired_old and identity(entry) is not None:
                unpaired.setdefault(identity(entry), deque()).append(i)
        for j, entry in enumerate(new):
            if j not in old_of_new and unpaired.get(identity(entry)):
                old_of_new[j] = unpaired[identity(entry)].popleft()
    return [(old_of_new[j], j) for j in sorted(old_of_new)]


def _same_by_another_name(
    old: Table, new: Table, pairs: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Entries that went and came, and say the same as no other of them does, by their places."""
    if not new.named:
        return []
    left = set(range(len(old.entries))) - {i for i, _ in pairs}
    came = set(range(len(new.entries))) - {j for _, j in pairs}
    before = _by_what_they_say(old, left)
    after = _by_what_they_say(new, came)
    return [
        (before[said][0], after[said][0])
        for said in before
        if len(before[said]) == len(after.get(said, ())) == 1
    ]


def _by_what_they_say(table: Table, places: Iterable[int]) -> dict[Hashable, list[int]]:
    found: dict[Hashable, list[int]] = {}
    for place in sorted(places):
        entry = table.entries[place]
        if entry.parts or entry.inside:
            found.setdefault((entry.content[1], entry.inside), []).append(place)
    return found


def _moved(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The fewest pairs that, taken away, leave the others in their old order. `pairs` are in the
    new order: what stays is a longest rising run of old places."""
    last_places: list[int] = []  # the least last place of a run of each length
    last_pairs: list[int] = []  # the pair that place belongs to
    previous: list[int | None] = []
    for pair_index, (i, _) in enumerate(pairs):
        run_length = bisect_left(last_places, i)
        previous.append(last_pairs[run_length - 1] if run_length else None)
        last_places[run_length : run_length + 1] = [i]
        last_pairs[run_length : run_length + 1] = [pair_index]
    unmoved: set[int] = set()
    kept_pair = last_pairs[-1] if last_pairs else None
    while kept_pair is not None:
        unmoved.add(kept_pair)
        kept_pair = previous[kept_pair]
    return [pair for pair_index, pair in enumerate(pairs) if pair_index not in unmoved]


def _after(entries: Sequence[Entry], index: int) -> str:
    return f"after {entries[index - 1].key}" if index else "first"


def _differ(file: str, old: Entry, new: Entry) -> Iterator[Change]:
    absent = Part(None, "none", None)
    for part_name in dict.fromkeys((*new.parts, *old.parts)):
        old_part, new_part = old.parts.get(part_name, absent), new.parts.get(part_name, absent)
        if old_part.same == new_part.same:
            continue
        part_texts = old_part.text, new_part.text
        if old_part.text == new_part.text:
            part_texts = old_part.exactly, new_part.exactly
        if part_texts[0] != part_texts[1]:
            lines = old_part.line or old.line, new_part.line or new.line
            yield Change(file, old.item, "changed", part_name, *part_texts, *lines)
