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
from collections.abc import Iterator
from dataclasses import dataclass, replace

from riskseg.domain.column_types import ColumnType
from riskseg.domain.facts import FIRST_DAY, LAST_DAY, Kind
from riskseg.domain.relations import fact_column, literal, quoted
from riskseg.ledger.contract import Column, Holds
from riskseg.ledger.days import ZONE_HINT, day_of, has_zone
from riskseg.ledger.mapping import Mapped

# In minor units. A hundred thousand such amounts can still be added up in 64 bits.
_LARGEST = 10**13


@dataclass(frozen=True, slots=True)
class Fault:
    """One check: the SQL condition under which a row fails it, and what is said then. Those of a
    source are numbered."""

    code: str
    column: str
    message: str
    condition: str
    hint: str = ""
    number: int = 0


@dataclass(frozen=True)
class Staging:
    """The select of a staged table, and the checks whose numbers it carries."""

    table: str
    select: str
    faults: tuple[Fault, ...]

    @property
    def sql(self) -> str:
        """The statement that makes the table."""
        return f"""
        create or replace table {self.table} as
        {self.select}
        """


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
        create table account_ids as
        select cast(row_number() over (order by account_id) as integer) as account_no, account_id
        from (select distinct account_id from ({union}))
        where account_id is not null
        order by account_id
        """


def stage(mapped: Mapped, scale: int, *, numbered: bool = False, texts: bool = False) -> Staging:
    """The statement that stages one source as the table of its name.

    Ids of bills and payments are only ever compared, so they are staged as 64-bit hashes, which
    is several times quicker; `texts` keeps them as they are. `numbered` stages the rows that
    :func:`numbered_sql` has read, with their `row_no`, and keeps texts: it is slower, and asked for
    when a row is bad.
    """
    texts = texts or numbered or mapped.table.name not in ("bills", "payments")
    typed = [_typed(mapped, column, scale, texts) for column in _columns(mapped)]
    faults = _faults(mapped, scale)
    arms = " ".join(f"when {f.condition} then {f.number}" for f in faults)
    attributes = [fact_column(name) for name in mapped.attributes]
    number = ["row_no"] if numbered else []
    rows = _numbered(mapped) if numbered else mapped.rows
    typed += [_typed_attribute(mapped, name) for name in mapped.attributes]
    read = ", ".join([*number, *typed, *_evidence(mapped, scale)])
    staged = ", ".join([*number, "account_no", *_staged(mapped), *attributes])
    select = f"""select {staged}, cast(case {arms} end as usmallint) as fault
        from (select {read} from {rows}) s
        left join account_ids a on a.account_id = s.account_id"""
    return Staging(mapped.table.name, select, faults)


def _key(mapped: Mapped) -> tuple[list[str], str] | None:
    """The columns that are unique within an account, and which rows they must be unique among."""
    accounts = mapped.table.name == "accounts"
    key = [c for c in mapped.table.key if c != "account_id" and mapped.has(c)]
    if not key and not accounts:
        return None
    # A payment without an id cannot be a second copy of another; an account without valid_from can.
    named = [f"{c} is not null" for c in key if not accounts]
    return key, " and ".join(["fault is null", *named])


def suspects_sql(mapped: Mapped) -> str | None:
    """Whether any sound row's key, or its hash, stood before; None where there is no key."""
    if (unique := _key(mapped)) is None:
        return None
    key, sound = unique
    columns = ", ".join(["account_no", *key])
    same = " and ".join(f"(before).{c} is not distinct from {c}" for c in ["account_no", *key])
    packed = f"struct_pack({', '.join(f'{c} := {c}' for c in ['account_no', *key])})"
    if mapped.table.name != "accounts" and len(key) == 1:
        # The usual case, without building a structure a row.
        packed, same = key[0], f"before = {key[0]}"
    order = f" order by {', '.join(key)}" if key else ""
    return f"""
        select count(*)
        from (
            select {columns}, lag({packed}) over (partition by account_no{order}) as before
            from {mapped.table.name}
            where {sound}
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
        create or replace table {_numbered(mapped)} as
        select row_number() over () as row_no, *
        from {mapped.rows}
        """


def _numbered(mapped: Mapped) -> str:
    return f"numbered_{mapped.table.name}"


def original_rows_sql(mapped: Mapped, row_nos: str) -> str:
    """The rows with the numbers in `row_nos` (a select), as they stood in the source: `(row_no,
    content)`."""
    content = ", ".join(f"{name} := cast({name} as varchar)" for name in mapped.columns)
    return f"""
        select row_no, to_json(struct_pack({content})) as content
        from {_numbered(mapped)}
        where row_no in ({row_nos})
        """


def _columns(mapped: Mapped) -> list[Column]:
    return [c for c in mapped.table.columns if mapped.has(c.name)]


def _typed(mapped: Mapped, column: Column, scale: int, texts: bool) -> str:
    e = column.name
    match column.holds:
        case Holds.ID if not texts and column.name != "account_id":
            value = f"case when ({e}) is not null then hash(cast({e} as varchar)) end"
        case Holds.ID | Holds.WORD:
            value = f"cast({e} as varchar)"
        case Holds.DATE:
            value = day_of(e, mapped.types[e], mapped.timezone)
        case Holds.MONEY:
            value = _minor(e, mapped.types[column.name], scale)
    return f"{value} as {column.name}"


def _without_zone(mapped: Mapped) -> dict[str, str]:
    """The texts of which the day is wanted, by name, in a workspace where an instant has none."""
    if mapped.timezone is not None:
        return {}
    days = [c.name for c in _columns(mapped) if c.holds is Holds.DATE]
    texts = {name: name for name in days if mapped.types[name].family == "text"}
    attributes = [name for name, kind in mapped.declared.items() if kind is Kind.DATE]
    return texts | {name: fact_column(name) for name in attributes}


def _is_float(mapped: Mapped, name: str) -> bool:
    return mapped.types[name].family == "float"


def _plain(name: str) -> str:
    return name if re.fullmatch(r"\w+", name) else quoted(name)


def _typed_attribute(mapped: Mapped, name: str) -> str:
    """SQL of an attribute as the kind that it is declared to be; NaN is null."""
    column = value = fact_column(name)
    match mapped.declared.get(name):
        case Kind.BOOLEAN:
            value = f"try_cast({column} as boolean)"
        case Kind.DATE:
            value = day_of(column, ColumnType("text"), mapped.timezone)
        case Kind.NUMBER:
            value = f"try_cast({column} as double)"
        case Kind.INTEGER:
            # A cast of 2.5 to a whole number would round it.
            exact = f"try_cast({column} as decimal(38, 9))"
            value = f"case when {exact} = floor({exact}) then try_cast({exact} as bigint) end"
    if _is_float(mapped, name):
        value = f"case when not isnan({value}) then {value} end"
    return column if value == column else f"{value} as {column}"


def _minor(e: str, type_: ColumnType, scale: int) -> str:
    factor = 10**scale
    if type_.family == "float":
        return f"try_cast(round({e} * {factor}) as bigint)"
    if type_.family == "decimal" and type_.size <= 18 and type_.scale <= scale:
        return f"cast(cast({e} as decimal(21, {type_.scale})) * {factor} as bigint)"
    # Wide enough that no amount a source can hold overflows in the product.
    return f"try_cast(round(try_cast({e} as decimal(28, 6)) * {factor}) as bigint)"


def _evidence(mapped: Mapped, scale: int) -> list[str]:
    """What the checks need beside the typed values: was it null, has it too many decimals."""
    parts = []
    for column in _columns(mapped):
        e = column.name
        if column.holds in (Holds.DATE, Holds.MONEY):
            parts.append(f"({e}) is null as _null_{column.name}")
        if column.holds is Holds.MONEY:
            exact = _remainder(e, mapped.types[column.name], scale)
            if exact:
                parts.append(f"{exact} as _more_{column.name}")
    parts += [
        f"{has_zone(text)} as {quoted(f'_zoned_{name}')}"
        for name, text in _without_zone(mapped).items()
    ]
    parts += [
        # NaN, as other programs write it into a text, is an unknown number.
        f"coalesce(trim({fact_column(name)}) not in ('', 'NaN', 'nan'), false) as {_stated(name)}"
        for name in mapped.declared
    ]
    return parts


def _stated(attribute: str) -> str:
    """The column that says whether a row has a value of an attribute, of whatever kind."""
    return quoted(f"_stated_{attribute}")


def _remainder(e: str, type_: ColumnType, scale: int) -> str | None:
    """True where an amount has more decimals than the scale; None where its type forbids it."""
    factor = 10**scale
    if type_.family == "float":
        return f"abs({e} * {factor} - round({e} * {factor})) > 0.0001"
    if type_.family == "text":
        d = f"try_cast({e} as decimal(28, 6))"
        return f"{d} <> round({d}, {scale})"
    if type_.family == "decimal" and type_.scale > scale:
        return f"{e} <> round({e}, {scale})"
    return None


def _faults(mapped: Mapped, scale: int) -> tuple[Fault, ...]:
    """Every check of a source's rows, numbered in the order in which they are made."""
    faults = [
        *(_zoned(name) for name in _without_zone(mapped)),
        *(fault for column in _columns(mapped) for fault in _column_faults(mapped, column, scale)),
        *_order_faults(mapped),
        *(_other_kind(mapped, name, kind) for name, kind in mapped.declared.items()),
        *(_infinite(mapped, name) for name in mapped.attributes if _is_float(mapped, name)),
    ]
    if mapped.table.name != "accounts":
        hint = "Add the account, or correct the id's form in the mapping."
        message, condition = "the account is not in accounts", "account_no is null"
        faults.append(Fault("RS106", "account_id", message, condition, hint))
    return tuple(replace(fault, number=number) for number, fault in enumerate(faults, start=1))


def _column_faults(mapped: Mapped, column: Column, scale: int) -> Iterator[Fault]:
    name = column.name
    judged = column.holds in (Holds.DATE, Holds.MONEY)
    if column.needed or name == "observed_on":
        null = f"_null_{name}" if judged else f"s.{name} is null"
        hint = "Fill it in at the source, or leave such rows out: `from` can be a select."
        yield Fault("RS101", name, f"{name} is null", null, hint)
    if judged:
        wrong = f"not _null_{name} and {name} is null"
        yield Fault("RS102", name, f"{name} is not {column.holds}", wrong, _how(column))
    if column.holds is Holds.DATE:
        # Dates outside this range are typing errors, and would make windows of millions of days.
        outside = f"{name} not between date '{FIRST_DAY}' and date '{LAST_DAY}'"
        message = f"{name} is a date before {FIRST_DAY.year} or after {LAST_DAY.year}"
        yield Fault("RS102", name, message, outside)
    if column.holds is Holds.MONEY:
        yield from _money_faults(mapped, column, scale)
    if column.words:
        words = ", ".join(map(literal, column.words))
        message = f"{name} is none of {', '.join(column.words)}"
        hint = "Map the source's own words to these with a case expression."
        yield Fault("RS107", name, message, f"{name} not in ({words})", hint)


def _money_faults(mapped: Mapped, column: Column, scale: int) -> Iterator[Fault]:
    name = column.name
    if _remainder(name, mapped.types[name], scale):
        hint = "Set scale in [workspace], or round it in the mapping."
        message = f"{name} has more than {scale} decimals"
        yield Fault("RS103", name, message, f"_more_{name}", hint)
    message = f"{name} is beyond {_LARGEST // 10**scale:,}"
    yield Fault("RS103", name, message, f"abs({name}) > {_LARGEST}")
    if not column.negative:
        of_payments = mapped.table.name == "payments"
        hint = "A refund or reversal names the payment it undoes in `reverses`."
        free = " and reverses is null" if mapped.has("reverses") else ""
        condition = f"{name} < 0{free}"
        yield Fault("RS103", name, f"{name} is negative", condition, hint if of_payments else "")


def _zoned(name: str) -> Fault:
    message = f"{name} is a time with a zone, and riskseg.toml does not say whose day is meant"
    return Fault("RS017", name, message, quoted(f"_zoned_{name}"), ZONE_HINT)


def _order_faults(mapped: Mapped) -> Iterator[Fault]:
    hint = "Correct the row at the source; if all are so, the mapping may have them swapped."
    for earlier, later in mapped.table.order:
        if mapped.has(earlier) and mapped.has(later):
            message = f"{later} is before {earlier}"
            yield Fault("RS105", later, message, f"{later} < {earlier}", hint)


_A_KIND = {
    Kind.BOOLEAN: "true or false",
    Kind.INTEGER: "a whole number",
    Kind.NUMBER: "a number",
    Kind.DATE: "a date",
}


def _other_kind(mapped: Mapped, name: str, kind: Kind) -> Fault:
    hint = f"Correct it at the source, or change `kind` of {mapped.written[name]} in riskseg.toml."
    condition = f"{_stated(name)} and {fact_column(name)} is null"
    if kind is Kind.TEXT:
        condition = "false"
    return Fault("RS102", name, f"{name} is not {_A_KIND.get(kind, 'text')}", condition, hint)


def _infinite(mapped: Mapped, name: str) -> Fault:
    shown = _plain(mapped.written[name])
    hint = (
        "Correct it at the source, or map it to unknown: "
        f"`case when isfinite({shown}) then {shown} end`."
    )
    return Fault("RS103", name, f"{name} is infinite", f"isinf({fact_column(name)})", hint)


def _how(column: Column) -> str:
    if column.holds is Holds.DATE:
        return "Dates are YYYY-MM-DD; map another form with `strptime(column, '%d/%m/%Y')`."
    return "Map it to a number, for instance with `replace(column, ',', '')`."


def _staged(mapped: Mapped) -> list[str]:
    """The staged columns; what the source lacks is filled in, so that every ledger has them all."""
    has = mapped.has
    match mapped.table.name:
        case "accounts":
            # What was observed of an account on a day holds until it is observed again.
            listed = {c.name: _or_null(mapped, c.name) for c in mapped.table.columns[1:]}
            if has("observed_on"):
                listed["valid_from"] = "observed_on as valid_from"
            return list(listed.values())
        case "bills":
            # A bill whose day of issue is not known is first heard of when it is recorded, at the
            # latest when it falls due.
            heard = "least(recorded_on, due_on)" if has("recorded_on") else "due_on"
            issued = f"coalesce(issued_on, {heard})" if has("issued_on") else heard
            disputed = "coalesce(disputed_amount, 0)" if has("disputed_amount") else "0"
            return [
                "bill_id",
                f"{issued} as issued_on",
                "due_on",
                "amount as amount_minor",
                f"{_known(mapped, issued)} as known_on",
                _or_null(mapped, "cancelled_on"),
                f"cast({disputed} as bigint) as disputed",
            ]
        case "payments":
            settled = "coalesce(status, 'settled') = 'settled'" if has("status") else "true"
            if has("status") and has("reverses"):
                # On a row that takes another back, `reversed` says that it does.
                settled = f"({settled} or (status = 'reversed' and reverses is not null))"
            return [
                "paid_on",
                "abs(amount) as amount_minor",
                f"{_known(mapped, 'paid_on')} as known_on",
                f"{settled} as settled",
                *(_or_null(mapped, n) for n in ("payment_id", "bill_id", "reverses", "method")),
            ]
        case "instalments":
            return [
                "plan_id",
                "due_on",
                "amount as amount_minor",
                _or_null(mapped, "recorded_on"),
            ]
        case _:
            return [
                "happened_on",
                "kind",
                f"{_known(mapped, 'happened_on')} as known_on",
                "amount as amount_minor"
                if has("amount")
                else "cast(null as bigint) as amount_minor",
                *(_or_null(mapped, n) for n in ("channel", "outcome", "until", "ref", "bill_id")),
            ]


def _known(mapped: Mapped, happened: str) -> str:
    """A fact is known once it has happened and has been recorded."""
    return f"greatest({happened}, recorded_on)" if mapped.has("recorded_on") else happened


def _or_null(mapped: Mapped, name: str) -> str:
    column = mapped.table.column(name)
    type_ = "date" if column and column.holds is Holds.DATE else "varchar"
    return name if mapped.has(name) else f"cast(null as {type_}) as {name}"
