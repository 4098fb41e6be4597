"""Which strategy holds as of a date: the one that the journal says, or the workspace's folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from riskseg.domain.problems import Problem, Problems, did_you_mean, problem
from riskseg.domain.words import first_few
from riskseg.pipeline.archive import check_fingerprint, read_texts
from riskseg.pipeline.definitions import changed, definitions
from riskseg.pipeline.open_journal import meant, name_of_journal
from riskseg.pipeline.session import Session
from riskseg.pipeline.stages import Progress
from riskseg.pipeline.strategies import check_here, read_authored, read_checked
from riskseg.pipeline.strategy_versions import activate_earlier
from riskseg.rules.model import Strategy

if TYPE_CHECKING:
    from riskseg.store.journal import Journal
    from riskseg.store.records import ActivationRecord, StrategyRecord


@dataclass(frozen=True)
class InForce:
    """The strategy to decide by, its files, and whether the journal says so. `definitions` are of
    the facts it reads; `redefined` those of them that its activation was not proved of."""

    strategy: Strategy
    files: Mapping[str, str]
    activated: bool
    definitions: Mapping[str, str]
    redefined: tuple[str, ...] = ()


def strategy_in_force(
    session: Session, as_of: date, journal: Journal, *, draft: bool, progress: Progress
) -> InForce:
    """The strategy that the journal says holds as of the date; the workspace's folder where
    nothing was ever activated, or where a `draft` is asked for.

    Raises RS605 for a date before the first activation, RS210 for one outside the strategy's own
    dates, and the strategy's Problems.
    """
    activations = journal.activations()
    if draft or not activations:
        force = _from_folder(session)
    else:
        active = journal.in_force(as_of)
        if active is None:
            first_day = min(activation.effective_from for activation in activations)
            raise problem(
                "RS605",
                f"No strategy was in force as of {as_of}: the first holds from {first_day}.",
                hint=f"Give a date from {first_day} on, or decide by the folder's with --draft. "
                f"{activate_earlier(as_of)}",
            )
        force = _from_journal(session, journal, active, progress)
        _note_folder(session, force.strategy, progress)
        _note_redefined(force, progress)
    _holds(force.strategy, as_of)
    return force


def _from_folder(session: Session) -> InForce:
    """The folder's strategy, and the very texts it was read from."""
    problems = Problems()
    authored = read_authored(session.workspace, problems)
    problems.raise_if_any()
    assert authored is not None
    strategy = check_here(session, authored, problems, draft=False)
    problems.raise_if_any()
    assert strategy is not None
    return InForce(strategy, authored.texts, False, definitions(session, strategy))


def _from_journal(
    session: Session, journal: Journal, active: ActivationRecord, progress: Progress
) -> InForce:
    """The strategy of an activation. Raises RS603 where the text in the journal is not that of
    the version it names."""
    record = journal.strategy(active)
    strategy = _read(session, record)
    changed_text = Problem(
        "RS603",
        "The text of the strategy in force is not as it was activated.",
        file=name_of_journal(session.workspace),
        hint="If the journal was edited, restore it from a copy. If an earlier build of this "
        "version of riskseg activated it, activate a strategy again, from the same day on: "
        f"`riskseg strategy activate --from {active.effective_from}`.",
    )
    check_fingerprint(
        strategy, (active.fingerprint, active.riskseg_version), changed_text, progress
    )
    now = definitions(session, strategy)
    return InForce(strategy, record.files, True, now, changed(active.definitions, now))


def _read(session: Session, record: StrategyRecord) -> Strategy:
    """A text of the journal as a strategy of this workspace. Raises its Problems."""
    problems = Problems()
    strategy = read_texts(
        record.files,
        session.facts,
        session.catalogue.lacking,
        problems,
        shown=f"{record.name}@{record.fingerprint}",
        declared=session.catalogue.declared(),
    )
    problems.raise_if_any()
    assert strategy is not None
    return strategy


def _of_version(session: Session, journal: Journal, version: str) -> InForce:
    """A version that was activated before, by its fingerprint or the beginning of it. Raises RS230
    where that is none, or several."""
    record = record_of_version(journal, version)
    strategy = _read(session, record)
    return InForce(strategy, record.files, False, definitions(session, strategy))


def record_of_version(journal: Journal, version: str) -> StrategyRecord:
    """What the journal keeps of the one version that is meant. Raises RS230."""
    records = {
        strategy_record.fingerprint: strategy_record
        for strategy_record in reversed(journal.strategies())
    }
    matching = meant(version, records)
    if len(matching) != 1:
        raise problem(
            "RS230",
            f'"{version}" could be {" or ".join(sorted(matching))}.'
            if matching
            else f'The journal has no version "{version}".',
            hint="Give more of the version." if matching else did_you_mean(version, records),
        )
    return records[matching[0]]


def _note_redefined(force: InForce, progress: Progress) -> None:
    """Say where the facts are not those that the activation was proved of."""
    if force.redefined:
        progress.warn(
            f"{force.strategy.name} {force.strategy.fingerprint} was proved for other "
            f"definitions: since it was activated, the definition of {first_few(force.redefined)} "
            "has changed. Activate it again to prove it for the present ones."
        )


def _note_folder(session: Session, active: Strategy, progress: Progress) -> None:
    """Say where the folder is not what is in force."""
    folder = session.workspace.settings.strategy
    problems = Problems()
    theirs = read_checked(session, problems, draft=False)
    in_force_text = f"{active.name} {active.fingerprint} is in force, as activated; "
    if theirs is None:
        progress.note(in_force_text + f"{folder} has problems and is not used.")
    elif theirs.fingerprint != active.fingerprint:
        progress.note(in_force_text + f"{folder} is {theirs.fingerprint}, which is not activated.")


def _holds(strategy: Strategy, as_of: date) -> None:
    begun = strategy.effective_from is None or strategy.effective_from <= as_of
    over = strategy.effective_to is not None and as_of > strategy.effective_to
    if not begun or over:
        period_text = (
            f"from {strategy.effective_from}" if not begun else f"until {strategy.effective_to}"
        )
        raise problem(
            "RS210",
            f'The strategy "{strategy.name}" holds {period_text}; {as_of} is outside that.',
            file=f"{strategy.folder}/strategy.yaml",
            hint="Choose another date, or name the strategy that holds then.",
        )
