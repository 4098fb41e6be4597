"""Numbers of accounts and bills that look like codes: 999 for "refused to say", -1 for "none".

A column says nothing of its codes, and a model learns them as numbers. Those that stand far from
all others, or are what files customarily use, are proposed with the line that declares them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from riskseg.domain.columns import code_text
from riskseg.domain.facts import Fact
from riskseg.domain.relations import fact_column
from riskseg.engine import Engine
from riskseg.features.catalogue import Catalogue
from riskseg.pipeline.load import Ledger

# At most so many distinct values at one end of a column are codes.
MOST_CODES = 5
# Of the values at each end, what is looked at.
LOOKED_AT = MOST_CODES + 8
# A code stands for at least so many accounts, and this share of them.
LEAST_ACCOUNTS, LEAST_SHARE = 10, 0.0005
# How far from the others, in widths of their range: any value, and one that is a customary code.
FAR, FAR_FOR_A_CODE = 3.0, 0.5
# A customary code within the range of the others is one where it is at least so common, and so
# many times as common as the values about it are on average and at most.
COMMON, ABOVE_AVERAGE, ABOVE_ANY = 0.01, 10.0, 2.0
# A lone 0 below values from ten on, so many times as far from the next as those from each other:
# an age of 0.
LONE_ZERO, LEAST_NEXT, RARE = 5.0, 10.0, 0.01
# 365243 days are a thousand years: what some systems write for "never".
CUSTOMARY = frozenset(
    float(sign * (10**digits - below))
    for digits in range(1, 10)
    for below in (1, 2, 3, 4)
    for sign in (1, -1)
    if 10**digits - below >= 7
) | frozenset(float(n) for n in (-1, -2, -3, -4, -5, -6, 88, -88, 888, -888, 8888, 365243))
# Those that are seldom anything else, and so may stand among the others; and those that do beside
# one of them (997 and 998 beside 999), each with it.
UNMISTAKABLE = frozenset(
    float(sign * (10**digits - 1)) for digits in range(3, 10) for sign in (1, -1)
)
BESIDE = {
    code - near if code > 0 else code + near: code for code in UNMISTAKABLE for near in range(4)
}


@dataclass(frozen=True)
class Finding:
    """Values of a column of `table` that look like codes, and `why`. `count` of its rows have them,
    of `known` with any value."""

    column: str
    codes: tuple[float, ...]
    count: int
    known: int
    why: str
    table: str = "accounts"

    def __str__(self) -> str:
        several = len(self.codes) > 1
        code_texts = [code_text(code) for code in self.codes]
        codes_text = (
            ", ".join(code_texts[:-1]) + f" and {code_texts[-1]}" if several else code_texts[0]
        )
        verb, are = ("stand", "they are codes") if several else ("stands", "it is a code")
        share = self.count / self.known
        part = f"{share:.1%} of" if share >= 0.001 else f"{self.count:,} of {self.known:,}"
        bare = re.fullmatch(r"[A-Za-z0-9_-]+", self.column)
        toml_key = self.column if bare else json.dumps(self.column, ensure_ascii=False)
        return (
            f"{self.column}: {codes_text} {verb} for {part} {self.table}, {self.why}. If {are}, "
            f"write `special_values = [{', '.join(code_texts)}]` under "
            f"[source.{self.table}.columns.{toml_key}]; "
            "if not, `special_values = []`."
        )


def proposed(
    engine: Engine, ledger: Ledger, catalogue: Catalogue, facts: Mapping[str, Fact]
) -> tuple[Finding, ...]:
    """What looks like a code in numeric attributes of accounts and bills, less what is declared. Of
    a ledger as it stood on a day, only what was known by then is looked at.

    A column of which it is declared that it has no special values is left alone.
    """
    of_accounts = [
        facts[numeric_attribute]
        for numeric_attribute in ledger.attributes
        if numeric_attribute in facts
    ]
    of_bills = [attribute.fact for attribute in ledger.bill_attributes]
    known_relations = {table: _known(ledger, table) for table in ("accounts", "bills")}
    findings: list[Finding] = []
    for table, attributes in (("accounts", of_accounts), ("bills", of_bills)):
        described = [*ledger.authored[table].described.items()] if table in ledger.authored else []
        described += catalogue.columns.items() if table == "accounts" else ()
        without_codes = {
            numeric_attribute
            for numeric_attribute, column in described
            if "special_values" in column.shape.model_fields_set
        } - {
            numeric_attribute
            for numeric_attribute, column in described
            if column.shape.special_values
        }
        for fact in attributes:
            if fact.kind.is_numeric and fact.name not in without_codes:
                in_column = _in_column(
                    engine, known_relations[table], fact.name, fact.special_values
                )
                findings += [replace(finding, table=table) for finding in in_column]
    return tuple(findings)


def _known(ledger: Ledger, table: str) -> str:
    """SQL for the rows of a table that were known by the ledger's day; undated ones always were."""
    day_column = {"accounts": "valid_from", "bills": "known_on"}[table]
    if ledger.known_by is None:
        return f"ledger_{table}"
    return f"""(
            select *
            from ledger_{table}
            where {day_column} is null or {day_column} <= date '{ledger.known_by}'
        )"""


def _in_column(engine: Engine, rows: str, name: str, declared: Sequence[float]) -> list[Finding]:
    column = fact_column(name)
    is_news = f"value not in ({', '.join(map(repr, declared))})" if declared else "true"
    engine.run(
        f"""
        create or replace temp table value_counts as
        select value, count(*) as n
        from (select cast({column} as double) as value from {rows})
        where value is not null
            and isfinite(value)
            and {is_news}
        group by value
        """
    )
    low = engine.rows(f"select value, n from value_counts order by value limit {LOOKED_AT}")
    high = engine.rows(f"select value, n from value_counts order by value desc limit {LOOKED_AT}")
    high.reverse()
    known_count = int(engine.value("select coalesce(sum(n), 0) from value_counts"))
    listed_codes = ", ".join(map(repr, sorted(BESIDE)))
    common = engine.rows(
        f"""
        select value, n
        from value_counts
        where value in ({listed_codes})
            and n >= {COMMON} * {known_count}
        order by value
        """
    )
    codes_at_ends = [
        finding
        for finding in (
            _at_end(name, high, low, known_count, 1),
            _at_end(name, low, high, known_count, -1),
        )
        if finding
    ]
    far = {code for finding in codes_at_ends for code in finding.codes}
    codes_inside_range = [
        (value, value_count)
        for value, value_count in common
        if value not in far and _stands_out(engine, value, value_count)
    ]
    codes_inside = {value for value, _ in codes_inside_range}
    codes_inside_range = [
        (value, value_count)
        for value, value_count in codes_inside_range
        if BESIDE[value] in codes_inside
    ]
    if codes_inside_range:
        codes = tuple(value for value, _ in codes_inside_range)
        code_count = sum(value_count for _, value_count in codes_inside_range)
        codes_at_ends.append(
            Finding(name, codes, code_count, known_count, "far more than the values about it do")
        )
    return codes_at_ends


def _at_end(
    name: str,
    end: Sequence[tuple[float, int]],
    other: Sequence[tuple[float, int]],
    known: int,
    sign: int,
) -> Finding | None:
    """The codes at one end of a column: `end` are its values there and `other` those of the other
    end, rising. The most values that one gap sets apart are taken."""
    rising = [
        (sign * value, value_count) for value, value_count in (end if sign > 0 else end[::-1])
    ]
    opposite = sign * (other[0] if sign > 0 else other[-1])[0] if other else 0.0
    for many in range(min(MOST_CODES, len(rising) - 2), 0, -1):
        near_values, far_values = rising[:-many], rising[-many:]
        code_values = tuple(sorted(sign * value for value, _ in far_values))
        coded_rows = sum(value_count for _, value_count in far_values)
        edge = near_values[-1][0]
        width = edge - opposite
        gap = far_values[0][0] - edge
        few = coded_rows < max(LEAST_ACCOUNTS, LEAST_SHARE * known)
        customary = all(value in CUSTOMARY for value in code_values)
        zero = sign < 0 and _is_lone_zero(code_values, coded_rows, known, near_values)
        negative = sign < 0 and customary and code_values[-1] < 0 <= -edge and not few
        # Where there are few other values, a wide gap between steps is no news: 1, 3 or 12 months.
        wide = FAR if len(near_values) >= 5 else float("inf")
        far = not few and gap > width * (FAR_FOR_A_CODE if customary and gap > 3 else wide)
        if customary and len(near_values) < 5:
            far = far and gap > FAR * width
        if zero or negative or far:
            low, high = (
                code_text(edge_value) for edge_value in sorted((sign * edge, sign * opposite))
            )
            reason_found = f"far from the others ({low} to {high})"
            if negative and not far:
                reason_found = f"and no other value is below 0 (the others: {low} to {high})"
            return Finding(name, code_values, coded_rows, known, reason_found)
    return None


def _is_lone_zero(
    values: Sequence[float], count: int, known: int, rest: Sequence[tuple[float, int]]
) -> bool:
    """Whether the end is a rare 0 well below whole numbers close to each other, as an age of 0."""
    values_above = [-value for value, _ in rest[::-1]]
    if tuple(values) != (0.0,) or count > RARE * known or len(values_above) < 8:
        return False
    all_whole = all(value == int(value) for value in values_above)
    spacing = (values_above[-1] - values_above[0]) / (len(values_above) - 1)
    return all_whole and values_above[0] >= LEAST_NEXT and values_above[0] > LONE_ZERO * spacing


def _stands_out(engine: Engine, value: float, n: int) -> bool:
    """Whether a value is much more common than those within a fifth of it, less what may be codes
    beside it."""
    low, high = sorted((0.8 * value, 1.2 * value))
    beside = ", ".join(
        repr(neighbour) for neighbour, code in BESIDE.items() if code == BESIDE[value]
    )
    average, largest_count = engine.rows(
        f"""
        select avg(n), max(n)
        from value_counts
        where value between {low!r} and {high!r}
            and value not in ({beside})
        """
    )[0]
    return average is not None and n > ABOVE_AVERAGE * average and n > ABOVE_ANY * largest_count
