"""A journal in a schema of a PostgreSQL database, which several machines may share.

Writers take turns by an advisory lock of their transaction. A command that writes holds another
one, of its session, from before it reads until it ends: see :func:`only_writer`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from riskseg.domain.addresses import without_secrets
from riskseg.domain.problems import ProblemsError, problem
from riskseg.store.chain import BrokenChainError
from riskseg.store.database_refusals import is_of_login
from riskseg.store.database_urls import driver_of, hide, rendered
from riskseg.store.journal_database import BUSY_SECONDS, DAMAGED, JournalDatabase, json_text
from riskseg.store.journal_place import PostgresPlace

# A server that does not answer is not waited for, and one that a firewall forgot is asked often
# enough to be remembered.
_CONNECTION = {"connect_timeout": 10, "keepalives_idle": 60, "application_name": "riskseg"}
# What PostgreSQL calls its refusals: https://www.postgresql.org/docs/current/errcodes-appendix.html
_LOCKED = "55P03"
_UNWRITABLE = ("42501", "25006")  # no privilege; a read-only transaction
_NOT_AS_WRITTEN = ("42P01", "42703", "42804")  # no such table or column, a column of another type
_CORRUPT = "XX"


class PostgresJournal(JournalDatabase):
    """The schema that a place names."""

    way_out = "Restore it from a copy, or name another `schema` in [journal] to start over."

    def __init__(self, place: PostgresPlace) -> None:
        self._schema = place.schema
        self._url = _parsed(place.url)
        given = {name: value for name, value in _CONNECTION.items() if name not in self._url.query}
        with driver_of(self._url):
            engine = sa.create_engine(self._url, connect_args=given, json_serializer=json_text)
        sa.event.listen(engine, "connect", self._enter_schema, insert=True)
        super().__init__(f"{rendered(self._url)}, schema {place.schema}", engine)

    @classmethod
    def to_write(cls, place: PostgresPlace) -> PostgresJournal:
        return cls(place)

    @classmethod
    def to_read(cls, place: PostgresPlace) -> PostgresJournal | None:
        """The schema for a command that writes nothing; None where nothing is in it yet."""
        database = cls(place)
        with database.reading() as connection:
            tables = sa.inspect(connection).get_table_names()
        if tables:
            return database
        database.close()
        return None

    def _enter_schema(self, connection: Any, _record: object) -> None:
        """Have names mean those of the schema, and of no other."""
        with connection.cursor() as cursor:
            cursor.execute(
                "select set_config('search_path', quote_ident(%s), false)", [self._schema]
            )
        connection.commit()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        with self._refusals(), self.engine.connect() as connection:
            yield connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        with self._refusals(), self.engine.begin() as connection:
            connection.exec_driver_sql(f"set local lock_timeout = {BUSY_SECONDS * 1000:.0f}")
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(self._lock("entries"))))
            yield connection

    @contextmanager
    def only_writer(self) -> Iterator[None]:
        """Keep every other command that writes in this journal away while the block runs. Raises
        RS604 where there is one. The lock is the session's, and ends with it."""
        with self._refusals():
            session = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            with self._refusals():
                lock = sa.func.pg_try_advisory_lock(self._lock("commands"))
                if not session.execute(sa.select(lock)).scalar():
                    raise self.busy()
            yield
        finally:
            session.invalidate()
            session.close()

    def _lock(self, of: str) -> Any:
        """The number of an advisory lock of this schema."""
        return sa.func.hashtextextended(f"riskseg {self._schema} {of}", 0)

    def check_whole(self, connection: sa.Connection) -> None:
        """PostgreSQL looks after its own files."""

    def prepare(self, connection: sa.Connection) -> None:
        connection.execute(sa.schema.CreateSchema(self._schema, if_not_exists=True))

    def forget_for_good(self, connection: sa.Connection) -> None:
        """Old versions of rows stay until PostgreSQL vacuums the table, which it does by itself."""

    def may_not_write(self, error: ProblemsError) -> bool:
        return _code(error.__cause__) in _UNWRITABLE

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        """PostgreSQL's complaints as Problems; any other error is our own."""
        try:
            yield
        except BrokenChainError as error:
            raise self.edited(str(error)) from error
        except sa.exc.DBAPIError as error:
            code = _code(error)
            if code == _LOCKED:
                raise self.busy() from error
            if code in _NOT_AS_WRITTEN or (code or "").startswith(_CORRUPT):
                raise self.unusable(DAMAGED) from error
            said, _, _ = hide(str(error.orig), self._url).partition("\n")
            if code in _UNWRITABLE:
                raise self.unusable(
                    f"The journal may not be written or read: {said}.",
                    "Give the user of [journal] the right to the schema and its tables.",
                ) from error
            if not isinstance(error, sa.exc.OperationalError):
                raise
            if is_of_login(said):
                raise self.unusable(
                    f"The database of the journal does not let this user in: {said}.",
                    "Check the user in `url` of [journal], and the password in the environment.",
                ) from error
            raise self.unusable(
                f"The database of the journal does not answer: {said}.",
                "Check `url` in [journal], and that the server can be reached.",
            ) from error


def _parsed(address: str) -> sa.URL:
    """The address of a PostgreSQL database. Raises RS004 for any other."""
    try:
        url = sa.make_url(address)
        if url.drivername not in ("postgresql", "postgresql+psycopg"):
            raise ValueError(url.drivername)
        return url.set(drivername="postgresql+psycopg")
    except (sa.exc.ArgumentError, ValueError) as error:
        raise problem(
            "RS004",
            "This is not the address of a PostgreSQL database.",
            file=without_secrets(address),
            hint="Write `url` in [journal] as postgresql+psycopg://user@host/database.",
        ) from error


def _code(error: BaseException | None) -> str | None:
    """What PostgreSQL calls an error; None for another's."""
    return getattr(getattr(error, "orig", None), "sqlstate", None)
