"""What is written in the files of a strategy so that a part of a segment is one of its own."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, NamedTuple

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.relations import fact_column, literal
from riskseg.domain.yaml_text import inline
from riskseg.results.insights.split import Change
from riskseg.rules.model import Scheme, SegmentRow, Strategy
from riskseg.strategy.sheets.layout import segments_yaml

Cell = str | bool | list[str | bool]


@dataclass(frozen=True)
class SplitRule:
    """Which accounts of a segment would be apart: of a number, those with at least the value
    `least`; of a truth value, those of which it is true; else those with one of `levels`."""

    segment: str
    fact: Fact
    least: Decimal | None
    levels: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """As an expression of rules."""
        name = self.fact.name
        if self.least is not None:
            return f"{name} >= {self.least:f}"
        if self.fact.kind is Kind.BOOLEAN:
            return name
        listed = ", ".join(map(literal, self.levels))
        return f"{name} = {listed}" if len(self.levels) == 1 else f"{name} in ({listed})"

    @property
    def sql(self) -> str:
        """Over the columns of facts; an account of which the fact is unknown stays."""
        column = fact_column(self.fact.name)
        if self.least is not None:
            return f"coalesce({column} >= {self.least:f}, false)"
        listed = ", ".join(map(literal, self.levels))
        return f"coalesce(cast({column} as varchar) in ({listed}), false)"


class _Made(NamedTuple):
    """What a split makes of the segment table. `new` is the segment of the accounts that are apart,
    `column` what tells them; all rows as they would be, and the new ones among them."""

    new: str
    column: str
    columns: list[str]
    rows: list[dict[str, object]]
    added: list[dict[str, object]]


def changes(strategy: Strategy, rules: Iterable[SplitRule]) -> Iterator[Change]:
    """The texts of one split after the other, in the order in which they are pasted: each is for
    the strategy with the splits before it. A new segment keeps the paths of the one it is split
    from."""
    for rule in rules:
        made = _made(strategy, rule)
        yield from _changes(strategy, rule, made)
        strategy = _split(strategy, rule, made)


def _made(strategy: Strategy, rule: SplitRule) -> _Made:
    segment = rule.segment
    new = _unused(f"{segment}_apart", {*strategy.segments, *(row.id for row in strategy.rows)})
    column, cell = rule.fact.name, _cell(rule)
    if rule.least is not None:
        column, cell = _unused(f"{segment}_split", {*strategy.levels, *strategy.facts}), "apart"
    columns = [*strategy.columns]
    if column not in columns:
        columns.append(column)
    rows, added = _rows(strategy, rule, columns.index(column), cell, new)
    return _Made(new, column, columns, rows, added)


def _changes(strategy: Strategy, rule: SplitRule, made: _Made) -> Iterator[Change]:
    segment, folder = rule.segment, strategy.folder
    if rule.least is not None:
        yield Change(
            segment=segment,
            file=f"{folder}/tiers.yaml",
            what="at the end",
            text=(
                f"{made.column}:\n  - {{tier: apart, when: {rule.text}, unknown: skip}}\n"
                "  - {tier: rest, otherwise: true}"
            ),
            whole="",
        )
    text = "\n".join(
        f"  - {{id: {inline(row['id'])}, match: {inline(row['match'])}, segment: {made.new}}}"
        for row in made.added
    )
    what = "above the rows that lead to the segment"
    if len(made.columns) > len(strategy.columns):
        what += "; `any` is the last cell of all other rows"
        text = f"columns: {inline(made.columns)}\n{text}"
    content = {"columns": made.columns, "rows": made.rows}
    yield Change(
        segment=segment,
        file=strategy.segments_file,
        what=what,
        text=text,
        whole=segments_yaml(content, "").content.decode(),
    )
    for path in strategy.paths_of(segment):
        yield Change(
            segment=segment,
            file=f"{folder}/paths.yaml",
            what=f'in the path "{path.name}"',
            text=f"  for: {inline([*path.segments, made.new])}",
            whole="",
        )
    if _examples_lack(strategy, rule.fact):
        yield Change(
            segment=segment,
            file=strategy.examples[0].file,
            what="under `defaults`: a value by which the examples stay as they are",
            text=f"  {rule.fact.name}: {_staying(rule)}",
            whole="",
        )


def _examples_lack(strategy: Strategy, fact: Fact) -> bool:
    """Whether the examples have to give a fact that the strategy did not read before."""
    read = fact.name in strategy.facts or fact.nullable
    return not read and any(fact.name not in example.given for example in strategy.examples)


def _staying(rule: SplitRule) -> str:
    """A value of the fact by which an account is not apart."""
    if rule.least is not None:
        return "0" if rule.least > 0 else f"{rule.least - 1:f}"
    if rule.fact.kind is Kind.BOOLEAN:
        return "false"
    return inline(_unused("other", rule.levels))


def _split(strategy: Strategy, rule: SplitRule, made: _Made) -> Strategy:
    """The strategy with a split, as far as the next one looks at it."""
    scheme = () if rule.least is None else (Scheme(made.column, ()),)
    return replace(
        strategy,
        columns=tuple(made.columns),
        rows=tuple(_row(row) for row in made.rows),
        schemes=(*strategy.schemes, *scheme),
        facts={**strategy.facts, rule.fact.name: rule.fact},
        paths=tuple(
            replace(path, segments=(*path.segments, made.new))
            if rule.segment in path.segments
            else path
            for path in strategy.paths
        ),
    )


def _row(row: Mapping[str, Any]) -> SegmentRow:
    cells = tuple(
        None if cell == "any" else frozenset(cell if isinstance(cell, list) else [cell])
        for cell in row["match"]
    )
    return SegmentRow(id=row["id"], cells=cells, segment=row["segment"], line=None)


def _cell(rule: SplitRule) -> Cell:
    if rule.fact.kind is Kind.BOOLEAN:
        return True
    return [*rule.levels] if len(rule.levels) > 1 else rule.levels[0] if rule.levels else ""


def _rows(
    strategy: Strategy, rule: SplitRule, place: int, cell: Cell, new: str
) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """All rows as they would be, and the new ones among them. A row that leads to the segment has a
    row above it for the part of its accounts that is apart; one of which all are apart leads to the
    new segment itself."""
    rows: list[dict[str, object]] = []
    added: list[dict[str, object]] = []
    ids = {row.id for row in strategy.rows}
    for row in strategy.rows:
        cells = _cells(row)
        cells += ["any"] * (place + 1 - len(cells))
        apart = _narrowed(cells[place], cell) if row.segment == rule.segment else None
        whole = apart is not None and apart == cells[place]
        if apart is not None and not whole:
            row_id = _unused(f"{row.id}_apart", ids)
            ids.add(row_id)
            match = [*cells[:place], apart, *cells[place + 1 :]]
            added.append({"id": row_id, "match": match, "segment": new})
            rows.append(added[-1])
        rows.append({"id": row.id, "match": cells, "segment": new if whole else row.segment})
    return rows, added


def _cells(row: SegmentRow) -> list[Cell]:
    cells: list[Cell] = []
    for cell in row.cells:
        levels = [
            level if isinstance(level, bool) else str(level)
            for level in sorted(cell or (), key=str)
        ]
        cells.append("any" if cell is None else levels[0] if len(levels) == 1 else levels)
    return cells


def _narrowed(cell: Cell, to: Cell) -> Cell | None:
    """The levels of a cell that are among others; None where none is."""
    wanted = to if isinstance(to, list) else [to]
    had = wanted if cell == "any" else cell if isinstance(cell, list) else [cell]
    levels = sorted((level for level in had if level in wanted), key=str)
    return (levels[0] if len(levels) == 1 else levels) if levels else None


def _unused(name: str, used: Collection[str]) -> str:
    """A name that nothing has yet."""
    number = 2
    unused = name
    while unused in used:
        unused, number = f"{name}_{number}", number + 1
    return unused
