"""The first row of a decision table that takes an account, as SQL.

What an account's levels are taken by is a number whose bits are rows, and the lowest bit wins. A
table whose rows fit one number is decided account by account. For a longer one, every combination
of levels that occurs is decided once, from tables of the numbers, and the accounts look it up: the
work grows with the combinations there are, not with rows times accounts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from riskseg.domain.relations import Relation, literal, quoted
from riskseg.rules.model import SegmentRow
from riskseg.strategy.taking import Takers, takers

# Rows a number holds: as many bits of a signed 64-bit integer as leave it positive.
WORD = 62
# Combinations of levels that one table of numbers lists: eight columns make two or three tables.
_MOST_COMBINATIONS = 4_096


def first_row(
    rows: Sequence[SegmentRow], columns: Sequence[str], source: str, name: str, into: str
) -> list[Relation]:
    """Relations from `source` to `name`, which adds the number of the row as the column `into`.

    `columns` are SQL, one a cell; the last row takes everything. Rows count from 1.
    """
    rest = next(n for n, row in enumerate(rows) if all(cell is None for cell in row.cells))
    rows = rows[: rest + 1]  # nothing is left to rows below
    if len(rows) <= WORD:
        return [_at_once(rows, columns, source, name, into)]
    return _by_combination(rows, columns, source, name, into)


def _at_once(
    rows: Sequence[SegmentRow], columns: Sequence[str], source: str, name: str, into: str
) -> Relation:
    every = (1 << len(rows)) - 1
    parts = []
    for i, column in enumerate(columns):
        taking = takers(rows, i)
        if taking.named:
            parts.append(_case(column, taking.named, taking.others))
    bits = quoted("~takers")
    taken = " & ".join(parts) or str(every)
    return Relation(
        name,
        f"select *, {_lowest(bits)} as {into} "
        f"from (select *, cast({taken} as bigint) as {bits} from {source}) t",
    )


def _case(column: str, values: Mapping[str | bool, int], otherwise: int) -> str:
    """A number by level: levels of one number share an arm, unknowns and the rest have none."""
    alike: dict[int, list[str]] = {}
    for level, value in values.items():
        text = literal(level) if isinstance(level, str) else str(level).lower()
        alike.setdefault(value, []).append(text)
    arms = " ".join(f"when {column} in ({', '.join(of)}) then {n}" for n, of in alike.items())
    return f"(case {arms} else {otherwise} end)"


def _lowest(bits: str) -> str:
    """The place of the lowest bit, from 1: what taking 1 away changes is that bit and those below.
    `bits` is not 0."""
    return f"cast(bit_count(xor({bits}, {bits} - 1)) as integer)"


@dataclass(frozen=True)
class _Numbered:
    """A column whose levels have numbers, alike where the same rows take them: `taken[n]` are the
    rows that take the levels of number n. Unknowns, and levels no row names, have 0."""

    sql: str
    taken: tuple[int, ...]

    @classmethod
    def of(cls, column: str, taking: Takers) -> _Numbered:
        numbers = {taking.others: 0}
        for taken in taking.named.values():
            numbers.setdefault(taken, len(numbers))
        named = {level: numbers[taken] for level, taken in taking.named.items()}
        return cls(_case(column, named, 0), tuple(numbers))


def _by_combination(
    rows: Sequence[SegmentRow], columns: Sequence[str], source: str, name: str, into: str
) -> list[Relation]:
    groups = _grouped(
        [
            _Numbered.of(column, taking)
            for i, column in enumerate(columns)
            if (taking := takers(rows, i)).named
        ]
    )
    keys = [quoted(f"~key{g}") for g in range(len(groups))]
    keyed, firsts = f"{name}_keyed", f"{name}_firsts"
    taken = [f"{name}_taken{g}" for g in range(len(groups))]
    packed = ", ".join(
        f"{_packed([c.sql for c in group], group)} as {key}"
        for group, key in zip(groups, keys, strict=True)
    )
    words = range(-(-len(rows) // WORD))
    each = {w: " & ".join(f"t{g}.w{w}" for g in range(len(groups))) for w in words}
    first = " ".join(
        f"when ({b}) <> 0 then {WORD * w} + {_lowest(f'({b})')}" for w, b in each.items()
    )
    joins = " ".join(
        f"join {table} t{g} on t{g}.key = k.{keys[g]}" for g, table in enumerate(taken)
    )
    same = " and ".join(f"f.{key} = k.{key}" for key in keys)
    return [
        Relation(keyed, f"select *, {packed} from {source}", materialized=True),
        *(
            Relation(table, _numbers(group, len(words)), materialized=True)
            for table, group in zip(taken, groups, strict=True)
        ),
        Relation(
            firsts,
            f"select {', '.join(f'k.{key}' for key in keys)}, case {first} end as {into} "
            f"from (select distinct {', '.join(keys)} from {keyed}) k {joins}",
            materialized=True,
        ),
        Relation(name, f"select k.*, f.{into} from {keyed} k join {firsts} f on {same}"),
    ]


def _grouped(columns: Sequence[_Numbered]) -> list[list[_Numbered]]:
    """Columns side by side, as many as keep their combinations few."""
    groups: list[list[_Numbered]] = [[]]
    combinations = 1
    for column in columns:
        if groups[-1] and combinations * len(column.taken) > _MOST_COMBINATIONS:
            groups.append([])
            combinations = 1
        groups[-1].append(column)
        combinations *= len(column.taken)
    return groups


def _packed(numbers: Sequence[str], group: Sequence[_Numbered]) -> str:
    """One number for a combination of the columns' numbers."""
    key = numbers[0]
    for column, number in zip(group[1:], numbers[1:], strict=True):
        key = f"({key} * {len(column.taken)} + {number})"
    return key


def _numbers(group: Sequence[_Numbered], words: int) -> str:
    """A table with a row for each combination: its key, and the rows that take it, in words."""
    named = ", ".join(f"w{w}" for w in range(words))
    mask = (1 << WORD) - 1
    froms = []
    for i, column in enumerate(group):
        values = ", ".join(
            f"({n}, {', '.join(str(taken >> WORD * w & mask) for w in range(words))})"
            for n, taken in enumerate(column.taken)
        )
        froms.append(f"(values {values}) c{i}(n, {named})")
    key = _packed([f"c{i}.n" for i in range(len(group))], group)
    both = ", ".join(
        f"{' & '.join(f'cast(c{i}.w{w} as bigint)' for i in range(len(group)))} as w{w}"
        for w in range(words)
    )
    return f"select {key} as key, {both} from {' cross join '.join(froms)}"
