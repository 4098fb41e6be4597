"""Which strategy holds: activated in the journal, from a date on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import riskseg
from riskseg.domain.problems import Problems, problem
from riskseg.pipeline import proving
from riskseg.pipeline.open_journal import open_journal, read_journal
from riskseg.pipeline.session import Session, begin, locked, open_checked, scratch_engine
from riskseg.pipeline.stages import Job, NothingLeft, Plan, Progress, Stage
from riskseg.pipeline.strategies import (
    ANY_DAY,
    run_examples,
)
from riskseg.pipeline.strategy_in_force import (
    InForce,
    _from_folder,
    _holds,
    _of_version,
    record_of_version,
)
from riskseg.results.strategies import Activation, ActivationEntry, Activations, Proof
from riskseg.rules.model import Strategy
from riskseg.store.records import ActivationRecord, StrategyRecord, text_hash
from riskseg.workspace import Workspace

if TYPE_CHECKING:
    from riskseg.store.journal import Journal

CHECK = Stage("check", "read the sources' columns, check the strategy")
EXAMPLES = Stage("examples", "run its examples")
PROVE = Stage("prove", "prove its properties for every account")
JOURNAL = Stage("journal", "record its text, who, and from when")


class _Activating(Job):
    """What a run of `strategy activate` holds while it is carried out."""

    def __init__(
        self,
        workspace: Workspace,
        version: str | None,
        *,
        effective_from: date,
        by: str,
        at: datetime,
        unproved: bool,
        reason: str,
        progress: Progress | None,
    ) -> None:
        super().__init__(progress)
        self.workspace, self.version, self.effective_from = workspace, version, effective_from
        self.by, self.at, self.unproved, self.reason = by, at, unproved, reason

    def check(self) -> None:
        """Read and check the version; nothing is left to do where it is in force already."""
        workspace, enter, effective_from = (
            self.workspace,
            self.opened.enter_context,
            self.effective_from,
        )
        enter(locked(workspace))
        engine = enter(scratch_engine(workspace, lasting=True))
        self.session = session = begin(workspace, engine)
        self.journal = journal = enter(open_journal(workspace))
        self.activated = (
            _from_folder(session)
            if self.version is None
            else _of_version(session, journal, self.version)
        )
        self.strategy = strategy = self.activated.strategy
        _holds(strategy, effective_from)
        last_activation = next(iter(journal.activations()), None)
        if last_activation is not None and _same(last_activation, self.activated, effective_from):
            journal.strategy(
                last_activation
            )  # raises RS603 where its text is not as it was activated
            self.done = Activation(
                name=strategy.name,
                version=strategy.fingerprint,
                effective_from=last_activation.effective_from,
                by=last_activation.by,
                new=False,
                proof=Proof.model_validate(last_activation.proof),
                notes=(),
            )
            raise NothingLeft
        reach = _check_reach(journal, strategy, effective_from)
        self.notes = (*strategy.notes, *_bare(strategy), *reach)

    def run_examples(self) -> None:
        problems = Problems()
        run_examples(self.session.engine, self.strategy, ANY_DAY, problems)
        problems.raise_if_any()

    def prove(self) -> None:
        self.proof = _proved(self.session, self.strategy, unproved=self.unproved)

    def record(self) -> None:
        _record(
            self.journal,
            self.activated,
            self.proof,
            self.effective_from,
            self.by,
            self.at,
            self.reason,
        )
        self.done = Activation(
            name=self.strategy.name,
            version=self.strategy.fingerprint,
            effective_from=self.effective_from,
            by=self.by,
            new=True,
            proof=Proof.model_validate(self.proof),
            notes=self.notes,
        )


def plan(root: Path, version: str | None = None) -> Plan:
    """What `strategy activate` carries out; no more than the check where the version is in force
    already. Raises RS230 for a version that the journal does not have."""
    if version is not None:
        with read_journal(open_checked(root)) as journal:
            record_of_version(journal, version)
    return _stages()


def _stages() -> Plan:
    return [
        CHECK.by(_Activating.check),
        EXAMPLES.by(_Activating.run_examples),
        PROVE.by(_Activating.prove),
        JOURNAL.by(_Activating.record),
    ]


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
) -> Activation:
    """Make the folder's strategy the one in force from a date on, or a `version` that was activated
    before: its text is the journal's, and is tried and proved again for the facts of today.

    Raises its Problems, those of its examples (RS211), RS606 where it is refuted, or unproved
    without `unproved`, RS607 where it would reach back over what was decided by another, and RS230
    for a version that the journal does not have.
    """
    job = _Activating(
        open_checked(root),
        version,
        effective_from=effective_from,
        by=by,
        at=at,
        unproved=unproved,
        reason=reason,
        progress=progress,
    )
    job.carry_out(_stages())
    return job.done


def _bare(strategy: Strategy) -> list[str]:
    """What the strategy goes without, in case that is not meant."""
    notes = []
    if not strategy.guards:
        notes.append("It has no guards: whatever its tables and paths say is done.")
    if not strategy.examples:
        notes.append("It has no examples: nothing shows that it decides as it is meant to.")
    return notes


def _same(last: ActivationRecord, activated: InForce, effective_from: date) -> bool:
    """Whether the last activation says all that another would."""
    same = (
        last.fingerprint == activated.strategy.fingerprint
        and last.definitions == activated.definitions
    )
    return same and last.effective_from <= effective_from


def _check_reach(journal: Journal, strategy: Strategy, effective_from: date) -> list[str]:
    """Refuse an activation dated before decisions of another version; notes on other overlaps.

    The last activation made whose first day has come is the one that holds. One with an earlier
    first day than the last therefore leaves the last no day: fine while it is only planned, but
    not where decisions of dates that it would hold are journalled already.
    """
    activations = journal.activations()
    latest = next(iter(activations), None)
    decided_days = [
        run.as_of
        for run in journal.decided_runs()
        if run.activated and run.as_of is not None and run.as_of >= effective_from
    ]
    notes = []
    if latest is not None and effective_from < latest.effective_from:
        if decided_days:
            raise problem(
                "RS607",
                f"Accounts were already decided as of {max(decided_days)} by {latest.fingerprint}, "
                f"in force from {latest.effective_from}: a version from {effective_from} on would "
                "have decided them too.",
                hint=f"Give a date from {latest.effective_from} on.",
            )
        if latest.fingerprint != strategy.fingerprint:
            notes.append(
                f"{latest.fingerprint}, planned from {latest.effective_from}, will not come into "
                "force."
            )
    elif len(decided_days):
        runs = "1 run" if len(decided_days) == 1 else f"{len(decided_days)} runs"
        notes.append(
            f"{runs} of dates from {effective_from} on were decided before; they stay as they are."
        )
    return notes


def _proved(session: Session, strategy: Strategy, *, unproved: bool) -> dict[str, Any]:
    """What was proved. Raises RS606 where that does not suffice."""
    results = proving.prove_strategy(session, strategy).results
    problems = Problems()
    file = f"{strategy.folder}/strategy.yaml"
    for result in results:
        if result.verdict == "refuted":
            refutation = f"Refuted: {result.name}. {result.fault}".rstrip(". ") + "."
            hint = "See `riskseg strategy prove` for the account."
            problems.add("RS606", refutation, file=result.file or file, line=result.line, hint=hint)
        elif result.verdict != "proved" and not unproved:
            problems.add(
                "RS606",
                f"Not proved: {result.name}.",
                file=result.file or file,
                line=result.line,
                hint='Give the proof more time, or activate with --unproved --reason "why".',
            )
    problems.raise_if_any()
    verdicts = [result.verdict for result in results]
    return {
        "proved": verdicts.count("proved"),
        "unproved": [
            unproved_result.name
            for unproved_result in results
            if unproved_result.verdict != "proved"
        ],
    }


def _record(
    journal: Journal,
    activated: InForce,
    proof: Mapping[str, Any],
    effective_from: date,
    by: str,
    at: datetime,
    reason: str,
) -> None:
    strategy, content_hash = activated.strategy, text_hash(activated.files)
    journal.activate(
        StrategyRecord(
            fingerprint=strategy.fingerprint,
            text=content_hash,
            name=strategy.name,
            files=activated.files,
            at=at,
        ),
        ActivationRecord(
            fingerprint=strategy.fingerprint,
            text=content_hash,
            at=at,
            by=by,
            effective_from=effective_from,
            proof=proof,
            reason=reason,
            definitions=activated.definitions,
            riskseg_version=riskseg.__version__,
        ),
    )


def versions(root: Path) -> Activations:
    """Every activation, the latest first."""
    workspace = open_checked(root)
    activations: list[ActivationEntry] = []
    earliest: date | None = None
    with read_journal(workspace) as journal:
        for a in journal.activations():
            activations.append(
                ActivationEntry(
                    name=journal.strategy(a).name,
                    version=a.fingerprint,
                    effective_from=a.effective_from,
                    at=a.at,
                    by=a.by,
                    proof=Proof.model_validate(a.proof),
                    reason=a.reason,
                    superseded=earliest is not None and earliest <= a.effective_from,
                )
            )
            earliest = min(earliest or a.effective_from, a.effective_from)
    return Activations(tuple(activations))
