"""Monthly balances in place of a ledger: each row of an account and month is the account as it was
observed then, with what its history up to that month says, and what came of it.

A history is read by calendar months. Features look at the month and those before it; the outcomes
`rolled_Nm` and `defaulted_Nm` at those after it, and are unknown until the last of these has been
observed. There are no bills: nothing can be said of single debts, of payments or of credit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from riskseg.domain.ageing import BUCKETS, PAST_DUE
from riskseg.domain.facts import Fact
from riskseg.domain.problems import Problems, did_you_mean
from riskseg.domain.relations import fact_column, literal, quoted
from riskseg.domain.words import counted, first_few
from riskseg.engine import Engine
from riskseg.ledger.contract import CONTRACT
from riskseg.ledger.mapping import Mapped
from riskseg.workspace import Source
from riskseg.workspace.balances import Balances

# Months that features look back on, this month included.
WINDOWS = (3, 6, 12)
# Being so many months in arrears is default: 90 days past due and more.
DEFAULT_LEVEL = 4
_NO_BILLS = (
    "Accounts are known by their monthly balances: there are no bills, so nothing is said of "
    "single debts, of payments or of credit."
)
_AMOUNTS = ("overdue", *(bucket.column for bucket in BUCKETS))


def observed_accounts(
    engine: Engine, source: Source, mapped: Mapped, problems: Problems
) -> Mapped | None:
    """The accounts that a table of balances observes, or None after adding Problems: RS005 where
    nothing says how late an account is, RS102 and RS107 for rows that cannot be read."""
    balances = source.balances
    assert balances is not None
    before = len(problems)
    if not any(map(mapped.has, ("status", "days_past_due", *_AMOUNTS))):
        problems.add(
            "RS005",
            "balances do not say how late an account is.",
            file=source.file,
            line=source.lines.get("from"),
            hint="Map `status`, `days_past_due`, the buckets, or `overdue`.",
        )
        return None
    _check_rows(engine, source, mapped, balances, problems)
    taken = sorted({*_added(mapped, balances)} & set(mapped.attributes))
    for name in taken:
        problems.add(
            "RS503",
            f'balances have a column "{mapped.written[name]}", which riskseg works out itself.',
            file=source.file,
            line=source.lines.get("from"),
            hint=f"Give it another name: `own_{name} = '{quoted(name)}'`.",
        )
    if len(problems) > before:
        return None
    relation = _history(mapped, balances)
    types = engine.columns(relation)
    attributes = {name: quoted(name) for name in types if name not in ("account_id", "observed_on")}
    return Mapped(
        CONTRACT["accounts"],
        mapped.file,
        relation,
        {"account_id": "account_id", "observed_on": "observed_on"},
        attributes,
        types,
        mapped.loaded_from,
        {name: name for name in attributes},
        mapped.lines,
        mapped.locate,
        timezone=mapped.timezone,
        rows_in_files=mapped.rows_in_files,
        notes=(*mapped.notes, _NO_BILLS),
        observes=mapped,
    )


def in_words(attributes: Mapping[str, Fact]) -> dict[str, Fact]:
    """The attributes of accounts with what is known of those that are worked out: words, unit, and
    that more of it is riskier."""
    return {
        name: replace(fact, words=_WORDS[name][0], unit=_WORDS[name][1], direction=_WORDS[name][2])
        for name, fact in attributes.items()
        if name in _WORDS
    }


_WORDS: dict[str, tuple[str, str, int]] = {
    "days_past_due": ("at least {value} {day|days} past due", "days", 1),
    "months_past_due": ("{value} {month|months} past due", "months", 1),
    "months_on_book": ("observed for {value} {month|months}", "months", 0),
    "months_since_arrears": ("{value} {month|months} since it was in arrears", "months", 0),
    "overdue": ("{value} is overdue", "money", 1),
    **{
        f"months_in_arrears_{window}m": (
            f"in arrears in {{value}} of the last {window} months",
            "months",
            1,
        )
        for window in WINDOWS
    },
    **{
        f"worst_months_past_due_{window}m": (
            f"at worst {{value}} {{month|months}} past due in the last {window} months",
            "months",
            1,
        )
        for window in WINDOWS
    },
}


def outcomes(balances: Balances) -> tuple[str, str]:
    """The columns that say what came of a month: no model may learn from them."""
    return f"rolled_{balances.roll}m", f"defaulted_{balances.default}m"


def _check_rows(
    engine: Engine, source: Source, mapped: Mapped, balances: Balances, problems: Problems
) -> None:
    """Add a Problem for each column that has values which cannot be read."""
    numbers = [name for name in ("days_past_due", *_AMOUNTS) if mapped.has(name)]
    checks = [("RS102", "as_of", "as_of is not null and try_cast(as_of as date) is null", "a date")]
    for name in numbers:
        value = f"nullif(trim(cast({name} as varchar)), '')"
        wrong = f"{value} is not null and try_cast({value} as decimal(18, 4)) is null"
        checks.append(("RS102", name, wrong, "a number"))
    for code, name, condition, kind in checks:
        count = engine.value(f"select count(*) from {mapped.rows} where {condition}")
        if count:
            problems.add(
                code,
                f"In balances, {name} is not {kind} ({counted(count, 'row')}).",
                file=mapped.loaded_from,
                hint="Map it with an expression, or leave such rows out: `from` can be a select.",
            )
    if not mapped.has("status"):
        return
    known = ", ".join(map(literal, balances.statuses)) or "''"
    strange = engine.rows(
        f"""
        select cast(status as varchar), count(*)
        from {mapped.rows}
        where status is not null and cast(status as varchar) not in ({known})
        group by 1
        order by 2 desc, 1
        """
    )
    if strange:
        listed = first_few([f'"{status}" ({counted(rows, "row")})' for status, rows in strange])
        problems.add(
            "RS107",
            f"Nothing says what these statuses mean: {listed}.",
            file=source.file,
            line=source.lines.get("status") or source.lines.get("from"),
            hint='Add them to [source.balances.statuses], as `1 = "30-59"`. '
            + did_you_mean(strange[0][0], balances.statuses),
        )


def _added(mapped: Mapped, balances: Balances) -> list[str]:
    """The attributes that are worked out."""
    names = ["days_past_due", "months_past_due", "months_on_book", "months_since_arrears", "roll"]
    for window in WINDOWS:
        names += [f"months_in_arrears_{window}m", f"worst_months_past_due_{window}m"]
    names += [name for name in ("status", *_AMOUNTS) if mapped.has(name)]
    return [*names, *outcomes(balances)]


def _days(mapped: Mapped, balances: Balances) -> str:
    """How many days past due a row is at least; null where nothing says."""
    if mapped.has("days_past_due"):
        days = "try_cast(trim(cast(days_past_due as varchar)) as integer)"
        return f"case when {days} < 0 then 0 else {days} end"  # greatest() makes 0 of null
    if mapped.has("status"):
        arms = " ".join(
            f"when {literal(status)} then {'null' if days is None else days}"
            for status, days in balances.statuses.items()
        )
        return f"cast(case cast(status as varchar) {arms} end as integer)"
    buckets = [bucket for bucket in PAST_DUE if mapped.has(bucket.column)]
    if buckets:
        arms = " ".join(
            f"when {_money(bucket.column)} > 0 then {bucket.first}" for bucket in reversed(buckets)
        )
        amounts = ", ".join(_money(b.column) for b in BUCKETS if mapped.has(b.column))
        return f"case when coalesce({amounts}) is null then null {arms} else 0 end"
    return f"case when {_money('overdue')} > 0 then 1 when {_money('overdue')} <= 0 then 0 end"


def _money(name: str) -> str:
    return f"try_cast(nullif(trim(cast({name} as varchar)), '') as decimal(18, 4))"


def _history(mapped: Mapped, balances: Balances) -> str:
    """A row for each account and day it was observed. A month is numbered, so that a gap in the
    history is no month; `level` counts months past due: 1 from the first day, 2 from 30 days on."""
    kept = [fact_column(name) for name in mapped.attributes]
    own = ["cast(status as varchar) as status"] if mapped.has("status") else []
    own += [f"{_money(name)} as {quoted(name)}" for name in _AMOUNTS if mapped.has(name)]
    shown = [quoted(n) for n in ("status", *_AMOUNTS) if mapped.has(n)]
    windows = "".join(
        f"""
            cast(count(*) filter (where level > 0) over last_{window} as integer)
                as months_in_arrears_{window}m,
            max(level) over last_{window} as worst_months_past_due_{window}m,"""
        for window in WINDOWS
    )
    named = ",\n        ".join(
        f"last_{window} as (partition by account_id order by month_no "
        f"range between {window - 1} preceding and current row)"
        for window in WINDOWS
    )
    roll, default = outcomes(balances)
    renamed = ", ".join(
        f"{column} as {quoted(name)}" for column, name in zip(kept, mapped.attributes, strict=True)
    )
    return f"""(
        with rows_read as (
            select row_number() over () as row_of_balances,
                cast(account_id as varchar) as account_id,
                try_cast(as_of as date) as observed_on,
                {_days(mapped, balances)} as days,
                {"".join(f"{column}, " for column in (*own, *kept))}
                year(try_cast(as_of as date)) * 12 + month(try_cast(as_of as date)) as month_no
            from {mapped.rows}
        ),
        levels as (
            select *,
                case when days = 0 then 0 else days // 30 + 1 end as level,
                max(month_no) over () as last_month
            from rows_read
        ),
        months as (
            select *,
            cast(month_no - min(month_no) over (partition by account_id) as integer)
                as months_on_book,
            cast(month_no - max(case when level > 0 then month_no end) over so_far as integer)
                as months_since_arrears,
            lag(level) over (partition by account_id order by month_no, observed_on)
                as level_before,
            {windows}
            max(level) over next_roll as level_to_roll,
            max(level) over next_default as level_to_default
            from levels
            window so_far as (
                partition by account_id order by month_no
                range between unbounded preceding and current row
            ),
            {named},
            next_roll as (partition by account_id order by month_no
                range between 1 following and {balances.roll} following),
            next_default as (partition by account_id order by month_no
                range between 1 following and {balances.default} following)
        )
        select account_id, observed_on,
            {"".join(f"{name}, " for name in shown)}
            {f"{renamed}," if renamed else ""}
            days as days_past_due,
            cast(level as integer) as months_past_due,
            months_on_book, months_since_arrears,
            case
                when level is null or level_before is null then null
                when level > level_before then 'worse'
                when level < level_before then 'better'
                else 'same'
            end as roll,
            {"".join(f"months_in_arrears_{w}m, worst_months_past_due_{w}m, " for w in WINDOWS)}
            case
                when level is null or month_no + {balances.roll} > last_month then null
                else cast(coalesce(level_to_roll > level, false) as integer)
            end as {roll},
            case
                when level is null or level >= {DEFAULT_LEVEL} then null
                when month_no + {balances.default} > last_month then null
                else cast(coalesce(level_to_default >= {DEFAULT_LEVEL}, false) as integer)
            end as {default}
        from months
        order by row_of_balances  -- so that a bad row is known by its number
        )"""
