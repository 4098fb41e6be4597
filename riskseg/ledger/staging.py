"""Staging: a source's rows, typed and checked, as one table of the ledger.

Each staged row carries `row_no`, its place in the source counted from 1, and `fault`: null, or the
number of the first check that it fails. Reading and checking are one pass. Money becomes whole
minor units (pence, cents) in a 64-bit integer: sums are exact and the same on every engine, at
any number of threads.

A source is read under the contract's names (:attr:`~riskseg.ledger.mapping.Mapped.rows`), where an
attribute is `"@NAME"`: no header can take the place of a column made here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from riskseg.domain.column_types import ColumnType
from riskseg.domain.facts import Kind
from riskseg.domain.relations import fact_column, quoted
from riskseg.ledger.blanks import is_blank_sql, word_sql
from riskseg.ledger.checks import Fault, contract_columns, evidence, is_float, row_faults
from riskseg.ledger.contract import Column, Holds
from riskseg.ledger.days import day_of
from riskseg.ledger.mapping import Mapped


@dataclass(frozen=True)
class Staging:
    """The select of a staged table, and the checks whose numbers it carries.

    Of a `short` table only those columns are stored in which rows differ: a view of the table's
    name adds the others. Its rows cannot be changed.
    """

    table: str
    rows: str
    columns: tuple[tuple[str, str], ...]
    faults: tuple[Fault, ...]
    short: bool = False

    @property
    def select(self) -> str:
        """Every column of the table, by name and SQL."""
        return self._select(self.columns)

    @property
    def statements(self) -> tuple[str, ...]:
        """The statements that make the table."""
        if not self.short:
            # Such a view would be read in place of the table.
            without_view = f"drop view if exists temp.{self.table}"
            return without_view, self._make(self.table, self.columns)
        stored = [(name, sql) for name, sql in self.columns if name not in self._added]
        return self._make(f"stored_{self.table}", stored), *self.view

    @property
    def view(self) -> tuple[str, ...]:
        """The statement without which a short table that is there cannot be read."""
        if not self.short:
            return ()
        names = [name for name, _ in self.columns]
        listed = ", ".join(
            f"{self._added[name]} as {name}" if name in self._added else name for name in names
        )
        return (
            f"""
        create or replace temp view {self.table} as
        select {listed}
        from stored_{self.table}
        """,
        )

    @property
    def _added(self) -> dict[str, str]:
        """SQL of the columns that are a constant, or the same as one before them."""
        first_of = {sql: name for name, sql in reversed(self.columns)}
        constants = {name: sql for name, sql in self.columns if _CONSTANT.fullmatch(sql)}
        repeated = {name: first_of[sql] for name, sql in self.columns if first_of[sql] != name}
        return repeated | constants

    def _make(self, table: str, columns: Iterable[tuple[str, str]]) -> str:
        return f"""
        create or replace table {table} as
        {self._select(columns)}
        """

    def _select(self, columns: Iterable[tuple[str, str]]) -> str:
        listed = ", ".join(sql if sql == name else f"{sql} as {name}" for name, sql in columns)
        return f"select {listed} {self.rows}"


_CONSTANT = re.compile(r"true|false|cast\((null|0) as \w+\)")


def account_ids_sql(sources: list[Mapped]) -> str:
    """`account_ids(account_no, account_id)`: numbered from 1 in the order of the id's text.

    The accounts table rules where there is one; without it, whoever is billed or pays.
    """
    accounts = [s for s in sources if s.table.name == "accounts"]
    chosen = accounts or sources
    union = " union ".join(
        f"select cast(account_id as varchar) as account_id from {source.rows}" for source in chosen
    )
    return f"""
        create or replace table account_ids as
        select cast(row_number() over (order by account_id) as integer) as account_no, account_id
        from (select distinct account_id from ({union}))
        where not ({is_blank_sql("account_id")})
        order by account_id
        """


def stage(
    mapped: Mapped,
    scale: int,
    *,
    currency: str,
    numbered: bool = False,
    texts: bool = False,
    short: bool = False,
) -> Staging:
    """What stages one source as the table of its name. Rows of another `currency`
    are bad.

    Ids of bills and payments are only ever compared, so they are staged as 64-bit hashes, which
    is several times quicker; `texts` keeps them as they are. `numbered` stages the rows that
    :func:`numbered_sql` has read, with their `row_no`, and keeps texts: it is slower, and asked for
    when a row is bad. `short` as in :class:`Staging`.
    """
    texts = texts or numbered or mapped.table.name not in ("bills", "payments")
    faults = row_faults(mapped, scale, currency)
    arms = " ".join(f"when {f.condition} then {f.number}" for f in faults)
    attributes = [fact_column(name) for name in mapped.attributes]
    number = ["row_no"] if numbered else []
    rows = _numbered_table(mapped) if numbered else mapped.rows
    read = ", ".join([*number, *checked_values(mapped, scale, texts)])
    fault = f"cast(case {arms} end as usmallint)"
    as_they_are = {name: name for name in (*number, "account_no")}
    columns = as_they_are | _staged(mapped) | {name: name for name in attributes} | {"fault": fault}
    from_rows = f"""
        from (select {read} from {rows}) s
        left join account_ids a on a.account_id = s.account_id"""
    return Staging(mapped.table.name, from_rows, tuple(columns.items()), faults, short)


def checked_values(mapped: Mapped, scale: int, texts: bool) -> list[str]:
    """What the conditions of the checks are about: a source's values, typed, and the evidence."""
    typed = [_typed(mapped, column, scale, texts) for column in contract_columns(mapped)]
    typed += [_typed_attribute(mapped, name) for name in mapped.attributes]
    return [*typed, *evidence(mapped, scale)]


def _key(mapped: Mapped) -> tuple[list[str], str] | None:
    """The columns that are unique within an account, and which rows they must be unique among."""
    table = mapped.table
    if not table.key or not all(map(mapped.has, table.named_by)):
        return None
    key = [c for c in table.key if c != "account_id" and mapped.has(c)]
    return key, " and ".join(["fault is null", *(f"{c} is not null" for c in table.named_by)])


def suspects_sql(mapped: Mapped) -> str | None:
    """Whether any sound row's key, or its hash, stood before; None where there is no key."""
    if (unique := _key(mapped)) is None:
        return None
    key, sound = unique
    columns = ", ".join(["account_no", *key])
    compared = key if mapped.table.named_by else ["account_no", *key]
    before = ", ".join(f"lag({c}) over in_order as before_{c}" for c in compared)
    same = " and ".join(f"before_{c} is not distinct from {c}" for c in compared)
    order = f" order by {', '.join(key)}" if key else ""
    return f"""
        select count(*)
        from (
            select {columns}, {before}
            from {mapped.table.name}
            where {sound}
            window in_order as (partition by account_no{order})
        )
        where {same}
        """


def duplicates_sql(mapped: Mapped) -> str | None:
    """Sound rows of a numbered table whose key stood before: `(r)`, their rowids."""
    if (unique := _key(mapped)) is None:
        return None
    key, sound = unique
    return f"""
        select r
        from (
            select rowid as r,
                row_number() over (
                    partition by {", ".join(["account_no", *key])} order by row_no
                ) as n
            from {mapped.table.name}
            where {sound}
        )
        where n > 1
        order by r
        """


def numbered_sql(mapped: Mapped) -> str:
    """The statement that reads a source's rows once, as they are, and numbers them from 1.

    Everything that names a row by its number is made from this table: a second reading may hand
    the rows on in another order.
    """
    return f"""
        create or replace temp table {_numbered_table(mapped)} as
        select row_number() over () as row_no, *
        from {mapped.rows}
        """


def _numbered_table(mapped: Mapped) -> str:
    return f"numbered_{mapped.table.name}"


def bad_rows_sql(mapped: Mapped) -> tuple[str, str]:
    """The statements that make :func:`bad_rows_table` of a table whose bad rows are marked, and
    that remove the numbered rows: of the others, nobody asks what they held."""
    make = f"""
        create or replace table {bad_rows_table(mapped)} as
        select *
        from {_numbered_table(mapped)}
        where row_no in (select row_no from {mapped.table.name} where fault is not null)
        """
    return make, f"drop table {_numbered_table(mapped)}"


def bad_rows_table(mapped: Mapped) -> str:
    """The table of a source's bad rows as they were read, with their `row_no`."""
    return f"bad_{mapped.table.name}"


def original_rows_sql(mapped: Mapped, attributes: Iterable[str]) -> str:
    """The bad rows as they stood in the source: `(row_no, content)`; with those `attributes`, and
    without the others."""
    columns = {name: name for name in mapped.columns}
    columns |= {quoted(name): fact_column(name) for name in attributes}
    content = ", ".join(f"{name} := cast({value} as varchar)" for name, value in columns.items())
    return f"""
        select row_no, to_json(struct_pack({content})) as content
        from {bad_rows_table(mapped)}
        """


def _typed(mapped: Mapped, column: Column, scale: int, texts: bool) -> str:
    e = column.name
    match column.holds:
        case Holds.ID if not texts and column.name != "account_id":
            value = f"case when ({e}) is not null then hash(cast({e} as varchar)) end"
        case Holds.WORD if column.words:
            value = word_sql(e)
        case Holds.ID | Holds.WORD:
            value = f"cast({e} as varchar)"
        case Holds.DATE:
            value = day_of(e, mapped.types[e], mapped.timezone)
        case Holds.MONEY:
            value = _minor(e, mapped.types[column.name], scale)
    return f"{value} as {column.name}"


def _typed_attribute(mapped: Mapped, name: str) -> str:
    """SQL of an attribute as the kind that it is declared to be; NaN is null."""
    column = value = fact_column(name)
    match mapped.declared.get(name):
        case Kind.BOOLEAN:
            value = f"try_cast({column} as boolean)"
        case Kind.DATE:
            value = day_of(column, ColumnType("text"), mapped.timezone)
        case Kind.NUMBER:
            value = f"case when not contains({column}, '_') then try_cast({column} as double) end"
        case Kind.INTEGER:
            # A cast of 2.5 to a whole number would round it.
            exact = f"try_cast({column} as decimal(38, 9))"
            value = f"try_cast({exact} as bigint)"
            value = (
                f"case when {exact} = floor({exact}) and not contains({column}, '_') "
                f"then {value} end"
            )
    if is_float(mapped, name):
        value = f"case when not isnan({value}) then {value} end"
    return column if value == column else f"{value} as {column}"


def _minor(e: str, type_: ColumnType, scale: int) -> str:
    factor = 10**scale
    if type_.family == "float":
        # The statistics of a Parquet file leave NaN out, and the engine trusts them that every
        # number can be cast.
        return f"case when isfinite({e}) then try_cast(round({e} * {factor}) as bigint) end"
    if type_.family == "decimal" and type_.size <= 18 and type_.scale <= scale:
        minor = f"cast(cast({e} as decimal(21, {type_.scale})) * {factor} as bigint)"
        # A product of 18 digits at most is of 64 bits, and twenty times as quick as a longer one.
        digits = 18 - len(str(factor))
        short = f"try_cast({e} as decimal({digits}, {type_.scale}))"
        short_minor = f"cast({short} * cast({factor} as decimal({18 - digits}, 0)) as bigint)"
        return short_minor if type_.size <= digits else f"coalesce({short_minor}, {minor})"
    # Wide enough that no amount a source can hold overflows in the product.
    minor = f"try_cast(round(try_cast({e} as decimal(28, 6)) * {factor}) as bigint)"
    if type_.family == "text":
        # To the engine, 1_000 is a number.
        return f"case when not contains({e}, '_') then {minor} end"
    return minor if type_.family != "boolean" else "cast(null as bigint)"


def _staged(mapped: Mapped) -> dict[str, str]:
    """SQL of the staged columns; what the source lacks is filled in, so that every ledger has them
    all."""
    has = mapped.has

    def or_null(*names: str) -> dict[str, str]:
        return {name: _or_null(mapped, name) for name in names}

    match mapped.table.name:
        case "accounts":
            # What was observed of an account on a day holds until it is observed again.
            listed = or_null(*(column.name for column in mapped.table.columns[1:]))
            return listed | ({"valid_from": "observed_on"} if has("observed_on") else {})
        case "bills":
            # A bill whose day of issue is not known is first heard of when it is recorded, at the
            # latest when it falls due.
            heard = "least(recorded_on, due_on)" if has("recorded_on") else "due_on"
            issued = f"coalesce(issued_on, {heard})" if has("issued_on") else heard
            disputed = "coalesce(disputed_amount, 0)" if has("disputed_amount") else "0"
            return {
                "bill_id": "bill_id",
                "issued_on": issued,
                "due_on": "due_on",
                "amount_minor": "amount",
                "known_on": _known(mapped, issued),
                **or_null("cancelled_on"),
                "disputed": f"cast({disputed} as bigint)",
            }
        case "payments":
            return _staged_payment(mapped) | or_null("payment_id", "bill_id", "method")
        case "instalments":
            return {
                "plan_id": "plan_id",
                "due_on": "due_on",
                "amount_minor": "amount",
                **or_null("recorded_on"),
            }
        case _:
            return {
                "happened_on": "happened_on",
                "kind": "kind",
                "known_on": _known(mapped, "happened_on"),
                "amount_minor": "amount" if has("amount") else "cast(null as bigint)",
                **or_null("channel", "outcome", "until", "ref", "bill_id"),
            }


def _staged_payment(mapped: Mapped) -> dict[str, str]:
    """A payment that is not settled is no money yet; a refund is money that was paid out."""
    has = mapped.has
    settled, pending, refund = "true", "false", "false"
    if has("status"):
        settled = "coalesce(status, 'settled') = 'settled'"
        pending = "coalesce(status, '') = 'pending'"
        refund = "coalesce(status, '') = 'refund'"
    reverses = _or_null(mapped, "reverses")
    if has("status") and has("reverses"):
        # On a row that takes another back, `reversed` says that it does.
        settled = f"({settled} or (status = 'reversed' and reverses is not null))"
        pending += " and reverses is null"
        # A refund takes back no payment, whichever it says that it pays out.
        reverses = f"case when not ({refund}) then reverses end"
    return {
        "paid_on": "paid_on",
        "amount_minor": "abs(amount)",
        "known_on": _known(mapped, "paid_on"),
        "settled": settled,
        "pending": pending,
        "refund": refund,
        "won_back": "false",
        "reverses": reverses,
    }


def _known(mapped: Mapped, happened: str) -> str:
    """A fact is known once it has happened and has been recorded."""
    return f"greatest({happened}, recorded_on)" if mapped.has("recorded_on") else happened


def _or_null(mapped: Mapped, name: str) -> str:
    column = mapped.table.column(name)
    type_ = "date" if column and column.holds is Holds.DATE else "varchar"
    return name if mapped.has(name) else f"cast(null as {type_})"
