"""One version of a strategy as tables of entries: what its files say, as `changes` compares it.

An entry is what a person would point at: a row, a step, a guard. Its parts are what it says,
expressions by their trees: comments, layout and the order of keys are no part of it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from riskseg.expressions import Expression, show
from riskseg.rules.cells import NumberRange
from riskseg.rules.elements import Condition
from riskseg.rules.model import Cells, Path, Scheme
from riskseg.strategy.editions import ByName, Edition, with_names_of_constants

HEAD, TIERS, SEGMENTS = "strategy.yaml", "tiers.yaml", "segments.yaml"
PATHS, GUARDS = "paths.yaml", "guards.yaml"

# What entries of constants are called before their names.
CONSTANT = "constant $"
# Lines and places of the entry itself; what an entry is named by is not one of its parts.
_NO_PARTS = frozenset({"name", "line", "file", "rank", "steps", "key", "cells"})
# Fields of a path that follow from what it and the other paths say.
_FOLLOWING = frozenset({"begins", "lifted", "passes_over", "stays", "held", "held_since_entry"})
# How a part is written in the files, where the checked strategy calls it otherwise.
_WRITTEN = {"segments": "for"}


@dataclass(frozen=True)
class Part:
    """One thing an entry says: what is compared, how it reads, its line. `exactly` separates
    what reads the same; `constants` are those it uses."""

    same: Hashable
    text: str
    line: int | None
    exactly: str = ""
    constants: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Entry:
    """`key` pairs it with the other version's; `or_key` where no key does. `inside` says what it
    holds, for one that the other version lacks."""

    key: str
    item: str
    line: int | None
    parts: Mapping[str, Part] = field(default_factory=dict)
    or_key: Hashable = None
    inside: str = ""

    @property
    def content(self) -> tuple[Hashable, Hashable]:
        return self.key, tuple((name, part.same) for name, part in self.parts.items())

    @property
    def text(self) -> str:
        idle = ("none", "any")
        said = ((n, p.text) for n, p in self.parts.items() if n != "kind" and p.text not in idle)
        listed = [f"{part_name} {text}".strip() for part_name, text in said]
        return ", ".join([*listed, self.inside] if self.inside else listed)


@dataclass(frozen=True)
class Table:
    """Entries of one file. In an `ordered` one the place of an entry counts; in one that is `named`
    authors choose the keys, so an entry may have another one and be the same."""

    file: str
    entries: tuple[Entry, ...]
    ordered: bool = False
    named: bool = True


def together(old: Edition, new: Edition) -> Iterator[tuple[Table, Table]]:
    """The same tables of both. What lies inside an entry (levels of a band, rows of a scheme,
    steps of a path) is a table of its own only where both versions have that entry."""
    old, new = with_names_of_constants(old, new)
    old_strategy, new_strategy = old.strategy, new.strategy
    yield _head(old), _head(new)
    yield _constants(old), _constants(new)
    yield _bands(old), _bands(new)
    for shared_name in _shared(
        (item.name for item in old_strategy.bands), (item.name for item in new_strategy.bands)
    ):
        yield _levels(old, shared_name), _levels(new, shared_name)
    yield _actions(old), _actions(new)
    yield _expects(old), _expects(new)
    yield _schemes(old), _schemes(new)
    for shared_name in _shared(
        (item.name for item in old_strategy.schemes), (item.name for item in new_strategy.schemes)
    ):
        of_scheme = _tier_columns(old, new, shared_name)
        yield _tiers(old, shared_name, of_scheme), _tiers(new, shared_name, of_scheme)
    columns = tuple(dict.fromkeys((*new_strategy.columns, *old_strategy.columns)))
    yield _columns(old), _columns(new)
    yield _rows(old, columns), _rows(new, columns)
    yield _paths(old), _paths(new)
    for shared_name in _shared(
        (item.name for item in old_strategy.paths), (item.name for item in new_strategy.paths)
    ):
        yield _steps(old, shared_name), _steps(new, shared_name)
    before, after = _sections(old), _sections(new)
    for section in dict.fromkeys((*before, *after)):
        nothing = Table(GUARDS, (), ordered=True)
        yield before.get(section, nothing), after.get(section, nothing)


def _shared(old: Iterable[str], new: Iterable[str]) -> list[str]:
    known = set(old)
    return [new_name for new_name in new if new_name in known]


def _head(e: Edition) -> Table:
    strategy = e.strategy
    head_values = {
        "name": strategy.name,
        "purpose": strategy.purpose,
        "owner": strategy.owner,
        "effective_from": strategy.effective_from,
        "effective_to": strategy.effective_to,
        "priority": strategy.priority,
        "treat": None if strategy.treat == "account" else strategy.treat,
    }
    entries = [
        _single(e, key, value, key) for key, value in head_values.items() if value is not None
    ]
    entries += [
        _single(e, f"uses {probability}", model, "uses", probability)
        for probability, model in strategy.uses.items()
    ]
    if strategy.bands:  # the one place where the order of keys means something
        entries.append(
            _single(e, "first band, whose reasons are shown", strategy.bands[0].of, "bands")
        )
    for i, head_fact in enumerate(strategy.protective):
        entries.append(
            Entry(f"={head_fact}", f"protective {head_fact}", e.line(HEAD, "protective", i))
        )
    if sorted(strategy.special_category) != sorted(strategy.protective):
        entries += [
            Entry(
                f"!{head_fact}",
                f"special category {head_fact}",
                e.line(HEAD, "special_category", i),
            )
            for i, head_fact in enumerate(strategy.special_category)
        ]
    return Table(HEAD, tuple(entries), named=False)


def _single(e: Edition, item: str, value: object, *path: str | int) -> Entry:
    """An entry that says one thing."""
    line = e.line(HEAD, *path)
    return Entry(item, item, line, {"": _part(value, line)})


def _constants(e: Edition) -> Table:
    entries = []
    for constant in e.strategy.constants:
        line = e.line(HEAD, "constants", constant.name)
        parts = _fields(constant, _always(line))
        entries.append(Entry(constant.name, f"{CONSTANT}{constant.name}", line, parts))
    return Table(HEAD, tuple(entries))


def _bands(e: Edition) -> Table:
    band_entries = []
    for band in e.strategy.bands:
        band_path = ("bands", band.name)
        band_parts = {"of": _part(band.of, e.line(HEAD, *band_path, "of"))}
        line, inside = (
            e.line(HEAD, *band_path),
            ", ".join(f"{level} to {_as_text(cut)}" for level, cut in band.cuts),
        )
        band_entries.append(Entry(band.name, f"band {band.name}", line, band_parts, inside=inside))
    return Table(HEAD, tuple(band_entries))


def _levels(e: Edition, name: str) -> Table:
    band = next(band_ for band_ in e.strategy.bands if band_.name == name)
    level_entries = []
    for level, cut in band.cuts:
        line = e.line(HEAD, "bands", name, "cuts", level)
        level_parts = {"cut": _part(cut, line)}
        level_entries.append(Entry(level, f"band {name}, level {level}", line, level_parts))
    return Table(HEAD, tuple(level_entries))


def _actions(e: Edition) -> Table:
    action_entries = []
    for i, action in enumerate(e.strategy.actions):
        action_path = ("actions", i)
        action_parts = _parts(e, HEAD, action_path, action)
        action_entries.append(
            Entry(action.name, f"action {action.name}", e.line(HEAD, *action_path), action_parts)
        )
    return Table(HEAD, tuple(action_entries), ordered=True)


def _expects(e: Edition) -> Table:
    expected_entries = []
    for expected_fact, (kind, otherwise) in e.strategy.expects.items():
        line = e.line(HEAD, "expects", expected_fact)
        expected_parts = {"type": _part(kind, line), "else": _part(otherwise, line)}
        expected_entries.append(
            Entry(expected_fact, f"expects {expected_fact}", line, expected_parts)
        )
    return Table(HEAD, tuple(expected_entries), named=False)


def _schemes(e: Edition) -> Table:
    scheme_entries = []
    for scheme in e.strategy.schemes:
        line, inside = e.line(TIERS, scheme.name), ", ".join(row.tier for row in scheme.rows)
        scheme_entries.append(Entry(scheme.name, f"scheme {scheme.name}", line, inside=inside))
    return Table(TIERS, tuple(scheme_entries))


def _tiers(e: Edition, name: str, columns: Sequence[str]) -> Table:
    """The rows of a scheme: by the cells of `columns` where both versions are tables, else by
    conditions."""
    scheme = _scheme_of(e, name)
    tier_entries = []
    for i, row in enumerate(scheme.rows):
        place = (name, "rows", i) if scheme.columns else (name, i)
        tier_parts = _parts(e, TIERS, place, row)
        if row.when is None:
            tier_parts["when"] = _part("otherwise", row.line)
        # A tier may have several rows, and a row may give its tier another name.
        tier_condition = tier_parts["when"].same
        if columns and row.cells is not None:
            cells = _cells(e, columns, scheme.columns, row.cells, row.line)
            tier_parts = {"tier": tier_parts["tier"], **cells}
        tier_entries.append(
            Entry(row.tier, f"{name} row {row.tier}", row.line, tier_parts, or_key=tier_condition)
        )
    return Table(TIERS, tuple(tier_entries), ordered=True)


def _scheme_of(e: Edition, name: str) -> Scheme:
    return next(scheme for scheme in e.strategy.schemes if scheme.name == name)


def _tier_columns(old: Edition, new: Edition, name: str) -> tuple[str, ...]:
    """The columns of a scheme in either version; none where it is not a table in both."""
    now, before = _scheme_of(new, name).columns, _scheme_of(old, name).columns
    return tuple(dict.fromkeys((*now, *before))) if now and before else ()


def _columns(e: Edition) -> Table:
    line = e.line(SEGMENTS, "columns")
    parts = {"": _part(e.strategy.columns, line)}
    return Table(SEGMENTS, (Entry("columns", "columns", line, parts),))


def _rows(e: Edition, columns: Sequence[str]) -> Table:
    row_entries = []
    for row in e.strategy.rows:
        row_parts = _cells(e, columns, e.strategy.columns, row.cells, row.line)
        row_parts["segment"] = _part(row.segment, row.line)
        row_entries.append(Entry(row.id, f"row {row.id}", row.line, row_parts))
    return Table(SEGMENTS, tuple(row_entries), ordered=True)


def _cells(
    e: Edition, columns: Sequence[str], own: Sequence[str], cells: Cells, line: int | None
) -> dict[str, Part]:
    """The cells of a row over the columns of both versions: a column that one lacks is `any` to
    it. `own` are those that it has."""
    levels_of = {band.name: band.levels for band in e.strategy.bands}
    levels_of |= {scheme.name: scheme.levels for scheme in e.strategy.schemes}
    cell_of = dict(zip(own, cells, strict=True))
    return {
        column: _cell(cell_of.get(column), levels_of.get(column, ()), line) for column in columns
    }


def _cell(cell: AbstractSet[str | bool] | None, order: Sequence[str], line: int | None) -> Part:
    if cell is None:
        return Part(None, "any", line)
    rank_of_level = {level: rank for rank, level in enumerate(order)}
    ordered_levels = sorted(
        cell, key=lambda level: (rank_of_level.get(str(level), len(rank_of_level)), str(level))
    )
    ranges = [level for level in cell if isinstance(level, NumberRange)]
    used = frozenset(name for part in ranges for name in part.constants)
    return Part(cell, " or ".join(map(_as_text, ordered_levels)), line, constants=used)


def _paths(e: Edition) -> Table:
    path_entries = []
    for path in e.strategy.paths:
        path_parts = _parts(e, PATHS, (path.name,), path)
        line = e.line(PATHS, path.name, "then" if path.then else "stay")
        path_parts["then"] = _part(path.then or "stay", line)
        # The order of the segments a path is for is none.
        path_parts["for"] = dataclasses.replace(path_parts["for"], same=frozenset(path.segments))
        line = e.line(PATHS, path.name)
        step_list = ", ".join(f"day {step.day} {step.action}" for step in path.steps)
        path_entries.append(
            Entry(path.name, f"path {path.name}", line, path_parts, inside=step_list)
        )
    return Table(PATHS, tuple(path_entries))


def _steps(e: Edition, name: str) -> Table:
    path: Path = next(path_ for path_ in e.strategy.paths if path_.name == name)
    step_entries = []
    for i, step in enumerate(path.steps):
        step_parts = _parts(e, PATHS, (name, "steps", i), step)
        if step.after is not None:
            del step_parts["day"]  # it follows from the step that it waits for
        step_item = f"path {name}, step on day {step.day}"
        # A step on another day is known by its action.
        step_entries.append(
            Entry(str(step.day), step_item, step.line, step_parts, or_key=step.action)
        )
    return Table(PATHS, tuple(step_entries))


def _sections(e: Edition) -> dict[str, Table]:
    """The rules by section. What a guard pack brings is among the guards; that it was included,
    less what, is in a section of its own."""
    section_entries: dict[str, list[Entry]] = {"packs": [], "guards": [], "properties": []}
    for rule in e.strategy.rules:
        rule_parts = _of_values(rule.parts(), _always(rule.line))
        rule_entry = Entry(rule.name, rule.item, rule.line, rule_parts)
        section_entries.setdefault(rule.section, []).append(rule_entry)
    return {
        section_name: Table(GUARDS, tuple(entries_listed), ordered=True)
        for section_name, entries_listed in section_entries.items()
    }


# Parts of entries


def _parts(e: Edition, file: str, at: tuple[str | int, ...], thing: Any) -> dict[str, Part]:
    return _fields(thing, lambda name: e.line(file, *at, name))


def _fields(thing: Any, line: Callable[[str], int | None]) -> dict[str, Part]:
    """Every field of a checked thing but those that place it or hold entries of their own: none
    is forgotten when a field is added. What is false unless written is as if left out."""
    field_values = {
        _WRITTEN.get(part.name, part.name): getattr(thing, part.name)
        for part in dataclasses.fields(thing)
        if part.name not in _NO_PARTS | _FOLLOWING
    }
    for part in dataclasses.fields(thing):
        if part.default is False and field_values.get(part.name) is False:
            field_values[part.name] = None
    return _of_values(field_values, line)


def _of_values(values: Mapping[str, Any], line: Callable[[str], int | None]) -> dict[str, Part]:
    parts_by_name: dict[str, Part] = {}
    for value_name, value in values.items():
        if isinstance(value, Condition):
            parts_by_name[value_name] = _part(value.expression, line(value_name))
            parts_by_name["unknown"] = Part(value.unknown, _unknown(value), line("unknown"))
        else:
            parts_by_name[value_name] = _part(value, line(value_name))
    return parts_by_name


def _unknown(condition: Condition) -> str:
    if condition.unknown:
        return "match"
    return "skip" if condition.expression.type.nullable else "none"


def _always(line: int | None) -> Callable[[str], int | None]:
    return lambda _: line


def _part(value: Any, line: int | None) -> Part:
    if isinstance(value, Expression):
        text = " ".join(value.text.split())
        used = frozenset(constant.name for constant in value.constants)
        return Part(value.tree, text, line, exactly=show(value.tree), constants=used)
    used = frozenset(_named_in(value))
    same = value if isinstance(value, Hashable) else repr(value)
    return Part(same, _as_text(value), line, constants=used)


def _named_in(value: object) -> Iterator[str]:
    """The constants that a value, or a part of it, is written as."""
    if isinstance(value, ByName):
        yield value.constant
    elif dataclasses.is_dataclass(value):
        for part in dataclasses.fields(value):
            yield from _named_in(getattr(value, part.name))


def _as_text(value: object) -> str:
    """A value as the files write it."""
    match value:
        case None:
            return "none"
        case bool():
            return "true" if value else "false"
        case Decimal():
            return f"{value:f}"
        case frozenset():
            return _as_text(sorted(map(_as_text, value)))
        case tuple() | list():
            return f"[{', '.join(map(_as_text, value))}]" if value else "none"
        case _:
            return " ".join(str(value).split())
