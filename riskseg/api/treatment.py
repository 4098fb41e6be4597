"""What is due on a day, issued, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal

from riskseg import run as use_cases
from riskseg.api.arguments import (
    Day,
    Place,
    day,
    day_or_none,
    measured,
    moment,
    one_line,
    path_or_none,
    person,
    progress,
    target,
    today,
)
from riskseg.results.rehearsal import Rehearsal
from riskseg.results.worklist import (
    Approvals,
    Decided,
    History,
    RecordedEvent,
    RecordedOutcomes,
    Worklist,
)


class Treatment:
    """What a workspace has to do about its accounts, and the record of what was done."""

    root: Path

    def history(
        self, account: str, *, as_of: Day | None = None, out: Place | None = None
    ) -> History:
        """An account's whole story as it was known at the close of a day, today unless one is
        given; `out` is an HTML page to write it to, with a picture."""
        return use_cases.history.history(
            self.root, account, today(as_of, self.root), out=path_or_none(out), progress=progress()
        )

    def hold(
        self,
        account: str,
        *,
        reason: str,
        kind: str = "hold",
        from_: Day | None = None,
        until: Day | None = None,
        end: bool = False,
        by: str | None = None,
        on: Day | None = None,
        at: datetime | None = None,
    ) -> RecordedEvent:
        """Hold an account from a day until a day, both included: nothing is done while it lasts,
        where the strategy says so. `end` ends what holds it: `until` is then the last day held.

        `on` is the day on which it is recorded, today unless it is given; the other days are that
        one where they are left out.
        """
        events = use_cases.account_events
        if not end:
            return events.hold(
                self.root,
                account,
                kind=kind,
                from_=day_or_none(from_, self.root),
                until=day_or_none(until, self.root),
                on=today(on, self.root),
                at=moment(at),
                by=person(by),
                reason=one_line(reason),
            )
        if from_ is not None:
            raise ValueError("from_ is for a hold that begins; end ends one.")
        return events.end_hold(
            self.root,
            account,
            kind=kind,
            until=day_or_none(until, self.root),
            on=today(on, self.root),
            at=moment(at),
            by=person(by),
            reason=one_line(reason),
        )

    def promise(
        self,
        account: str,
        *,
        amount: Decimal | str,
        until: Day,
        from_: Day | None = None,
        reason: str | None = None,
        by: str | None = None,
        on: Day | None = None,
        at: datetime | None = None,
    ) -> RecordedEvent:
        """Record a promise to pay an amount by a day."""
        return use_cases.account_events.promise(
            self.root,
            account,
            amount=Decimal(amount),
            until=day(until, self.root),
            from_=day_or_none(from_, self.root),
            on=today(on, self.root),
            at=moment(at),
            by=person(by),
            reason=reason if reason is None else one_line(reason),
        )

    def cancel_promise(
        self,
        account: str,
        *,
        reason: str,
        by: str | None = None,
        on: Day | None = None,
        at: datetime | None = None,
    ) -> RecordedEvent:
        """Record that the account's promises that are still to be kept are cancelled."""
        return use_cases.account_events.cancel_promise(
            self.root,
            account,
            on=today(on, self.root),
            at=moment(at),
            by=person(by),
            reason=one_line(reason),
        )

    def plan(
        self,
        account: str,
        *,
        instalments: Mapping[Day, Decimal | str],
        from_: Day | None = None,
        reason: str | None = None,
        by: str | None = None,
        on: Day | None = None,
        at: datetime | None = None,
    ) -> RecordedEvent:
        """Record a plan to pay in instalments: the amount by the day on which it is due."""
        return use_cases.account_events.plan(
            self.root,
            account,
            instalments=[
                (day(due, self.root), Decimal(amount)) for due, amount in instalments.items()
            ],
            from_=day_or_none(from_, self.root),
            on=today(on, self.root),
            at=moment(at),
            by=person(by),
            reason=reason if reason is None else one_line(reason),
        )

    def dispute(
        self,
        account: str,
        *,
        reason: str,
        bill: str | None = None,
        amount: Decimal | str | None = None,
        outcome: str | None = None,
        from_: Day | None = None,
        until: Day | None = None,
        by: str | None = None,
        on: Day | None = None,
        at: datetime | None = None,
    ) -> RecordedEvent:
        """Record that a bill is disputed, an `amount` of it or the whole; without a bill, that of
        what was billed. With an `outcome`, record what came of the disputes that are open."""
        events, given = use_cases.account_events, None if amount is None else Decimal(amount)
        if outcome is None:
            return events.dispute(
                self.root,
                account,
                bill=bill,
                amount=given,
                from_=day_or_none(from_, self.root),
                until=day_or_none(until, self.root),
                on=today(on, self.root),
                at=moment(at),
                by=person(by),
                reason=one_line(reason),
            )
        if until is not None:
            raise ValueError("until is for a dispute that is raised.")
        return events.answer_dispute(
            self.root,
            account,
            bill=bill,
            outcome=outcome,
            amount=given,
            from_=day_or_none(from_, self.root),
            on=today(on, self.root),
            at=moment(at),
            by=person(by),
            reason=one_line(reason),
        )

    def note(
        self,
        account: str,
        text: str,
        *,
        from_: Day | None = None,
        by: str | None = None,
        on: Day | None = None,
        at: datetime | None = None,
    ) -> RecordedEvent:
        """Record a remark about an account, for people: nothing is decided by it."""
        return use_cases.account_events.note(
            self.root,
            account,
            one_line(text),
            from_=day_or_none(from_, self.root),
            on=today(on, self.root),
            at=moment(at),
            by=person(by),
        )

    def rehearse(
        self,
        *,
        first: Day,
        last: Day,
        strategies: Sequence[str] = (),
        every: Literal["day", "week"] = "day",
        capacity: Mapping[str, int] | None = None,
        more_than: int = 4,
        out: Place | None = None,
        generated: int | None = None,
        seed: int = 7,
    ) -> Rehearsal:
        """Carry out one or two strategies from one day to another, both included, and see what
        they would have done; nothing is recorded.

        `strategies` are folders, or versions in the journal; without any it is the workspace's
        folder. `capacity` says how often an action can be taken on a day. `generated` has a
        portfolio of so many accounts respond to them. The rows are weeks, one for each path; `out`
        has them written.
        """
        return use_cases.rehearse.rehearse(
            self.root,
            day(first, self.root),
            day(last, self.root),
            strategies,
            here=Path.cwd(),
            every=every,
            capacity=capacity,
            more_than=more_than,
            target=None if out is None else str(out),
            generated=generated,
            seed=seed,
            progress=progress(),
        )

    def worklist(
        self,
        *,
        as_of: Day,
        out: Place | None = None,
        actions: Sequence[str] = (),
        channels: Sequence[str] = (),
        segments: Sequence[str] = (),
        columns: Sequence[str] = (),
        capacity: Mapping[str, int] | None = None,
        draft: bool = False,
        accept_feeds: bool = False,
        spark: str | None = None,
    ) -> Worklist:
        """What is due on a day, in order of priority; nothing is recorded.

        The rows stay in memory, or are written to `out`. `actions`, `channels` and `segments`
        name those to list, all where there are none; `columns` are as in `assign`; `capacity` says
        how often each action can be taken that day. A `draft` is decided by the folder's
        strategy, whatever is in force. `accept_feeds` is as in `assign`. `spark` is the master of
        a Spark cluster whose executors decide what is due.
        """
        return use_cases.worklist.worklist(
            self.root,
            day(as_of, self.root),
            target(out),
            actions=actions,
            channels=channels,
            segments=segments,
            columns=columns,
            capacity=capacity,
            draft=draft,
            accept_feeds=accept_feeds,
            spark=spark,
            progress=progress(),
        )

    def issue(
        self,
        *,
        as_of: Day,
        out: Place | None = None,
        actions: Sequence[str] = (),
        channels: Sequence[str] = (),
        segments: Sequence[str] = (),
        columns: Sequence[str] = (),
        capacity: Mapping[str, int] | None = None,
        ahead: bool = False,
        draft: bool = False,
        accept_feeds: bool = False,
        spark: str | None = None,
        by: str | None = None,
        at: datetime | None = None,
        metrics: Place | None = None,
    ) -> Worklist:
        """The same list as `worklist` gives, recorded as issued. Issuing a day again records
        nothing anew. A day that has not come yet is refused unless it is issued `ahead`. `metrics`
        is as in `assign`."""
        on = day(as_of, self.root)
        return measured(
            "worklist issue",
            self.root,
            metrics,
            lambda shown: use_cases.worklist.worklist(
                self.root,
                on,
                target(out),
                at=moment(at),
                by=person(by),
                actions=actions,
                channels=channels,
                segments=segments,
                columns=columns,
                capacity=capacity,
                ahead=ahead,
                draft=draft,
                accept_feeds=accept_feeds,
                spark=spark,
                progress=shown,
            ),
        )

    def approve(
        self,
        *ids: str,
        as_of: Day,
        by: str,
        reason: str,
        actions: Sequence[str] = (),
        draft: bool = False,
        on: Day | None = None,
        at: datetime | None = None,
    ) -> Approvals:
        """Approve of actions on the list of a day; without ids, of all that wait for it, or of
        those of the `actions` that are named. It happens on the day `on`, today unless it is
        given."""
        return self._decide("approved", ids, as_of, by, reason, actions, draft, on, at)

    def reject(
        self,
        *ids: str,
        as_of: Day,
        by: str,
        reason: str,
        actions: Sequence[str] = (),
        draft: bool = False,
        on: Day | None = None,
        at: datetime | None = None,
    ) -> Approvals:
        """Take actions off the list of a day, until somebody approves of them. Without ids all
        are meant that wait for an approval. It happens on the day `on`, today unless it is
        given."""
        return self._decide("rejected", ids, as_of, by, reason, actions, draft, on, at)

    def _decide(
        self,
        outcome: Decided,
        ids: Sequence[str],
        as_of: Day,
        by: str,
        reason: str,
        actions: Sequence[str],
        draft: bool,
        on: Day | None,
        at: datetime | None,
    ) -> Approvals:
        return use_cases.approve.approve(
            self.root,
            day(as_of, self.root),
            ids,
            outcome,
            on=today(on, self.root),
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
        """Record what came of issued actions, as a file or a table of a database (`URL#table`)
        says: known from the day `on`, today unless it is given. Reading it again records nothing
        anew."""
        return use_cases.outcomes.record(
            self.root,
            str(file),
            by=person(by),
            on=today(on, self.root),
            at=moment(at),
            progress=progress(),
        )
