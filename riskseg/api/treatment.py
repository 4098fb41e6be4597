"""What is due on a day, issued, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from riskseg import run as use_cases
from riskseg.api.arguments import (
    Day,
    Place,
    day,
    moment,
    one_line,
    person,
    progress,
    target,
    today,
)
from riskseg.results.worklist import Approvals, Decided, RecordedOutcomes, Worklist


class Treatment:
    """What a workspace has to do about its accounts, and the record of what was done."""

    root: Path

    def worklist(
        self,
        *,
        as_of: Day,
        out: Place | None = None,
        actions: Sequence[str] = (),
        channels: Sequence[str] = (),
        columns: Sequence[str] = (),
        capacity: Mapping[str, int] | None = None,
        draft: bool = False,
    ) -> Worklist:
        """What is due on a day, in order of priority; nothing is recorded.

        The rows stay in memory, or are written to `out`. `actions` and `channels` name those to
        list, all where there are none; `columns` are attributes of accounts to add; `capacity`
        says how often each action can be taken that day. A `draft` is decided by the folder's
        strategy, whatever is in force.
        """
        return use_cases.worklist.worklist(
            self.root,
            day(as_of),
            target(out),
            actions=actions,
            channels=channels,
            columns=columns,
            capacity=capacity,
            draft=draft,
            progress=progress(),
        )

    def issue(
        self,
        *,
        as_of: Day,
        out: Place | None = None,
        actions: Sequence[str] = (),
        channels: Sequence[str] = (),
        columns: Sequence[str] = (),
        capacity: Mapping[str, int] | None = None,
        draft: bool = False,
        at: datetime | None = None,
    ) -> Worklist:
        """The same list as `worklist` gives, recorded as issued. Issuing a day again records
        nothing anew."""
        return use_cases.worklist.worklist(
            self.root,
            day(as_of),
            target(out),
            at=moment(at),
            actions=actions,
            channels=channels,
            columns=columns,
            capacity=capacity,
            draft=draft,
            progress=progress(),
        )

    def approve(
        self,
        *ids: str,
        as_of: Day,
        by: str,
        reason: str,
        actions: Sequence[str] = (),
        draft: bool = False,
        at: datetime | None = None,
    ) -> Approvals:
        """Approve of actions on the list of a day; without ids, of all that wait for it, or of
        those of the `actions` that are named."""
        return self._decide("approved", ids, as_of, by, reason, actions, draft, at)

    def reject(
        self,
        *ids: str,
        as_of: Day,
        by: str,
        reason: str,
        actions: Sequence[str] = (),
        draft: bool = False,
        at: datetime | None = None,
    ) -> Approvals:
        """Take actions off the list of a day, until somebody approves of them. Without ids all
        are meant that wait for an approval."""
        return self._decide("rejected", ids, as_of, by, reason, actions, draft, at)

    def _decide(
        self,
        outcome: Decided,
        ids: Sequence[str],
        as_of: Day,
        by: str,
        reason: str,
        actions: Sequence[str],
        draft: bool,
        at: datetime | None,
    ) -> Approvals:
        return use_cases.worklist.approve(
            self.root,
            day(as_of),
            ids,
            outcome,
            at=moment(at),
            by=person(by),
            reason=one_line(reason),
            actions=actions,
            draft=draft,
            progress=progress(),
        )

    def outcomes(
        self,
        file: Place,
        *,
        by: str | None = None,
        on: Day | None = None,
        at: datetime | None = None,
    ) -> RecordedOutcomes:
        """Record what came of issued actions, as a file says: known from the day `on`, today
        unless it is given. Reading a file again records nothing anew."""
        return use_cases.outcomes.record(
            self.root,
            Path(file),
            by=person(by),
            on=today(on),
            at=moment(at),
            progress=progress(),
        )
