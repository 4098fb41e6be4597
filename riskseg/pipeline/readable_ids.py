"""The ids of an account's bills and payments as its sources spell them.

The staged tables hold a hash of each: these are only ever compared. Whoever shows one account reads
its ids anew, which is quicker than staging the texts of all.
"""

from __future__ import annotations

from riskseg.domain.relations import literal
from riskseg.pipeline.session import Session
from riskseg.sources.unchanged import check_unchanged

_IDS = {"bills": ("bill_id",), "payments": ("payment_id", "reverses")}


def read_ids(session: Session, account: str) -> None:
    """Make `readable_ids`, which :func:`readable_id` looks into: empty where the staged tables have
    the texts. Raises RS620 where a source has changed since the tables were staged."""
    engine, ledger = session.engine, session.ledger
    selects = []
    for table, columns in _IDS.items():
        mapped = ledger.sources.get(table)
        if mapped is None or ledger.money.readable_ids:
            continue
        ids = ", ".join(f"cast({column} as varchar)" for column in columns if mapped.has(column))
        if ids:
            selects.append(
                f"select unnest([{ids}]) as text from {mapped.rows} "
                f"where cast(account_id as varchar) = {literal(account)}"
            )
    every_id = " union ".join(selects) or "select cast(null as varchar) as text"
    engine.run(
        f"""
        create or replace table readable_ids as
        select cast(hash(text) as varchar) as id, text
        from ({every_id})
        where text is not null
        """
    )
    check_unchanged(session.workspace, ledger.stamps)


def readable_id(session: Session, staged_id: str) -> str:
    """SQL of an id, given as SQL of a text, as the source spells it."""
    if session.ledger.money.readable_ids:
        return staged_id
    return f"(select text from readable_ids where id = {staged_id})"
