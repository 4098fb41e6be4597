"""Accounts from a file that the command line names, read as riskseg.toml says of the workspace's
own; and what scoring does not need of either, the outcomes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from riskseg.domain.problems import Problems, ProblemsError, problem
from riskseg.domain.relations import literal
from riskseg.engine import EngineError
from riskseg.ledger.selects import NotAllowedError, reader, with_files
from riskseg.run.models import read_specs
from riskseg.run.reading import names_in, select_of
from riskseg.workspace import Source, Workspace

if TYPE_CHECKING:
    from riskseg.store.records import RunRecord


@dataclass(frozen=True)
class GivenFile:
    """A file of accounts that was read instead of the workspace's own."""

    file: str
    sha256: str


def fingerprint(file: Path | None) -> GivenFile | None:
    """What tells a given file from others: its place and its hash."""
    from riskseg.store.files import sha256_of

    return None if file is None else GivenFile(str(file.resolve()), sha256_of(file))


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
    others = [name for name in sources if name != "accounts"]
    if others or "accounts" not in sources:
        raise problem(
            "RS013",
            f"--from is for an account file alone; this workspace has {' and '.join(others)} too.",
            file=sources[others[0]].file,
            line=sources[others[0]].lines.get("from"),
            mend=f"Set `from` in [source.{others[0]}] and the other sources.",
        )
    if not file.is_file():
        raise problem("RS006", "There is no such file.", file=str(file), mend="Check its name.")
    own = sources["accounts"]
    lines = {**own.lines, "from": None}
    given = replace(own, loaded_from=_loaded_from(own, file), lines=lines, given=True)
    settings = replace(workspace.settings, sources=MappingProxyType({**sources, "accounts": given}))
    return replace(workspace, settings=settings)


def _loaded_from(own: Source, file: Path) -> str:
    """The source's `from` with the file in place of its own."""
    path = str(file.resolve())
    if not own.is_select:
        if reader(path) not in ("read_csv", "read_parquet"):
            raise _other_kind(file, "a .parquet, .csv or .csv.gz file")
        return path
    try:
        named = names_in(own)
    except (EngineError, NotAllowedError):  # said of riskseg.toml when it is loaded
        return own.loaded_from
    if len({one.name for one in named}) != 1:
        raise problem(
            "RS013",
            "Accounts are selected from several files, and --from can stand for one alone.",
            file=own.file,
            line=own.lines.get("from"),
            mend="Set `from` in [source.accounts].",
        )
    kind = reader(named[0].name)
    if kind and reader(path) != kind:
        ending = named[0].name.rsplit(".", 1)[-1]
        raise _other_kind(file, f"a .{ending} file, as the select in riskseg.toml reads")
    return with_files(select_of(own), named, lambda _: [literal(path)])


def _other_kind(file: Path, wanted: str) -> ProblemsError:
    mend = f"Give {wanted}."
    return problem(
        "RS006", "This is no file that accounts are read from.", file=str(file), mend=mend
    )


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
    specs = read_specs(workspace, Problems()).values()
    columns = (authored.spec.target.column for authored in specs)
    return without_outcomes(workspace, filter(None, columns))
