"""The port of sinks: what every form that rows are written in answers, and the forms there are.

A sink is one object in one module. :func:`register` makes it known; nothing else names it.
`riskseg.store.sinks` registers those that come with riskseg.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa

from riskseg.domain.addresses import file_name
from riskseg.domain.problems import Problems, problem
from riskseg.store.files import check_place, sha256_of, write_beside

# What stands for the place of a table that was written nowhere.
MEMORY = "memory"


@dataclass(frozen=True, slots=True)
class Dated:
    """What rows are of: the as-of date, and the columns that name a row of that date, if any do.

    A place that holds rows of several dates keeps those of the others.
    """

    as_of: date
    key: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: `place` is the path, the URL with its password hidden, or `MEMORY`;
    `sha256` that of the file's bytes, None for a table."""

    place: str
    rows: int
    sha256: str | None

    @property
    def file(self) -> Path | None:
        """The file of this machine that was written; None for a table, an object store and
        memory."""
        elsewhere = self.place == MEMORY or "://" in self.place
        return None if self.sha256 is None or elsewhere else Path(self.place)

    @property
    def output(self) -> str | None:
        """The place as runs are recorded: the file's full path, or the URL; None in memory."""
        if self.place == MEMORY:
            return None
        return self.place if self.file is None else str(self.file.resolve())


class Sink(ABC):
    """One form that rows are written in."""

    @property
    @abstractmethod
    def form(self) -> str:
        """What a target of this form is, in a hint: ".csv", "a database URL with #table"."""

    @abstractmethod
    def accepts(self, target: str) -> bool:
        """Whether a target is of this form."""

    def file(self, target: str) -> Path | None:
        """The file of this machine that is written to, a database's own included; None where it is
        elsewhere."""
        return None

    @abstractmethod
    def check(self, target: str, problems: Problems) -> None:
        """Add RS010 where the target cannot be written, without writing it."""

    @abstractmethod
    def write(
        self,
        target: str,
        schema: pa.Schema,
        groups: Iterator[pa.Table],
        *,
        token: str,
        dated: Dated | None,
    ) -> Written:
        """Write the groups, in order; readers see all of them or none. `token`, a run id, names
        what is half written; `dated` says of which date the rows are, if they are of one. Raises
        RS010 where the target cannot be written."""

    def add_text(  # noqa: B027 (beside a table nothing is written)
        self, target: str, name_ending: str, text: str, *, token: str
    ) -> None:
        """Write a text beside a file, under its name with an ending of its own; nothing beside a
        table. Raises RS010 where it cannot be written."""

    def without_secrets(self, target: str) -> str:
        """The target as it may be shown and kept."""
        return target


class FileSink(Sink):
    """A form of file, known by the ending of its name."""

    def __init__(self, ending: str) -> None:
        self.ending = ending

    @property
    def form(self) -> str:
        return self.ending

    def accepts(self, target: str) -> bool:
        return target.lower().endswith(self.ending)

    def file(self, target: str) -> Path | None:
        return Path(file_name(target))

    def check(self, target: str, problems: Problems) -> None:
        check_place(Path(file_name(target)), problems)

    def write(
        self,
        target: str,
        schema: pa.Schema,
        groups: Iterator[pa.Table],
        *,
        token: str,
        dated: Dated | None,
    ) -> Written:
        with write_beside(Path(file_name(target)), token=token) as part:
            rows = self.write_file(part, schema, groups)
            digest = sha256_of(part)
        return Written(file_name(target), rows, digest)

    def add_text(self, target: str, name_ending: str, text: str, *, token: str) -> None:
        with write_beside(Path(file_name(target) + name_ending), token=token) as part:
            part.write_text(text, encoding="utf-8")

    @abstractmethod
    def write_file(self, path: Path, schema: pa.Schema, groups: Iterator[pa.Table]) -> int:
        """Write the groups to a new file; the number of rows. The same rows give the same bytes."""

    @abstractmethod
    def relation(self, file: str) -> str:
        """What stands after FROM to read such a file again: `file` is a SQL literal of its name
        and, behind a comma, options that every reader of the engine takes."""

    def texts(self, path: Path) -> pa.Table | None:
        """The rows of such a file as texts, where the engine cannot read it by itself."""
        return None


# What every row of a table has beside its own columns: the run that wrote it, and its date.
RUN, AS_OF = "run_id", "as_of"


class TableSink(Sink):
    """A table in which the rows of a date take the place of those of the same date. Beside its own
    columns a row has `run_id` and `as_of`."""

    @abstractmethod
    def read(self, target: str, schema: pa.Schema, *, run: str) -> Iterator[pa.RecordBatch]:
        """The rows that a run wrote with these columns, in no order. Raises RS010 where they cannot
        be read, which a hidden password is enough for."""


def check_no_run_column(schema: pa.Schema, place: str) -> None:
    """Raise RS010 where a column of the rows is called as that of the run."""
    if RUN in schema.names:
        message = f'A column of the rows is called "{RUN}", as that of the run is.'
        raise problem("RS010", message, file=place, hint="Give it another name.")


SINKS: list[Sink] = []


def register(sink: Sink) -> None:
    """Make a sink known. They are asked in the order of their registration whether a target is
    theirs."""
    SINKS.append(sink)


def sink_of(target: str) -> Sink | None:
    """The sink that writes to a target, or None."""
    return next((sink for sink in SINKS if sink.accepts(target)), None)
