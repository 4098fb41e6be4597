"""Every fault of each bad row, so that a row is corrected once and not once for each fault.

A staged row carries the first check that it fails, which is all that the rest of the ledger needs.
A person needs all that is wrong with it. For that the bad rows, and only these, are checked again.
"""

from __future__ import annotations

from collections.abc import Sequence

from riskseg.ledger.checks import DUPLICATE, ORPHAN, Fault
from riskseg.ledger.contract import Holds
from riskseg.ledger.mapping import Mapped
from riskseg.ledger.staging import bad_rows_table, checked_values


def faults_table(mapped: Mapped) -> str:
    """The table `(row_no, fault)`: the number of each check that a bad row of a source fails."""
    return f"faults_of_{mapped.table.name}"


def every_fault_sql(mapped: Mapped, scale: int, faults: Sequence[Fault]) -> str:
    """The statement that makes :func:`faults_table`, of the `faults` that rows are checked for.

    A row that is bad anyhow is checked against the whole table too: whether its key stood before,
    and whether a payment has the id that it takes back.
    """
    parts = [_of_rows(mapped, scale, faults), _marked(mapped, DUPLICATE), _marked(mapped, ORPHAN)]
    if mapped.table.key and all(map(mapped.has, mapped.table.named_by)):
        parts.append(_also_duplicates(mapped))
    if mapped.table.name == "payments" and mapped.has("reverses"):
        parts.append(_also_orphans(mapped))
    return f"create or replace table {faults_table(mapped)} as {' union all '.join(parts)}"


def _of_rows(mapped: Mapped, scale: int, faults: Sequence[Fault]) -> str:
    values = ", ".join(["row_no", *checked_values(mapped, scale, texts=True)])
    numbers = ", ".join(
        f"case when {_for_itself(fault, faults)} then {fault.number} end" for fault in faults
    )
    return f"""
        select row_no, cast(fault as usmallint) as fault
        from (
            select row_no, unnest([{numbers}]) as fault
            from (select {values} from {bad_rows_table(mapped)}) s
            left join account_ids a on a.account_id = s.account_id
        )
        where fault is not null
        """


def _for_itself(fault: Fault, faults: Sequence[Fault]) -> str:
    """When a row fails a check, and not only because a value that it compares is at fault."""
    causes = [
        cause.condition for cause in faults if cause.column in fault.compares and not cause.compares
    ]
    return f"({fault.condition})" + "".join(f" and not coalesce({c}, false)" for c in causes)


def _marked(mapped: Mapped, number: int) -> str:
    """The rows of which this is the only fault."""
    return f"select row_no, {number} from {mapped.table.name} where fault = {number}"


def _also_duplicates(mapped: Mapped) -> str:
    """Rows with another fault whose key stood in an earlier row, sound or not. A date that cannot
    be read is no key."""
    table = mapped.table
    key = [name for name in table.key if name != "account_id" and mapped.has(name)]
    dates = [c.name for c in table.columns if c.name in key and c.holds is Holds.DATE]
    stated = ["account_no", *table.named_by, *dates]
    return f"""
        select row_no, {DUPLICATE}
        from (
            select row_no, fault,
                row_number() over (
                    partition by {", ".join(["account_no", *key])} order by row_no
                ) as n
            from {table.name}
            where {" and ".join(f"{name} is not null" for name in stated)}
                and account_no in (
                    select account_no from {table.name} where fault < {DUPLICATE}
                )
        )
        where n > 1 and fault < {DUPLICATE}
        """


def _also_orphans(mapped: Mapped) -> str:
    """Rows with another fault that take back what no row of their account is."""
    return f"""
        select row_no, {ORPHAN}
        from payments
        where fault < {ORPHAN}
            and account_no is not null
            and reverses is not null
            and not exists (
                select 1
                from payments original
                where original.account_no = payments.account_no
                    and original.payment_id = payments.reverses
            )
        """
