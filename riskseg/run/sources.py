"""The sources riskseg.toml names: found, described by the engine, mapped to the contract."""

from __future__ import annotations

import glob
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from riskseg.domain.facts import Kind
from riskseg.domain.problems import Problems, did_you_mean
from riskseg.engine import Engine, EngineError
from riskseg.ledger.contract import CONTRACT
from riskseg.ledger.mapping import Mapped, relation, resolve
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
            mend="Add a [source.bills].",
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
    from_ = relation(source.loaded_from, source.is_select)
    line = source.lines.get("from")
    file = source.file
    if not from_:
        problems.add(
            "RS006",
            f'"{source.loaded_from}" is no file that can be loaded.',
            file=file,
            line=line,
            mend="Name a .parquet, .csv or .csv.gz file, a glob of such, or a select over files.",
        )
        return None
    files = files_of(source, workspace.root)
    if not source.is_select and not files:
        problems.add(
            "RS006",
            f'There is no file "{source.loaded_from}".',
            file=file,
            line=line,
            mend="Names are looked up from the folder of riskseg.toml.",
        )
        return None
    if files and not any(path.stat().st_size for path in files):
        problems.add(
            "RS109",
            f"{source.table} has no rows: the file is empty.",
            file=file,
            line=line,
            mend="Check the file, or take the source out.",
        )
        return None
    try:
        found = engine.columns(from_)
    except EngineError as error:
        problems.add("RS006", f"{source.table} cannot be loaded: {error}", file=file, line=line)
        return None
    before = len(problems)
    columns, attributes = resolve(source.table, source.columns, source.lines, found, file, problems)
    types = _types(engine, from_, {**columns, **attributes}, source, found, problems)
    if len(problems) > before:
        return None
    loaded = source.loaded_from if not source.is_select else f"select of {source.table}"
    return Mapped(
        CONTRACT[source.table],
        file,
        from_,
        columns,
        {n: _as_attribute(e, types[n]) for n, e in attributes.items()},
        types,
        loaded,
    )


def _types(
    engine: Engine,
    from_: str,
    expressions: Mapping[str, str],
    source: Source,
    found: Mapping[str, str],
    problems: Problems,
) -> dict[str, str]:
    """The engine type of each expression; a Problem for each that does not work."""
    listed = ", ".join(f"({e}) as x{i}" for i, e in enumerate(expressions.values()))
    try:
        found_types = engine.columns(f"(select {listed} from {from_})")
        return {name: found_types[f"x{i}"] for i, name in enumerate(expressions)}
    except EngineError:
        pass  # one of them at least: which, and why, each has to be asked alone
    types: dict[str, str] = {}
    for name, expression in expressions.items():
        try:
            types[name] = engine.columns(f"(select ({expression}) as x from {from_})")["x"]
        except EngineError as error:
            missing = re.search(r'Referenced column "([^"]+)" not found', str(error))
            why = f'there is no column "{missing[1]}"' if missing else _first_line(error)
            problems.add(
                "RS007",
                f'"{expression}" does not work on the columns of {source.table}: {why}.',
                file=source.file,
                line=source.lines.get(name) or source.lines.get("from"),
                mend=did_you_mean(missing[1], found) if missing else "",
            )
    return types


def _first_line(error: EngineError) -> str:
    """What the engine says, less its name for the kind of error and its further hints."""
    return re.sub(r"^\w+ Error: ", "", str(error)).split("\n")[0].rstrip(".")


def files_of(source: Source, root: Path) -> list[Path]:
    """The files a source is loaded from; none for a select."""
    if source.is_select:
        return []
    return [Path(f) for f in sorted(glob.glob(str(root / source.loaded_from), recursive=True))]


def fingerprints(engine: Engine, workspace: Workspace) -> dict[str, str]:
    """A hash of each source's mapping and files; of a select, its text and the rows it gave."""
    found = {}
    for name, source in sorted(workspace.settings.sources.items()):
        digest = hashlib.sha256(repr(sorted(source.columns.items())).encode())
        digest.update(source.loaded_from.encode())
        if source.is_select:
            rows = f"select count(*), sum(cast(hash(t) as hugeint)) from {name} t"
            digest.update(repr(engine.rows(rows)).encode())
        for path in files_of(source, workspace.root):
            with path.open("rb") as stream:
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
