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
from riskseg.strategy.row_bitmasks import RowBitmasks, row_bitmasks

# Rows a number holds: as many bits of a signed 64-bit integer as leave it positive.
WORD = 62
# Combinations of levels that one table of numbers lists: eight columns make two or three tables.
_MOST_COMBINATIONS = 4_096


def first_matching_row(
    rows: Sequence[SegmentRow], columns: Sequence[str], source: str, name: str, into: str
) -> list[Relation]:
    """Relations from `source` to `name`, which adds the number of the row as the column `into`.

    `columns` are SQL, one a cell; the last row takes everything. Rows count from 1.
    """
    last_index = next(
        index for index, row in enumerate(rows) if all(cell is None for cell in row.cells)
    )
    rows = rows[: last_index + 1]  # nothing is left to rows below
    if len(rows) <= WORD:
        return [_at_once(rows, columns, source, name, into)]
    return _by_combination(rows, columns, source, name, into)


def rows_in_turn(
    rows: Sequence[SegmentRow], columns: Sequence[str], source: str, name: str, into: str
) -> Relation:
    """The same, row after row: for people to read. The work grows with rows times accounts."""
    arms = []
    for number, row in enumerate(rows, start=1):
        cells = [
            f"{column} in ({', '.join(map(_level, sorted(cell, key=str)))})"
            for column, cell in zip(columns, row.cells, strict=True)
            if cell is not None
        ]
        if not cells:
            arms.append(f"else {number}")
            break  # nothing is left to rows below
        arms.append(f"when {' and '.join(cells)} then {number}")
    row_case = f"case {' '.join(arms)} end" if len(arms) > 1 else "1"
    return Relation(name, f"select *, {row_case} as {into} from {source}")


def _level(level: str | bool) -> str:
    return literal(level) if isinstance(level, str) else str(level).lower()


def _at_once(
    rows: Sequence[SegmentRow], columns: Sequence[str], source: str, name: str, into: str
) -> Relation:
    all_rows = (1 << len(rows)) - 1
    bitmasks = []
    for i, column in enumerate(columns):
        bitmask_by_level = row_bitmasks(rows, i)
        if bitmask_by_level.named:
            bitmasks.append(_case(column, bitmask_by_level.named, bitmask_by_level.others))
    bits = quoted("~takers")
    rows_taking = " & ".join(bitmasks) or str(all_rows)
    return Relation(
        name,
        f"select *, {_lowest(bits)} as {into} "
        f"from (select *, cast({rows_taking} as bigint) as {bits} from {source}) t",
    )


def _case(column: str, values: Mapping[str | bool, int], otherwise: int) -> str:
    """A number by level: levels of one number share an arm, unknowns and the rest have none."""
    levels_by_number: dict[int, list[str]] = {}
    for level, value in values.items():
        levels_by_number.setdefault(value, []).append(_level(level))
    arms = " ".join(
        f"when {column} in ({', '.join(level_texts)}) then {number}"
        for number, level_texts in levels_by_number.items()
    )
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
    def of(cls, column: str, taking: RowBitmasks) -> _Numbered:
        number_by_bits = {taking.others: 0}
        for taken in taking.named.values():
            number_by_bits.setdefault(taken, len(number_by_bits))
        number_by_level = {level: number_by_bits[taken] for level, taken in taking.named.items()}
        return cls(_case(column, number_by_level, 0), tuple(number_by_bits))


def _by_combination(
    rows: Sequence[SegmentRow], columns: Sequence[str], source: str, name: str, into: str
) -> list[Relation]:
    groups = _grouped(
        [
            _Numbered.of(column, bitmask_by_level)
            for i, column in enumerate(columns)
            if (bitmask_by_level := row_bitmasks(rows, i)).named
        ]
    )
    key_columns = [quoted(f"~key{group_index}") for group_index in range(len(groups))]
    keyed, first_rows = f"{name}_keyed", f"{name}_firsts"
    group_tables = [f"{name}_taken{group_index}" for group_index in range(len(groups))]
    packed = ", ".join(
        f"{_packed([numbered.sql for numbered in group], group)} as {key}"
        for group, key in zip(groups, key_columns, strict=True)
    )
    word_range = range(-(-len(rows) // WORD))
    bits_of_word = {
        word: " & ".join(f"t{group_index}.w{word}" for group_index in range(len(groups)))
        for word in word_range
    }
    first_row_cases = " ".join(
        f"when ({bits}) <> 0 then {WORD * word} + {_lowest(f'({bits})')}"
        for word, bits in bits_of_word.items()
    )
    joins = " ".join(
        f"join {table} t{group_index} on t{group_index}.key = k.{key_columns[group_index]}"
        for group_index, table in enumerate(group_tables)
    )
    same_keys = " and ".join(f"f.{key} = k.{key}" for key in key_columns)
    return [
        Relation(keyed, f"select *, {packed} from {source}", materialized=True),
        *(
            Relation(table, _numbers(group, len(word_range)), materialized=True)
            for table, group in zip(group_tables, groups, strict=True)
        ),
        Relation(
            first_rows,
            f"select {', '.join(f'k.{key}' for key in key_columns)}, "
            f"case {first_row_cases} end as {into} "
            f"from (select distinct {', '.join(key_columns)} from {keyed}) k {joins}",
            materialized=True,
        ),
        Relation(name, f"select k.*, f.{into} from {keyed} k join {first_rows} f on {same_keys}"),
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
    packed_key = numbers[0]
    for column, number in zip(group[1:], numbers[1:], strict=True):
        packed_key = f"({packed_key} * {len(column.taken)} + {number})"
    return packed_key


def _numbers(group: Sequence[_Numbered], words: int) -> str:
    """A table with a row for each combination: its key, and the rows that take it, in words."""
    word_columns = ", ".join(f"w{word}" for word in range(words))
    mask = (1 << WORD) - 1
    value_lists = []
    for i, column in enumerate(group):
        values_sql = ", ".join(
            f"({number}, {', '.join(str(bits >> WORD * word & mask) for word in range(words))})"
            for number, bits in enumerate(column.taken)
        )
        value_lists.append(f"(values {values_sql}) c{i}(n, {word_columns})")
    combination_key = _packed([f"c{i}.n" for i in range(len(group))], group)
    bits_of_words = ", ".join(
        f"{' & '.join(f'cast(c{i}.w{word} as bigint)' for i in range(len(group)))} as w{word}"
        for word in range(words)
    )
    return (
        f"select {combination_key} as key, {bits_of_words} from {' cross join '.join(value_lists)}"
    )
