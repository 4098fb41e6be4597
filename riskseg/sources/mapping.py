"""Which source expression fills which column of the contract.

Names are folded here, once: from here on an attribute has one spelling, whatever letter case its
header or its line in riskseg.toml is in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from riskseg.domain.facts import folded
from riskseg.domain.problems import Problems, did_you_mean
from riskseg.domain.relations import quoted
from riskseg.layouts.columns import plain
from riskseg.ledger.contract import Attributes, Table, contract_of

# How alike two names are, from 0 to 1, where the one is likely the other with a typing error.
NEARLY = 0.85


@dataclass(frozen=True)
class Given:
    """A line of riskseg.toml: the name as written, the expression, the columns that it reads (by
    folded name), and whether it is a bare one of them."""

    written: str
    expression: str
    reads: frozenset[str]
    is_column: bool

    @property
    def sql(self) -> str:
        # A comment at its end would take the bracket with it.
        return f"({self.expression}\n)"


def check_headers(
    table: str, names: Iterable[str], file: str, line: int | None, problems: Problems
) -> None:
    """Add a Problem for columns of a source whose names are one name to riskseg."""
    spellings = defaultdict(list)
    for header_name in names:
        spellings[folded(header_name)].append(f'"{header_name}"')
    for same_name in spellings.values():
        if len(same_name) > 1:
            problems.add(
                "RS011",
                f"{table} has columns with the same name: {' and '.join(same_name)}.",
                file=file,
                line=line,
                hint="Names have no letter case: rename one at the source, or select others.",
            )


def resolve(
    table: str,
    given: Mapping[str, Given],
    lines: Mapping[str, int | None],
    found_headers: Iterable[str],
    file: str,
    problems: Problems,
    *,
    index: Collection[str] = (),
    named: Collection[str] = (),
) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """Expressions by contract column, and by attribute; attributes as they are written. Misfits
    are added as Problems.

    A column that is not mapped is taken under its own name where the source has it. As an
    attribute it is where the table takes all but the columns in `index`, which only number the rows
    of a file, or else is one of `named`.
    """
    contract = contract_of(table)
    headers = {folded(resolved_name): resolved_name for resolved_name in found_headers}
    columns: dict[str, str] = {}
    attributes: dict[str, str] = {}
    written_names: dict[str, str] = {}
    for resolved_name, line_given in given.items():
        if contract.column(resolved_name):
            columns[resolved_name] = line_given.sql
        elif _may_be_attribute(contract, resolved_name):
            attributes[resolved_name] = line_given.sql
            written_names[resolved_name] = line_given.written
        else:
            problems.add(
                "RS003",
                f'"{line_given.written}" is not a column of {table}.',
                file=file,
                line=lines.get(line_given.written),
                hint=did_you_mean(resolved_name, (column_.name for column_ in contract.columns)),
            )
    read = {
        name for line_given in given.values() if line_given.is_column for name in line_given.reads
    }
    by_letters = {plain(name): name for name in reversed([*headers]) if name not in read}
    for column in contract.columns:
        if column.name in columns:
            continue
        aliases = (by_letters[plain(n)] for n in column.aliases if plain(n) in by_letters)
        spelling = column.name if column.name in headers else next(aliases, None)
        if spelling is not None:
            columns[column.name] = quoted(headers[spelling])
        elif column.needed:
            close_match = did_you_mean(column.name, headers.values())
            problems.add(
                "RS005",
                f"{table} needs {column.name}, and its source has no column of that name.",
                file=file,
                line=lines.get("from"),
                hint=f'Add `{column.name} = "…"` under [source.{table}]. {close_match}'.strip(),
            )
    if contract.attributes is not Attributes.NONE:
        # A line that merely renames a column takes it away under its old name.
        renamed = {
            resolved_name
            for line_given in given.values()
            if line_given.is_column
            for resolved_name in line_given.reads
        }
        for resolved_name, header in headers.items():
            is_taken = (
                resolved_name in renamed or resolved_name in attributes or resolved_name in columns
            )
            is_attribute = (
                resolved_name in named if contract.attributes is Attributes.NAMED else True
            )
            if is_attribute and not is_taken and header not in index:
                attributes[resolved_name] = quoted(header)
                written_names[resolved_name] = header
    return columns, attributes, written_names


def _may_be_attribute(contract: Table, name: str) -> bool:
    """Whether a line of riskseg.toml can be meant for an attribute. Where a table has few, a name
    that is nearly one of its columns is a misspelt one."""
    if contract.attributes is Attributes.NAMED:
        contract_columns = [column.name for column in contract.columns]
        return bool(name) and not get_close_matches(name, contract_columns, cutoff=NEARLY)
    return contract.attributes is Attributes.ALL and bool(name)


def check_hidden(
    table: str,
    given: Mapping[str, Given],
    lines: Mapping[str, int | None],
    found_headers: Iterable[str],
    file: str,
    problems: Problems,
) -> None:
    """Add a Problem for each column of a source with attributes that nothing can name any more: a
    line of riskseg.toml gives its name to something else, and none reads it."""
    if contract_of(table).attributes is not Attributes.ALL:
        return
    reads = {hidden_name for line_given in given.values() for hidden_name in line_given.reads}
    for header in found_headers:
        hidden_name = folded(header)
        if hidden_name in given and hidden_name not in reads:
            line_given = given[hidden_name]
            problems.add(
                "RS011",
                f'"{line_given.written}" is taken from `{line_given.expression}`, and {table} '
                f'has a column "{header}" too, which could no longer be named.',
                file=file,
                line=lines.get(line_given.written),
                hint=f"Give the other a name of its own: `NAME = '{quoted(header)}'`.",
            )
