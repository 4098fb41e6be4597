"""`ageing`: receivables by age as of any date, tied to the ledger and to the source's balances."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from riskseg.domain.ageing import BUCKETS
from riskseg.domain.facts import folded
from riskseg.domain.problems import Problems, did_you_mean, problem
from riskseg.domain.relations import from_minor
from riskseg.insight.ageing import AGEING, AgedAccounts
from riskseg.insight.tie_out import TIE_OUT, TiedAccounts
from riskseg.ledger.ageing import AMOUNTS
from riskseg.pipeline.feed_checks import source_notes
from riskseg.pipeline.outputs import check_target
from riskseg.pipeline.quarantine import bad_row_counts
from riskseg.pipeline.session import LOAD, begin, open_checked, scratch_engine
from riskseg.pipeline.source_balances import SourceBalances
from riskseg.pipeline.stages import ForEach, Job, Plan, Progress, Stage
from riskseg.results.ageing import AgedAccountRows, Ageing, TieOut
from riskseg.sources.unchanged import check_unchanged
from riskseg.store import sinks
from riskseg.store.sinks import Dated, InMemory
from riskseg.workspace import Workspace

AGE = Stage("age", "allocate payments, put what is unpaid in buckets", weight=3)
TOTAL = Stage("total", "totals by group, and the ledger added up beside them")
TIE = Stage("tie", "the source's own balances, and what explains each difference")
WRITE = Stage("write", "a row for each account, where it is asked for")


class _Ageing(Job):
    """What a run of `ageing` holds while it is carried out."""

    ranges: Sequence[tuple[int, int]] = ()
    tie: TieOut | None = None

    def __init__(
        self,
        workspace: Workspace,
        as_of: date,
        by: str | None,
        balances: SourceBalances | None,
        target: str | InMemory | None,
        progress: Progress | None,
    ) -> None:
        super().__init__(progress)
        self.workspace, self.as_of, self.by = workspace, as_of, by
        self.balances, self.target = balances, target

    def load(self) -> None:
        balances = self.balances
        reads = balances.files() if balances else []
        self.engine = self.opened.enter_context(scratch_engine(self.workspace, reads=reads))
        # What explains a difference is named by its id.
        self.session = begin(self.workspace, self.engine, texts=balances is not None)
        _check_billed(self.workspace, billed=self.session.ledger.billed)
        self.session.answers(self.as_of)
        for note in source_notes(self.session, self.as_of):
            self.progress.warn(note)
        self.by = self._attribute()
        if balances is not None:
            balances.load(self.engine, self.session.ledger, self.session.scale, self.as_of)
        self.ranges = self.session.partitions()
        session = self.session
        self.aged = AgedAccounts(self.engine, session.ledger, session.scale, self.as_of, self.by)

    def _attribute(self) -> str | None:
        """The attribute that groups accounts. Raises RS501 for a name of none."""
        attributes = self.session.ledger.attributes
        if self.by is None or folded(self.by) in attributes:
            return self.by and folded(self.by)
        raise problem(
            "RS501",
            f'Accounts have no attribute "{self.by}".',
            hint=did_you_mean(self.by, attributes)
            or "Name a column of accounts that is not of the contract.",
        )

    def age(self, accounts: tuple[int, int]) -> None:
        self.aged.add(*accounts)

    def total(self) -> None:
        self.totals = AGEING.answer(self.aged)

    def compare(self) -> None:
        if self.balances is not None:
            self.tie = TIE_OUT.answer(TiedAccounts(self.aged, self.balances))

    def write(self) -> None:
        ledger = self.session.ledger
        rows = None
        if self.target is not None:
            batches = self.engine.batches(self._rows())
            written = sinks.write(
                self.target,
                batches.schema,
                batches,
                token=f"ageing-{self.as_of}",
                dated=Dated(self.as_of, ("account_id",)),
            )
            rows = AgedAccountRows(place=written.place, rows=written.rows, sha256=written.sha256)
            rows.holding(self.target)
        check_unchanged(self.workspace, ledger.stamps)
        settings = self.workspace.settings
        self.done = Ageing(
            as_of=self.as_of,
            by=self.by,
            currency=settings.currency,
            scale=settings.scale,
            total=self.totals.total,
            groups=self.totals.groups,
            ledger=self.totals.ledger,
            quarantined=bad_row_counts(ledger.bad),
            tie=self.tie,
            accounts=rows,
        )

    def _rows(self) -> str:
        """A select of a row for each account, in the order of account ids."""
        scale = self.session.scale
        overdue = " + ".join(f"coalesce(a.{bucket.column}, 0)" for bucket in BUCKETS[1:])
        amounts = {name: f"coalesce(a.{name}, 0)" for name in AMOUNTS}
        compared = self.balances is not None
        account_id = "coalesce(i.account_id, t.account_id)" if compared else "i.account_id"
        columns = [f"{account_id} as account_id", f"date '{self.as_of}' as as_of"]
        columns += ['a.grouping as "group"'] if self.by else []
        columns += ["a.days_past_due", "a.bucket"]
        columns += [f"{from_minor(sql, scale)} as {name}" for name, sql in amounts.items()]
        columns.insert(-3, f"{from_minor(f'({overdue})', scale)} as overdue")
        beside = ""
        if compared:  # with the accounts that only the source has
            columns += TiedAccounts.columns("t", scale)
            beside = "full join tied t on t.account_no = a.account_no"
        return f"""
        select {", ".join(columns)}
        from ageing a
        join account_ids i on i.account_no = a.account_no
        {beside}
        order by 1
        """


def _check_billed(workspace: Workspace, *, billed: bool) -> None:
    if not billed:
        accounts = workspace.settings.sources.get("accounts")
        raise problem(
            "RS640",
            "Ageing needs bills, and this workspace has none.",
            file="riskseg.toml",
            line=accounts.lines.get("from") if accounts else None,
            hint="Monthly balances are not bills: `overdue` and the buckets are facts of accounts."
            if accounts is not None and accounts.balances is not None
            else "Add a [source.bills].",
        )


def plan() -> Plan:
    """What `ageing` carries out."""
    return [
        LOAD.by(_Ageing.load),
        ForEach("partition", lambda job: job.ranges, (AGE.by(_Ageing.age),)),
        TOTAL.by(_Ageing.total),
        TIE.by(_Ageing.compare),
        WRITE.by(_Ageing.write),
    ]


def ageing(
    root: Path,
    as_of: date,
    *,
    by: str | None = None,
    tie_to: str | None = None,
    here: Path,
    target: str | InMemory | None = None,
    progress: Progress | None = None,
) -> Ageing:
    """Receivables by age as of a date, by the values of the attribute `by` too, if it is given.

    `tie_to` is a column of accounts, or a file with `account_id` and `balance` (looked up from the
    folder `here`), that has the source's own balances. `target` is where a row for each account is
    written. Raises RS010 for a target that cannot be written, RS640 without bills, RS501 for
    an attribute or column that accounts do not have, RS602 for a date of which nothing is known.
    """
    workspace = open_checked(root)
    problems = Problems()
    if isinstance(target, str):
        check_target(workspace, target, problems)
    balances = None if tie_to is None else SourceBalances(tie_to, here, problems)
    problems.raise_if_any()
    job = _Ageing(workspace, as_of, by, balances, target, progress)
    job.carry_out(plan())
    return job.done
