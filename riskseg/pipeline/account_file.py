"""Accounts from a file that the command line names, read as riskseg.toml says of the workspace's
own; and what scoring does not need of either, the outcomes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from riskseg.domain.facts import Fact, folded
from riskseg.domain.problems import Problems, ProblemsError, problem
from riskseg.domain.relations import quoted
from riskseg.engine import DuplicateColumnsError, Engine, EngineError
from riskseg.pipeline.models import read_specs
from riskseg.results.runs import AccountFile
from riskseg.sources.files import other_kind, plain_form, size_of
from riskseg.sources.mapping_lines import meant
from riskseg.sources.reader import kind_of_source, open_source
from riskseg.sources.sql_text import NotAllowedError
from riskseg.store.files import sha256_of
from riskseg.workspace import Source, Workspace

if TYPE_CHECKING:
    from riskseg.learning.artefact import Model
    from riskseg.store.records import RunRecord


def fingerprint(file: Path | None) -> AccountFile | None:
    """What identifies a file that is given: its place and its hash."""
    return None if file is None else AccountFile(file=str(file.resolve()), sha256=sha256_of(file))


def as_the_run_read(workspace: Workspace, record: RunRecord) -> Workspace:
    """The workspace with the accounts of the file that a run was given, if it was. Raises RS006
    where it is not there any more."""
    given = record.arguments.get("accounts_from")
    return with_accounts_from(workspace, Path(given["file"]) if given else None)


def with_accounts_from(workspace: Workspace, file: Path | None) -> Workspace:
    """The workspace with its accounts in another file, read through the same mapping; as it is
    where none is given.

    Raises RS013 in a workspace that has more than an account file or reads accounts from several
    files, RS006 for a file that is not there or of another kind than the mapping reads.
    """
    if file is None:
        return workspace
    sources = workspace.settings.sources
    others = [source_name for source_name in sources if source_name != "accounts"]
    if others or "accounts" not in sources:
        raise problem(
            "RS013",
            f"--from is for an account file alone; this workspace has {' and '.join(others)} too.",
            file=sources[others[0]].file,
            line=sources[others[0]].lines.get("from"),
            hint=f"Set `from` in [source.{others[0]}] and the other sources.",
        )
    if not file.is_file():
        raise problem("RS006", "There is no such file.", file=str(file), hint="Check its name.")
    own_source = sources["accounts"]
    lines = {**own_source.lines, "from": None}
    source_given = replace(
        own_source, loaded_from=_replaced(own_source, workspace.root, file), lines=lines, given=True
    )
    settings = replace(
        workspace.settings, sources=MappingProxyType({**sources, "accounts": source_given})
    )
    return replace(workspace, settings=settings)


def _replaced(own: Source, root: Path, file: Path) -> str:
    """The source's `from` with the file in place of its own."""
    kind = kind_of_source(own.loaded_from, own.url) or kind_of_source(str(file.resolve()))
    if kind is None:
        raise other_kind(file, plain_form())
    return kind(own, root).replaced_by(file)


def check_given(
    engine: Engine, workspace: Workspace, file: Path | None, models: Iterable[Model]
) -> None:
    """Raise the Problems of a given file that riskseg.toml is not to blame for: RS007 for each
    column that the mapping reads and the file lacks, RS102 for each that holds something else
    than a number where the mapping or one of the models takes one."""
    if file is None or not size_of(file):  # an empty one is reported when it is loaded
        return
    accounts_source, problems = for_scoring(workspace).settings.sources["accounts"], Problems()
    try:
        from_ = open_source(accounts_source, workspace.root).relation(engine)
        headers = {folded(mapped_name): mapped_name for mapped_name in engine.columns(from_)}
    except EngineError as error:
        missing_column = re.search(
            r"Columns with names: (.+?) do not exist", str(error)
        ) or re.search(r'Referenced column ("[^"]+") not found', str(error))
        if missing_column is None:
            return  # said of the source when it is loaded
        raise _lacks(file, missing_column[1], accounts_source.lines.get("from")) from error
    except (DuplicateColumnsError, NotAllowedError):
        return
    shapes = {
        mapped_name: column.shape for mapped_name, column in accounts_source.described.items()
    }
    numeric = {
        n
        for n, column_shape in shapes.items()
        if column_shape.unit or column_shape.direction or column_shape.special_values
    }
    numeric |= {
        folded(fact.name) for model in models for fact in model.facts if fact.kind.is_numeric
    }
    expression_by_name = {
        folded(mapped_name): expression_text
        for mapped_name, expression_text in accounts_source.columns.items()
    }
    for mapped_name in dict.fromkeys(["account_id", *expression_by_name, *sorted(numeric)]):
        try:
            expression_text = expression_by_name.get(
                mapped_name, quoted(headers.get(mapped_name, mapped_name))
            )
            expression_text, reads, _ = meant(expression_text, headers.values())
        except (EngineError, NotAllowedError):  # said of riskseg.toml when it is loaded
            continue
        if lacking := sorted(reads - headers.keys()):
            if mapped_name not in accounts_source.may_lack and (
                mapped_name in expression_by_name or mapped_name == "account_id"
            ):
                lacked = " and ".join(f'"{column}"' for column in lacking)
                problems.extend(
                    _lacks(file, lacked, accounts_source.lines.get(mapped_name)).problems
                )
        elif mapped_name in numeric:
            _check_numbers(engine, from_, file, mapped_name, expression_text, problems)
    problems.raise_if_any()


def _lacks(file: Path, columns: str, line: int | None) -> ProblemsError:
    mapping_place = "riskseg.toml" + (f", line {line}," if line else "")
    return problem(
        "RS007",
        f"The file has no column {columns}, which {mapping_place} names for accounts.",
        file=str(file),
        hint="Add the column, empty where nothing is known.",
    )


def _check_numbers(
    engine: Engine, from_: str, file: Path, name: str, expression: str, problems: Problems
) -> None:
    """Add RS102 for the first row in which a number is something else."""
    no_numbers = f"""
        select count(*), min(row), arg_min(text, row)
        from (
            select row_number() over () as row, cast({expression} as varchar) as text
            from {from_}
        )
        where text is not null
            and trim(text) <> ''
            and try_cast(text as double) is null
            and lower(text) not in ('true', 'false')
        """
    try:
        bad_count, first_row, text = engine.rows(no_numbers)[0]
    except EngineError:
        return  # said when the rows are read
    if bad_count:
        more = f"; of later rows, {bad_count - 1:,} hold no number either" if bad_count > 1 else ""
        problems.add(
            "RS102",
            f'"{name}" is a number, and row {first_row:,} after the header holds "{text}"{more}.',
            file=str(file),
            hint="Correct the file, or have what is no number read as not known in "
            f'[source.accounts]: `{name} = "try_cast({name} as double)"`.',
        )


def check_features(file: Path | None, models: Iterable[Model], facts: Mapping[str, Fact]) -> None:
    """Raise RS409 for each model that reads a column which a given file lacks."""
    if file is None:
        return
    problems = Problems()
    for model in models:
        if missing_features := [
            f'"{model_feature}"'
            for model_feature in model.features
            if folded(model_feature) not in facts
        ]:
            problems.add(
                "RS409",
                f"The file has no column {' and '.join(missing_features)}, which {model.name} "
                f"{model.version} reads.",
                file=str(file),
                hint="Add the column, empty where nothing is known.",
            )
    problems.raise_if_any()


def without_outcomes(workspace: Workspace, columns: Iterable[str]) -> Workspace:
    """The workspace with accounts that may lack these columns, whatever riskseg.toml says where
    they are to be found."""
    sources = workspace.settings.sources
    if "accounts" not in sources:
        return workspace
    accounts = replace(sources["accounts"], may_lack=frozenset(columns))
    settings = replace(
        workspace.settings, sources=MappingProxyType({**sources, "accounts": accounts})
    )
    return replace(workspace, settings=settings)


def for_scoring(workspace: Workspace) -> Workspace:
    """The workspace with accounts that may lack the outcomes its models learn from."""
    return without_outcomes(workspace, outcome_columns(workspace))


def outcome_columns(workspace: Workspace) -> list[str]:
    """The columns of accounts that models learn to predict, as the specs name them."""
    specs = read_specs(workspace, Problems()).values()
    return [*filter(None, (authored.spec.target.column for authored in specs))]
