"""The journal: which runs are complete, which model versions exist, which one is champion, which
strategy is in force from when, which accounts were erased.

A SQLite file, or a schema of a PostgreSQL database, for each workspace. Entries are added, never
changed and never removed: each is read with its digest (see `chain`), so that what was damaged or
edited since is never taken for true.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import sqlalchemy as sa

import riskseg
from riskseg.domain.problems import ProblemsError, did_you_mean, problem
from riskseg.store import events as events_
from riskseg.store import kept_events
from riskseg.store.event_schema import no_events
from riskseg.store.journal_database import JournalDatabase
from riskseg.store.journal_entries import R, add, content_of, latest
from riskseg.store.journal_opening import (
    bring_up_to_date,
    check_not_left,
    kind_of_database,
    revision_of,
)
from riskseg.store.journal_place import JournalPlace
from riskseg.store.journal_tables import REVISION
from riskseg.store.records import (
    ActivationRecord,
    ErasureRecord,
    EventBatchRecord,
    ModelRecord,
    MoveRecord,
    PromotionRecord,
    RunRecord,
    StrategyRecord,
)
from riskseg.store.sqlite_journal import without_entries

# The command whose runs decide accounts.
DECIDES = "assign"


class Journal:
    """An open journal; a context manager that closes it.

    Any method raises RS603 when it is damaged, is no journal, was moved to another place, does not
    answer or cannot be written, and RS604 when another process writes in it for longer than five
    seconds.

    `root` is the folder of the workspace. Where a run wrote a file in it, the journal holds the
    place of the file within the folder, so that a workspace which was copied or moved has the files
    of its own; what is read has full paths.
    """

    def __init__(self, database: JournalDatabase, root: Path | None = None) -> None:
        self._database = database
        self._root = None if root is None else root.resolve()

    @classmethod
    def open(cls, place: JournalPlace, root: Path | None = None) -> Journal:
        """Open the journal at `place`; it and its folder or schema are made, or it is brought to
        this version, where needed."""
        database = kind_of_database(place).to_write(place)
        try:
            with database.reading() as connection:
                current = revision_of(database, connection) == REVISION
                if current:
                    check_not_left(database, connection)
            if not current:
                with database.writing() as connection:
                    bring_up_to_date(database, connection)
                    check_not_left(database, connection)
        except BaseException:
            database.close()
            raise
        return cls(database, root)

    @classmethod
    def open_to_read(cls, place: JournalPlace, root: Path | None = None) -> Journal:
        """The journal at `place` for a command that writes nothing: it can be read where nothing
        can be written, and one that is not there yet is as an empty one.

        One of an earlier version is brought to this one where that can be written; else RS603.
        """
        database = kind_of_database(place).to_read(place)
        if database is None:
            return cls(without_entries())
        try:
            with database.reading() as connection:
                revision = revision_of(database, connection)
                if revision == REVISION:
                    check_not_left(database, connection)
                    return cls(database, root)
        except BaseException:
            database.close()
            raise
        database.close()
        try:
            return cls.open(place, root)
        except ProblemsError as error:
            if revision is None or not database.may_not_write(error):
                raise
            raise database.unusable(
                "An earlier version of riskseg wrote this journal, and it may not be written, so "
                "that it cannot be brought to this version.",
                "Use that version, or give the right to write there.",
            ) from error

    def close(self) -> None:
        self._database.close()

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
        kept = replace(run, output=self._within(run.output))
        with self._writing() as connection:
            last = _first(
                latest(connection, RunRecord), lambda earlier: earlier.run_id == run.run_id
            )
            if last is None or content_of(self._with_full_path(last)) != content_of(
                self._with_full_path(kept)
            ):
                add(connection, kept)

    def runs(self, *, limit: int | None = None) -> list[RunRecord]:
        """Complete runs, the latest first; all of them, or the last `limit`."""
        return [self._with_full_path(run) for run in self._all(RunRecord)[:limit]]

    def decided_runs(self) -> list[RunRecord]:
        """Those that decided accounts, the latest first. Others wrote probabilities, or a list."""
        return [run for run in self.runs() if run.command == DECIDES]

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
                latest(connection, ModelRecord),
                lambda recorded_model: (
                    (recorded_model.model, recorded_model.version) == (model.model, model.version)
                ),
            )
            if recorded is None:
                add(connection, model)
            elif recorded.fingerprint != model.fingerprint:
                raise problem(
                    "RS010",
                    f"{model.model} already has a version {model.version} with other content.",
                    file=self._database.name,
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
            recorded_models = latest(connection, ModelRecord)
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
            add(
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
            raise self._database.edited(
                f"{model} {last_promotion.version} was promoted and is not recorded"
            )
        return recorded

    def activate(self, strategy: StrategyRecord, activation: ActivationRecord) -> None:
        """Make a strategy the one in force from a date on; its text is kept once."""
        with self._writing() as connection:
            if _first(latest(connection, StrategyRecord), _is(strategy)) is None:
                add(connection, strategy)
            add(connection, activation)

    def strategies(self) -> list[StrategyRecord]:
        """Every text of a strategy that was ever activated, the latest first."""
        return self._all(StrategyRecord)

    def strategy(self, activation: ActivationRecord) -> StrategyRecord:
        """The strategy an activation names."""
        recorded = _first(self.strategies(), _is(activation))
        if recorded is None:
            raise self._database.edited(f"the text of {activation.fingerprint} is not in it")
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
            self._database.forget_for_good(connection)
            add(connection, erasure)
            events_.erase_events(connection, account, erasure.account)

    def events_of(self, account: str) -> int:
        """How many events there are of an account."""
        with self._reading() as connection:
            return events_.count_of_account(connection, account)

    def erasures(self) -> list[ErasureRecord]:
        """Erasures, the latest first."""
        return self._all(ErasureRecord)

    def moves(self) -> list[MoveRecord]:
        """Where the journal was moved to, the latest first: of each move, that it was left in one
        place and that it arrived in the other."""
        return self._all(MoveRecord)

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
                add(connection, batch)
                events_.add_events(connection, batch.batch_id, new)
        return new

    def event_batches(self) -> list[EventBatchRecord]:
        """The batches in which events were recorded, the latest first."""
        return self._all(EventBatchRecord)

    def events(self, kept: Path | None = None) -> pa.Table:
        """Every event, in the order in which they were recorded, as `event_schema.SCHEMA` says.

        Each is checked against its digest, unless a folder is named in which those that were
        checked before are `kept`: then it is those that were recorded since, and many are kept.
        """
        with self._reading() as connection:
            batches = latest(connection, EventBatchRecord)[::-1]
            erased = {erasure.account for erasure in latest(connection, ErasureRecord)}
            before, count = no_events(), 0
            if kept is not None:
                before, count = kept_events.newest(kept, batches, erased)
            new = batches[count:]
            of_batches = {batch.batch_id: batch.sha256 for batch in new}
            after = sum(batch.rows for batch in batches[:count])
            found = events_.read_events(connection, of_batches, erased, after=after)
        events = pa.concat_tables([before, found])
        if kept is not None and new:
            kept_events.keep(kept, events, batches, erased)
        return events

    def _all(self, kind: type[R]) -> list[R]:
        with self._reading() as connection:
            return latest(connection, kind)

    def _within(self, output: str | None) -> str | None:
        """The place of a run's file within the workspace; what lies elsewhere as it is."""
        if output is None or self._root is None or not Path(output).is_relative_to(self._root):
            return output
        return Path(output).relative_to(self._root).as_posix()

    def _with_full_path(self, run: RunRecord) -> RunRecord:
        output = run.output
        if output is None or self._root is None or "://" in output or Path(output).is_absolute():
            return run
        return replace(run, output=str(self._root / output))

    def _reading(self) -> AbstractContextManager[sa.Connection]:
        return self._database.reading()

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """A transaction in which entries may be added: nobody has moved the journal since it was
        opened."""
        with self._database.writing() as connection:
            check_not_left(self._database, connection)
            yield connection


def _first(records: list[R], wanted: Callable[[R], bool]) -> R | None:
    return next((record for record in records if wanted(record)), None)


def _is(named: StrategyRecord | ActivationRecord) -> Callable[[StrategyRecord], bool]:
    """Whether a strategy is the one that a record names."""
    return lambda found: (found.fingerprint, found.text) == (named.fingerprint, named.text)
