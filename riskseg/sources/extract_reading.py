"""Reading the rows of a source in a database: as a whole, or those that were added or changed since
they were read before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import riskseg
from riskseg.domain.facts import folded
from riskseg.domain.problems import ProblemsError
from riskseg.domain.relations import literal, quoted
from riskseg.engine import Engine, NoRoomError
from riskseg.sources.database_connections import (
    INEXACT,
    NO_NUMBER,
    Database,
    DatabaseColumn,
    Since,
    digest_sql,
)
from riskseg.sources.extracts import Extract, Extracts, Part, called
from riskseg.sources.incremental import check_days_as_text, check_key
from riskseg.store.files import NO_ROOM, private_file, sha256_of, write_beside
from riskseg.workspace import Source

# Rows of a file are read, and passed over, in groups of so many.
_GROUP = 200_000
# Where more than one row in so many was changed, the changes become part of the whole.
_MERGED_AT = 10
# How far back changes are looked for where riskseg.toml does not say: a transaction sets the time
# of a row when it writes it, and others see the row when the transaction ends.
_LOOKBACKS = {"timestamp": "interval 1 hour", "date": "interval 1 day", "text": "interval 1 day"}
# The last day of four digits stands for one that never comes: it is no watermark.
_NEVER = "date '9999-01-01'"
_FIRST = "timestamp '0001-01-01'"


@dataclass(frozen=True)
class ExtractReading:
    """One reading of a source. `columns` are all of its columns, of which those that are `wanted`
    are read; the others are null. Without `extracts` nothing is kept for later commands."""

    engine: Engine
    database: Database
    source: Source
    columns: Sequence[DatabaseColumn]
    wanted: Sequence[DatabaseColumn]
    extracts: Extracts | None

    def extract(self) -> tuple[Extract, str | None]:
        """The rows as they are now, and a note on why all of them were read, where fewer should
        have been enough. Raises Problems and EngineError."""
        if self.extracts is None:
            return Extract(self._read()), None
        form = self._form
        before = self.extracts.kept(self.source, form)
        extract, note = None, None
        if self.source.incremental is not None and not self.engine.repeatable(
            self.source.loaded_from
        ):
            note = (
                f"{self.source.table} was read as a whole: its select depends on the time or on "
                "chance, so that rows change by themselves."
            )
        elif before is not None and self.source.incremental is not None:
            extract = self._with_changes(before)
            if extract is not None and (rows := self._missed(extract)):
                extract, note = None, self._note(rows)
        if extract is None:
            extract = Extract(self._read())
            self._check_key(extract.base)
        self.extracts.keep(self.source, form, extract)
        return extract, note

    @cached_property
    def folder(self) -> Path:
        if self.extracts is not None:
            return self.extracts.folder
        return self.engine.new_file("rows").parent

    @property
    def _form(self) -> str:
        """What the kept rows depend on, beside the database's own."""
        incremental = self.source.incremental
        made_of = (
            riskseg.__version__,
            self.database.identity,
            self.source.loaded_from,
            [(column.name, str(column.type)) for column in self.wanted],
            incremental.model_dump() if incremental is not None else None,
        )
        return hashlib.sha256(repr(made_of).encode()).hexdigest()[:16]

    def relation(self, extract: Extract) -> str:
        """A select of the rows of an extract, with all columns of the source."""
        read = {column.name for column in self.wanted}
        listed = ", ".join(
            f"cast({quoted(c.name) if c.name in read else 'null'} as {self._type(c)}) "
            f"as {quoted(c.name)}"
            for c in self.columns
        )
        parts = [f"select {listed} from ({part})" for part in self._parts(extract)]
        return "\nunion all\n".join(parts)

    def _parts(self, extract: Extract) -> list[str]:
        """Selects of the rows of each file that no later file replaces."""
        base = self._rows(extract.base)
        if extract.changes is None:
            return [base]
        changes = self._rows(extract.changes)
        assert extract.since is not None
        unchanged = f"select * from ({base}) b where {self._before(extract.since)}"
        if key := self._columns_of_key:
            same = " and ".join(
                f"c.{quoted(name)} is not distinct from b.{quoted(name)}" for name in key
            )
            unchanged += f" and not exists (select 1 from ({changes}) c where {same})"
        return [unchanged, changes]

    def _rows(self, part: Part) -> str:
        return f"select * from read_parquet({self.engine.file(self.folder / part.file)})"

    def _type(self, column: DatabaseColumn) -> str:
        return self.engine.type_sql(column.type)

    # -- what has changed -----------------------------------------------------------------------

    @cached_property
    def _watermark(self) -> DatabaseColumn:
        assert self.source.incremental is not None
        named = folded(self.source.incremental.watermark)
        return next(column for column in self.wanted if folded(column.name) == named)

    @cached_property
    def _columns_of_key(self) -> list[str]:
        assert self.source.incremental is not None
        named = {folded(name) for name in self.source.incremental.key}
        return [column.name for column in self.wanted if folded(column.name) in named]

    def _before(self, since: str) -> str:
        """Whether a row is none that changes can replace by its watermark."""
        zone = "+00" if self._watermark.type.zoned else ""
        value = f"cast({literal(since + zone)} as {self._type(self._watermark)})"
        return f"{quoted(self._watermark.name)} < {value}"

    def _since(self, base: Part) -> str | None:
        """The watermark from which on rows are read again; None where no row has one."""
        incremental, type_ = self.source.incremental, self._watermark.type
        assert incremental is not None
        name, condition = quoted(self._watermark.name), ""
        rows = self._rows(base)
        if type_.family in ("date", "timestamp"):
            condition = f" where {name} < {_NEVER}"
        if type_.family == "text":
            check_days_as_text(self.source, self.engine, name, rows)
            # Texts have the order of their days alone: times may be written in more than one form.
            # With zones, even texts of days next to each other may be out of order.
            name = f"cast(left({name}, 10) as date)"
            condition = f" where {name} < {_NEVER}"
        if type_.zoned:
            name = f"make_timestamp(epoch_us({name}))"
        highest = f"max({name})"
        back = incremental.interval or incremental.lookback or _LOOKBACKS.get(type_.family)
        if back is not None:
            highest = f"cast({highest} as hugeint)" if type_.is_integer else highest
            highest = f"{highest} - {back}"
        if condition:  # no day before the first can be asked for
            highest = f"greatest({highest}, {_FIRST})"
        if type_.family in ("date", "text"):
            highest = f"cast({highest} as date)"
        value = self.engine.value(f"select cast({highest} as varchar) from ({rows}){condition}")
        return None if value is None else str(value)

    def _with_changes(self, before: Extract) -> Extract | None:
        """What was kept with the rows that were added or changed since; None where no row of it
        says when it was."""
        base = before.base
        since = self._since(base)
        if since is None:
            return None
        changes = self._read(Since(self._watermark, since))
        self._check_key(changes)
        again = (
            f"select * from ({self._rows(base)}) where not coalesce({self._before(since)}, false)"
        )
        if self._digest(again) == self._digest(self._rows(changes)):
            return Extract(base)
        extract = Extract(base, changes, since)
        is_small = changes.rows * _MERGED_AT <= base.rows
        return extract if is_small or extract == before else self._merged(extract)

    def _merged(self, extract: Extract) -> Extract:
        """All rows in one file."""
        rows = " union all ".join(f"select * from ({part})" for part in self._parts(extract))
        return Extract(self._write(self._tables(rows)))

    def _tables(self, rows: str) -> Iterator[pa.Table]:
        for batch in self.engine.batches(rows):
            yield pa.Table.from_batches([batch])

    def _digest(self, rows: str) -> tuple[object, ...]:
        """Tells rows from others, in whatever order they are."""
        return self.engine.rows(digest_sql(f"({rows})"))[0]

    def _missed(self, extract: Extract) -> tuple[int, int] | None:
        """How many rows there are and how many there should be, where these differ: rows were
        deleted, or changed in a way that the watermark does not show."""
        select = " union all ".join(f"select 1 from ({part})" for part in self._parts(extract))
        found = int(self.engine.value(f"select count(*) from ({select})"))
        there = self.database.count(self.source)
        return None if found == there else (found, there)

    def _note(self, rows: tuple[int, int]) -> str:
        incremental = self.source.incremental
        assert incremental is not None
        found, there = rows
        why = f"rows were deleted, or changed without a higher {incremental.watermark}"
        if not incremental.key:
            why += "; where rows change, name their `key`"
        return (
            f"{self.source.table} was read as a whole: there are {there:,} rows, and with what was "
            f"added or changed there would be {found:,} ({why})."
        )

    def _check_key(self, part: Part) -> None:
        """Raise RS004 where rows have the same key: one would replace the others."""
        if self.source.incremental is not None and self._columns_of_key:
            listed = ", ".join(map(quoted, self._columns_of_key))
            check_key(self.source, self.engine, listed, self._rows(part))

    # -- files ----------------------------------------------------------------------------------

    def _read(self, since: Since | None = None) -> Part:
        """Read rows of the database into a file."""
        listed = ", ".join(f"{_kept(self.engine, c)} as {quoted(c.name)}" for c in self.wanted)
        with self.database.reading(self.source, self.wanted, since) as batches:
            # Batch by batch, so that a reading can be broken off in between.
            return self._write(
                self.engine.converted(
                    pa.Table.from_batches([batch]), f"select {listed} from given_rows"
                )
                for batch in batches
            )

    def _write(self, tables: Iterable[pa.Table]) -> Part:
        types = ", ".join(f"cast(null as {self._type(c)}) as {quoted(c.name)}" for c in self.wanted)
        schema = self.engine.arrow(f"select {types} limit 0").schema
        place = self.folder / f"{called(self.source)}.parquet"
        try:
            with _writing(place) as part:
                with pq.ParquetWriter(part, schema) as writer:
                    for group in _in_groups(tables):
                        writer.write_table(group.cast(schema))
                private_file(part)
        except OSError as error:
            if error.errno in NO_ROOM:
                raise NoRoomError(str(error)) from error
            raise
        rows = int(pq.read_metadata(place).num_rows)
        named = place.with_name(f"{called(self.source)}-{sha256_of(place)[:32]}.parquet")
        place.replace(named)
        return Part(named.name, rows, named.stat().st_size)


@contextmanager
def _writing(place: Path) -> Iterator[Path]:
    """A file to write beside its place. Raises NoRoomError where none can be written there."""
    try:
        with write_beside(place, token="extract") as part:
            yield part
    except ProblemsError as error:
        if {problem.code for problem in error.problems} != {"RS010"}:
            raise
        raise NoRoomError(str(error)) from error


def _in_groups(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The rows in tables of about as many as a group of a file has."""
    waiting: list[pa.Table] = []
    for table in tables:
        waiting.append(table)
        if sum(one.num_rows for one in waiting) >= _GROUP:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)


def _kept(engine: Engine, column: DatabaseColumn) -> str:
    """A column of the stream as it is kept. A decimal comes as text."""
    name = quoted(column.name)
    if column.type.family != "decimal":
        return f"cast({name} as {engine.type_sql(column.type)})"
    whole, scale = column.type.size - column.type.scale, column.type.scale
    form = rf"-?0*[0-9]{{0,{whole}}}(\.[0-9]{{0,{scale}}}0*)?"
    holds = f"{literal(column.name + ' holds ')} || substr({name}, 1, 60)"
    refusal = f"""{holds} || case
                when try_cast({name} as double) is null then ', which {NO_NUMBER}'
                else ', which {INEXACT}'
            end"""
    return f"""case
            when {name} is null or regexp_full_match({name}, {literal(form)})
            then cast({name} as {engine.type_sql(column.type)})
            else error({refusal})
        end"""
