"""Sources held against `[source.TABLE.expect]`, for every command that reads them.

A command whose output is acted on (decisions, probabilities, a worklist, a model) stops where a
source is not as expected, unless that is accepted; one that only reports says so and goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, partial

from riskseg.domain.facts import LAST_DAY
from riskseg.domain.problems import Problem, Problems
from riskseg.pipeline.feed_notes import age_notes, tables_that_end
from riskseg.pipeline.feeds import (
    Figures,
    breaches,
    earlier_figures,
    feed_figures,
    is_compared,
    is_emptied,
    not_compared,
)
from riskseg.pipeline.open_journal import read_journal
from riskseg.pipeline.session import Session
from riskseg.pipeline.stages import Progress
from riskseg.sources.describe import fingerprints
from riskseg.store.records import RunRecord
from riskseg.workspace import Workspace

Runs = Callable[[], list[RunRecord]]


@dataclass(frozen=True)
class ComparedFeeds:
    """The figures of sources, RS650 for each expectation that one does not meet, and a note for
    each that had nothing to be compared with."""

    figures: Mapping[str, Figures]
    breaches: tuple[Problem, ...]
    notes: tuple[str, ...]

    def settle(self, *, accept: bool, progress: Progress) -> tuple[str, ...]:
        """Say what was not compared. Where `accept`, warn of what is not as expected and return it;
        else raise RS650 for all of it."""
        for note in self.notes:
            progress.note(note)
        problems = Problems()
        problems.extend(self.breaches)
        if not accept:
            problems.raise_if_any()
        accepted = tuple(problem.what for problem in self.breaches)
        for message in accepted:
            progress.warn(f"accepted: {message}")
        return accepted


def compare_feeds(
    session: Session,
    as_of: date,
    runs: Runs,
    *,
    sources: Mapping[str, str] | None = None,
    every: bool = False,
    other_than: Collection[str] = (),
) -> ComparedFeeds:
    """Hold the sources of which riskseg.toml expects anything against it, and those without rows
    against earlier runs, but for those in `other_than`; the figures are of `every` source where
    that is asked for.

    `runs` gives the journal's runs, and `sources` are the fingerprints of what is read now: both
    are looked up where something is held against earlier runs, and nowhere else.
    """
    ledger, scale = session.ledger, session.scale
    given = {t: ledger.authored[t] for t in ledger.sources if t not in other_than}
    emptied = [table for table, source in given.items() if is_emptied(source, ledger.rows[table])]
    held = [
        table
        for table, source in given.items()
        if source.expect.model_fields_set or table in emptied
    ]
    figures = feed_figures(
        session.engine, ledger, as_of, scale, [*ledger.sources] if every else held
    )
    compared = emptied or any(is_compared(given[table]) for table in held)
    earlier_runs = runs() if compared else []
    if compared and sources is None:
        sources = fingerprints(session.engine, session.workspace)
    found: list[Problem] = []
    notes: list[str] = []
    for table in held:
        source = given[table]
        earlier = earlier_figures(earlier_runs, table, (sources or {}).get(table, ""))
        of_source = list(breaches(source, figures[table], earlier, as_of, scale))
        figures[table]["accepted"] = bool(of_source)
        found += of_source
        notes += not_compared(source, figures[table], earlier)
    return ComparedFeeds(figures, tuple(found), tuple(notes))


def check_feeds(
    session: Session,
    as_of: date | None,
    *,
    accept: bool,
    progress: Progress,
    other_than: Collection[str] = (),
) -> tuple[str, ...]:
    """For a command whose output is acted on, and that has no journal open: warn of sources of
    money that end long before the date, or before the last day of all if it is left out. Raise
    RS650 for each expectation that a source does not meet; or `accept`, and return them."""
    day = as_of or session.ledger.last_on or LAST_DAY
    for note in age_notes(session.engine, session.ledger, day):
        progress.warn(note)
    runs = partial(journalled, session.workspace)
    compared = compare_feeds(session, day, runs, other_than=other_than)
    return compared.settle(accept=accept, progress=progress)


def source_notes(session: Session, as_of: date, runs: Runs | None = None) -> Iterator[str]:
    """For a command that only reports: a note for each source of money that ends long before the
    date, and for each expectation of a source that is not met. `runs` left out are read from the
    journal where they are needed."""
    yield from age_notes(session.engine, session.ledger, as_of)
    yield from expectation_notes(session, as_of, runs)


def notes_of_days(session: Session, days: Sequence[date]) -> Iterator[str]:
    """As :func:`source_notes`, for each of many days: what is so on several of them is said once,
    of the first, with on how many it is."""
    earlier = cache(partial(journalled, session.workspace))
    now: Mapping[str, str] | None = None
    if any(map(is_compared, session.ledger.authored.values())):
        now = fingerprints(session.engine, session.workspace)
    said: dict[tuple[object, ...], list[str]] = {}
    for day in days:
        for table, note in tables_that_end(session.engine, session.ledger, day):
            said.setdefault((table,), []).append(note)
        for breach in compare_feeds(session, day, earlier, sources=now).breaches:
            # One line of riskseg.toml is not met on one day as on another.
            note = _not_as_expected(breach)
            said.setdefault((breach.line, breach.what.partition(":")[0]), []).append(note)
    for notes in said.values():
        is_dated = len({*notes}) > 1
        on_days = f" This is so on {len(notes)} of {len(days)} days." if is_dated else ""
        yield f"{notes[0]}{on_days}"


def _not_as_expected(breach: Problem) -> str:
    return f"Not as expected: {breach.what}"


def expectation_notes(session: Session, as_of: date, runs: Runs | None = None) -> Iterator[str]:
    """A note for each expectation of a source that is not met."""
    compared = compare_feeds(session, as_of, runs or partial(journalled, session.workspace))
    for breach in compared.breaches:
        yield _not_as_expected(breach)


def journalled(workspace: Workspace) -> list[RunRecord]:
    """The journal's runs that decided accounts."""
    with read_journal(workspace) as journal:
        return journal.decided_runs()
