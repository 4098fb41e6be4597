"""A generated portfolio that responds, as the ledger in the engine: what people did is staged day
by day, as any source is, and what a strategy issues is what they respond to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from riskseg.domain.problems import Problems
from riskseg.ledger.mapping import Mapped
from riskseg.ledger.staging import Staging, stage
from riskseg.pipeline.session import Session, begin, scratch_engine
from riskseg.rules.model import Strategy
from riskseg.workspace import Source, Workspace

if TYPE_CHECKING:
    from riskseg.synthetic.responding import Responding

# Those that grow as people respond. Of bills only those go that come after a write-off.
_GROWING = ("payments", "events", "instalments")
_RESTORED = (*_GROWING, "bills")


@contextmanager
def generated_session(workspace: Workspace, portfolio: Responding) -> Iterator[Session]:
    """The generated portfolio in place of the workspace's sources, with the workspace's features
    and models."""
    with TemporaryDirectory() as parquet_folder:
        sources = {}
        for generated_table, table in portfolio.tables().items():
            parquet_file = Path(parquet_folder) / f"{generated_table}.parquet"
            pq.write_table(table, parquet_file)
            sources[generated_table] = Source(generated_table, str(parquet_file), {})
        settings = replace(
            workspace.settings,
            scale=2,
            arrears_from=Decimal("5.00"),
            sources=sources,
            keep_staged=False,  # its rows grow, and nobody asks for them again
        )
        generated = replace(workspace, settings=settings)
        with scratch_engine(generated) as engine:
            session = begin(generated, engine)
            # The journal is about the workspace's accounts, which may have the same ids.
            engine.run("delete from journal_events")
            for generated_table in _RESTORED:
                engine.run(
                    f"create temp table {generated_table}_before as select * from {generated_table}"
                )
            yield session


class RespondingLedger:
    """The portfolio's days under one strategy, from the first."""

    def __init__(self, session: Session, portfolio: Responding, strategy: Strategy) -> None:
        from riskseg.synthetic.responding import known_action

        self._session, self._engine = session, session.engine
        self._portfolio = portfolio.copy()
        self._codes = {a.name: known_action(a.name, a.channel) for a in strategy.actions}
        for restored_table in _RESTORED:
            self._engine.run(
                f"create or replace table {restored_table} as select * from {restored_table}_before"
            )

    def begin_day(self) -> None:
        """Let people pay, or not."""
        self._portfolio.begin_day()

    def stage(self) -> None:
        """Stage what has become of the portfolio since it was last staged."""
        accounts = []
        for tables_of_day in self._portfolio.later():
            accounts.append(tables_of_day["accounts"])
            for growing_table in _GROWING:
                with self._staged(growing_table, tables_of_day[growing_table]) as staging:
                    self._engine.run(f"insert into {growing_table} by name {staging.select}")
        with self._staged("accounts", pa.concat_tables(accounts)) as staging:
            for statement in staging.statements:
                self._engine.run(statement)
        self._engine.run(
            """
            delete from bills b
            using accounts a
            where a.account_no = b.account_no
                and a.written_off_on <= b.issued_on
            """
        )

    @contextmanager
    def _staged(self, name: str, rows: pa.Table) -> Iterator[Staging]:
        """The staging of more rows of a source."""
        mapped: Mapped = self._session.ledger.sources[name]
        self._engine.register("more_rows", rows)
        settings = self._session.workspace.settings
        more_rows = replace(mapped, relation="more_rows")
        yield stage(more_rows, settings.scale, currency=settings.currency)
        self._engine.unregister("more_rows")

    def end_day(self, *, issued: bool) -> None:
        """Let people respond to what is listed, if anything was issued; the day ends."""
        account, action = np.empty(0, np.int64), np.empty(0, np.int64)
        if issued:
            listed_actions = self._engine.arrow(
                """
                select i.account_no, l.action
                from listed_actions l
                join account_ids i on i.account_id = l.account_id
                where l.state = 'listed'
                order by i.account_no
                """
            )
            account = listed_actions["account_no"].to_numpy().astype(np.int64)
            action = np.array(
                [
                    self._codes[issued_action]
                    for issued_action in listed_actions["action"].to_pylist()
                ],
                np.int64,
            )
        self._portfolio.end_day(account, action)


def check_actions(strategies: Sequence[Strategy]) -> None:
    """Raise RS209 for each action of which it is not known what it leads to."""
    from riskseg.synthetic.responding import known_action

    problems = Problems()
    for strategy in strategies:
        for action in strategy.actions:
            if known_action(action.name, action.channel) is None:
                problems.add(
                    "RS209",
                    f'What the action "{action.name}" leads to in the generated portfolio is not '
                    f'known, nor what the channel "{action.channel}" leads to.',
                    file=f"{strategy.folder}/strategy.yaml",
                    hint="Rehearse over the past, or name it by a channel of the portfolio: sms, "
                    "post, phone, desk, field or file.",
                )
    problems.raise_if_any()


def generate(accounts: int, seed: int, first: date, last: date) -> Responding:
    """The portfolio as it stands before the first day."""
    from riskseg.synthetic.portfolio import months_before
    from riskseg.synthetic.responding import MONTHS_BEFORE, Responding

    eve = date.fromordinal(first.toordinal() - 1)
    return Responding(accounts, seed, months_before(eve, MONTHS_BEFORE), first, last)
