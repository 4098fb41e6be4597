"""The journal: which runs are complete, which model versions exist, which one is champion, which
strategy is in force from when, which accounts were erased.

One SQLite file a workspace. Entries are added, never changed and never removed: each is read
with its digest (see `chain`), so that what was damaged or edited since is never taken for true.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, get_args

import sqlalchemy as sa

import riskseg
from riskseg.domain.problems import ProblemsError, did_you_mean, problem
from riskseg.store import chain
from riskseg.store import events as events_
from riskseg.store.files import private_file, private_folder
from riskseg.store.journal_tables import METADATA, REVISION, TABLES, VERSION_TABLE, Moment
from riskseg.store.records import (
    ActivationRecord,
    ErasureRecord,
    EventBatchRecord,
    ModelRecord,
    PromotionRecord,
    RunRecord,
    StrategyRecord,
    text_hash,
)

if TYPE_CHECKING:
    import pyarrow as pa

_BUSY_SECONDS = 5
_MIGRATIONS = Path(__file__).parent / "migrations"
_HEADER_BYTES = 100
_DAMAGED = "This journal is damaged."
_UNWRITABLE = ("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_IOERR", "SQLITE_FULL")

Record = (
    RunRecord
    | ModelRecord
    | PromotionRecord
    | StrategyRecord
    | ActivationRecord
    | ErasureRecord
    | EventBatchRecord
)
R = TypeVar("R", bound=Record)


class Journal:
    """An open journal; a context manager that closes it.

    Any method raises RS603 when the file is damaged, is no journal or cannot be written, and
    RS604 when another process writes in it for longer than five seconds.
    """

    def __init__(self, path: Path, engine: sa.Engine) -> None:
        self._path = path
        self._engine = engine

    @classmethod
    def open(cls, path: Path) -> Journal:
        """Open the journal at `path`; it and its folder are made, or it is brought to this
        version, where needed."""
        with suppress(OSError):  # SQLite tells better why the file cannot be opened
            private_folder(path.parent)
        journal = cls(path, _engine(path))
        try:
            with journal._reading() as connection:
                current = journal._revision(connection) == REVISION
            if not current:
                journal._upgrade()
                private_file(path)
        except BaseException:
            journal.close()
            raise
        return journal

    @classmethod
    def open_to_read(cls, path: Path) -> Journal:
        """The journal at `path` for a command that writes nothing: it can be read where nothing can
        be written, and one that is not there yet is as an empty one.

        One of an earlier version is brought to this one where that can be written; else RS603.
        """
        if not path.exists() or (path.is_file() and path.stat().st_size == 0):
            return cls(path, _without_entries())
        journal, revision = cls._opened_to_read(path)
        if revision == REVISION:
            return journal
        journal.close()
        try:
            return cls.open(path)
        except ProblemsError as error:
            unwritable = _errorname(error.__cause__).startswith(_UNWRITABLE)
            if revision is None or not unwritable:
                raise
            raise _unusable(
                path,
                "An earlier version of riskseg wrote this journal, and it may not be written, so "
                "that it cannot be brought to this version.",
                "Use that version, or give the right to write there.",
            ) from error

    @classmethod
    def _opened_to_read(cls, path: Path) -> tuple[Journal, str | None]:
        """The journal, and its revision.

        SQLite reads with a file beside the journal that readers and writers share. Where neither
        that file is there nor can be made, nobody is writing; if all that was written is in the
        journal itself, that alone is read.
        """
        journal = cls(path, _engine(path, reading=True))
        try:
            with journal._reading() as connection:
                return journal, journal._revision(connection)
        except ProblemsError:
            journal.close()
            beside = path.with_name(path.name + "-wal")
            if not path.is_file() or (beside.exists() and beside.stat().st_size):
                raise
        journal = cls(path, _engine(path, reading=True, alone=True))
        try:
            with journal._reading() as connection:
                return journal, journal._revision(connection)
        except BaseException:
            journal.close()
            raise

    def close(self) -> None:
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def record_run(self, run: RunRecord) -> None:
        """Add a complete run.

        The same run done again is one run: where the last entry under its id differs in
        nothing but `at`, nothing is added. Where it does differ (a newer library wrote other
        bytes, say) both are kept and :meth:`run` gives the later one, so that the journal
        tells of the file that is there.
        """
        with self._writing() as connection:
            last = _first(
                self._latest(connection, RunRecord), lambda earlier: earlier.run_id == run.run_id
            )
            if last is None or _content(last) != _content(run):
                self._add(connection, run)

    def runs(self, *, limit: int | None = None) -> list[RunRecord]:
        """Complete runs, the latest first; all of them, or the last `limit`."""
        return self._all(RunRecord)[:limit]

    def run(self, run_id: str) -> RunRecord | None:
        """The latest run under an id, or None."""
        return _first(self.runs(), lambda run: run.run_id == run_id)

    def record_model(self, model: ModelRecord) -> None:
        """Add a trained version; the same version with the same fingerprint is kept once.

        Raises RS010 for a version that was recorded with another fingerprint: promotions name
        versions, so a version is never two things.
        """
        with self._writing() as connection:
            recorded = _first(
                self._latest(connection, ModelRecord),
                lambda recorded_model: (
                    (recorded_model.model, recorded_model.version) == (model.model, model.version)
                ),
            )
            if recorded is None:
                self._add(connection, model)
            elif recorded.fingerprint != model.fingerprint:
                raise problem(
                    "RS010",
                    f"{model.model} already has a version {model.version} with other content.",
                    file=str(self._path),
                    hint="Keep the new one under another version.",
                )

    def models(self, name: str | None = None) -> list[ModelRecord]:
        """Trained versions, the latest first; of every model, or of `name`."""
        return [model for model in self._all(ModelRecord) if name is None or model.model == name]

    def promote(self, model: str, version: str, *, at: datetime, by: str, reason: str) -> None:
        """Make a recorded version the champion of its model from `at` on.

        Raises RS401 for a version that is not recorded.
        """
        with self._writing() as connection:
            recorded_models = self._latest(connection, ModelRecord)
            if not any(
                (known_version.model, known_version.version) == (model, version)
                for known_version in recorded_models
            ):
                versions = [
                    known_version.version
                    for known_version in recorded_models
                    if known_version.model == model
                ]
                raise problem(
                    "RS401",
                    f'There is no version "{version}" of a model "{model}".',
                    hint=did_you_mean(version, versions)
                    or did_you_mean(
                        model, {known_version.model for known_version in recorded_models}
                    )
                    or "Train one first.",
                )
            self._add(
                connection,
                PromotionRecord(model=model, version=version, at=at, by=by, reason=reason),
            )

    def promotions(self, model: str | None = None) -> list[PromotionRecord]:
        """Promotions, the latest first; of every model, or of one."""
        return [
            promotion
            for promotion in self._all(PromotionRecord)
            if model is None or promotion.model == model
        ]

    def champion(self, model: str, on: date | None = None) -> ModelRecord | None:
        """The version promoted last, or last at the close of the day `on`; None without one.

        The day of a promotion is the calendar day of its `at` as given.
        """
        last_promotion = _first(
            self.promotions(model), lambda promotion: on is None or promotion.at.date() <= on
        )
        if last_promotion is None:
            return None
        recorded = _first(
            self.models(model), lambda version: version.version == last_promotion.version
        )
        if recorded is None:
            raise _edited(
                self._path, f"{model} {last_promotion.version} was promoted and is not recorded"
            )
        return recorded

    def activate(self, strategy: StrategyRecord, activation: ActivationRecord) -> None:
        """Make a strategy the one in force from a date on; its text is kept once."""
        with self._writing() as connection:
            if _first(self._latest(connection, StrategyRecord), _is(strategy)) is None:
                self._add(connection, strategy)
            self._add(connection, activation)

    def strategies(self) -> list[StrategyRecord]:
        """Every text of a strategy that was ever activated, the latest first."""
        return self._all(StrategyRecord)

    def strategy(self, activation: ActivationRecord) -> StrategyRecord:
        """The strategy an activation names."""
        recorded = _first(self.strategies(), _is(activation))
        if recorded is None:
            raise _edited(self._path, f"the text of {activation.fingerprint} is not in it")
        return recorded

    def activations(self) -> list[ActivationRecord]:
        """Activations, the latest first."""
        return self._all(ActivationRecord)

    def in_force(self, on: date) -> ActivationRecord | None:
        """The activation that holds as of a date: the last one made of those whose first day is
        on or before it; None where there is none."""
        return _first(self.activations(), lambda activation: activation.effective_from <= on)

    def record_erasure(self, erasure: ErasureRecord, account: str) -> None:
        """Add that an account was taken out of all that is kept, and empty its events."""
        with self._writing() as connection:
            self._add(connection, erasure)
            events_.erase_events(connection, account, erasure.account)

    def events_of(self, account: str) -> int:
        """How many events there are of an account."""
        with self._reading() as connection:
            return events_.count_of_account(connection, account)

    def erasures(self) -> list[ErasureRecord]:
        """Erasures, the latest first."""
        return self._all(ErasureRecord)

    def record_events(
        self, events: Sequence[events_.Event], *, command: str, at: datetime, recorded_on: date
    ) -> list[events_.Event]:
        """Add the events whose ids are not there yet, as one batch; which those are."""
        with self._writing() as connection:
            new = events_.new_events(connection, events)
            if new:
                sha256 = events_.digest_of_batch(map(events_.digest_of, new))
                batch = EventBatchRecord(
                    batch_id=sha256[:16],
                    command=command,
                    at=at,
                    recorded_on=recorded_on,
                    riskseg_version=riskseg.__version__,
                    rows=len(new),
                    sha256=sha256,
                )
                self._add(connection, batch)
                events_.add_events(connection, batch.batch_id, new)
        return new

    def event_batches(self) -> list[EventBatchRecord]:
        """The batches in which events were recorded, the latest first."""
        return self._all(EventBatchRecord)

    def events(self) -> pa.Table:
        """Every event, in the order in which they were recorded, as `events.SCHEMA` says."""
        with self._reading() as connection:
            batches = self._latest(connection, EventBatchRecord)
            erased = {erasure.account for erasure in self._latest(connection, ErasureRecord)}
            of_batches = {batch.batch_id: batch.sha256 for batch in batches}
            return events_.read_events(connection, of_batches, erased)

    def _all(self, kind: type[R]) -> list[R]:
        with self._reading() as connection:
            return self._latest(connection, kind)

    def _latest(self, connection: sa.Connection, kind: type[R]) -> list[R]:
        """Every entry of a kind, the latest first. Raises RS603 where one is not as written."""
        table = TABLES[kind]
        rows = chain.entries(connection, table.name, table.columns.keys())
        return [_record(kind, table, row) for row in reversed(rows)]

    def _add(self, connection: sa.Connection, record: Record) -> None:
        table = TABLES[type(record)]
        self._latest(connection, type(record))  # nothing is built on what is damaged
        connection.execute(table.insert().values(_values(record)))
        chain.seal(connection, table.name, table.columns.keys())

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with _refusals(self._path), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """One transaction that holds the right to write from its start, so that what it reads
        is still so when it writes. The driver's own would begin only at the first change."""
        with _refusals(self._path), self._engine.begin() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection

    def _revision(self, connection: sa.Connection) -> str | None:
        """The journal's revision, None for a database that has none. Raises RS603 for a file that
        is not whole."""
        if connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar() != "ok":
            raise _unusable(self._path, _DAMAGED)
        if not sa.inspect(connection).has_table(VERSION_TABLE):
            return None
        version = sa.table(VERSION_TABLE, sa.column("version_num"))
        revisions = connection.execute(sa.select(version.c.version_num)).scalars().all()
        if len(revisions) != 1 or not re.fullmatch(r"\d{4}", str(revisions[0])):
            raise _edited(self._path, "its version cannot be read")
        revision = str(revisions[0])
        if revision > REVISION:
            message = "A later version of riskseg wrote this journal."
            raise _unusable(self._path, message, "Use that version.")
        return revision

    def _upgrade(self, to: str = "head") -> None:
        """Carry out the migrations that are missing, all of them or none."""
        from alembic import command
        from alembic.config import Config
        from alembic.util import CommandError

        config = Config()
        # Alembic keeps options in an INI parser, to which % is special.
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        with self._writing() as connection:
            config.attributes.update(connection=connection, version_table=VERSION_TABLE)
            if self._revision(connection) is None and sa.inspect(connection).get_table_names():
                raise _unusable(self._path, "This database is not a journal.")
            try:
                command.upgrade(config, to)
            except CommandError as error:
                raise _unusable(self._path, _DAMAGED) from error


def _engine(path: Path, *, reading: bool = False, alone: bool = False) -> sa.Engine:
    """Connections to the journal: to write in; only for `reading`; `alone`, without a look at what
    SQLite keeps beside it."""

    def connect() -> sqlite3.Connection:
        # SQLite takes less than its own header for a database that is new.
        if path.is_file() and 0 < path.stat().st_size < _HEADER_BYTES:
            raise _unusable(path, _DAMAGED)
        where = f"{path.absolute().as_uri()}?mode={'ro&immutable=1' if alone else 'rw'}"
        connection = sqlite3.connect(
            where if reading else str(path),
            uri=reading,
            timeout=_BUSY_SECONDS,
            # Without an isolation level the driver leaves transactions to us: see _writing.
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            # SQLite itself opens what may not be written for reading alone. Asked for that, it
            # would leave the files it needs beside a journal that may.
            mode = "query_only = ON" if reading else "journal_mode = WAL"
            connection.execute(f"PRAGMA {mode}")
            connection.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            connection.close()
            raise
        return connection

    return sa.create_engine(
        "sqlite://", creator=connect, poolclass=sa.QueuePool, json_serializer=_json
    )


def _without_entries() -> sa.Engine:
    """In memory, what a new journal holds."""
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool, json_serializer=_json)
    METADATA.create_all(engine)
    return engine


def _first(records: list[R], wanted: Callable[[R], bool]) -> R | None:
    return next((record for record in records if wanted(record)), None)


def _is(named: StrategyRecord | ActivationRecord) -> Callable[[StrategyRecord], bool]:
    """Whether a strategy is the one that a record names."""
    return lambda found: (found.fingerprint, found.text) == (named.fingerprint, named.text)


def _record(kind: type[R], table: sa.Table, row: Mapping[str, Any]) -> R:
    """An entry from what SQLite holds. Raises BrokenChainError for what no version of ours wrote:
    entries of before there were digests may have been damaged then."""
    try:
        record = kind(**{f.name: _read(table.c[f.name], row[f.name]) for f in fields(kind)})
    except (ValueError, TypeError, RecursionError) as error:
        message = f"entry {row[chain.NUMBER]} of {table.name} cannot be read"
        raise chain.BrokenChainError(message) from error
    if isinstance(record, StrategyRecord) and text_hash(record.files) != record.text:
        message = f"the text of {record.name} {record.fingerprint} is not the one activated"
        raise chain.BrokenChainError(message)
    return record


def _read(column: sa.Column[Any], value: Any) -> Any:
    """A column's value from what SQLite holds. Raises ValueError, TypeError."""
    if value is None:
        if column.nullable:
            return None
        raise ValueError(column.name)
    if isinstance(column.type, Moment):
        return datetime.fromisoformat(value)
    if isinstance(column.type, sa.Date):
        return date.fromisoformat(value)
    if isinstance(column.type, sa.JSON):
        return _read_json(column, json.loads(value))
    kind = str if isinstance(column.type, sa.Text) else int
    if not isinstance(value, kind):
        raise TypeError(column.name)
    return bool(value) if isinstance(column.type, sa.Boolean) else value


def _read_json(column: sa.Column[Any], value: Any) -> Any:
    """A list or mapping, in which there are texts where the record's field has them."""
    holds = column.info["holds"]
    is_list = holds == Sequence[str]
    whole = isinstance(value, list if is_list else dict)
    if whole and get_args(holds)[-1] is str:
        whole = all(isinstance(text, str) for text in (value if is_list else value.values()))
    if not whole:
        raise TypeError(column.name)
    return value


def _values(record: Record) -> dict[str, Any]:
    values = {field.name: getattr(record, field.name) for field in fields(record)}
    return {
        name: dict(v) if isinstance(v, Mapping) else list(v) if isinstance(v, tuple) else v
        for name, v in values.items()
    }


def _content(record: Record) -> str:
    """All of a record but its moment, as text: lists and tuples are the same to JSON."""
    values = _values(record)
    del values["at"]
    return json.dumps(values, default=date.isoformat, sort_keys=True)


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)


def _errorname(error: BaseException | None) -> str:
    """What SQLite calls an error; nothing for another's."""
    return getattr(getattr(error, "orig", None), "sqlite_errorname", "")


@contextmanager
def _refusals(path: Path) -> Iterator[None]:
    """SQLite's complaints about the file as Problems; any other error is our own."""
    try:
        yield
    except (chain.BrokenChainError, UnicodeDecodeError) as error:
        raise _edited(path, str(error)) from error
    except sa.exc.DBAPIError as error:
        name = _errorname(error)
        if name.startswith("SQLITE_BUSY"):
            raise problem(
                "RS604",
                "Another process is writing in the journal.",
                file=str(path),
                hint="Wait until it has ended.",
            ) from error
        if name.startswith(_UNWRITABLE):
            raise _unusable(
                path,
                f"The journal cannot be opened for writing: {error.orig}.",
                "Make room, or give the right to write there.",
            ) from error
        if isinstance(error, sa.exc.IntegrityError | sa.exc.ProgrammingError):
            raise
        # Our statements are the same for every journal: it is the file that they do not fit.
        raise _unusable(path, _DAMAGED) from error


def _edited(path: Path, what: str) -> ProblemsError:
    return _unusable(path, f"This journal is damaged or was edited: {what}.")


def _unusable(
    path: Path, what: str, hint: str = "Restore it from a copy, or move it away to begin anew."
) -> ProblemsError:
    return problem("RS603", what, file=str(path), hint=hint)
