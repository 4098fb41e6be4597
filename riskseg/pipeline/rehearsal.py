"""A strategy rehearsed: what would have been decided, issued and come of it, kept in the engine.

The table `journal_events` is the scratch journal: what is issued on one day is a fact on the next.
The workspace's own journal is neither written nor, for what the rehearsal issues anew, read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from riskseg.domain.relations import fact_column, literal
from riskseg.pipeline.decisions import Decider, decide_scored, make_facts, score_facts
from riskseg.pipeline.listing import add_due, list_due
from riskseg.pipeline.session import Session
from riskseg.rules.elements import Action
from riskseg.rules.sql import out
from riskseg.treatment.episodes import EPISODE_STARTED_ON
from riskseg.treatment.worklist import issued_events, placement_events

_EPISODE = EPISODE_STARTED_ON.name


@dataclass(frozen=True)
class Period:
    """From one day to another, both included, with a worklist every so many `days`."""

    first: date
    last: date
    every: int

    @property
    def days(self) -> list[date]:
        """The days on which a worklist is issued."""
        begins = self.first.toordinal()
        return [date.fromordinal(n) for n in range(begins, self.last.toordinal() + 1, self.every)]

    def without_worklist(self, day: date) -> int:
        """How many days come after one of the days before the next of them."""
        return min(self.every - 1, (self.last - day).days)


class Rehearsal:
    """Strategies that are rehearsed one after the other over the same days.

    The engine holds, for each `side` (the number of a strategy): `rehearsed_days`, a row for each
    day and path; `rehearsed_actions`, a row for each action issued; `rehearsed_cures`, a row for
    each arrears episode that ended; `rehearsed_left`, how often an action was due and beyond the
    day's capacity; and `rehearsed_accounts`, the last day's row of each account.
    """

    def __init__(
        self,
        session: Session,
        deciders: Sequence[Decider],
        period: Period,
        *,
        capacity: Mapping[str, int],
        shared: bool,
    ) -> None:
        """`capacity` says how often an action can be taken on a day of a worklist. `shared` says
        that what is over of each account is at hand
        (:func:`riskseg.ledger.settled.settled_bills`)."""
        self.session, self.period, self.shared = session, period, shared
        self.engine, self.deciders, self.capacity = session.engine, deciders, capacity
        self.engine.run(
            f"""
            create temp table journal_before as
            select *
            from journal_events
            where kind not in ('action', 'approval', 'placement')
                or happened_on < date '{period.first}'
            """
        )
        money = f"decimal(18, {session.scale})"
        columns_by_table = {
            "rehearsed_days": f"as_of date, path varchar, accounts bigint, in_arrears bigint, "
            f"overdue {money}",
            "rehearsed_actions": f"happened_on date, account_no integer, path varchar, "
            f"action varchar, channel varchar, contact boolean, significant boolean, "
            f"cost {money}",
            "rehearsed_left": "as_of date, action varchar, cases bigint",
            "rehearsed_cures": "happened_on date, account_no integer, path varchar",
            "rehearsed_accounts": f"account_no integer, party varchar, overdue {money}, "
            "paid decimal(18, 0)",
        }
        for rehearsal_table, columns in columns_by_table.items():
            self.engine.run(f"create temp table {rehearsal_table} (side integer, {columns})")

    def begin(self) -> None:
        """Take the scratch journal back to the day before the first."""
        self.engine.run("delete from journal_events")
        self.engine.run("insert into journal_events select * from journal_before")
        self.engine.run(f"create or replace temp table day_before as {_NO_ACCOUNTS}")

    def pass_day(self, side: int, as_of: date) -> None:
        """Decide every account, list what is due, issue it, and count."""
        decider = replace(self.deciders[side], as_of=as_of)
        wanted = decider.wanted
        if decider.billed:
            wanted |= {_EPISODE}
        self.engine.run(f"create or replace temp table day as {_NO_ACCOUNTS}")
        for partition, accounts in enumerate(self.session.partitions()):
            make_facts(self.session, wanted, as_of, *accounts, shared=self.shared)
            decide_scored(self.engine, decider, score_facts(self.engine, decider))
            add_due(self.engine, decider, anew=partition == 0)
            self.engine.run(f"insert into day {_accounts_select(decider)}")
        # Whatever needs approval is taken to be approved, and takes its place in the capacity.
        self.engine.run("update due_actions set approvers = 0")
        list_due(self.engine, as_of, decider.scale, capacity=self.capacity)
        self.engine.run(
            f"""
            insert into rehearsed_left
            select {side}, date '{as_of}', action, count(*)
            from listed_actions
            where state = 'over capacity'
            group by action
            """
        )
        for select in (issued_events(as_of), placement_events(as_of)):
            self.engine.run(
                f"""
                insert into journal_events by name
                select a.account_no, e.*
                from ({select}) e
                join account_ids a on a.account_id = e.account_id
                """
            )
        self._count(side, as_of)

    def _count(self, side: int, as_of: date) -> None:
        self.engine.run(
            f"""
            insert into rehearsed_days
            select {side}, date '{as_of}', path, count(*), count(episode), sum(overdue)
            from day
            group by path
            """
        )
        # A reversed payment takes an episode back to its beginning, and ends none.
        self.engine.run(
            f"""
            insert into rehearsed_cures
            select {side}, date '{as_of}', b.account_no, b.path
            from day_before b
            join day d on d.account_no = b.account_no
            where b.episode is not null
                and (d.episode is null or d.episode > b.episode)
            """
        )
        self.engine.run("create or replace temp table day_before as select * from day")

    def end(self, side: int) -> None:
        """Keep what was issued to each account, and where it stands on the last day. What the row
        of another account of its party did for it is that one's."""
        period, strategy = self.period, self.deciders[side].strategy
        actions = " union all ".join(map(_action_select, strategy.actions))
        self.engine.run(
            f"""
            insert into rehearsed_actions
            select {side}, e.happened_on, e.account_no, e.path, e.action, e.channel, a.contact,
                a.significant, a.cost
            from journal_events e
            join ({actions}) a on a.action = e.action
            where e.kind = 'action'
                and e.ref is null
                and e.happened_on >= date '{period.first}'
            """
        )
        paid = _PAID.format(first=period.first, last=period.last)
        if not self.session.ledger.billed:
            paid = "select cast(null as integer) as account_no, 0 as paid where false"
        self.engine.run(
            f"""
            insert into rehearsed_accounts
            select {side}, d.account_no, d.party, d.overdue, coalesce(p.paid, 0)
            from day_before d
            left join ({paid}) p on p.account_no = d.account_no
            """
        )

    # What came of it

    def weeks(self) -> str:
        """A select of the weeks of every side, a row for each path: side, week_from, week_until,
        path, accounts and overdue on the last day of the week, and what was done in it."""
        first_day, last_day = (f"date '{day}'" for day in (self.period.first, self.period.last))
        week = f"({{day}} - {first_day}) // 7"
        return f"""
            with days as (
                select *, {week.format(day="as_of")} as week
                from rehearsed_days
            ),
            standing as (
                select side, week, path, accounts, in_arrears, overdue
                from days
                qualify as_of = max(as_of) over (partition by side, week)
            ),
            done as (
                select side, {week.format(day="happened_on")} as week, path,
                    count(*) as actions,
                    count(*) filter (where contact) as contacts,
                    count(*) filter (where significant) as significant,
                    sum(cost) as cost,
                    0 as cures
                from rehearsed_actions
                group by all
                union all
                select side, {week.format(day="happened_on")}, path, 0, 0, 0, null, count(*)
                from rehearsed_cures
                group by all
            ),
            counted as (
                select side, week, path,
                    sum(actions) as actions,
                    sum(contacts) as contacts,
                    sum(significant) as significant,
                    sum(cost) as cost,
                    sum(cures) as cures
                from done
                group by all
            )
            select coalesce(s.side, c.side) as side,
                {first_day} + cast(7 * coalesce(s.week, c.week) as integer) as week_from,
                least({last_day}, {first_day} + cast(7 * coalesce(s.week, c.week) + 6 as integer))
                    as week_until,
                coalesce(s.path, c.path) as path,
                coalesce(s.accounts, 0) as accounts,
                coalesce(s.in_arrears, 0) as in_arrears,
                s.overdue,
                cast(coalesce(c.actions, 0) as bigint) as actions,
                cast(coalesce(c.contacts, 0) as bigint) as contacts,
                cast(coalesce(c.significant, 0) as bigint) as significant,
                c.cost,
                cast(coalesce(c.cures, 0) as bigint) as cures
            from standing s
            full join counted c on c.side = s.side and c.week = s.week and c.path = s.path
            order by side, week_from, path
            """

    def days(self, side: int) -> list[tuple[Any, ...]]:
        """How often each action was issued on each day: (day, action, channel, count)."""
        return self.engine.rows(
            f"""
            select happened_on, action, channel, count(*)
            from rehearsed_actions
            where side = {side}
            group by all
            order by all
            """
        )

    def left(self, side: int) -> dict[str, int]:
        """How often each action was due and left, since the day's capacity was used up."""
        return dict(
            self.engine.rows(
                f"""
                select action, cast(sum(cases) as bigint)
                from rehearsed_left
                where side = {side}
                group by action
                """
            )
        )

    def contacted_often(self, side: int, more_than: int) -> int:
        """How many accounts had more contacts than that."""
        return int(
            self.engine.value(
                f"""
                select count(*)
                from (
                    select account_no
                    from rehearsed_actions
                    where side = {side} and contact
                    group by account_no
                    having count(*) > {more_than}
                )
                """
            )
        )

    def by_party(self) -> str:
        """A select of what came of each party on each side: side, party, accounts, and whole
        numbers of actions, contacts, significant actions, cures and, in minor units, of cost, of
        what was paid and of what is overdue on the last day."""
        factor = 10**self.session.scale
        return f"""
            with done as (
                select side, account_no, count(*) as actions,
                    count(*) filter (where contact) as contacts,
                    count(*) filter (where significant) as significant,
                    sum(cost) * {factor} as cost
                from rehearsed_actions
                group by side, account_no
            ),
            cured as (
                select side, account_no, count(*) as cures
                from rehearsed_cures
                group by side, account_no
            )
            select r.side, r.party, count(*) as accounts,
                cast(coalesce(sum(d.actions), 0) as bigint) as actions,
                cast(coalesce(sum(d.contacts), 0) as bigint) as contacts,
                cast(coalesce(sum(d.significant), 0) as bigint) as significant,
                cast(coalesce(sum(d.cost), 0) as bigint) as cost,
                cast(coalesce(sum(c.cures), 0) as bigint) as cures,
                cast(sum(r.paid) as bigint) as paid,
                cast(coalesce(sum(r.overdue), 0) * {factor} as bigint) as overdue
            from rehearsed_accounts r
            left join done d on d.side = r.side and d.account_no = r.account_no
            left join cured c on c.side = r.side and c.account_no = r.account_no
            group by r.side, r.party
            """


_NO_ACCOUNTS = """
    select cast(null as integer) as account_no, cast(null as varchar) as party,
        cast(null as varchar) as path, cast(null as decimal(18, 4)) as overdue,
        cast(null as date) as episode
    where false
    """

# What was paid from one day to another and not taken back, in minor units.
_PAID = """
    select p.account_no,
        sum(case when p.reverses is null or p.won_back then amount_minor else -amount_minor end)
            as paid
    from ledger_payments p
    where p.settled and not p.refund
        and p.paid_on between date '{first}' and date '{last}'
    group by p.account_no
    """


def _accounts_select(decider: Decider) -> str:
    """The accounts just decided: the path each is on, what is overdue and since when."""
    overdue = f"d.{fact_column('balance_overdue')}" if decider.billed else "null"
    episode = f"d.{fact_column(_EPISODE)}" if decider.billed else "null"
    return f"""
        select d.account_no, d.{fact_column("party_id")}, d.{out("path")}, {overdue}, {episode}
        from decided d
        """


def _action_select(action: Action) -> str:
    cost = "null" if action.cost is None else f"{action.cost:f}"
    return f"""
        select {literal(action.name)} as action,
            {str(action.contact).lower()} as contact,
            {str(action.significant).lower()} as significant,
            cast({cost} as decimal(18, 4)) as cost
        """


def amount(minor: int, scale: int) -> Decimal:
    """An amount of money from minor units."""
    return Decimal(minor).scaleb(-scale)
