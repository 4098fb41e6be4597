"""The sources riskseg.toml names: found, described by the engine, mapped to the contract."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from riskseg.domain.column_types import ColumnType
from riskseg.domain.facts import Kind, folded
from riskseg.domain.problems import Problems, ProblemsError, did_you_mean
from riskseg.domain.relations import quoted
from riskseg.engine import DuplicateColumnsError, Engine, EngineError
from riskseg.ledger.contract import BALANCES, CONTRACT, Attributes, Holds, contract_of
from riskseg.ledger.days import ZONE_HINT
from riskseg.ledger.mapping import Mapped
from riskseg.sources.balances import observed_accounts
from riskseg.sources.database_connections import Connections
from riskseg.sources.files import all_forms
from riskseg.sources.laid_out import with_layout
from riskseg.sources.mapping import Given, check_headers, check_hidden, resolve
from riskseg.sources.mapping_lines import given_lines, with_quotes
from riskseg.sources.reader import open_source
from riskseg.sources.sql_text import NotAllowedError
from riskseg.sources.unused import unused_columns
from riskseg.workspace import Source, Workspace

if TYPE_CHECKING:
    from riskseg.sources.extracts import Extracts


# What reads the rows of a source that was mapped, and says of which time they are.
_Read = Callable[[Mapped], Mapped]


def extracts_of(engine: Engine, sources: Iterable[Source]) -> Extracts | None:
    """Where the rows of those sources are kept that are in databases; None where none is, or
    nothing may be kept."""
    if all(source.url is None for source in sources):
        return None
    # Parquet is written where a source is in a database, and not before.
    from riskseg.sources.extracts import Extracts

    return Extracts.of(engine)


def map_sources(
    engine: Engine, workspace: Workspace, problems: Problems
) -> dict[str, Mapped] | None:
    """Each source of the workspace, mapped; or None after adding Problems."""
    sources = workspace.settings.sources
    problems_before = len(problems)
    if "payments" in sources and "bills" not in sources:
        problems.add(
            "RS005",
            "There are payments, but no bills that they could pay.",
            file="riskseg.toml",
            line=sources["payments"].lines.get("from"),
            hint="Add a [source.bills].",
        )
    mapped_sources = {}
    with Connections(workspace.root, extracts_of(engine, sources.values())) as connections:
        readings = {}
        for contract_table in CONTRACT:
            if contract_table in sources:
                source = sources[contract_table]
                observed = source.balances is not None
                asked = replace(source, table=BALANCES.name) if observed else source
                mapping = _map_one(engine, workspace, asked, connections, problems)
                if observed and mapping is not None:
                    mapping = _observed(engine, source, mapping, problems)
                if mapping is not None:
                    mapped_sources[contract_table], readings[contract_table] = mapping
        if len(problems) > problems_before:
            return None
        try:
            # Only now is it worth reading what may be many rows.
            for contract_table, read in readings.items():
                mapped_sources[contract_table] = read(mapped_sources[contract_table])
        except ProblemsError as error:
            problems.extend(error.problems)
            return None
    return mapped_sources


def _observed(
    engine: Engine,
    source: Source,
    mapping: tuple[Mapped, _Read],
    problems: Problems,
) -> tuple[Mapped, _Read] | None:
    """A table of balances, which is read at once, as the accounts that it observes."""
    balances, read = mapping
    try:
        balances = read(balances)
    except ProblemsError as error:
        problems.extend(error.problems)
        return None
    accounts = observed_accounts(engine, source, balances, problems)
    return None if accounts is None else (accounts, lambda mapped: mapped)


def map_one(
    engine: Engine, workspace: Workspace, source: Source, problems: Problems
) -> Mapped | None:
    """One source that is no table of the contract, mapped and read; or None after adding
    Problems."""
    with Connections(workspace.root) as connections:
        mapping = _map_one(engine, workspace, source, connections, problems)
        if mapping is None:
            return None
        mapped, read = mapping
        try:
            return read(mapped)
        except ProblemsError as error:
            problems.extend(error.problems)
            return None


def _map_one(
    engine: Engine,
    workspace: Workspace,
    source: Source,
    connections: Connections,
    problems: Problems,
) -> tuple[Mapped, _Read] | None:
    """A source, mapped, and what reads its rows; or None after adding Problems."""
    problems_before = len(problems)
    file, line = source.file, source.lines.get("from")
    try:
        reader = open_source(source, workspace.root)
    except NotAllowedError as error:
        problems.add("RS006", f"{error}.", file=file, line=line, hint=f"Name {all_forms()}.")
        return None
    if not reader.check(problems) or not reader.prepare(engine, problems):
        return None
    try:
        reader.connect(connections)
        headers = reader.describe(engine)
    except ProblemsError as error:
        problems.extend(error.problems)
        return None
    except EngineError as error:
        message = f"{source.table} cannot be loaded: {error.reason}."
        problems.add("RS006", message, file=file, line=line)
        return None
    except DuplicateColumnsError as error:
        check_headers(source.table, error.names, file, line, problems)
        return None
    check_headers(source.table, reader.headers(engine, headers), file, line, problems)
    source, where = with_layout(source, headers)
    mapping_lines = given_lines(source, headers, problems)
    if len(problems) > problems_before:
        return None
    header_names = {folded(mapped_column) for mapped_column in headers}
    lacking_names = {
        mapped_column for mapped_column in source.may_lack if mapped_column in mapping_lines
    }
    mapping_lines = {
        mapped_column: line_given
        for mapped_column, line_given in mapping_lines.items()
        if mapped_column not in lacking_names or line_given.reads <= header_names
    }
    index_columns = (
        reader.index_columns(engine, headers)
        if contract_of(source.table).attributes is Attributes.ALL
        else set()
    )
    columns, attributes, written = resolve(
        source.table,
        mapping_lines,
        source.lines,
        headers,
        file,
        problems,
        index=index_columns,
        named={*source.levels, *source.described},
    )
    relation = reader.relation(engine)
    if where is not None:
        relation = f"(select * from {relation} where {where})"
    types = _types(
        engine, relation, {**columns, **attributes}, mapping_lines, source, headers, problems
    )
    for name in columns.keys() & types.keys():
        column = contract_of(source.table).column(name)
        if column is not None and column.holds is Holds.ID and types[name].scale:
            # A number that a database keeps with decimals is the same id without them.
            columns[name] = f"rtrim(rtrim(cast({columns[name]} as varchar), '0'), '.')"
            types[name] = ColumnType("text")
    declared = {name: source.kinds[name] for name in attributes if name in source.kinds}
    if workspace.settings.timezone is None:
        _check_no_zone(source, columns, attributes, types, problems)
    if {"valid_from", "observed_on"} <= columns.keys():
        both_dates = (
            "accounts have both valid_from and observed_on; each says from when a row holds."
        )
        hint = "Keep one of them: rename the other, for instance `other = 'valid_from'`."
        problems.add("RS011", both_dates, file=file, line=line, hint=hint)
    if len(problems) == problems_before:  # a column that nothing reads may be one that was misspelt
        check_hidden(source.table, mapping_lines, source.lines, headers, file, problems)
    if len(problems) > problems_before:
        return None
    incremental = source.incremental.columns if source.incremental is not None else []
    mapped = Mapped(
        contract_of(source.table),
        file,
        relation,
        columns,
        {
            mapped_column: f"cast({expression} as varchar)"
            if mapped_column in declared
            else _as_attribute(expression, types[mapped_column])
            for mapped_column, expression in attributes.items()
        },
        types | {name: _TYPES_OF_KINDS[kind] for name, kind in declared.items()},
        reader.place,
        written,
        source.lines,
        # Of the rows that a layout picks out, the numbers are not those of the file.
        reader.locate if where is None else None,
        declared,
        workspace.settings.timezone,
        reader.rows_in_files if where is None else None,
        tuple(reader.notes()),
        unused_columns(
            source.table,
            mapping_lines.values(),
            columns,
            [*attributes, *index_columns, *incremental],
            headers,
        ),
        converted={
            name: _text_read(mapping_lines[name], headers)
            for name in [*columns, *attributes]
            if name in mapping_lines and not mapping_lines[name].is_column
        },
    )
    # What the condition of a layout reads is not looked into: it may be any column.
    used = None if where is not None else _used(mapping_lines, headers, [*columns, *attributes])

    def read(mapped: Mapped) -> Mapped:
        reader.read(engine, used)
        form = source.read.model_dump_json(exclude_defaults=True)
        # Copies of files are not called as these are: which file it is that a source reads.
        made_of = (form, source.loaded_from, *reader.made_of)
        return replace(mapped, made_of=made_of, read_notes=reader.read_notes)

    return mapped, read


def _text_read(line: Given, headers: Iterable[str]) -> str:
    """SQL of the text that an expression reads, its columns separated by blanks."""
    read = [header for header in headers if folded(header) in line.reads]
    return f"concat_ws(' ', {', '.join(map(quoted, read))})" if read else "''"


def _used(
    given: Mapping[str, Given], headers: Iterable[str], names: Iterable[str]
) -> frozenset[str]:
    """The columns of a source, by folded name, that are read under these names."""
    by_line = {column for name in names if name in given for column in given[name].reads}
    return frozenset(by_line | ({folded(name) for name in names} & set(map(folded, headers))))


def _check_no_zone(
    source: Source,
    columns: Mapping[str, str],
    attributes: Mapping[str, str],
    types: Mapping[str, ColumnType],
    problems: Problems,
) -> None:
    """Add RS017 for each instant of which the day is wanted, in a workspace without a zone."""
    contract = contract_of(source.table)
    for name in [*columns, *attributes]:
        column = contract.column(name) if name in columns else None
        is_day = column is None or column.holds is Holds.DATE
        if is_day and name in types and types[name].zoned:
            problems.add(
                "RS017",
                f"{name} of {source.table} is a time with a zone, and its day depends on where "
                "one is.",
                file=source.file,
                line=source.lines.get(name) or source.lines.get("from"),
                hint=ZONE_HINT,
            )


def attributes_named(source: Source | None) -> set[str]:
    """The attributes that riskseg.toml names of a source, by folded name, whether there or not."""
    if source is None:
        return set()
    named_attributes = {*map(folded, source.columns), *source.levels, *source.described}
    return {
        attribute_name
        for attribute_name in named_attributes
        if contract_of(source.table).column(attribute_name) is None
    }


def _types(
    engine: Engine,
    from_: str,
    expressions: Mapping[str, str],
    given: Mapping[str, Given],
    source: Source,
    headers: Mapping[str, ColumnType],
    problems: Problems,
) -> dict[str, ColumnType]:
    """The type of each expression; a Problem for each that does not work."""
    own_prefix = "=" * (1 + max(map(len, headers), default=0))  # no column is called so
    from_ = _without_rows(headers, given) or from_
    selected = "".join(
        f", {expression} as {quoted(f'{own_prefix}{i}')}"
        for i, expression in enumerate(expressions.values())
    )
    try:
        # Beside all columns, so that a sum over the rows, which would leave one, is refused.
        types_together = engine.columns(f"(select *{selected} from {from_})")
        return {
            typed_name: types_together[f"{own_prefix}{i}"]
            for i, typed_name in enumerate(expressions)
        }
    except EngineError:
        pass  # one of them at least: which, and why, each has to be asked alone
    types: dict[str, ColumnType] = {}
    for typed_name, expression in expressions.items():
        try:
            types_alone = engine.columns(
                f"(select *, {expression} as {quoted(own_prefix)} from {from_})"
            )
            types[typed_name] = types_alone[own_prefix]
        except EngineError as error:
            expression_text = given[typed_name].expression if typed_name in given else expression
            unknown_column = re.search(r'Referenced column "(.+?)" not found', str(error))
            reason = f'there is no column "{unknown_column[1]}"' if unknown_column else error.reason
            if "GROUP BY" in reason:
                reason = "it combines several rows, and each row is mapped by itself"
            problems.add(
                "RS007",
                f'"{expression_text}" does not work on the columns of {source.table}: {reason}.',
                file=source.file,
                line=source.lines.get(given[typed_name].written if typed_name in given else "from"),
                hint=with_quotes(expression_text, headers)
                or (did_you_mean(unknown_column[1], headers) if unknown_column else ""),
            )
    return types


def _without_rows(headers: Mapping[str, ColumnType], given: Mapping[str, Given]) -> str | None:
    """What has the columns of a source and no rows, so that its files are not looked into again.
    None where columns are not all texts, or a line names what is no column."""
    names = {folded(name) for name in headers}
    if any(not line.reads <= names for line in given.values()):
        return None
    if not headers or set(headers.values()) != {ColumnType("text")}:
        return None
    columns = ", ".join(f"cast(null as varchar) as {quoted(name)}" for name in headers)
    return f"(select {columns} limit 0)"


def fingerprints(engine: Engine, workspace: Workspace) -> dict[str, str]:
    """A hash of each source's mapping and content, by its name."""
    return {
        source_name: open_source(source, workspace.root).fingerprint(engine)
        for source_name, source in sorted(workspace.settings.every_source.items())
    }


def kind_of(type_: ColumnType) -> tuple[Kind, str]:
    """The kind of an attribute by its column's type, and the type it is staged as."""
    match type_.family:
        case "boolean":
            return Kind.BOOLEAN, "boolean"
        case "date" | "timestamp":
            return Kind.DATE, "date"
        case "float":
            return Kind.NUMBER, "double"
        case "decimal":
            return Kind.DECIMAL, str(type_)
        case "integer" | "unsigned":
            return Kind.INTEGER, "bigint"
        case _:
            return Kind.TEXT, "varchar"


_TYPES_OF_KINDS = {
    Kind.BOOLEAN: ColumnType("boolean"),
    Kind.INTEGER: ColumnType("integer", 64),
    Kind.NUMBER: ColumnType("float", 64),
    Kind.DATE: ColumnType("date"),
    Kind.TEXT: ColumnType("text"),
}


def _as_attribute(expression: str, type_: ColumnType) -> str:
    return f"cast({expression} as {kind_of(type_)[1]})"
