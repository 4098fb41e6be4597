"""Which strategy holds: activated in the journal, from a date on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskseg.domain.problems import Problems, did_you_mean, problem
from riskseg.run.definitions import changed, definitions, listed
from riskseg.run.journal import meant, open_journal, read_journal
from riskseg.run.kept import read_texts
from riskseg.run.rulebook import ANY_DAY
from riskseg.run.rules import check_here, read_authored, read_checked, run_examples
from riskseg.run.session import Session, begin, locked, open_checked, scratch_engine
from riskseg.run.stages import Progress, Stage
from riskseg.strategy.checked import Strategy
from riskseg.workspace import Workspace

if TYPE_CHECKING:
    from riskseg.store.journal import Journal
    from riskseg.store.records import ActivationRecord, StrategyRecord

CHECK = Stage("check", "read the sources' columns, check the strategy")
EXAMPLES = Stage("examples", "run its examples")
PROVE = Stage("prove", "prove its properties for every account")
JOURNAL = Stage("journal", "record its text, who, and from when")


def plan() -> list[Stage]:
    return [CHECK, EXAMPLES, PROVE, JOURNAL]


@dataclass(frozen=True)
class InForce:
    """The strategy to decide by, its files, and whether the journal says so. `definitions` are of
    the facts it reads; `redefined` those of them that its activation was not proved of."""

    strategy: Strategy
    files: Mapping[str, str]
    activated: bool
    definitions: Mapping[str, str]
    redefined: tuple[str, ...] = ()


@dataclass(frozen=True)
class Activated:
    """`new` is False where the version was in force from that date on already."""

    name: str
    version: str
    effective_from: date
    by: str
    new: bool
    proof: Mapping[str, Any]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Activation:
    """One activation; `superseded` where one made later, from the same day or an earlier one,
    leaves it no day."""

    name: str
    version: str
    effective_from: date
    at: datetime
    by: str
    proof: Mapping[str, Any]
    reason: str
    superseded: bool


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
        found = _from_folder(session)
    else:
        active = journal.in_force(as_of)
        if active is None:
            first = min(a.effective_from for a in activations)
            raise problem(
                "RS605",
                f"No strategy was in force as of {as_of}: the first holds from {first}.",
                mend=f"Give a date from {first} on, or decide by the folder's with --draft.",
            )
        found = _from_journal(session, journal, active, progress)
        _note_folder(session, found.strategy, progress)
        _note_redefined(found, progress)
    _holds(found.strategy, as_of)
    return found


def _from_folder(session: Session) -> InForce:
    """The folder's strategy, and the very texts it was read from."""
    problems = Problems()
    authored = read_authored(session.workspace, problems)
    problems.raise_if_any()
    assert authored is not None
    strategy = check_here(session, authored, problems)
    problems.raise_if_any()
    assert strategy is not None
    return InForce(strategy, authored.texts, False, definitions(session, strategy))


def _from_journal(
    session: Session, journal: Journal, active: ActivationRecord, progress: Progress
) -> InForce:
    record = journal.strategy(active)
    strategy = _read(session, record)
    _check_fingerprint(session.workspace, strategy, active, progress)
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
    records = {r.fingerprint: r for r in reversed(journal.strategies())}
    found = meant(version, records)
    if len(found) != 1:
        raise problem(
            "RS230",
            f'"{version}" could be {" or ".join(sorted(found))}.'
            if found
            else f'The journal has no version "{version}".',
            mend="Give more of the version." if found else did_you_mean(version, records),
        )
    record = records[found[0]]
    strategy = _read(session, record)
    return InForce(strategy, record.files, False, definitions(session, strategy))


def _check_fingerprint(
    workspace: Workspace, strategy: Strategy, active: ActivationRecord, progress: Progress
) -> None:
    """Raise RS603 where the text in the journal is not that of the version it names. Another
    version of riskseg may give the same text another fingerprint: that is a note."""
    from riskseg import __version__

    if strategy.fingerprint == active.fingerprint:
        return
    is_ = f"is version {strategy.fingerprint}, and the journal says {active.fingerprint}"
    if active.riskseg_version != __version__:
        progress.note(f"The strategy in force, as riskseg {__version__} reads it, {is_}.")
        return
    raise problem(
        "RS603",
        f"The journal was edited: its strategy {is_}.",
        file=workspace.shown(workspace.journal),
        mend="Restore it from a copy.",
    )


def _note_redefined(found: InForce, progress: Progress) -> None:
    """Say where the facts are not those that the activation was proved of."""
    if found.redefined:
        progress.note(
            f"{found.strategy.name} {found.strategy.fingerprint} was proved of other facts: since "
            f"it was activated, the definition of {listed(found.redefined)} has changed. Activate "
            "it again to have it proved of these."
        )


def _note_folder(session: Session, active: Strategy, progress: Progress) -> None:
    """Say where the folder is not what is in force."""
    folder = session.workspace.settings.strategy
    problems = Problems()
    theirs = read_checked(session, problems)
    told = f"{active.name} {active.fingerprint} is in force, as activated; "
    if theirs is None:
        progress.note(told + f"{folder} has problems and is not used.")
    elif theirs.fingerprint != active.fingerprint:
        progress.note(told + f"{folder} is {theirs.fingerprint}, which is not activated.")


def _holds(strategy: Strategy, as_of: date) -> None:
    begun = strategy.effective_from is None or strategy.effective_from <= as_of
    over = strategy.effective_to is not None and as_of > strategy.effective_to
    if not begun or over:
        told = f"from {strategy.effective_from}" if not begun else f"until {strategy.effective_to}"
        raise problem(
            "RS210",
            f'The strategy "{strategy.name}" holds {told}; {as_of} is outside that.',
            file=f"{strategy.folder}/strategy.yaml",
            mend="Choose another date, or name the strategy that holds then.",
        )


def activate(
    root: Path,
    version: str | None = None,
    *,
    effective_from: date,
    by: str,
    at: datetime,
    unproved: bool = False,
    reason: str = "",
    progress: Progress | None = None,
) -> Activated:
    """Make the folder's strategy the one in force from a date on, or a `version` that was activated
    before: its text is the journal's, and is tried and proved again for the facts of today.

    Raises its Problems, those of its examples (RS211), RS606 where it is refuted, or unproved
    without `unproved`, RS607 where it would reach back over what was decided by another, and RS230
    for a version that the journal does not have.
    """
    progress = progress or Progress()
    workspace = open_checked(root)
    with locked(workspace), scratch_engine(workspace, lasting=True) as engine:
        progress.reached(CHECK, 0, 4)
        session = begin(workspace, engine)
        with open_journal(workspace) as journal:
            found = (
                _from_folder(session) if version is None else _of_version(session, journal, version)
            )
            strategy = found.strategy
            _holds(strategy, effective_from)
            last = next(iter(journal.activations()), None)
            if last is not None and _same(last, found, effective_from):
                journal.strategy(last)  # raises RS603 where its text is not as it was activated
                return Activated(
                    strategy.name,
                    strategy.fingerprint,
                    last.effective_from,
                    last.by,
                    False,
                    last.proof,
                    (),
                )
            notes = [
                *strategy.notes,
                *_bare(strategy),
                *_check_reach(journal, strategy, effective_from),
            ]
            progress.reached(EXAMPLES, 1, 4)
            problems = Problems()
            run_examples(engine, strategy, ANY_DAY, problems)
            problems.raise_if_any()
            progress.reached(PROVE, 2, 4)
            proof = _proved(session, strategy, unproved=unproved)
            progress.reached(JOURNAL, 3, 4)
            _record(journal, found, proof, effective_from, by, at, reason)
    return Activated(
        strategy.name, strategy.fingerprint, effective_from, by, True, proof, tuple(notes)
    )


def _bare(strategy: Strategy) -> list[str]:
    """What the strategy goes without, in case that is not meant."""
    notes = []
    if not strategy.guards:
        notes.append("It has no guards: whatever its tables and paths say is done.")
    if not strategy.examples:
        notes.append("It has no examples: nothing shows that it decides as it is meant to.")
    return notes


def _same(last: ActivationRecord, found: InForce, effective_from: date) -> bool:
    """Whether the last activation says all that another would."""
    same = last.fingerprint == found.strategy.fingerprint and last.definitions == found.definitions
    return same and last.effective_from <= effective_from


def _check_reach(journal: Journal, strategy: Strategy, effective_from: date) -> list[str]:
    """Refuse what would take the place of a version that decided already; notes on the rest.

    The last activation made whose first day has come is the one that holds. One with an earlier
    first day than the last therefore leaves the last no day: fine while it is only planned, but
    not where decisions of dates that it would hold are journalled already.
    """
    activations = journal.activations()
    last = next(iter(activations), None)
    decided = [
        run.as_of
        for run in journal.runs()
        if run.activated and run.as_of is not None and run.as_of >= effective_from
    ]
    notes = []
    if last is not None and effective_from < last.effective_from:
        if decided:
            raise problem(
                "RS607",
                f"{last.fingerprint} holds from {last.effective_from}, and accounts were decided "
                f"as of {max(decided)}, which a version from {effective_from} would claim.",
                mend=f"Give a date from {last.effective_from} on.",
            )
        if last.fingerprint != strategy.fingerprint:
            notes.append(
                f"{last.fingerprint}, planned from {last.effective_from}, will not come into force."
            )
    elif len(decided):
        runs = "1 run" if len(decided) == 1 else f"{len(decided)} runs"
        notes.append(
            f"{runs} of dates from {effective_from} on were decided before; they stay as they are."
        )
    return notes


def _proved(session: Session, strategy: Strategy, *, unproved: bool) -> dict[str, Any]:
    """What was proved. Raises RS606 where that does not suffice."""
    from riskseg.run.prove import prove_strategy

    results = prove_strategy(session, strategy).results
    problems = Problems()
    file = f"{strategy.folder}/strategy.yaml"
    for result in results:
        if result.verdict == "refuted":
            what = f"Refuted: {result.name}. {result.fault}".rstrip()
            mend = "See `riskseg strategy prove` for the account."
            problems.add("RS606", what, file=result.file or file, line=result.line, mend=mend)
        elif result.verdict != "proved" and not unproved:
            problems.add(
                "RS606",
                f"Not proved: {result.name}.",
                file=result.file or file,
                line=result.line,
                mend='Give the proof more time, or activate with --unproved --reason "why".',
            )
    problems.raise_if_any()
    verdicts = [result.verdict for result in results]
    return {
        "proved": verdicts.count("proved"),
        "unproved": [r.name for r in results if r.verdict != "proved"],
    }


def _record(
    journal: Journal,
    found: InForce,
    proof: Mapping[str, Any],
    effective_from: date,
    by: str,
    at: datetime,
    reason: str,
) -> None:
    from riskseg import __version__
    from riskseg.store.records import ActivationRecord, StrategyRecord, text_hash

    strategy, text = found.strategy, text_hash(found.files)
    journal.activate(
        StrategyRecord(
            fingerprint=strategy.fingerprint,
            text=text,
            name=strategy.name,
            files=found.files,
            at=at,
        ),
        ActivationRecord(
            fingerprint=strategy.fingerprint,
            text=text,
            at=at,
            by=by,
            effective_from=effective_from,
            proof=proof,
            reason=reason,
            definitions=found.definitions,
            riskseg_version=__version__,
        ),
    )


def versions(root: Path) -> list[Activation]:
    """Every activation, the latest first."""
    workspace = open_checked(root)
    found: list[Activation] = []
    earliest: date | None = None
    with read_journal(workspace) as journal:
        for a in journal.activations():
            found.append(
                Activation(
                    journal.strategy(a).name,
                    a.fingerprint,
                    a.effective_from,
                    a.at,
                    a.by,
                    a.proof,
                    a.reason,
                    earliest is not None and earliest <= a.effective_from,
                )
            )
            earliest = min(earliest or a.effective_from, a.effective_from)
    return found
