"""`worklist approve` and `reject`: what a person says of the actions on the list of a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from riskseg.domain.problems import Problems
from riskseg.pipeline.decisions import RULES
from riskseg.pipeline.feed_checks import source_notes
from riskseg.pipeline.selection import Selection
from riskseg.pipeline.session import LOAD, open_checked
from riskseg.pipeline.stages import Plan, Progress, Stage
from riskseg.results.worklist import Approvals, Decided, DecidedAction
from riskseg.run.worklist import LIST, ListingJob
from riskseg.store.events import event_id
from riskseg.store.sinks import InMemory
from riskseg.workspace import Workspace

APPROVE = Stage("approve", "record what a person says of the actions on the list")


class _Approving(ListingJob):
    """What a run of `worklist approve` or `worklist reject` holds: the list, and what a person
    says of it."""

    def __init__(
        self,
        workspace: Workspace,
        as_of: date,
        ids: Sequence[str],
        outcome: Decided,
        *,
        on: date,
        at: datetime,
        by: str,
        reason: str,
        actions: Sequence[str],
        draft: bool,
        progress: Progress | None,
    ) -> None:
        super().__init__(
            workspace,
            as_of,
            InMemory(),
            at=at,
            by=by,
            selection=Selection.of(actions=actions),
            capacity={},
            draft=draft,
            accept_feeds=False,
            spark=None,
            progress=progress,
        )
        self.ids, self.outcome, self.reason, self.on = tuple(ids), outcome, reason, on
        self.issues = False

    def check_feeds(self) -> None:
        """Nothing is handed over yet: sources that are not as expected are warned of, and stop
        `worklist issue`."""
        for note in source_notes(self.session, self.as_of, self.journal.decided_runs):
            self.progress.warn(note)
        self.accepted = ()

    def record(self) -> None:
        """Record what the person says of each action that is meant."""
        assert self.at is not None
        listed = {
            row["id"]: row
            for row in self.engine.arrow(
                """
                select id, account_id, action, channel, approvers, approved_by, state, issued
                from listed_actions
                order by priority desc nulls last, account_id
                """
            ).to_pylist()
        }
        if not self.ids:
            wanted = [
                id
                for id, row in listed.items()
                if row["approvers"] and row["state"] == "listed" and not row["issued"]
            ]
        else:
            wanted = list(dict.fromkeys(self.ids))
            self._check_ids(wanted, listed)
        earlier = int(
            self.engine.value("select count(*) from journal_events where kind = 'approval'")
        )
        events, decided = [], []
        for id in wanted:
            row = listed[id]
            by = set(row["approved_by"])
            said = row["state"] == "rejected" if self.outcome == "rejected" else self.by in by
            if not said:
                events.append(self._event(row, earlier))
            by = by | {self.by} if self.outcome == "approved" else set()
            decided.append(
                DecidedAction(
                    id=id,
                    account_id=row["account_id"],
                    action=row["action"],
                    new=not said,
                    waiting=max(0, row["approvers"] - len(by)) if by else 0,
                )
            )
        self.journal.record_events(
            events, command=f"worklist {self.outcome}", at=self.at, recorded_on=self.on
        )
        self.approvals = Approvals(
            as_of=self.as_of,
            outcome=self.outcome,
            by=self.by,
            reason=self.reason,
            actions=tuple(decided),
        )

    def _event(self, row: Mapping[str, str], earlier: int) -> dict[str, str | None]:
        return {
            # Somebody may approve, reject, and approve again.
            "event_id": event_id("approval", row["id"], self.outcome, self.by, earlier),
            "account_id": row["account_id"],
            "kind": "approval",
            "happened_on": self.on.isoformat(),
            "recorded_on": self.on.isoformat(),
            "action": row["action"],
            "channel": row["channel"],
            # The day of the list that it counts for, from that day on.
            "due_on": self.as_of.isoformat(),
            "outcome": self.outcome,
            "ref": row["id"],
            "reason": self.reason,
            "made_by": self.by,
        }

    def _check_ids(self, ids: Sequence[str], listed: Mapping[str, Mapping[str, Any]]) -> None:
        problems = Problems()
        for id in ids:
            row = listed.get(id)
            if row is None:
                message = f'No action "{id}" is on the list of {self.as_of}.'
                problems.add("RS631", message, hint="Give an id of that day's `worklist`.")
            elif row["issued"]:
                message = f"{row['action']} for {row['account_id']} was issued already ({id})."
                problems.add("RS632", message, hint="What is issued cannot be decided any more.")
            elif not row["approvers"] and self.outcome == "approved":
                message = f"{row['action']} for {row['account_id']} needs no approval ({id})."
                problems.add("RS632", message, hint="It is issued as it is.")
        problems.raise_if_any()


def plan() -> Plan:
    """What `worklist approve` and `worklist reject` carry out."""
    return [
        LOAD.by(_Approving.load),
        RULES.by(_Approving.prepare),
        _Approving.deciding(into=LIST.by(_Approving.finish)),
        APPROVE.by(_Approving.record),
    ]


def approve(
    root: Path,
    as_of: date,
    ids: Sequence[str],
    outcome: Decided,
    *,
    on: date,
    at: datetime,
    by: str,
    reason: str,
    actions: Sequence[str] = (),
    draft: bool = False,
    progress: Progress | None = None,
) -> Approvals:
    """Record that a person approves of actions on the list of a day, or rejects them. It happens
    on the day `on`, and counts for that list and those after it.

    Without `ids` all are meant that wait for an approval; `actions` names those, all where there
    are none. Raises RS631 for an id that is not on the list, RS632 for an action of which nobody
    can decide any more.
    """
    job = _Approving(
        open_checked(root),
        as_of,
        ids,
        outcome,
        on=on,
        at=at,
        by=by,
        reason=reason,
        actions=actions,
        draft=draft,
        progress=progress,
    )
    job.carry_out(plan())
    return job.approvals
