"""The checks of single rows: under which conditions a row fails the contract, and what is said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from riskseg.domain.column_types import ColumnType
from riskseg.domain.currencies import written
from riskseg.domain.facts import FIRST_DAY, LAST_DAY, Kind
from riskseg.domain.relations import fact_column, literal, quoted
from riskseg.ledger.blanks import is_blank_sql
from riskseg.ledger.contract import Column, Holds
from riskseg.ledger.days import ZONE_HINT, has_zone
from riskseg.ledger.mapping import Mapped, exact_up_to

# In minor units. A hundred thousand such amounts can still be added up in 64 bits.
_LARGEST = 10**13
# Numbers of the checks that need the whole table; those of single rows count up from 1.
DUPLICATE, ORPHAN = 65_534, 65_535
_CORRECT = "Correct it at the source, or change the line of this column in riskseg.toml."


@dataclass(frozen=True, slots=True)
class Fault:
    """One check: the SQL condition under which a row fails it, and what is said then. Those of a
    source are numbered. Where a value of the columns that it `compares` is itself at fault, that
    is said of the row and this is not, as it only follows."""

    code: str
    column: str
    message: str
    condition: str
    hint: str = ""
    number: int = 0
    compares: tuple[str, ...] = ()


def contract_columns(mapped: Mapped) -> list[Column]:
    return [c for c in mapped.table.columns if mapped.has(c.name)]


def _without_zone(mapped: Mapped) -> dict[str, str]:
    """The texts of which the day is wanted, by name, in a workspace where an instant has none."""
    if mapped.timezone is not None:
        return {}
    days = [c.name for c in contract_columns(mapped) if c.holds is Holds.DATE]
    texts = {name: name for name in days if mapped.types[name].family == "text"}
    attributes = [name for name, kind in mapped.declared.items() if kind is Kind.DATE]
    return texts | {name: fact_column(name) for name in attributes}


def is_float(mapped: Mapped, name: str) -> bool:
    return mapped.types[name].family == "float"


def _may_be_infinite(mapped: Mapped, name: str) -> bool:
    return mapped.types[name].family in ("float", "date", "timestamp")


def _plain(name: str) -> str:
    return name if re.fullmatch(r"\w+", name) else quoted(name)


def evidence(mapped: Mapped, scale: int) -> list[str]:
    """What the checks need beside the typed values: was it null, has it too many decimals."""
    parts = []
    for column in contract_columns(mapped):
        e = column.name
        if column.holds in (Holds.DATE, Holds.MONEY):
            parts.append(f"({e}) is null as _null_{column.name}")
        if column.holds is Holds.ID and mapped.types[e].family == "text":
            parts.append(f"{is_blank_sql(e)} as _empty_{e}")
        if column.holds is Holds.ID and is_float(mapped, e):
            parts.append(f"not regexp_full_match({e}, '[-0-9.]+') as _inexact_{e}")
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


def row_faults(mapped: Mapped, scale: int, currency: str) -> tuple[Fault, ...]:
    """Every check of a source's rows, numbered in the order in which they are made; `currency` is
    the workspace's."""
    faults = [
        *(_zoned(name) for name in _without_zone(mapped)),
        *(
            fault
            for column in contract_columns(mapped)
            for fault in _column_faults(mapped, column, scale)
        ),
        *([_other_currency(mapped, currency)] if mapped.has("currency") else []),
        *_order_faults(mapped),
        *(_other_kind(mapped, name, kind) for name, kind in mapped.declared.items()),
        *(_infinite(mapped, name) for name in mapped.attributes if _may_be_infinite(mapped, name)),
    ]
    if mapped.table.name != "accounts":
        hint = "Add the account, or correct the id's form in the mapping."
        message, condition = "the account is not in accounts", "account_no is null"
        of_id = ("account_id",)
        faults.append(Fault("RS106", "account_id", message, condition, hint, compares=of_id))
    return tuple(replace(fault, number=number) for number, fault in enumerate(faults, start=1))


def _column_faults(mapped: Mapped, column: Column, scale: int) -> Iterator[Fault]:
    name = column.name
    judged = column.holds in (Holds.DATE, Holds.MONEY)
    if column.needed or name == "observed_on":
        null = f"_null_{name}" if judged else f"s.{name} is null"
        hint = "Fill it in at the source, or leave such rows out: `from` can be a select."
        yield Fault("RS101", name, f"{name} is null", null, hint)
    if column.holds is Holds.ID:
        yield from _id_faults(mapped, column)
    if judged:
        wrong = f"not _null_{name} and {name} is null"
        hint = _CORRECT if mapped.row_by_row and name in mapped.converted else how_to_map(column)
        yield Fault("RS102", name, f"{name} is not {column.holds}", wrong, hint)
    if column.holds is Holds.DATE:
        # Dates outside this range are typing errors, and would make windows of millions of days.
        outside = f"{name} not between date '{FIRST_DAY}' and date '{LAST_DAY}'"
        message = f"{name} is a date before {FIRST_DAY.year} or after {LAST_DAY.year}"
        yield Fault("RS102", name, message, outside)
    if column.holds is Holds.MONEY:
        yield from _money_faults(mapped, column, scale)
    if column.words:
        words = ", ".join(map(literal, column.words))
        message = f"{name} is not one of {', '.join(column.words)}"
        hint = "Map the source's own words to these with a case expression."
        yield Fault("RS107", name, message, f"{name} not in ({words})", hint)


def _id_faults(mapped: Mapped, column: Column) -> Iterator[Fault]:
    name, family = column.name, mapped.types[column.name].family
    if family == "text":
        hint = "Fill it in at the source, or map it to unknown: `nullif(trim(column), '')`."
        if column.needed:
            hint = "Fill it in at the source, or leave such rows out: `from` can be a select."
        yield Fault("RS101", name, f"{name} is an empty text", f"_empty_{name}", hint)
    if family == "float":
        most = exact_up_to(mapped.types[name])
        message = f"{name} is a float that holds no exact number (from {most:,} on)"
        hint = "Write it as a text or a whole number at the source: digits of it are lost."
        yield Fault("RS102", name, message, f"_inexact_{name}", hint)


def _other_currency(mapped: Mapped, currency: str) -> Fault:
    hint = (
        f"Load rows in {currency} alone, or convert the others: `from` can be a select. If all are "
        "in one other currency, set `currency` in [workspace]."
    )
    return Fault(
        "RS108",
        "currency",
        f"currency is another than the workspace's {currency}",
        f"upper(trim(currency)) not in ('', {', '.join(map(literal, written(currency)))})",
        hint,
    )


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
        hint = (
            "A reversal names the payment it undoes in `reverses`; money that is paid out has the "
            "status `refund`."
        )
        free = " and reverses is null" if mapped.has("reverses") else ""
        free += " and status is distinct from 'refund'" if mapped.has("status") else ""
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
            condition, both = f"{later} < {earlier}", (earlier, later)
            yield Fault("RS105", later, message, condition, hint, compares=both)


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


_DATES = "Dates are YYYY-MM-DD; map another form with `strptime(column, '%d/%m/%Y')`."
# How days are written elsewhere: day, month and year, their order left open.
_DAY = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})")


def hint_for(fault: Fault, value: str | None) -> str:
    """What to do about rows that fail a check, the first of which holds this value: of a date, the
    form in which it is written."""
    day = _DAY.fullmatch((value or "").strip())
    if fault.hint != _DATES or day is None:
        return fault.hint
    first, sign, second, year = day.groups()
    year_form = "%Y" if len(year) == 4 else "%y"
    day_first, month_first = (
        f"{a}{sign}{b}{sign}{year_form}" for a, b in (("%d", "%m"), ("%m", "%d"))
    )
    if sign == "." or int(first) > 12:
        known = day_first
    elif int(second) > 12:
        known = month_first
    else:
        known = f"{day_first}')` or `strptime(column, '{month_first}"
    return (
        "Dates are YYYY-MM-DD. Where the column is written like this, map it with "
        f"`strptime(column, '{known}')`."
    )


def how_to_map(column: Column) -> str:
    """What to do about values of a column that are written in another form."""
    if column.holds is Holds.DATE:
        return _DATES
    return (
        "Map it to a number: `replace(column, ',', '')` where 1,234.50 is meant, and "
        "`replace(replace(column, '.', ''), ',', '.')` where 1.234,50 is."
    )
