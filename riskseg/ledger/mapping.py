"""Which source expression fills which column of the contract."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from riskseg.domain.problems import Problems, did_you_mean
from riskseg.ledger.contract import CONTRACT, Table

_TYPES = {"VARCHAR", "BOOLEAN", "DATE", "DOUBLE", "FLOAT"}


@dataclass(frozen=True)
class Mapped:
    """A source whose columns are found: SQL expressions by contract column, attributes apart.

    `relation` is what stands after FROM. `types` are engine types of every expression.
    """

    table: Table
    file: str
    relation: str
    columns: Mapping[str, str]
    attributes: Mapping[str, str]
    types: Mapping[str, str]
    loaded_from: str

    def has(self, column: str) -> bool:
        return column in self.columns


def relation(loaded_from: str, is_select: bool) -> str:
    """The FROM item for a `from`: a select, or a file or glob by its ending.

    CSV is read as text throughout, so that an id keeps its leading zeros and every value is
    checked against the contract rather than guessed at.
    """
    if is_select:
        return f"({loaded_from.strip().rstrip(';')})"
    quoted = "'" + loaded_from.replace("'", "''") + "'"
    if re.search(r"\.parquet$|\.pq$", loaded_from, re.IGNORECASE):
        return f"read_parquet({quoted})"
    if re.search(r"\.(csv|tsv|txt)(\.gz)?$", loaded_from, re.IGNORECASE):
        return f"read_csv({quoted}, all_varchar = true, header = true)"
    return ""


def resolve(
    table: str,
    given: Mapping[str, str],
    lines: Mapping[str, int | None],
    found: Iterable[str],
    file: str,
    problems: Problems,
) -> tuple[dict[str, str], dict[str, str]]:
    """Expressions by contract column, and by attribute; misfits are added as Problems.

    A column that is not mapped is taken under its own name where the source has it.
    """
    contract = CONTRACT[table]
    names = list(found)
    columns: dict[str, str] = {}
    attributes: dict[str, str] = {}
    for name, expression in given.items():
        if contract.column(name):
            columns[name] = expression
        elif contract.attributes:
            attributes[name] = expression
        else:
            problems.add(
                "RS003",
                f'"{name}" is not a column of {table}.',
                file=file,
                line=lines.get(name),
                mend=did_you_mean(name, (c.name for c in contract.columns)),
            )
    for column in contract.columns:
        if column.name in columns:
            continue
        if column.name in names:
            columns[column.name] = f'"{column.name}"'
        elif column.needed:
            close = did_you_mean(column.name, names)
            problems.add(
                "RS005",
                f"{table} needs {column.name}, and its source has no column of that name.",
                file=file,
                line=lines.get("from"),
                mend=f'Add `{column.name} = "…"` under [source.{table}]. {close}'.strip(),
            )
    if contract.attributes:
        # A line that merely renames a column takes it away under its old name.
        renamed = {**columns, **attributes}
        used = {text.strip().strip('"') for text in renamed.values()}
        for name in names:
            if name not in used and name not in attributes and name not in columns:
                attributes[name] = f'"{name}"'
    return columns, attributes
