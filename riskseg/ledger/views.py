"""The ledger that everything else reads: the sound rows of the staged tables."""

from __future__ import annotations

from collections.abc import Container

from riskseg.domain.facts import FIRST_DAY, LAST_DAY
from riskseg.domain.relations import literal
from riskseg.ledger.contract import CONTRACT, Holds


def ledger_views(sources: Container[str], scale: int, bad: Container[str] = ()) -> dict[str, str]:
    """The statements that make `ledger_NAME` for each table of the contract that is among the
    sources, by the name of the view.

    Without a source of accounts, no more is known of them than their ids; without one of payments,
    none were made. `bad` are the tables that have bad rows: an account of which a row is bad is
    still an account. Events are those of the source, if any, and those that riskseg recorded
    (`journal_events`), and so are instalments; `scale` is the number of decimals of money.
    """
    views = {name: _sound_rows(name) for name in CONTRACT if name in sources}
    if "payments" in sources:
        views["payments"] = _PAYMENTS
    if "accounts" in bad:
        views["accounts"] = _WITH_UNREADABLE_ACCOUNTS
    if "accounts" not in sources:
        views["accounts"] = _bare_accounts()
    if "bills" in sources and "payments" not in sources:
        views["payments"] = _NO_PAYMENTS
    views["instalments"] = _instalments(scale, sourced="instalments" in sources)
    views["events"] = _events(scale, sourced="events" in sources)
    return {f"ledger_{name}": statement for name, statement in views.items()}


def _sound_rows(name: str) -> str:
    return f"""
        create view ledger_{name} as
        select *
        from {name}
        where fault is null
        """


# A bad row of accounts says that there is the account, and nothing else: from its day on, if that
# can be read, all that a row says of an account is unknown. A second row of one day, which is bad
# because of the first, adds nothing.
_WITH_UNREADABLE_ACCOUNTS = f"""
        create view ledger_accounts as
        select *
        from accounts
        where fault is null
        union all by name
        select distinct account_no, valid_from
        from (
            select account_no,
                case when valid_from between date '{FIRST_DAY}' and date '{LAST_DAY}'
                    then valid_from end as valid_from
            from accounts
            where fault is not null and account_no is not null
        ) unreadable
        where not exists (
            select 1
            from accounts a
            where a.account_no = unreadable.account_no
                and a.valid_from is not distinct from unreadable.valid_from
                and a.fault is null
        )
        """

# Kinds of events that are the journal's own affair: nothing happened to the account.
_OF_JOURNAL = ("placement", "approval", "outcome", "note", "instalment")


def _events(scale: int, *, sourced: bool) -> str:
    """Events of the source and of the journal. An action that reaches the customer is a contact,
    and counts from the day after it was issued: a day's list is the same before issuing and after.
    """
    own = ", ".join(map(literal, _OF_JOURNAL))
    recorded = f"""
        select account_no, happened_on,
            case when contact = 'yes' then 'contact' else kind end as kind,
            greatest(happened_on, recorded_on) + cast(kind = 'action' as integer) as known_on,
            {_minor(scale)} as amount_minor,
            channel, outcome, until, ref, bill_id
        from journal_events
        where kind not in ({own})
        """
    if not sourced:
        return f"create view ledger_events as {recorded}"
    return f"""
        create view ledger_events as
        select account_no, happened_on, kind, known_on, amount_minor, channel, outcome, until, ref,
            bill_id
        from events
        where fault is null
        union all
        {recorded}
        """


def _minor(scale: int) -> str:
    return f"cast(round(cast(amount as decimal(28, 6)) * {10**scale}) as bigint)"


def _instalments(scale: int, *, sourced: bool) -> str:
    """Instalments of the source and of plans that riskseg recorded."""
    recorded = f"""
        select account_no, ref as plan_id, until as due_on,
            {_minor(scale)} as amount_minor,
            recorded_on
        from journal_events
        where kind = 'instalment'
        """
    if not sourced:
        return f"create view ledger_instalments as {recorded}"
    return f"""
        create view ledger_instalments as
        select account_no, plan_id, due_on, amount_minor, recorded_on
        from instalments
        where fault is null
        union all
        {recorded}
        """


def _bare_accounts() -> str:
    columns = ", ".join(
        f"cast(null as {'date' if column.holds is Holds.DATE else 'varchar'}) as {column.name}"
        for column in CONTRACT["accounts"].columns
        if column.name != "account_id"
    )
    return f"""
        create view ledger_accounts as
        select account_no, {columns}
        from account_ids
        """


_PAYMENTS = """
        create view ledger_payments as
        select *, payment_id as part_id, reverses as undoes
        from payments
        where fault is null
        """

_NO_PAYMENTS = """
        create view ledger_payments as
        select cast(null as integer) as account_no,
            cast(null as date) as paid_on,
            cast(null as bigint) as amount_minor,
            cast(null as date) as known_on,
            true as settled,
            false as pending,
            false as refund,
            false as won_back,
            cast(null as varchar) as bill_id,
            cast(null as varchar) as payment_id,
            cast(null as varchar) as reverses,
            cast(null as varchar) as part_id,
            cast(null as varchar) as undoes,
            cast(null as varchar) as method
        where false
        """
