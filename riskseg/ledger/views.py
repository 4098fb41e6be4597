"""The ledger that everything else reads: the sound rows of the staged tables."""

from __future__ import annotations

from collections.abc import Container

from riskseg.ledger.contract import CONTRACT, Holds


def ledger_views(sources: Container[str]) -> dict[str, str]:
    """The statements that make `ledger_NAME` for each table of the contract that is among the
    sources, by the name of the view.

    Without a source of accounts, no more is known of them than their ids; without one of payments,
    none were made.
    """
    views = {name: _sound_rows(name) for name in CONTRACT if name in sources}
    if "accounts" not in sources:
        views["accounts"] = _bare_accounts()
    if "bills" in sources and "payments" not in sources:
        views["payments"] = _NO_PAYMENTS
    return {f"ledger_{name}": statement for name, statement in views.items()}


def _sound_rows(name: str) -> str:
    return f"""
        create view ledger_{name} as
        select *
        from {name}
        where fault is null
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


_NO_PAYMENTS = """
        create view ledger_payments as
        select cast(null as integer) as account_no,
            cast(null as date) as paid_on,
            cast(null as bigint) as amount_minor,
            cast(null as date) as known_on,
            true as settled,
            cast(null as varchar) as bill_id,
            cast(null as varchar) as payment_id,
            cast(null as varchar) as reverses,
            cast(null as varchar) as method
        where false
        """
