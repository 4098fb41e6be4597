"""Ids that should meet an id of another table and do not, and the likely reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from riskseg.ledger.blanks import trimmed, word_sql
from riskseg.ledger.contract import CONTRACT
from riskseg.ledger.mapping import Mapped


@dataclass(frozen=True, slots=True)
class Key:
    """The `column` of `table` should be an id, `names`, of the table `meets`: of a bill or a
    payment, one of the same account."""

    table: str
    column: str
    meets: str

    @property
    def names(self) -> str:
        return "payment_id" if self.column == "reverses" else self.column

    @property
    def kind(self) -> str:
        """What the ids are of, in words."""
        return self.names.removesuffix("_id")

    @property
    def of_account(self) -> bool:
        return self.names != "account_id"

    @property
    def owner(self) -> str:
        """Whose ids they should be among, in words."""
        return "their account" if self.of_account else self.meets

    @property
    def checked(self) -> str | None:
        """The code under which rows that meet none are bad rows, if they are."""
        if self.column == "reverses":
            return "RS110"
        return None if self.of_account or self.meets != "accounts" else "RS106"


@dataclass(frozen=True, slots=True)
class Reason:
    """Under which spelling an id would meet another, in words, as SQL of `{id}`, and the mappings
    that may bring it about."""

    words: str
    sql: str
    mappings: tuple[str, ...] = ()


_WITHOUT_DECIMALS = r"regexp_replace({id}, '\.0+$', '')"
SPELLINGS = (
    Reason("without the decimals of a whole number", _WITHOUT_DECIMALS, (_WITHOUT_DECIMALS,)),
    Reason(
        "without blanks around it",
        trimmed("{id}"),
        ("trim({id})", r"regexp_replace({id}, '^[\p{{Z}}\p{{C}}]+|[\p{{Z}}\p{{C}}]+$', '', 'g')"),
    ),
    Reason("in the other's letter case", "lower({id})", ("upper({id})", "lower({id})")),
    Reason("without leading zeros", "ltrim({id}, '0')", ("ltrim({id}, '0')",)),
    Reason(
        "without decimals, blanks, letter case and leading zeros",
        f"ltrim(lower({_WITHOUT_DECIMALS.format(id=trimmed('{id}'))}), '0')",
    ),
)
_NUMBERED = tuple(enumerate(SPELLINGS, start=1))


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
        if sources[table].has("reverses") and sources[table].has("payment_id"):
            keys.append(Key(table, "reverses", table))
    return keys


def unmet_count_sql(key: Key, *, texts: bool) -> str:
    """How many rows name an id, and how many of them meet none, by what is staged. Rows without an
    account are counted too. `texts` says that ids of bills and payments are kept as texts."""
    if key.column == "account_id":
        met = "account_no is not null" if key.meets == "accounts" else _IS_BILLED
        return f"select count(*), count(*) filter (where not ({met})) from {key.table} r"
    # Ids of events are always texts.
    named = f"r.{key.column}"
    named = named if texts or key.table == "payments" else f"hash({named})"
    return f"""
        select count(*), count(*) filter (
            where not exists (
                select 1
                from {key.meets} t
                where t.account_no = r.account_no and t.{key.names} = {named}
            )
        )
        from {key.table} r
        where r.{key.column} is not null
        """


_IS_BILLED = "exists (select 1 from bills b where b.account_no = r.account_no)"


def unmet_reasons_sql(key: Key, mapped: Mapped, meets: Mapped) -> str:
    """The ids that meet none, as the sources spell them, by the first spelling under which they
    would: `(number, rows, example)`, the number counted from 1, and 0 where there is none.

    The numbers are those of :func:`reasons`."""
    account = "t.account_id = u.account_id" if key.of_account else "true"
    spelt = [reason.sql.format(id="t.id") for reason in SPELLINGS]
    targets = ", ".join(f"{sql} as k{n}" for n, sql in enumerate(spelt, start=1))
    arms = [
        f"""when exists (
                    select 1 from targets t
                    where {account} and t.k{n} = {reason.sql.format(id="u.id")}
                ) then {n}"""
        for n, reason in enumerate(SPELLINGS, start=1)
    ]
    if key.of_account:
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
            from ({ids_sql(key.names, meets)}) t
        ),
        named as (
            select account_id, id, count(*) as n
            from ({ids_sql(key.column, mapped)})
            where {trimmed("id")} <> ''
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


def ids_sql(column: str, mapped: Mapped) -> str:
    """The ids of a source as texts, whatever type they have there: `(account_id, id)`."""
    # A refund takes back no payment, whichever it says that it pays out.
    of_refund = column == "reverses" and mapped.has("status")
    return f"""
                select cast(account_id as varchar) as account_id, cast({column} as varchar) as id
                from {mapped.rows}
                {f"where {word_sql('status')} is distinct from 'refund'" if of_refund else ""}
            """


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


def reasons(kind: str = "bill") -> tuple[Reason, ...]:
    """In the order of their numbers; `kind` is what the ids are of."""
    return (
        *SPELLINGS,
        Reason(f"as a {kind} of another account", ""),
        Reason(f"as the beginning of a {kind}'s id", ""),
    )


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
