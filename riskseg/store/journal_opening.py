"""What opens a journal: the database that keeps it, the version of its tables, and whether it is
still in use."""

from __future__ import annotations

import re
from pathlib import Path

import sqlalchemy as sa

from riskseg.store.journal_database import DAMAGED, JournalDatabase
from riskseg.store.journal_entries import latest
from riskseg.store.journal_place import JournalPlace, PostgresPlace
from riskseg.store.journal_tables import REVISION, VERSION_TABLE
from riskseg.store.records import MoveRecord
from riskseg.store.sqlite_journal import SqliteJournal

MIGRATIONS = Path(__file__).parent / "migrations"


def kind_of_database(place: JournalPlace) -> type[JournalDatabase]:
    """The class that opens a place. What PostgreSQL needs is loaded where one is named."""
    if isinstance(place, PostgresPlace):
        from riskseg.store.postgres_journal import PostgresJournal

        return PostgresJournal
    return SqliteJournal


def revision_of(database: JournalDatabase, connection: sa.Connection) -> str | None:
    """The journal's revision, None for a database that has none. Raises RS603 for one that is not
    whole."""
    database.check_whole(connection)
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    version = sa.table(VERSION_TABLE, sa.column("version_num"))
    revisions = connection.execute(sa.select(version.c.version_num)).scalars().all()
    if len(revisions) != 1 or not re.fullmatch(r"\d{4}", str(revisions[0])):
        raise database.edited("its version cannot be read")
    revision = str(revisions[0])
    if revision > REVISION:
        message = "A later version of riskseg wrote this journal."
        raise database.unusable(message, "Use that version.")
    return revision


def bring_up_to_date(
    database: JournalDatabase, connection: sa.Connection, *, to: str = "head"
) -> None:
    """Carry out the migrations that are missing, all of them or none, in the transaction of a
    connection that writes."""
    revision = revision_of(database, connection)
    if revision == REVISION:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    # Alembic keeps options in an INI parser, to which % is special.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes.update(connection=connection, version_table=VERSION_TABLE)
    if revision is None and sa.inspect(connection).get_table_names():
        raise database.unusable("This database is not a journal.")
    database.prepare(connection)
    try:
        command.upgrade(config, to)
    except CommandError as error:
        raise database.unusable(DAMAGED) from error


def check_not_left(database: JournalDatabase, connection: sa.Connection) -> None:
    """Raise RS603 where the journal was moved to another place, or its move to this one is not
    complete: see `journal_move`. There is one journal that goes on, never two."""
    moves = latest(connection, MoveRecord)
    if not moves or moves[0].arrived:
        return
    move = moves[0]
    if database.name == move.target:
        raise database.unusable(
            f"The move of the journal from {move.source} to this place is not complete.",
            "Give `riskseg journal move` again, as before.",
        )
    where = (
        "Name that place in [journal] of riskseg.toml."
        if "://" in move.target
        else "Work in the workspace that has this file, without [journal] in its riskseg.toml."
    )
    raise database.unusable(
        f"{move.by} moved this journal to {move.target} at {move.at.isoformat()}.",
        f"{where} If the move was interrupted, give `riskseg journal move` again, as before.",
    )
