"""A journal in a SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa

from riskseg.domain.problems import ProblemsError
from riskseg.store.chain import BrokenChainError
from riskseg.store.files import private_file, private_folder
from riskseg.store.journal_database import BUSY_SECONDS, DAMAGED, JournalDatabase, json_text
from riskseg.store.journal_tables import METADATA

_HEADER_BYTES = 100
_UNWRITABLE = ("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_IOERR", "SQLITE_FULL")


class SqliteJournal(JournalDatabase):
    """The file at `path`: to write in, only for `reading`, or `alone`, without a look at what
    SQLite keeps beside it."""

    def __init__(
        self,
        path: Path,
        *,
        reading: bool = False,
        alone: bool = False,
        engine: sa.Engine | None = None,
    ) -> None:
        self._path, self._reading, self._alone = path, reading, alone
        engine = engine or sa.create_engine(
            "sqlite://", creator=self._connect, poolclass=sa.QueuePool, json_serializer=json_text
        )
        super().__init__(str(path), engine)

    @classmethod
    def to_write(cls, path: Path) -> SqliteJournal:
        """The file, which is made where it is not there, and its folder with it."""
        with suppress(OSError):  # SQLite tells better why the file cannot be opened
            private_folder(path.parent)
        return cls(path)

    @classmethod
    def to_read(cls, path: Path) -> SqliteJournal | None:
        """The file for a command that writes nothing; None where it is not there yet.

        SQLite reads with a file beside the journal that readers and writers share. Where neither
        that file is there nor can be made, nobody is writing; if all that was written is in the
        journal itself, that alone is read.
        """
        if not path.exists() or (path.is_file() and path.stat().st_size == 0):
            return None
        database = cls(path, reading=True)
        try:
            with database.reading() as connection:
                connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")
        except ProblemsError:
            database.close()
            beside = path.with_name(path.name + "-wal")
            if not path.is_file() or (beside.exists() and beside.stat().st_size):
                raise
            return cls(path, reading=True, alone=True)
        return database

    def _connect(self) -> sqlite3.Connection:
        path = self._path
        # SQLite takes less than its own header for a database that is new.
        if path.is_file() and 0 < path.stat().st_size < _HEADER_BYTES:
            raise self.unusable(DAMAGED)
        mode = "ro&immutable=1" if self._alone else "rw"
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}" if self._reading else str(path),
            uri=self._reading,
            timeout=BUSY_SECONDS,
            # Without an isolation level the driver leaves transactions to us.
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            # SQLite itself opens what may not be written for reading alone. Asked for that, it
            # would leave the files it needs beside a journal that may.
            pragma = "query_only = ON" if self._reading else "journal_mode = WAL"
            connection.execute(f"PRAGMA {pragma}")
            connection.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        with self._refusals(), self.engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        with self._refusals(), self.engine.begin() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection

    def check_whole(self, connection: sa.Connection) -> None:
        if connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar() != "ok":
            raise self.unusable(DAMAGED)

    def prepare(self, connection: sa.Connection) -> None:
        private_file(self._path)

    def forget_for_good(self, connection: sa.Connection) -> None:
        connection.exec_driver_sql("PRAGMA secure_delete = ON")

    def may_not_write(self, error: ProblemsError) -> bool:
        return _errorname(error.__cause__).startswith(_UNWRITABLE)

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        """SQLite's complaints about the file as Problems; any other error is our own."""
        try:
            yield
        except (BrokenChainError, UnicodeDecodeError) as error:
            raise self.edited(str(error)) from error
        except sa.exc.DBAPIError as error:
            name = _errorname(error)
            if name.startswith("SQLITE_BUSY"):
                raise self.busy() from error
            if name.startswith(_UNWRITABLE):
                wanted = "read and write" if self._reading else "write"
                raise self.unusable(
                    f"The journal cannot be opened{'' if self._reading else ' for writing'}: "
                    f"{error.orig}.",
                    f"Make room, or give the user who runs riskseg the right to {wanted} there.",
                ) from error
            if isinstance(error, sa.exc.IntegrityError | sa.exc.ProgrammingError):
                raise
            # Our statements are the same for every journal: it is the file that they do not fit.
            raise self.unusable(DAMAGED) from error


def without_entries() -> SqliteJournal:
    """In memory, what a new journal holds."""
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    METADATA.create_all(engine)
    return SqliteJournal(Path("in memory"), engine=engine)


def _errorname(error: BaseException | None) -> str:
    """What SQLite calls an error; nothing for another's."""
    return getattr(getattr(error, "orig", None), "sqlite_errorname", "")
