"""Ids that should meet an id of another table and do not, and the likely reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from riskseg.ledger.contract import CONTRACT
from riskseg.ledger.mapping import Mapped


@dataclass(frozen=True, slots=True)
class Key:
    """The `column` of `table` should be an id of the table `meets`: of a bill, one of the same
    account."""

    table: str
    column: str
    meets: str

    @property
    def owner(self) -> str:
        """Whose ids they should be among, in words."""
        return "their account" if self.column == "bill_id" else self.meets


@dataclass(frozen=True, slots=True)
class Reason:
    """Under which spelling an id would meet another, in words, as SQL of `{id}`, and how a mapping
    brings it about, where a mapping can."""

    words: str
    sql: str
    mapping: str = ""


SPELLINGS = (
    Reason(
        "without the decimals of a whole number",
        r"regexp_replace({id}, '\.0+$', '')",
        r"regexp_replace({id}, '\.0+$', '')",
    ),
    Reason("without blanks around it", "trim({id}, ' \t\r\n')", "trim({id})"),
    Reason("in the other's letter case", "lower({id})", "upper({id})"),
    Reason("without leading zeros", "ltrim({id}, '0')", "ltrim({id}, '0')"),
    Reason(
        "without decimals, blanks, letter case and leading zeros",
        r"ltrim(lower(regexp_replace(trim({id}, ' \t\r\n'), '\.0+$', '')), '0')",
    ),
)
_NUMBERED = tuple(enumerate(SPELLINGS, start=1))
OF_ANOTHER = Reason("as a bill of another account", "")
BEGINS = Reason("as the beginning of a bill's id", "")


def keys_of(sources: Mapping[str, Mapped]) -> list[Key]:
    """The keys that can be looked up among these sources."""
    listed = "accounts" if "accounts" in sources else "bills"
    keys = []
    for table in CONTRACT:
        if table not in sources or table == "accounts" or listed not in sources:
            continue
        if table != listed:
            keys.append(Key(table, "account_id", listed))
        if table != "bills" and sources[table].has("bill_id") and "bills" in sources:
            keys.append(Key(table, "bill_id", "bills"))
    return keys


def unmet_count_sql(key: Key, *, texts: bool) -> str:
    """How many rows name an id, and how many of them meet none, by what is staged. Rows without an
    account are counted too. `texts` says that ids of bills and payments are kept as texts."""
    if key.column == "account_id":
        met = "account_no is not null" if key.meets == "accounts" else _IS_BILLED
        return f"select count(*), count(*) filter (where not ({met})) from {key.table} r"
    # Ids of events are always texts.
    bill = "r.bill_id" if texts or key.table == "payments" else "hash(r.bill_id)"
    return f"""
        select count(*), count(*) filter (
            where not exists (
                select 1 from bills b where b.account_no = r.account_no and b.bill_id = {bill}
            )
        )
        from {key.table} r
        where r.bill_id is not null
        """


_IS_BILLED = "exists (select 1 from bills b where b.account_no = r.account_no)"


def unmet_reasons_sql(key: Key, mapped: Mapped, meets: Mapped) -> str:
    """The ids that meet none, as the sources spell them, by the first spelling under which they
    would: `(number, rows, example)`, the number counted from 1, and 0 where there is none.

    The numbers are those of :func:`reasons`."""
    is_bill = key.column == "bill_id"
    account = "t.account_id = u.account_id" if is_bill else "true"
    spelt = [reason.sql.format(id="t.id") for reason in SPELLINGS]
    targets = ", ".join(f"{sql} as k{n}" for n, sql in enumerate(spelt, start=1))
    arms = [
        f"""when exists (
                    select 1 from targets t
                    where {account} and t.k{n} = {reason.sql.format(id="u.id")}
                ) then {n}"""
        for n, reason in enumerate(SPELLINGS, start=1)
    ]
    if is_bill:
        arms.append(
            f"when exists (select 1 from targets t where t.id = u.id) then {len(SPELLINGS) + 1}"
        )
        arms.append(
            f"""when exists (
                    select 1 from targets t where {account} and starts_with(t.id, u.id)
                ) then {len(SPELLINGS) + 2}"""
        )
    return f"""
        with targets as (
            select *, {targets}
            from ({_ids(key, meets, "distinct")}) t
        ),
        named as (
            select account_id, id, count(*) as n
            from ({_ids(key, mapped)})
            where trim(id) <> ''
            group by all
        ),
        unmet as (
            select *
            from named u
            where not exists (
                select 1 from targets t where {account} and t.id = u.id
            )
        ),
        judged as (
            select n, id, case {" ".join(arms)} else 0 end as reason
            from unmet u
        )
        select reason, cast(sum(n) as bigint), min(id)
        from judged
        group by reason
        order by reason
        """


def _ids(key: Key, mapped: Mapped, distinct: str = "") -> str:
    """The ids of a source as texts, whatever type they have there: `(account_id, id)`."""
    return (
        f"select {distinct} cast(account_id as varchar) as account_id, "
        f"cast({key.column} as varchar) as id from {mapped.rows}"
    )


# The account ids of `source_balances` that meet none, as `unmet_reasons_sql` gives them.
UNMET_BALANCES = f"""
        with targets as (
            select {", ".join(f"{r.sql.format(id='account_id')} as k{n}" for n, r in _NUMBERED)}
            from account_ids
        )
        select reason, count(*), min(id)
        from (
            select u.account_id as id, case
                {
    " ".join(
        f"when {r.sql.format(id='u.account_id')} in (select k{n} from targets) then {n}"
        for n, r in _NUMBERED
    )
}
                else 0 end as reason
            from source_balances u
            where u.account_no is null
        )
        group by reason
        order by reason
        """


def reasons() -> tuple[Reason, ...]:
    return (*SPELLINGS, OF_ANOTHER, BEGINS)


# Account ids that are one but for their spelling: how many, and two of them.
TWO_SPELLINGS = f"""
        select cast(coalesce(sum(n), 0) as bigint), min(first), min(second)
        from (
            select count(*) as n, min(account_id) as first, max(account_id) as second
            from account_ids
            group by {SPELLINGS[-1].sql.format(id="account_id")}
            having count(*) > 1
        )
        """
