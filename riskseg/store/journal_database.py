"""What the journal needs of the database that keeps it."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from typing import Any

import sqlalchemy as sa

from riskseg.domain.problems import ProblemsError, problem

# How long a writer waits for another one.
BUSY_SECONDS = 5

DAMAGED = "This journal is damaged."


class JournalDatabase(ABC):
    """Connections to the database that keeps a journal. What the database refuses is RS603, and
    RS604 where another process writes in it for longer than `BUSY_SECONDS`."""

    # What to do with a journal that cannot be used.
    way_out = "Restore it from a copy, or move it away to start over."

    def __init__(self, name: str, engine: sa.Engine) -> None:
        self.name = name
        self.engine = engine

    @classmethod
    @abstractmethod
    def to_write(cls, place: Any) -> JournalDatabase:
        """The database at a place of this kind, to write in."""

    @classmethod
    @abstractmethod
    def to_read(cls, place: Any) -> JournalDatabase | None:
        """The database at a place of this kind for a command that writes nothing; None where it is
        not there yet."""

    @abstractmethod
    def reading(self) -> AbstractContextManager[sa.Connection]:
        """One transaction that sees the journal as it is at its first statement."""

    @abstractmethod
    def writing(self) -> AbstractContextManager[sa.Connection]:
        """One transaction that holds the right to write from its start, so that what it reads is
        still so when it writes."""

    @abstractmethod
    def check_whole(self, connection: sa.Connection) -> None:
        """Raise RS603 where the database itself is damaged."""

    @abstractmethod
    def prepare(self, connection: sa.Connection) -> None:
        """Make the place of a new journal, in the transaction that makes its tables."""

    @abstractmethod
    def forget_for_good(self, connection: sa.Connection) -> None:
        """See to it that what this transaction empties is not left where it was, as far as the
        database can."""

    @abstractmethod
    def may_not_write(self, error: ProblemsError) -> bool:
        """Whether a refusal is that nothing may be written here."""

    def close(self) -> None:
        self.engine.dispose()

    def edited(self, what: str) -> ProblemsError:
        """RS603 for what is not as it was written."""
        return self.unusable(f"This journal is damaged or was edited: {what}.")

    def unusable(self, what: str, hint: str | None = None) -> ProblemsError:
        """RS603 for this journal."""
        return problem("RS603", what, file=self.name, hint=hint or self.way_out)

    def busy(self) -> ProblemsError:
        """RS604 for this journal."""
        return problem(
            "RS604",
            "Another process is writing in the journal.",
            file=self.name,
            hint="Wait until it has ended.",
        )


def json_text(value: object) -> str:
    """A value as the JSON that a journal keeps: the same text for the same value."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
