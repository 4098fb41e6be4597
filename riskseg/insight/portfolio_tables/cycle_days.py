"""The table `cycle_days`: where in the billing cycle accounts were on each day."""

from __future__ import annotations

from riskseg.insight.portfolio import Portfolio
from riskseg.insight.portfolio_tables.table import PortfolioTable
from riskseg.pipeline.session import Session
from riskseg.pipeline.stages import Stage


class CycleDays(PortfolioTable):
    """A row for each account and day on which it was decided: account_id, day, and since_bill, the
    days since its last bill was issued, as known on that day, as facts have it; null where it had
    none, or the workspace has no bills."""

    name = "cycle_days"
    stage = Stage("cycle", "where in the billing cycle accounts were")

    def rows(self, portfolio: Portfolio, session: Session, first: int, last: int) -> str:
        own = f"""
        select d.account_id, i.account_no, d.day
        from decided_days d
        join account_ids i on i.account_id = d.account_id
        where i.account_no between {first} and {last}
        """
        if not session.ledger.billed:
            return f"select account_id, day, cast(null as integer) as since_bill from ({own})"
        is_bill = "amount_minor > 0" if session.ledger.money.refunds else "true"
        return f"""
        with own as ({own}),
        billed as (
            select o.account_no, o.day, max(b.issued_on) as last_billed_on
            from own o
            join ledger_bills b on b.account_no = o.account_no and b.known_on <= o.day
            where {is_bill} and (b.cancelled_on is null or b.cancelled_on > o.day)
            group by o.account_no, o.day
        )
        select o.account_id, o.day, cast(o.day - b.last_billed_on as integer) as since_bill
        from own o
        left join billed b on b.account_no = o.account_no and b.day = o.day
        """
