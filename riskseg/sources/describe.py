"""The sources riskseg.toml names: found, described by the engine, mapped to the contract."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from riskseg.domain.facts import Kind, folded
from riskseg.domain.problems import Problems, did_you_mean
from riskseg.domain.relations import quoted
from riskseg.engine import DuplicateColumnsError, Engine, EngineError, syntax_tree
from riskseg.ledger.contract import CONTRACT, Attributes
from riskseg.ledger.mapping import Given, Mapped, check_headers, check_hidden, resolve
from riskseg.ledger.selects import NoTableError, NotAllowedError, check_expression, reader
from riskseg.sources.files import files_of, missing, relation, samples, size_of
from riskseg.sources.index_columns import index_columns
from riskseg.workspace import Source, Workspace


def map_sources(
    engine: Engine, workspace: Workspace, problems: Problems
) -> dict[str, Mapped] | None:
    """Each source of the workspace, mapped; or None after adding Problems."""
    given = workspace.settings.sources
    before = len(problems)
    if "payments" in given and "bills" not in given:
        problems.add(
            "RS005",
            "There are payments and no bills: nothing says what they pay.",
            file="riskseg.toml",
            line=given["payments"].lines.get("from"),
            hint="Add a [source.bills].",
        )
    mapped = {}
    for name in CONTRACT:
        if name in given:
            one = _map_one(engine, workspace, given[name], problems)
            if one is not None:
                mapped[name] = one
    return mapped if len(problems) == before else None


def _map_one(
    engine: Engine, workspace: Workspace, source: Source, problems: Problems
) -> Mapped | None:
    before = len(problems)
    file, line = source.file, source.lines.get("from")
    loaded = f"select of {source.table}" if source.is_select else source.loaded_from
    if not _check_files(source, workspace.root, problems):
        return None
    from_ = relation(engine, source, workspace.root)
    try:
        found = engine.columns(from_)
    except EngineError as error:
        problems.add("RS006", f"{source.table} cannot be loaded: {error}", file=file, line=line)
        return None
    except DuplicateColumnsError as error:
        check_headers(source.table, error.names, file, line, problems)
        return None
    check_headers(
        source.table, _headers(engine, source, workspace.root, found), file, line, problems
    )
    given = _given(source, problems)
    if len(problems) > before:
        return None
    headers = {folded(name) for name in found}
    lacking = {name for name in source.may_lack if name in given}
    given = {n: g for n, g in given.items() if n not in lacking or g.reads <= headers}
    index = (
        index_columns(engine, source, workspace.root, found)
        if CONTRACT[source.table].attributes is Attributes.ALL
        else set()
    )
    columns, attributes, written = resolve(
        source.table,
        given,
        source.lines,
        found,
        file,
        problems,
        index=index,
        named={*source.levels, *source.described},
    )
    types = _types(engine, from_, {**columns, **attributes}, given, source, found, problems)
    if {"valid_from", "observed_on"} <= columns.keys():
        told = "accounts have both valid_from and observed_on; each says from when a row holds."
        hint = "Keep one of them: rename the other, for instance `other = 'valid_from'`."
        problems.add("RS011", told, file=file, line=line, hint=hint)
    if len(problems) == before:  # a column that nothing reads may be one that was misspelt
        check_hidden(source.table, given, source.lines, found, file, problems)
    if len(problems) > before:
        return None
    return Mapped(
        CONTRACT[source.table],
        file,
        from_,
        columns,
        {n: _as_attribute(e, types[n]) for n, e in attributes.items()},
        types,
        loaded,
        written,
        source.lines,
    )


def attributes_named(source: Source | None) -> set[str]:
    """The attributes that riskseg.toml names of a source, by folded name, whether there or not."""
    if source is None:
        return set()
    names = {*map(folded, source.columns), *source.levels, *source.described}
    return {name for name in names if CONTRACT[source.table].column(name) is None}


def _check_files(source: Source, root: Path, problems: Problems) -> bool:
    """Whether a `from` names files, all of which are there; Problems otherwise."""
    file, line = source.file, source.lines.get("from")
    try:
        lacking, files = missing(source, root), files_of(source, root)
    except NotAllowedError as error:
        forms = "a .parquet, .csv or .csv.gz file, a glob of such, or a select over files"
        code = "RS006" if isinstance(error, NoTableError) else "RS012"
        told = f"{source.table} cannot be selected so: {error}."
        if not source.is_select:
            code, told = "RS006", f'"{source.loaded_from}" is no file that can be loaded.'
        problems.add(code, told, file=file, line=line, hint=f"Name {forms}.")
        return False
    except EngineError as error:
        told = f"The select of {source.table} cannot be read: {error}"
        problems.add("RS006", told, file=file, line=line)
        return False
    for name in lacking:
        problems.add(
            "RS006",
            f'There is no file "{name}".',
            file=file,
            line=line,
            hint="Names are looked up from the folder of riskseg.toml.",
        )
    if files and not any(size_of(path) for path in files):
        problems.add(
            "RS109",
            f"{source.table} has no rows: the file is empty.",
            file=file,
            line=line,
            hint="Check the file, or take the source out.",
        )
        return False
    return not lacking


def _headers(engine: Engine, source: Source, root: Path, found: Mapping[str, str]) -> Iterable[str]:
    """The columns as the files have them. The engine calls the second of two that differ in letter
    case only `NAME_1`: where one is called so, the files are asked."""
    names = {name.lower() for name in found}
    if not any(re.sub(r"_\d+$", "", name) in names - {name} for name in names):
        return found
    for path in samples(source, root):
        with suppress(EngineError, OSError, ValueError):
            own = _own_headers(engine, path)
            if len(own) > len({folded(name) for name in own}):
                return own
    return found


def _own_headers(engine: Engine, path: Path) -> list[str]:
    if reader(path.name) == "read_parquet":
        import pyarrow.parquet as pq

        return list(pq.read_schema(path).names)
    if reader(path.name) == "read_csv":
        first = f"read_csv({engine.file(path)}, header = false, all_varchar = true)"
        return [str(v) for row in engine.rows(f"select * from {first} limit 1") for v in row]
    return []


def _given(source: Source, problems: Problems) -> dict[str, Given]:
    """The lines under [source.TABLE], by folded name; Problems for what is no expression."""
    given: dict[str, Given] = {}
    for written, text in source.columns.items():
        name, line = folded(written), source.lines.get(written)
        if name in given:
            told = f'"{given[name].written}" and "{written}" are one name.'
            hint = "Names have no letter case: keep one of the lines."
            problems.add("RS009", told, file=source.file, line=line, hint=hint)
            continue
        try:
            # What is an expression both bare and in brackets ends neither itself nor what it is
            # put into.
            reads, is_column = check_expression(syntax_tree(f"select {text}\n"))
            check_expression(syntax_tree(f"select ({text}\n)"))
        except (EngineError, NotAllowedError) as error:
            code = "RS012" if isinstance(error, NotAllowedError) else "RS007"
            problems.add(
                code,
                f'"{text}" is no expression over the columns of {source.table}: {error}.',
                file=source.file,
                line=line,
                hint="Write one expression, such as `lpad(cust_no, 8, '0')`.",
            )
            continue
        given[name] = Given(written, text, reads, is_column)
    return given


def _types(
    engine: Engine,
    from_: str,
    expressions: Mapping[str, str],
    given: Mapping[str, Given],
    source: Source,
    found: Mapping[str, str],
    problems: Problems,
) -> dict[str, str]:
    """The engine type of each expression; a Problem for each that does not work."""
    own = "=" * (1 + max(map(len, found), default=0))  # no column is called so
    listed = "".join(f", {e} as {quoted(f'{own}{i}')}" for i, e in enumerate(expressions.values()))
    try:
        # Beside all columns, so that a sum over the rows, which would leave one, is refused.
        found_types = engine.columns(f"(select *{listed} from {from_})")
        return {name: found_types[f"{own}{i}"] for i, name in enumerate(expressions)}
    except EngineError:
        pass  # one of them at least: which, and why, each has to be asked alone
    types: dict[str, str] = {}
    for name, expression in expressions.items():
        try:
            alone = engine.columns(f"(select *, {expression} as {quoted(own)} from {from_})")
            types[name] = alone[own]
        except EngineError as error:
            shown = given[name].expression if name in given else expression
            missing = re.search(r'Referenced column "(.+?)" not found', str(error))
            why = f'there is no column "{missing[1]}"' if missing else _first_line(error)
            if "GROUP BY" in why:
                why = "it is of many rows, and each row is mapped by itself"
            problems.add(
                "RS007",
                f'"{shown}" does not work on the columns of {source.table}: {why}.',
                file=source.file,
                line=source.lines.get(given[name].written if name in given else "from"),
                hint=did_you_mean(missing[1], found) if missing else "",
            )
    return types


def _first_line(error: EngineError) -> str:
    """What the engine says, less its name for the kind of error and its further hints."""
    return re.sub(r"^\w+ Error: ", "", str(error)).split("\n")[0].rstrip(".")


def fingerprints(engine: Engine, workspace: Workspace) -> dict[str, str]:
    """A hash of each source's mapping and files; of a select, its text and the rows it gave."""
    found = {}
    for name, source in sorted(workspace.settings.sources.items()):
        digest = hashlib.sha256(repr(sorted(source.columns.items())).encode())
        digest.update(source.loaded_from.encode())
        if source.is_select:
            rows = f"select count(*), sum(cast(hash(t) as hugeint)) from {name} t"
            digest.update(repr(engine.rows(rows)).encode())
        for path in [] if source.is_select else files_of(source, workspace.root):
            # One that is gone has changed: that is told by the look at the files which follows.
            with suppress(FileNotFoundError), path.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        found[name] = digest.hexdigest()
    return found


_KINDS = {
    "BOOLEAN": (Kind.BOOLEAN, "boolean"),
    "DATE": (Kind.DATE, "date"),
    "DOUBLE": (Kind.NUMBER, "double"),
    "FLOAT": (Kind.NUMBER, "double"),
}


def kind_of(type_: str) -> tuple[Kind, str]:
    """The kind of an attribute by its engine type, and the type it is staged as."""
    if type_ in _KINDS:
        return _KINDS[type_]
    if type_.startswith("DECIMAL"):
        return Kind.DECIMAL, type_
    if type_.startswith("TIMESTAMP"):
        return Kind.DATE, "date"
    if type_.rstrip("0123456789").endswith("INT") or type_ in ("INTEGER", "UINTEGER"):
        return Kind.INTEGER, "bigint"
    return Kind.TEXT, "varchar"


def _as_attribute(expression: str, type_: str) -> str:
    return f"cast({expression} as {kind_of(type_)[1]})"
