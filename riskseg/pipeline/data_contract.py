"""The data contract of the sources, as the Open Data Contract Standard (ODCS) writes it.

It says to whoever delivers the data what riskseg relies on: the columns that it reads and what each
must hold. It is made of the contract of `ledger/` and the mapping, and says nothing of today's
rows, so that it changes when one of these does.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from riskseg.domain.column_types import ColumnType
from riskseg.ledger.contract import Column, Holds, Table
from riskseg.ledger.mapping import Mapped
from riskseg.workspace import Source
from riskseg.workspace.expectations import Bounds, ExpectTable, bounds

# The version of the standard that is written. What is written is in every version 3.
STANDARD = "v3.1.0"

_TEXT = re.compile(r"\.(csv|tsv|txt)(\.gz)?$", re.IGNORECASE)
_LOGICAL = {Holds.ID: "string", Holds.WORD: "string", Holds.DATE: "date", Holds.MONEY: "number"}
_LOGICAL_OF_FAMILY = {
    "boolean": "boolean",
    "integer": "integer",
    "unsigned": "integer",
    "decimal": "number",
    "float": "number",
    "date": "date",
    "timestamp": "date",
}


def data_contract(
    name: str,
    version: str,
    sources: Mapping[str, Mapped],
    authored: Mapping[str, Source],
    currency: str,
) -> Any:
    """The contract as plain data, in the order in which the standard shows it. `authored` is what
    riskseg.toml says of the sources: how their files are written, and what is expected of them."""
    return {
        "apiVersion": STANDARD,
        "kind": "DataContract",
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"riskseg:{name}")),
        "name": name,
        "version": version,
        "status": "active",
        "description": {
            "purpose": "What riskseg reads to segment accounts for credit and collections.",
            "usage": "Each row is checked when it is read. One that breaks a rule is set aside "
            "with its reason, and its account is marked.",
            "limitations": f"Amounts are in {currency}.",
        },
        "schema": [
            _object(mapped.observes or mapped, authored[table]) for table, mapped in sources.items()
        ],
    }


def _object(source: Mapped, authored: Source) -> dict[str, Any]:
    table = source.table
    properties = [_property(source, column) for column in table.columns if source.has(column.name)]
    properties += [_attribute(source, name) for name in source.attributes]
    described: dict[str, Any] = {
        "name": table.name,
        "physicalName": source.loaded_from,
        "logicalType": "object",
        "properties": properties,
    }
    if quality := [*_rules(source), *_expected(authored.expect)]:
        described["quality"] = quality
    if form := _form(authored):
        described["customProperties"] = [
            {"property": name, "value": value} for name, value in form.items()
        ]
    return described


def _form(source: Source) -> dict[str, str | int]:
    """How the files of a source are written, where they are texts or sheets."""
    if source.url is not None:
        return {}
    stated: dict[str, str | int | None] = {
        "encoding": source.read.encoding or ("utf-8" if _TEXT.search(source.loaded_from) else None),
        "delimiter": source.read.delimiter,
        "quote": source.read.quote,
        "header_row": source.read.header_row,
        "footer_rows": source.read.footer_rows or None,
        "sheet": source.read.sheet,
    }
    return {name: value for name, value in stated.items() if value is not None}


def _expected(expect: ExpectTable) -> Iterator[dict[str, str]]:
    """What `[source.TABLE.expect]` says of each delivery."""
    if expect.newest is not None:
        description = f"The newest row is no more than {expect.newest} old on the day of the run."
        yield _rule(description, "timeliness")
    for measured, text in (("number of rows", expect.rows), ("sum of amounts", expect.sum)):
        if text is not None:
            yield _rule(f"The {measured} is {_within(bounds(text))}.", "completeness")


def _within(bound: Bounds) -> str:
    of = " times that of earlier runs" if bound.relative else ""
    if bound.least is None or bound.most is None:
        side = "at most" if bound.least is None else "at least"
        return f"{side} {bound.most if bound.least is None else bound.least}{of}"
    return f"from {bound.least} to {bound.most}{of}"


def _property(source: Mapped, column: Column) -> dict[str, Any]:
    described: dict[str, Any] = {"name": column.name}
    described |= _origin(source.columns[column.name])
    described |= {
        "logicalType": _LOGICAL[column.holds],
        "physicalType": str(source.types[column.name]),
        "description": _holds(column),
        "required": column.needed,
    }
    key = [name for name in source.table.key if source.has(name)]
    if column.name in key and _is_key(source.table, key):
        described |= {"primaryKey": True, "primaryKeyPosition": key.index(column.name) + 1}
    if column.words and source.table.name != "bills":
        words = ", ".join(column.words)
        described["quality"] = [_rule(f"It is one of: {words}.", "conformity")]
    return described


def _attribute(source: Mapped, name: str) -> dict[str, Any]:
    type_: ColumnType = source.types[name]
    return {
        "name": name,
        **_origin(source.attributes[name]),
        "logicalType": _LOGICAL_OF_FAMILY.get(type_.family, "string"),
        "physicalType": str(type_),
        "description": "An attribute that rules and models may use.",
        "required": False,
    }


def _origin(expression: str) -> dict[str, str]:
    """The column of the source that something is, or how it is made of its columns."""
    written = expression.strip()
    inner = re.fullmatch(r"cast\((.*) as \w+(?:\(\d+, \d+\))?\)", written, re.DOTALL)
    written = (inner[1] if inner else written).strip()
    bracketed = re.fullmatch(r"\((.*)\)", written, re.DOTALL)
    written = (bracketed[1] if bracketed else written).strip()
    quoted_name = re.fullmatch(r'"((?:[^"]|"")+)"', written)
    if quoted_name:
        return {"physicalName": quoted_name[1].replace('""', '"')}
    if re.fullmatch(r"\w+", written):
        return {"physicalName": written}
    return {"transformLogic": written}


def _is_key(table: Table, key: list[str]) -> bool:
    """Whether the mapped columns of a key tell its rows apart."""
    return len(key) > 1 or table.name == "accounts"


def _holds(column: Column) -> str:
    said = {
        Holds.ID: "An id, kept as text.",
        Holds.DATE: "A day.",
        Holds.MONEY: "An amount of money.",
        Holds.WORD: "A word.",
    }[column.holds]
    if column.holds is Holds.MONEY:
        said += " A negative one is a credit." if column.negative else " It is not negative."
    return said


def _rules(source: Mapped) -> Iterator[dict[str, str]]:
    """What must hold of the rows of a table together."""
    table = source.table
    key = [name for name in table.key if source.has(name)]
    if _is_key(table, key):
        yield _rule(f"No two rows have the same {' and '.join(key)}.", "uniqueness")
    for earlier, later in table.order:
        if source.has(earlier) and source.has(later):
            yield _rule(f"{later} is not before {earlier}.", "consistency")


def _rule(description: str, dimension: str) -> dict[str, str]:
    return {"type": "text", "description": description, "dimension": dimension}
