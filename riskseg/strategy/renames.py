"""Which segments, paths and actions have another name in a later version, and are the same.

A name is taken for another where the old one is gone, the new one was not there before, and all
that the files say of both is the same: so a rename is one change, and not a removal, an addition
and a change of everything that mentions the name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from riskseg.expressions import Expression
from riskseg.expressions.tree import Compare, In, Literal, Name
from riskseg.rules.elements import Action
from riskseg.rules.model import Path, SegmentRow, Strategy
from riskseg.rules.placing import PLACED_PATH

Names = Mapping[str, str]


@dataclass(frozen=True)
class Renames:
    """The new name of each old one, of segments, actions and paths."""

    segments: Names
    actions: Names
    paths: Names

    def of_column(self, column: str) -> Names:
        """The new names of what stands in a column of decisions."""
        by_column = {"segment": self.segments, "path": self.paths}
        by_column |= dict.fromkeys(("action", "due_action", "next_action"), self.actions)
        return by_column.get(column, {})


@dataclass(frozen=True)
class _Mentions:
    """Where names of one sort stand: names of what is decided, in conditions; and fields, of one
    type of part or (None) of any."""

    decided: frozenset[str]
    fields: frozenset[tuple[type | None, str]]


_SEGMENTS = _Mentions(
    frozenset({"segment"}), frozenset({(SegmentRow, "segment"), (Path, "segments")})
)
_PATHS = _Mentions(frozenset({"path", PLACED_PATH}), frozenset({(Path, "name"), (Path, "then")}))
_IN_STEPS_AND_RULES = ("action", "key", "step", "start", "never", "instead", "of", "actions")
_ACTIONS = _Mentions(
    frozenset({"action", "due_action"}),
    frozenset({(Action, "name"), *((None, name) for name in _IN_STEPS_AND_RULES)}),
)


def renames(old: Strategy, new: Strategy) -> Renames:
    """What has another name in the new version."""
    segments = _segments(old, new)
    with_segments = _renamed(old, segments, _SEGMENTS)
    actions = _pairs(with_segments.actions, new.actions, _of_action)
    with_actions = _renamed(with_segments, actions, _ACTIONS)
    paths = _pairs(with_actions.paths, new.paths, _of_path)
    return Renames(segments, actions, paths)


def renamed(strategy: Strategy, names: Renames) -> Strategy:
    """The strategy with the new names, to compare and to show: not one to decide by."""
    for of_sort, mentions in (
        (names.segments, _SEGMENTS),
        (names.actions, _ACTIONS),
        (names.paths, _PATHS),
    ):
        strategy = _renamed(strategy, of_sort, mentions)
    return strategy


def _segments(old: Strategy, new: Strategy) -> Names:
    """Segments have rows and nothing of their own: the rows of one are those of the other, by
    their ids or by their cells."""
    names: dict[str, str] = {}
    for of_row in (lambda row: row.id, lambda row: row.cells):
        before, after = _rows_by_segment(old, of_row), _rows_by_segment(new, of_row)
        came = {rows: segment for segment, rows in after.items() if segment not in before}
        names |= {
            segment: came[rows]
            for segment, rows in before.items()
            if segment not in after and rows in came and segment not in names
        }
    return names


def _rows_by_segment(
    strategy: Strategy, of_row: Callable[[SegmentRow], Hashable]
) -> dict[str, frozenset[Hashable]]:
    return {
        segment: frozenset(of_row(row) for row in strategy.rows if row.segment == segment)
        for segment in strategy.segments
    }


def _pairs(old: Iterable[Any], new: Iterable[Any], content: Callable[[Any], Hashable]) -> Names:
    """The names that are gone, with those that came and have the same content as no other has."""
    before, after = {thing.name: thing for thing in old}, {thing.name: thing for thing in new}
    gone = [content(thing) for name, thing in before.items() if name not in after]
    came: dict[Hashable, list[str]] = {}
    for name, thing in after.items():
        if name not in before:
            came.setdefault(content(thing), []).append(name)
    return {
        name: came[content(thing)][0]
        for name, thing in before.items()
        if name not in after
        and len(came.get(content(thing), ())) == 1
        and gone.count(content(thing)) == 1
    }


def _of_action(action: Action) -> Hashable:
    return replace(action, name="", cost=None)


def _of_path(path: Path) -> Hashable:
    steps = tuple(replace(step, line=None) for step in path.steps)
    return frozenset(path.segments), path.starts.tree, steps, path.repeat


def _renamed(strategy: Strategy, names: Names, mentions: _Mentions) -> Strategy:
    """The strategy with the new names wherever names of the sort stand."""
    if not names:
        return strategy
    any_name = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    pattern = re.compile(rf"(?<![\w-])({any_name})(?![\w-])")

    def in_text(text: str) -> str:
        return pattern.sub(lambda match: names[match[1]], text)

    def in_names(value: Any) -> Any:
        if isinstance(value, str):
            return in_text(value)
        if isinstance(value, tuple | frozenset | list):
            return type(value)(map(in_names, value))
        return in_parts(value)

    def in_tree(node: Any) -> Any:
        match node:
            case tuple():
                return tuple(map(in_tree, node))
            case Name(name, kind) if " " in name:  # a fact of what was done on a path
                return Name(in_text(name), kind)
            case Compare(operator, left, right):
                sides = (left, right)
                if any(isinstance(side, Name) and side.name in mentions.decided for side in sides):
                    sides = tuple(map(in_literal, sides))
                return Compare(operator, *map(in_tree, sides))
            case In(Name(name, _) as part, options) if name in mentions.decided:
                return In(part, tuple(map(in_literal, options)))
            case _ if is_dataclass(node) and not isinstance(node, type):
                return type(node)(*(in_tree(getattr(node, key.name)) for key in fields(node)))
        return node

    def in_literal(node: Any) -> Any:
        if isinstance(node, Literal) and node.value in names:
            return replace(node, value=names[str(node.value)])
        return node

    def in_parts(part: Any) -> Any:
        match part:
            case Expression():
                tree = in_tree(part.tree)
                return part if tree == part.tree else replace(part, tree=tree)
            case tuple():
                return tuple(map(in_parts, part))
            case _ if is_dataclass(part) and not isinstance(part, type):
                return replace(part, **{key: in_field(part, key) for key in _given(part)})
        return part

    def in_field(part: Any, key: str) -> Any:
        value = getattr(part, key)
        named = (type(part), key) in mentions.fields or (None, key) in mentions.fields
        return in_names(value) if named else in_parts(value)

    changing = ("rows", "paths", "actions", "rules", "priority", "schemes")
    return replace(strategy, **{key: in_parts(getattr(strategy, key)) for key in changing})


def _given(part: Any) -> list[str]:
    return [key.name for key in fields(part) if key.init]
