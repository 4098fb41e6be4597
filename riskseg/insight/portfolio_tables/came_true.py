"""The table `came_true`: whether what each probability is of came true."""

from __future__ import annotations

from datetime import date, timedelta

from riskseg.domain.relations import Relation, literal
from riskseg.insight.portfolio import Portfolio, probability_of
from riskseg.insight.portfolio_tables.receivables import settle
from riskseg.insight.portfolio_tables.table import PortfolioTable
from riskseg.learning.spec import ModelSpec
from riskseg.pipeline.contracts import build
from riskseg.pipeline.labelling import label_observed
from riskseg.pipeline.session import Session
from riskseg.pipeline.stages import Stage

# What a probability was made from: of an account on a day on which it has one, the bill in
# question is the last that it was issued on that day.
_FOCUS_BILL = """
        select d.*, b.bill_id as focus_bill
        from decided d
        join ledger_bills b
            on b.account_no = d.account_no and b.known_on = d.as_of and b.amount_minor > 0
            and (b.cancelled_on is null or b.cancelled_on > b.known_on)
        qualify row_number() over (partition by d.snap order by {order} desc) = 1
        """


class CameTrue(PortfolioTable):
    """A row for each account, day and probability of which it is known by the as-of date how it
    came out: account_id, party_id, segment, day, model (the name of the probability in
    decisions), probability, and label, 1 where it came true and else 0.

    Labels are those that models learn from: worked out from what was known when the horizon was
    over. Accounts without a label, such as those that were issued no bill, are not in it.
    """

    name = "came_true"
    stage = Stage("labels", "whether what each probability is of came true")
    needs = ("bills", "payments")

    def rows(self, portfolio: Portfolio, session: Session, first: int, last: int) -> str:
        selects = [_NOTHING]
        for number, (name, spec) in enumerate(portfolio.specs.items()):
            if days := known_days(portfolio, spec):
                table = f"came_true_{number}"
                label(portfolio, session, name, days, (first, last), table)
                selects.append(f"select * from {table}")
        return " union all ".join(selects)


def label(
    portfolio: Portfolio,
    session: Session,
    name: str,
    days: list[date],
    accounts: tuple[int, int],
    table: str,
) -> None:
    """Make a table of the columns of `came_true`, of a range of accounts on some of the days of
    which it is known how the probability of that name came out."""
    settle(portfolio, session)
    spec, probability = portfolio.specs[name], probability_of(name)
    session.engine.run(_observed(session, spec, days, probability, accounts))
    label_observed(session, spec.target, of_focus_bill=spec.observe.at == "issue", shared=True)
    labelled = f"""
        select i.account_id, d.party_id, d.segment, d.day, {literal(name)} as model,
            d.{probability} as probability, l.label
        from labels l
        join observed o on o.snap = l.snap
        join account_ids i on i.account_no = o.account_no
        join decided_days d on d.account_id = i.account_id and d.day = o.as_of
        """
    build(session.engine, [Relation(table, labelled, materialized=True)])


_NOTHING = """
        select cast(null as varchar) as account_id, cast(null as varchar) as party_id,
            cast(null as varchar) as segment,
            cast(null as date) as day, cast(null as varchar) as model,
            cast(null as double) as probability, cast(null as tinyint) as label
        where false
        """


def known_days(portfolio: Portfolio, spec: ModelSpec) -> list[date]:
    """The days of which it is known by the as-of date whether what a model predicts came true: none
    where it predicts a column of accounts."""
    if spec.target.event is None:
        return []
    until = portfolio.as_of - timedelta(days=spec.label_days)
    return [decided.day for decided in portfolio.days if decided.day <= until]


def _observed(
    session: Session,
    spec: ModelSpec,
    days: list[date],
    probability: str,
    accounts: tuple[int, int],
) -> str:
    """The statement that makes `observed`: the accounts of a range, on each of the days on which
    they have the probability."""
    listed = ", ".join(f"date '{day}'" for day in days)
    select = "select * from decided"
    if spec.observe.at == "issue":
        select = _FOCUS_BILL.format(order=session.ledger.money.bill_order("b.bill_id"))
    first, last = accounts
    return f"""
        create or replace temp table observed as
        with decided as (
            select cast(row_number() over (order by i.account_no, d.day) as integer) as snap,
                i.account_no, d.day as as_of
            from decided_days d
            join account_ids i on i.account_id = d.account_id
            where d.day in ({listed})
                and d.{probability} is not null
                and i.account_no between {first} and {last}
        )
        {select}
        """
