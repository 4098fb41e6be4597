"""Who is in each segment: the features and attributes in which it differs most from the other
accounts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from riskseg.domain.facts import Fact, Kind, worded
from riskseg.domain.relations import fact_column
from riskseg.domain.words import money
from riskseg.insight.insight import Insight
from riskseg.insight.intervals import NORMAL_95
from riskseg.insight.portfolio import Portfolio
from riskseg.results.insights.answer import FEWEST
from riskseg.results.insights.profile import Difference, Profile
from riskseg.results.units import share_of

# Differences that are shown of a segment, in features and in attributes; those of one family of
# features; and the least one that is worth showing: Cohen, Statistical Power Analysis (1988), calls
# 0.2 of a standard deviation small.
_SHOWN, _OF_A_FAMILY, _WORTH = 5, 2, 0.2
# A text of more values than these names accounts rather than groups of them.
_MOST_LEVELS = 50


class Profiles(Insight[Portfolio, Profile]):
    """The largest differences between a segment and all other accounts, as standardised
    differences: those of means in units of the pooled standard deviation, those of shares
    likewise (Austin, Statistics in Medicine 28, 2009)."""

    name = "profile"
    question = "Who is in each segment?"
    about = Portfolio
    needs = ("profiled",)

    def answer(self, subject: Portfolio) -> Profile:
        sizes = dict(
            subject.engine.rows("select segment, count(*) from profiled group by 1 order by 1")
        )
        found: dict[str, list[Difference]] = {segment: [] for segment in sizes}
        for difference in (*_of_numbers(subject, sizes), *_of_shares(subject, sizes)):
            found[difference.segment].append(difference)
        differences = []
        for segment, own in found.items():
            own.sort(key=lambda d: (-abs(d.standardised), d.fact, d.value))
            differences += _varied(own, subject.facts) if sizes[segment] >= FEWEST else []
        return Profile(
            differences=tuple(differences),
            suppressed=tuple(name for name, size in sizes.items() if size < FEWEST),
            least=FEWEST,
            left_out=subject.outcomes,
        )


PROFILES = Profiles()


def _varied(differences: Sequence[Difference], facts: Mapping[str, Fact]) -> list[Difference]:
    """The largest differences, of which few are of one family of features: those say much the
    same. Attributes of accounts have places of their own."""
    seen: Counter[str] = Counter()
    chosen = []
    for difference in differences:
        family = facts[difference.fact].family
        kind = "features" if family else "attributes"
        if seen[kind] < _SHOWN and (not family or seen[family] < _OF_A_FAMILY):
            seen.update([kind, family] if family else [kind])
            chosen.append(difference)
    return chosen


def _of_numbers(subject: Portfolio, sizes: dict[str, int]) -> Iterator[Difference]:
    """Differences of means. An account of which the fact is not known is in neither mean."""
    numeric = [fact for fact in subject.facts.values() if fact.kind.is_numeric]
    if not numeric:
        return
    sums = ", ".join(
        f"count({column}), coalesce(sum({column}), 0), coalesce(sum({column} * {column}), 0)"
        for column in (f"cast({fact_column(fact.name)} as double)" for fact in numeric)
    )
    rows = {
        segment: own
        for segment, *own in subject.engine.rows(
            f"select segment, {sums} from profiled group by segment order by segment"
        )
    }
    for number, fact in enumerate(numeric):
        of = {segment: own[3 * number : 3 * number + 3] for segment, own in rows.items()}
        whole = [sum(own[place] for own in of.values()) for place in range(3)]
        for segment, own in of.items():
            others = [all_ - ours for all_, ours in zip(whole, own, strict=True)]
            if min(own[0], others[0]) < FEWEST:
                continue
            (mean, variance), (other, other_variance) = _moments(own), _moments(others)
            pooled = math.sqrt((variance + other_variance) / 2)
            if not pooled or abs(mean - other) < _WORTH * pooled:
                continue
            error = math.sqrt(variance / own[0] + other_variance / others[0])
            yield Difference(
                segment=segment,
                fact=fact.name,
                value="mean",
                compared=_of_mean(subject, fact, mean),
                here=subject.figure(mean),
                elsewhere=subject.figure(other),
                elsewhere_in_words=_shown(subject, fact, other),
                index=subject.figure(mean / other * 100) if other > 0 and mean >= 0 else None,
                standardised=subject.figure((mean - other) / pooled),
                low=subject.figure(mean - other - NORMAL_95 * error),
                high=subject.figure(mean - other + NORMAL_95 * error),
                accounts=int(own[0]),
                with_value=None,
            )


def _moments(sums: Sequence[float]) -> tuple[float, float]:
    """The mean and the variance of values of which there are their number, their sum, and the sum
    of their squares."""
    count, total, squares = sums
    mean = total / count
    return mean, max(squares / count - mean * mean, 0.0)


def _of_shares(subject: Portfolio, sizes: dict[str, int]) -> Iterator[Difference]:
    """Differences of the shares of accounts that have a value."""
    total = sum(sizes.values())
    for fact in subject.facts.values():
        if not (fact.kind.is_textual or fact.kind is Kind.BOOLEAN):
            continue
        column = fact_column(fact.name)
        counted = subject.engine.rows(f"""
            with counted as (
                select segment, cast({column} as varchar) as value, count(*) as accounts
                from profiled
                where {column} is not null
                group by 1, 2
            )
            select segment, value, accounts, sum(accounts) over (partition by value)
            from counted
            where (select count(distinct value) from counted) <= {_MOST_LEVELS}
            order by segment, value
        """)
        for segment, value, accounts, of_value in counted:
            size, others = sizes[segment], total - sizes[segment]
            is_false = fact.kind is Kind.BOOLEAN and value == "false"
            if is_false or accounts < FEWEST or min(size, others) < FEWEST:
                continue
            here, elsewhere = accounts / size, (int(of_value) - accounts) / others
            pooled = math.sqrt((here * (1 - here) + elsewhere * (1 - elsewhere)) / 2)
            if not pooled or abs(here - elsewhere) < _WORTH * pooled:
                continue
            error = math.sqrt(here * (1 - here) / size + elsewhere * (1 - elsewhere) / others)
            yield Difference(
                segment=segment,
                fact=fact.name,
                value=value,
                compared=_of_value(fact, value),
                here=share_of(accounts, size),
                elsewhere=share_of(int(of_value) - accounts, others),
                elsewhere_in_words=f"{elsewhere:.0%}",
                index=subject.figure(here / elsewhere * 100) if elsewhere else None,
                standardised=subject.figure((here - elsewhere) / pooled),
                low=subject.figure(here - elsewhere - NORMAL_95 * error),
                high=subject.figure(here - elsewhere + NORMAL_95 * error),
                accounts=size,
                with_value=accounts,
            )


def _of_mean(subject: Portfolio, fact: Fact, mean: float) -> str:
    """A fact's words with the mean of accounts as the value."""
    words = worded(fact.words).strip() or f"{fact.name} is {{value}}"
    return words.replace("{value}", _shown(subject, fact, mean))


def _shown(subject: Portfolio, fact: Fact, mean: float) -> str:
    if fact.unit == "money":
        return money(subject.amount(Decimal(mean)), subject.currency, subject.scale)
    if fact.unit == "share":
        return f"{mean:.0%}"
    return (
        f"{mean:,.0f}" if abs(mean) >= 100 else f"{mean:,.1f}" if abs(mean) >= 1 else f"{mean:.2f}"
    )


def _of_value(fact: Fact, value: str) -> str:
    """A fact's words with a value; of one that is true, without it."""
    words = worded(fact.words).strip() or f"{fact.name} is {{value}}"
    if fact.kind is Kind.BOOLEAN and words.endswith(": {value}"):
        return words.removesuffix(": {value}")
    return words.replace("{value}", dict(fact.labels).get(value, value))
