"""As of which dates a model looks at accounts, and which models look alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Literal

from riskseg.domain.problems import Problems
from riskseg.domain.relations import Relation
from riskseg.features.snapshots import (
    cycle_snapshots,
    issue_snapshots,
    observed_snapshots,
    single_snapshots,
)
from riskseg.learning.spec import AuthoredSpec
from riskseg.learning.timeline import Timeline, observed_timeline, timeline
from riskseg.pipeline.outcomes import known_until
from riskseg.pipeline.session import Session

if TYPE_CHECKING:
    from riskseg.expressions import Expression


@dataclass(frozen=True, slots=True)
class Look:
    """At what points accounts are looked at: of a cycle, at the issue of bills, when a status
    table observed them, or once. Models of equal looks have the snapshots of the days that both
    look at in common."""

    at: Literal["cycle", "issue", "observed"] | date | None
    every: int = 0
    seed: int = 0

    @property
    def repeats(self) -> bool:
        """Whether an account is looked at many times over a window of days."""
        return self.at in ("cycle", "issue")

    def snapshots(self, windows: Sequence[tuple[date, date]], bill_order: str) -> Relation:
        """Those of days in any of the windows; where accounts are looked at once, all there are.
        Bills that an account was issued on one day are numbered by `bill_order`."""
        if self.at is None or isinstance(self.at, date):
            return single_snapshots(self.at)
        first_day, last_day = (
            min(first_day for first_day, _ in windows),
            max(last_day for _, last_day in windows),
        )
        if self.at == "observed":
            return observed_snapshots(last_day)
        snapshots = (
            issue_snapshots(first_day, last_day, bill_order)
            if self.at == "issue"
            else cycle_snapshots(first_day, last_day, self.every, self.seed)
        )
        day_conditions = " or ".join(
            f"as_of between date '{window_start}' and date '{window_end}'"
            for window_start, window_end in windows
        )
        select = f"""
        select *
        from ({snapshots.select})
        where {day_conditions}
        """
        return replace(snapshots, select=select)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of the workspace for one model: its spec, the condition of its population,
    how and when it looks at accounts, and names of facts beside those that it may learn from."""

    authored: AuthoredSpec
    condition: Expression | None
    look: Look
    window: Timeline | None
    also: tuple[str, ...] = ()

    @property
    def days(self) -> tuple[date, date] | None:
        """The first and last day of snapshots, where these are many."""
        if self.look.at is None or isinstance(self.look.at, date):
            return None
        assert self.window is not None
        return self.window.train_from, self.window.hold_until


def asked(
    session: Session,
    authored: AuthoredSpec,
    condition: Expression | None,
    problems: Problems,
    also: tuple[str, ...] = (),
) -> Asked | None:
    """What a spec asks of this workspace. Adds Problems and returns None where that cannot be."""
    spec, ledger = authored.spec, session.ledger
    if spec.target.column is not None and ledger.observed and spec.observe.at is None:
        until = known_until(session, authored, problems)
        if until is None:
            return None
        window = observed_timeline(
            authored, ledger.first_on or until, until, ledger.known_by, problems
        )
        look = Look("observed")
        return Asked(authored, condition, look, window, also) if window else None
    own_problems = Problems()
    check_dates(session, authored, own_problems)
    if spec.target.column is not None:
        known_until(session, authored, own_problems)
    problems.extend(own_problems)
    if len(own_problems):
        return None
    if spec.target.column is not None:
        at = spec.observe.at if isinstance(spec.observe.at, date) else ledger.last_on
        return Asked(authored, condition, Look(at), None, also)
    if not ledger.billed or ledger.first_on is None or ledger.last_on is None:
        problems.add(
            "RS408",
            f'The target event "{spec.target.event}" needs bills; this workspace has none.',
            file=authored.file,
            line=authored.line("target"),
            hint="Add [source.bills] and [source.payments], or use {column: NAME}.",
        )
        return None
    window = timeline(authored, ledger.first_on, ledger.last_on, problems)
    if window is None:
        return None
    look = Look(spec.observe.at)
    if spec.observe.at is None:
        look = Look("cycle", spec.observe.every, spec.seed)
    return Asked(authored, condition, look, window, also)


def check_dates(session: Session, authored: AuthoredSpec, problems: Problems) -> None:
    """Add RS004 and RS405 for what a spec asks of the dates of accounts that have none."""
    spec = authored.spec
    if spec.target.column is None or session.ledger.observed:
        return
    if spec.target.horizon_days is not None:
        problems.add(
            "RS004",
            '"horizon_days" does not go with a column of accounts that have no dates.',
            file=authored.file,
            line=authored.line("target", "horizon_days"),
            hint="Remove `horizon_days`, or map `observed_on` in [source.accounts].",
        )
    if spec.hold_out_days is not None:
        problems.add(
            "RS405",
            "The accounts have no dates of observation, so there are no last days to hold out.",
            file=authored.file,
            line=authored.line("hold_out", "last"),
            hint="Map `observed_on` in [source.accounts], or write {share: 0.25}.",
        )
