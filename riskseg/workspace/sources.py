"""The sources that riskseg.toml names: where each is, and what is said of its columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from riskseg.domain.columns import Column
from riskseg.domain.documents import Document
from riskseg.domain.facts import Kind, folded
from riskseg.domain.problems import Problems, did_you_mean
from riskseg.domain.source_tables import SOURCE_TABLES
from riskseg.workspace.addresses import check_no_password
from riskseg.workspace.authored import DESCRIBED_TABLES, SourceTable, SourceTables, Top
from riskseg.workspace.balances import BALANCES, OUTCOMES, STATUSES, Balances, read_balances
from riskseg.workspace.expectations import ExpectTable
from riskseg.workspace.incremental import IncrementalTable
from riskseg.workspace.layout_tables import LaidOut, laid_out
from riskseg.workspace.overlays import OVERLAYS, overlay_tables
from riskseg.workspace.reading import ReadTable, read_table
from riskseg.workspace.undecided import MARK, undecided_in

FILE = "riskseg.toml"


@dataclass(frozen=True)
class Source:
    """One table of the contract: where it is loaded from and how its columns are named.

    `columns` maps a contract column (or, for accounts and bills, an attribute) to a SQL expression
    over the loaded columns. `levels` maps an attribute to the only texts that it may hold,
    `kinds` to what its values are, `described` to all else that is said of it. `lines` gives the
    line of `from` and of every column in riskseg.toml, `level_lines` those of `levels`.
    `may_lack` are names in `columns` that go where the loaded columns they need are not there.
    `given` is a table of another file than riskseg.toml says: what is said of its columns is about
    those that it has. `laid_out` is the table of a layout that fills the columns which no line of
    riskseg.toml does. `read` is how its files are to be read. `url` is the address of the
    database, as it was written, that `loaded_from` is a table or a select of: None for files.
    `incremental` says how its new and changed rows are found there; its lines are
    `incremental_lines`. `balances` says that it is a table of monthly balances which stands for
    accounts.
    """

    table: str
    loaded_from: str
    columns: Mapping[str, str]
    lines: Mapping[str, int | None] = field(default_factory=dict)
    file: str = FILE
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    may_lack: frozenset[str] = frozenset()
    level_lines: Mapping[str, int | None] = field(default_factory=dict)
    described: Mapping[str, Column] = field(default_factory=dict)
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    given: bool = False
    laid_out: LaidOut | None = None
    read: ReadTable = field(default_factory=ReadTable)
    expect: ExpectTable = field(default_factory=ExpectTable)
    expect_lines: Mapping[str, int | None] = field(default_factory=dict)
    url: str | None = None
    incremental: IncrementalTable | None = None
    incremental_lines: Mapping[str, int | None] = field(default_factory=dict)
    balances: Balances | None = None

    def excuses(self, name: str) -> bool:
        """Whether something may be said of a column that is not there."""
        return self.given or name in self.may_lack


@dataclass(frozen=True)
class Overlay:
    """A table that adds attributes to accounts whose column `on` is its key."""

    source: Source
    on: str


def _check_levels(name: str, values: Sequence[str], line: int | None, problems: Problems) -> None:
    """Add a Problem for a list of levels that is empty or has one twice."""
    if not values:
        problems.add(
            "RS004",
            f'"{name}" has no levels.',
            file=FILE,
            line=line,
            hint="List the texts it may hold, or remove the line: it may then hold any.",
        )
    for twice in sorted(
        {level for position, level in enumerate(values) if level in values[:position]}
    ):
        problems.add(
            "RS202",
            f'The level "{twice}" of "{name}" occurs twice.',
            file=FILE,
            line=line,
            hint="Keep one of them.",
        )


@dataclass
class _Declared:
    """What riskseg.toml says of attributes, by folded name."""

    levels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    level_lines: dict[str, int | None] = field(default_factory=dict)
    described: dict[str, Column] = field(default_factory=dict)
    kinds: dict[str, Kind] = field(default_factory=dict)


def _declared(
    table: str, authored: SourceTable, document: Document, problems: Problems
) -> _Declared:
    """What [source.TABLE] says of its attributes, less what it says twice."""
    declared = _Declared()

    def declare_levels(declared_column: str, values: Sequence[str], *path: str) -> None:
        line = document.line("source", table, *path)
        if folded(declared_column) in declared.levels:
            problems.add(
                "RS202",
                f'The levels of "{folded(declared_column)}" are declared twice.',
                file=FILE,
                line=line,
                hint="Names have no letter case: keep one of them.",
            )
        declared.level_lines[folded(declared_column)] = line
        _check_levels(declared_column, values, line, problems)
        declared.levels[folded(declared_column)] = tuple(values)

    if isinstance(authored.levels, dict):
        for declared_column, values in authored.levels.items():
            declare_levels(declared_column, values, "levels", declared_column)
    if isinstance(authored.columns, dict):
        for declared_column, shape in authored.columns.items():
            path = ("source", table, "columns", declared_column)
            if folded(declared_column) in declared.described:
                problems.add(
                    "RS202",
                    f'The column "{folded(declared_column)}" is declared twice.',
                    hint="Names have no letter case: keep one of them.",
                    **document.at(*path),
                )
            declared.described[folded(declared_column)] = Column(shape, document, path)
            if shape.kind is not None:
                declared.kinds[folded(declared_column)] = shape.kind
            if shape.levels is not None:
                declare_levels(declared_column, shape.levels, "columns", declared_column, "levels")
    return declared


def _texts(
    table: str, authored: SourceTable, document: Document, problems: Problems
) -> dict[str, str]:
    """What is written as a text: `from`, and the expressions. Tables that do not belong here are
    Problems."""
    text_by_key: dict[str, str] = {}
    for key in authored.model_fields_set:
        key_value = getattr(authored, key)
        if isinstance(key_value, str):
            text_by_key[key] = key_value
        elif table == BALANCES and key in (STATUSES, OUTCOMES):
            continue
        elif key not in ("read", "expect", "incremental") and (
            table not in DESCRIBED_TABLES or key not in ("levels", "columns")
        ):
            problems.add(
                "RS003",
                f'"{key}" is not a table that belongs in [source.{table}].',
                hint="Attributes of accounts and bills are declared in "
                "[source.accounts.columns.NAME] and [source.bills.columns.NAME].",
                **document.at("source", table, key),
            )
    return text_by_key


# What a source whose rows are in files, in a workspace that reads a database, says as its `url`.
FILES = "files"


def _url(written: str | None, at: dict[str, Any], problems: Problems) -> str | None:
    """The address of the database that a source is read from; None where it is read from files."""
    if written is None or written == FILES:
        return None
    if not re.match(r"[\w+.]+://|\$\{\w+\}", written):
        problems.add(
            "RS004",
            f'`url` cannot be "{written}": it is not the address of a database.',
            hint="Write it as dialect+driver://user:${NAME}@host/database; "
            f'`url = "{FILES}"` has the source read from files.',
            **at,
        )
    check_no_password(written, at, problems)
    return written


def _incremental(
    table: str, authored: SourceTable, url: str | None, document: Document, problems: Problems
) -> IncrementalTable | None:
    """How new and changed rows of a source are found. RS004 is added for one that is in files."""
    incremental = authored.incremental
    if not isinstance(incremental, IncrementalTable):
        return None
    if url is None:
        problems.add(
            "RS004",
            f"{table} is read from files, and only the rows of a database are read incrementally.",
            hint=f"Remove [source.{table}.incremental]: files that have not changed are not read "
            "again.",
            **document.at("source", table, "incremental"),
        )
        return None
    return incremental


def read_overlays(top: Top, document: Document, problems: Problems) -> dict[str, Overlay]:
    written = document.data.get("source", {}).get(OVERLAYS, {})
    listed = {"accounts", BALANCES} & top.source.tables.keys()
    if written and not listed and top.source.layout is None:
        problems.add(
            "RS005",
            "There are overlays, but no accounts that they could add attributes to.",
            hint="Add a [source.accounts].",
            **document.at("source", OVERLAYS),
        )
    return {
        name: Overlay(
            Source(
                f"{OVERLAYS}.{name}",
                loaded_from,
                MappingProxyType(columns),
                {
                    **{key: document.line("source", OVERLAYS, name, key) for key in written[name]},
                    "key": document.line("source", OVERLAYS, name, "on"),
                },
                read=read_table(written[name], document, ("source", OVERLAYS, name), problems),
                url=_url(
                    written[name].get("url"),
                    document.at("source", OVERLAYS, name, "url"),
                    problems,
                ),
            ),
            on,
        )
        for name, loaded_from, on, columns in overlay_tables(written, document, problems)
    }


def take_away_unknown(document: Document, problems: Problems) -> None:
    """Take away what [source] has beside its keys and tables, and add a Problem for each."""
    source = document.data.get("source")
    known = SourceTables.model_fields
    for key in [*source] if isinstance(source, dict) else []:
        if key not in known and not isinstance(source[key], dict):
            problems.add(
                "RS003",
                f'"{key}" is not a key of [source], and no table of its own.',
                hint=did_you_mean(key, [*known, *(f"source.{table}" for table in SOURCE_TABLES)]),
                **document.at("source", key),
            )
            del source[key]


def _observed_by_balances(
    sources: Mapping[str, Source], document: Document, problems: Problems
) -> dict[str, Source]:
    """Balances as the source of accounts, which they stand in place of."""
    balances = read_balances(document.data["source"].get(BALANCES, {}), document, problems)
    others = [table for table in sources if table not in (BALANCES, "events")]
    if others:
        problems.add(
            "RS004",
            f"Balances stand in place of {' and '.join(others)}, which this workspace has too.",
            hint="With bills, compare the balances: `riskseg ageing --tie-to`. Attributes of "
            'accounts can be an overlay: [source.overlays.accounts] with `on = "account_id"`.',
            **document.at("source", BALANCES),
        )
    accounts = replace(sources[BALANCES], table="accounts", balances=balances)
    return {"accounts": accounts, **{t: s for t, s in sources.items() if t == "events"}}


def read_sources(top: Top, document: Document, root: Path, problems: Problems) -> dict[str, Source]:
    sources: dict[str, Source] = {}
    authored_tables = top.source.tables
    layout_tables = laid_out(
        top.source.layout,
        top.source.folder,
        root,
        document,
        problems,
        database=top.source.url is not None,
        by_hand=frozenset(authored_tables),
    )
    supplied = {
        table: SourceTable()
        for table, table_of_layout in layout_tables.items()
        if table not in authored_tables and table_of_layout.loaded_from is not None
    }
    for table, authored in {**authored_tables, **supplied}.items():
        if table == OVERLAYS:
            continue
        if table not in (*SOURCE_TABLES, BALANCES):
            problems.add(
                "RS003",
                f'There is no source table "{table}".',
                file=FILE,
                line=document.line("source", table),
                hint=did_you_mean(table, SOURCE_TABLES),
            )
            continue
        written_table = document.data["source"].get(table, {})
        table_of_layout = layout_tables.get(table)
        supplied_from = table_of_layout.loaded_from if table_of_layout is not None else None
        if "from" not in written_table and supplied_from is None:
            problems.add(
                "RS005",
                f'"from" is missing: [source.{table}] does not say where its rows are.',
                file=FILE,
                line=document.line("source", table),
                hint=_proposed(root, table) or 'Add `from = "a file, a glob, or a select"`.',
            )
            continue
        line_by_key = {
            table_key: document.line("source", table, table_key)
            for table_key in (*written_table, "from")
        } | {"url": document.line("source", *([table] if "url" in written_table else []), "url")}
        table_texts = _texts(table, authored, document, problems)
        described = table in DESCRIBED_TABLES
        declared = _declared(table, authored, document, problems) if described else _Declared()
        mapped_columns = {
            table_key: table_texts[table_key]
            for table_key in written_table
            if table_key not in ("from", "url") and table_key in table_texts
        }
        url_at = document.at("source", *([table] if "url" in written_table else []), "url")
        url = _url(table_texts.get("url", top.source.url), url_at, problems)
        sources[table] = Source(
            table,
            table_texts.get("from", supplied_from or ""),
            MappingProxyType(mapped_columns),
            line_by_key,
            levels=declared.levels,
            level_lines=declared.level_lines,
            described=declared.described,
            kinds=declared.kinds,
            laid_out=table_of_layout,
            read=authored.read if isinstance(authored.read, ReadTable) else ReadTable(),
            expect=authored.expect if isinstance(authored.expect, ExpectTable) else ExpectTable(),
            expect_lines={
                key: document.line("source", table, "expect", key)
                for key in ExpectTable.model_fields
            },
            url=url,
            incremental=_incremental(table, authored, url, document, problems),
            incremental_lines={
                key: document.line("source", table, "incremental", key)
                for key in IncrementalTable.model_fields
            },
        )
    if BALANCES in sources:
        sources = _observed_by_balances(sources, document, problems)
    if not sources and not problems:
        problems.add(
            "RS005",
            "No source is named: riskseg needs bills and payments, or accounts.",
            file=FILE,
            line=document.line("source"),
            hint=_proposed(root)
            or "Add a [source.bills] and a [source.payments], or a [source.accounts].",
        )
    return sources


def _proposed(root: Path, table: str | None = None) -> str:
    """Which lines propose where the rows of a table are, or which tables to read, and are not
    decided; empty where none do."""
    lines = [
        str(point.line)
        for point in undecided_in(root)
        if (point.table == table and point.column == "from") or (table is None and not point.column)
    ]
    if not lines:
        return ""
    where = f"line {lines[0]}" if len(lines) == 1 else f"lines {', '.join(lines)}"
    return (
        f"`riskseg init --from` proposed it on {where} and was not sure: take the mark `{MARK}` "
        "away where it is right."
    )
