"""The port of sources: what every kind of source answers, and the kinds there are.

A kind of source is one class in one module. :func:`register` makes it known; nothing else names
it. `riskseg.sources` registers the kinds that come with riskseg.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from riskseg.domain.column_types import ColumnType
from riskseg.domain.problems import Problem, Problems, problem
from riskseg.engine import Engine, EngineError
from riskseg.sources.sql_text import NoTableError
from riskseg.workspace import Source
from riskseg.workspace.reading import ReadTable

if TYPE_CHECKING:
    from riskseg.sources.database_connections import Connections


class SourceReader(ABC):
    """One table of riskseg.toml, wherever its rows are kept.

    `source` is what riskseg.toml says of it; names in it are looked up from `root`.
    """

    # What a `from` of this kind is, in a hint: "a select over files".
    form: ClassVar[str] = ""
    # Whether its rows are in the database that `url` names.
    in_database: ClassVar[bool] = False
    # Tells the rows that were read from those of another time, where the relation's text does not.
    made_of: tuple[str, ...] = ()
    # What a person should know of how they were read.
    read_notes: tuple[str, ...] = ()

    def __init__(self, source: Source, root: Path) -> None:
        self.source = source
        self.root = root

    @classmethod
    @abstractmethod
    def reads(cls, loaded_from: str) -> bool:
        """Whether a `from` is of this kind."""

    @classmethod
    def takes(cls, source: Source, root: Path) -> bool:
        """Whether a source is of this kind, by its `from` and what else is said of it."""
        return cls.reads(source.loaded_from)

    @abstractmethod
    def relation(self, engine: Engine) -> str:
        """What stands after FROM for this source. A value that the source keeps as text stays
        text: the contract checks it, nothing guesses."""

    @abstractmethod
    def content(self, engine: Engine) -> Iterator[bytes]:
        """What distinguishes its rows from others, for the fingerprint. The engine holds the
        staged rows as the table of the source's name."""

    @property
    def place(self) -> str:
        """Where its rows are, in messages about them."""
        return self.source.loaded_from

    @property
    def definition(self) -> str | None:
        """What the `from` makes of rows, less the names of files, which may change daily; None
        where it takes them as they are."""
        return None

    @property
    def first_line(self) -> int | None:
        """The line on which its first row stands; None where a row's number is not enough to find
        it, because the rows come from several files."""
        return 1

    def connect(self, connections: Connections) -> None:  # noqa: B027 (files need none)
        """Reach what its rows are kept in, before anything is asked of it. Raises Problems."""

    def read(  # noqa: B027 (files are read where they are)
        self, engine: Engine, columns: Collection[str] | None
    ) -> None:
        """Bring its rows to the engine, once, where statements do not read them from where they
        are kept. No more is needed than these columns; None means all. Raises Problems."""

    def locate(self, row: int) -> tuple[str, int | None]:
        """The file in which a row stands, counted from 1 in the order in which rows are read, and
        its line there; without a line where a row's number is not enough to find it."""
        return self.place, None if self.first_line is None else self.first_line + row - 1

    def check(self, problems: Problems) -> bool:
        """Whether its rows can be reached; Problems are added otherwise."""
        return True

    def prepare(self, engine: Engine, problems: Problems) -> bool:
        """Whether the engine can read its rows: looks into them as far as is needed, and makes
        what the engine reads in their place. Problems are added otherwise."""
        return True

    def prepare_or_raise(self, engine: Engine) -> None:
        """Prepare its rows where nobody gathers Problems. Raises EngineError, which says the first
        of them."""
        problems = Problems()
        if not self.prepare(engine, problems):
            first = next(iter(problems))
            raise EngineError(f"{first.where}: {first.what.rstrip('.')}".removeprefix(": "))

    def faults(self) -> list[Problem]:
        """The Problems for which the engine may have failed to read its rows."""
        return []

    @property
    def rows_in_files(self) -> int | None:
        """How many rows it has, by another count than the engine's; None where there is none."""
        return None

    def notes(self) -> list[str]:
        """What a person should know of it that is no Problem."""
        return []

    def describe(self, engine: Engine) -> dict[str, ColumnType]:
        """Its columns and their types, in order. Raises EngineError where it cannot be
        read, DuplicateColumnsError where two columns have one name."""
        return engine.columns(self.relation(engine))

    def headers(self, engine: Engine, columns: Mapping[str, ColumnType]) -> Iterable[str]:
        """The names of its columns as the source itself spells them."""
        return columns

    def index_columns(self, engine: Engine, columns: Iterable[str]) -> set[str]:
        """Those of its columns that only number rows."""
        return set()

    def fingerprint(self, engine: Engine) -> str:
        """The SHA-256 of its mapping and its content, in hexadecimal."""
        digest = hashlib.sha256(repr(sorted(self.source.columns.items())).encode())
        digest.update(self.source.loaded_from.encode())
        if self.source.laid_out is not None:
            digest.update(repr(self.source.laid_out.table).encode())
        if self.source.read != ReadTable():
            digest.update(self.source.read.model_dump_json(exclude_defaults=True).encode())
        for content_part in self.content(engine):
            digest.update(content_part)
        return digest.hexdigest()

    def files(self) -> list[Path]:
        """The files that it reads."""
        return []

    def would_read(self, place: str) -> bool:
        """Whether an output to this place, a whole path or an address, would take the place of rows
        that it reads, or be read with them."""
        return False

    def replaced_by(self, file: Path) -> str:
        """The `from` that reads this file in place of the source's own.

        Raises RS013 where one file cannot take its place, RS006 for a file of another kind.
        """
        raise problem(
            "RS013",
            f"{self.source.table} are not read from a file, and --from names one.",
            file=self.source.file,
            line=self.source.lines.get("from"),
            hint=f"Set `from` in [source.{self.source.table}].",
        )


KINDS: list[type[SourceReader]] = []


def register(kind: type[SourceReader]) -> None:
    """Make a kind of source known. Kinds are asked in the order of their registration whether a
    `from` is theirs."""
    KINDS.append(kind)


def kind_of_source(loaded_from: str, url: str | None = None) -> type[SourceReader] | None:
    """The kind that reads a `from`, of files or of the database at `url`; or None."""
    in_database = url is not None
    kinds = (kind for kind in KINDS if kind.in_database is in_database)
    return next((kind for kind in kinds if kind.reads(loaded_from)), None)


def open_source(source: Source, root: Path) -> SourceReader:
    """The reader of a source. Raises NoTableError for a `from` that no kind reads."""
    kinds = (kind for kind in KINDS if kind.in_database is (source.url is not None))
    kind = next((kind for kind in kinds if kind.takes(source, root)), None)
    if kind is None:
        raise NoTableError(f'"{source.loaded_from}" is not a file that can be loaded')
    return kind(source, root)
