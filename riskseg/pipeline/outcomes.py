"""What a column of accounts says of outcomes: whether any are known, and until when."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Any

from riskseg.domain.problems import Problems, problem
from riskseg.domain.relations import fact_column
from riskseg.domain.yaml_text import inline
from riskseg.engine import Engine
from riskseg.learning.spec import AuthoredSpec
from riskseg.pipeline.session import Session

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskseg.learning.frame import Floats, Labels

# A day's outcomes count as known where at least this part is of what is known on all days. Below
# it are days of which the bad outcomes alone are known, those that were quick to show.
USUAL = 0.5
# Where so many bad outcomes were to be expected, that there is none is no chance.
SURELY_SOME = 30
# How many values that are no outcomes a Problem names.
_STRAYS_SHOWN = 3

# How many rows have each value of an outcome that is none.
Strays = Counter[Any]


def known_until(session: Session, authored: AuthoredSpec, problems: Problems) -> date | None:
    """The last day whose outcomes are known, of accounts that were observed on days. Adds RS408
    where no outcome is known."""
    ledger, column = session.ledger, authored.spec.target.column
    if column is None or column not in ledger.attributes:
        return ledger.last_on
    in_force = "true"
    if ledger.last_on is not None:
        in_force = f"valid_from is null or valid_from <= date '{ledger.last_on}'"
    counts_by_day = session.engine.rows(
        f"""
        select valid_from, count({fact_column(column)}), count(*)
        from ledger_accounts
        where {in_force}
        group by valid_from
        order by valid_from nulls first
        """
    )
    all_known = sum(known_count for _, known_count, _ in counts_by_day)
    all_accounts = sum(accounts for _, _, accounts in counts_by_day)
    usual_days = [
        day
        for day, known_count, accounts in counts_by_day
        if known_count and known_count * all_accounts >= USUAL * accounts * all_known
    ]
    if usual_days:
        return usual_days[-1]  # type: ignore[no-any-return]
    problems.add(
        "RS408",
        f'"{column}" is empty: no account has an outcome'
        + (f" that was known on {ledger.known_by}." if ledger.known_by else "."),
        file=authored.file,
        line=authored.line("target", "column"),
        hint="Give the accounts their outcomes, or name the column that has them.",
    )
    return None


def check_values(session: Session, authored: AuthoredSpec, problems: Problems) -> None:
    """Add Problems for an outcome column whose values cannot be outcomes: RS408 for numbers other
    than 0 and 1 of which nothing says which is the bad one, RS403 where all are the same."""
    target = authored.spec.target
    fact = session.facts.get(target.column or "")
    if fact is None or (target.positive is None and fact.kind.is_textual):
        return
    before = len(problems)
    if target.positive is None and fact.kind.is_numeric:
        strays = stray_values(session.engine, fact.name, "ledger_accounts")
        check_strays(authored, strays, problems)
    column = fact_column(fact.name)
    two_values = session.engine.rows(
        f"""
        select distinct {column}
        from ledger_accounts
        where {column} is not null
        limit 2
        """
    )
    if len(two_values) == 1 and len(problems) == before:
        problems.add(
            "RS403",
            f'All outcomes are the same: "{fact.name}" is {two_values[0][0]} wherever it is known.',
            file=authored.file,
            line=authored.line("target", "column"),
            hint="Check the column and its mapping.",
        )


def stray_values(engine: Engine, column: str, table: str, condition: str = "true") -> Strays:
    """How often an outcome, a number, is other than 0 and 1 in the rows of a table that meet a
    condition, as SQL: the lowest such values."""
    column = fact_column(column)
    return Counter(
        dict(
            engine.rows(
                f"""
                select {column}, count(*)
                from {table}
                where {condition}
                    and {column} not in (0, 1)
                group by 1
                order by 1
                limit {_STRAYS_SHOWN}
                """
            )
        )
    )


def check_strays(authored: AuthoredSpec, strays: Strays, problems: Problems) -> None:
    """Add RS408 where an outcome is other than 0 and 1."""
    if not strays:
        return
    column = authored.spec.target.column or ""
    shown_strays = ", ".join(
        f"{stray} ({strays[stray]:,} rows)" for stray in sorted(strays)[:_STRAYS_SHOWN]
    )
    problems.add(
        "RS408",
        f'"{column}" has values other than 0 and 1, such as {shown_strays}.',
        file=authored.file,
        line=authored.line("target", "column"),
        hint="Correct them, leave them unknown (null), or say which value is the bad outcome: "
        f"{{column: {inline(column)}, positive: VALUE}}.",
    )


def check_not_yet_known(
    authored: AuthoredSpec, as_of: NDArray[Any], label: Labels, weight: Floats
) -> None:
    """Raise RS408 where the last days have no bad outcome, and many would be expected: outcomes
    that are not known yet were written as good."""
    import numpy as np

    if not label.any() or np.isnat(as_of).any():
        return
    last_bad = as_of[label == 1].max()
    is_after = as_of > last_bad
    rate = float(np.average(label[~is_after], weights=weight[~is_after]))
    if rate * float(weight[is_after].sum()) < SURELY_SOME:
        return
    first = as_of[is_after].min()
    raise problem(
        "RS408",
        f"None of the {int(is_after.sum())} accounts observed from {first} on has the bad outcome; "
        f"before, {rate:.1%} had it. It seems that it was not known yet.",
        file=authored.file,
        line=authored.line("target", "column"),
        hint="Leave an outcome empty until it is known: null, not the good one.",
    )
