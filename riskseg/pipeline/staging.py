"""Stage the sources into the tables of the ledger: number accounts, type and check rows, find bad
ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NoReturn

from riskseg.domain.problems import Problems
from riskseg.engine import Engine, EngineError
from riskseg.ledger.checks import Fault
from riskseg.ledger.every_fault import every_fault_sql
from riskseg.ledger.mapping import Mapped
from riskseg.ledger.reversals import (
    ANY_CHAIN,
    BILLS_OF_CHAINS,
    NO_CHAINS,
    REVERSED_REFUNDS,
    SOUND_PAYMENTS,
    chains_sql,
    split_parts_sql,
)
from riskseg.ledger.staging import Staging, account_ids_sql, bad_rows_sql, numbered_sql, stage
from riskseg.pipeline.quarantine import (
    BadRows,
    all_sound,
    bad_rows_of,
    mark_bad_rows,
)
from riskseg.pipeline.staged_ledger import kept, opened
from riskseg.sources.rows_read import explain_failure
from riskseg.sources.unchanged import Stamps, check_unchanged
from riskseg.workspace import Workspace


class _NotStaged(Exception):
    """A source cannot be staged; a Problem says why."""


class _MadeAgain(Exception):
    """The tables have to be made in another way; some were `begun` where they are not kept."""

    begun = False


class _HasBadRows(_MadeAgain):
    """Rows that are bad have to be numbered, so that they can be pointed at."""


class _NotConverted(_MadeAgain):
    """An expression of riskseg.toml fails on a value of its source."""


@dataclass(frozen=True)
class Staged:
    """The tables are there: whether ids are `texts`, the `bad` rows, and the name under which they
    are `kept`, None where they are not."""

    texts: bool
    bad: Sequence[BadRows] = ()
    kept: str | None = None


@dataclass(frozen=True)
class StagedSources:
    """The tables of accounts and rows, made of the sources whose files had the stamps `before`.
    `texts` keeps the ids of bills and payments readable; `shows_ids` does so where the tables are
    not kept, for whoever can read them anew from the sources. With `numbered`, rows have numbers,
    and bad ones are among them; without, :meth:`make` raises _HasBadRows where there are any, and
    _NotConverted where an expression fails on one."""

    engine: Engine
    workspace: Workspace
    sources: Mapping[str, Mapped]
    before: Stamps
    problems: Problems
    texts: bool
    shows_ids: bool = False
    numbered: bool = False

    @cached_property
    def _stagings(self) -> Mapping[str, Staging]:
        settings = self.workspace.settings
        return {
            table: stage(
                mapped,
                settings.scale,
                currency=settings.currency,
                numbered=self.numbered,
                texts=self.texts,
                short=self._short(table),
            )
            for table, mapped in self.sources.items()
        }

    def _short(self, table: str) -> bool:
        """Whether of a table only what differs from row to row is stored: of long ones whose rows
        nobody changes or looks up by their place."""
        if self.numbered or not self.workspace.settings.keep_staged:
            return False
        return table == "bills" or (table == "payments" and not self.sources[table].has("reverses"))

    @property
    def faults(self) -> dict[str, dict[int, Fault]]:
        """The checks by table and number."""
        return {
            table: {fault.number: fault for fault in staging.faults}
            for table, staging in self._stagings.items()
        }

    def have(self) -> Staged | None:
        """Have the tables: what an earlier command staged of the same files, or else made now.
        None after adding a Problem."""
        with_bad_rows = replace(self, texts=True, numbered=True)
        by_row = {table: mapped.converting_row_by_row() for table, mapped in self.sources.items()}
        row_by_row = replace(with_bad_rows, sources=by_row)
        for staging in (self, with_bad_rows, row_by_row):
            if (name := opened(*staging._kept_as)) is not None:
                return staging._staged(name)
        try:
            return self._made()
        except _MadeAgain as reason:
            # Only now is it worth numbering rows, so that the bad ones can be pointed at.
            again = with_bad_rows if isinstance(reason, _HasBadRows) else row_by_row
            # Tables that were begun in the scratch would be read in place of kept ones.
            return again._made(keeps=not reason.begun)

    @property
    def _kept_as(self) -> tuple[Engine, Workspace, Stamps, list[str]]:
        made_of = [repr(made_of) for made_of in self._made_of]
        return self.engine, self.workspace, self.before, [*self.statements, *made_of]

    @property
    def _made_of(self) -> Iterator[tuple[str, ...]]:
        """What tells the rows of the sources from those of another time, where no file does."""
        for mapped in self.sources.values():
            yield mapped.as_read.made_of

    def _made(self, *, keeps: bool = True) -> Staged | None:
        try:
            name = kept(*self._kept_as, self.make) if keeps else None
            staging = self if name or not self.shows_ids else replace(self, texts=True)
            if name is None:
                staging._begin()
            return staging._staged(name)
        except _NotStaged:
            return None

    def _begin(self) -> None:
        """Make the tables where they are not kept."""
        try:
            self.make()
        except _MadeAgain as reason:
            reason.begun = True
            raise

    def _staged(self, name: str | None) -> Staged:
        for staging in self._stagings.values():
            for statement in staging.view:
                self.engine.run(statement)
        bad = bad_rows_of(self.engine, self.sources, self.faults) if self.numbered else []
        return Staged(self.texts, bad, name)

    @property
    def statements(self) -> Iterator[str]:
        """Every statement that may be carried out to make the tables."""
        yield account_ids_sql(list(self.sources.values()))
        if self.numbered:
            yield from map(numbered_sql, self.sources.values())
            yield from map(self._every_fault, self.sources)
        for staging in self._stagings.values():
            yield from staging.statements
        if takes_back(self.sources):
            yield from (ANY_CHAIN, *NO_CHAINS, *chains_sql(texts=self.texts), REVERSED_REFUNDS)
        if splits(self.sources):
            yield from (BILLS_OF_CHAINS, SOUND_PAYMENTS, split_parts_sql(texts=self.texts))

    def _every_fault(self, table: str) -> str:
        scale, faults = self.workspace.settings.scale, self._stagings[table].faults
        return every_fault_sql(self.sources[table], scale, faults)

    def make(self) -> None:
        """Make the tables. Raises _NotStaged after adding a Problem, and RS620."""
        engine = self.engine
        try:
            engine.run(account_ids_sql(list(self.sources.values())))
        except EngineError as error:
            check_unchanged(self.workspace, self.before)
            self._fail(error, *_unreadable(engine, self.sources))
        for table, mapped in self.sources.items():
            try:
                if self.numbered:
                    engine.run(numbered_sql(mapped))
                for statement in self._stagings[table].statements:
                    engine.run(statement)
            except EngineError as error:
                if mapped.converted and not self.numbered:
                    raise _NotConverted from error
                self._fail(error, table, mapped)
        if takes_back(self.sources):
            any_chain = engine.value(ANY_CHAIN)
            for statement in chains_sql(texts=self.texts) if any_chain else NO_CHAINS:
                engine.run(statement)
            if engine.value("select exists (select 1 from payments where refund)"):
                engine.run(REVERSED_REFUNDS)
        if self.numbered:
            mark_bad_rows(engine, self.sources)
            for table, mapped in self.sources.items():
                for statement in (*bad_rows_sql(mapped), self._every_fault(table)):
                    engine.run(statement)
        elif not all_sound(engine, self.sources):
            raise _HasBadRows
        _split_sound(engine, self.sources, texts=self.texts)
        check_unchanged(self.workspace, self.before)

    def _fail(self, error: EngineError, table: str, mapped: Mapped) -> NoReturn:
        if not explain_failure(self.workspace, self.problems):
            _add_unreadable(table, mapped, error, self.problems)
        raise _NotStaged


def _unreadable(engine: Engine, sources: Mapping[str, Mapped]) -> tuple[str, Mapped]:
    """The first source whose accounts cannot be read."""
    for table, mapped in sources.items():
        try:
            engine.rows(f"select count(account_id) from {mapped.rows}")
        except EngineError:
            return table, mapped
    return next(iter(sources.items()))


def _add_unreadable(table: str, mapped: Mapped, error: EngineError, problems: Problems) -> None:
    message = f"The rows of {table} cannot be read: {error.reason}."
    hint = "Correct the file, or the expressions of its columns in riskseg.toml."
    line = mapped.lines.get("from")
    problems.add("RS007", message, file=mapped.file, line=line, hint=hint)


def takes_back(sources: Mapping[str, Mapped]) -> bool:
    """Whether payments can be taken back by others."""
    payments = sources.get("payments")
    return payments is not None and payments.has("reverses") and payments.has("payment_id")


def splits(sources: Mapping[str, Mapped]) -> bool:
    """Whether payments of several bills can be taken back in parts."""
    return takes_back(sources) and sources["payments"].has("bill_id")


def _split_sound(engine: Engine, sources: Mapping[str, Mapped], *, texts: bool) -> None:
    """Make what is worked out of the sound payments that are taken back."""
    if splits(sources):
        engine.run(BILLS_OF_CHAINS)
        engine.run(SOUND_PAYMENTS)
        engine.run(split_parts_sql(texts=texts))
