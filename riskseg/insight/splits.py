"""Which segment to split, which two to merge, and which to retire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from statistics import NormalDist
from typing import NamedTuple

from riskseg.domain.facts import Fact, Kind, glossed
from riskseg.domain.relations import fact_column, literal
from riskseg.domain.words import counted
from riskseg.insight.insight import Insight
from riskseg.insight.intervals import NORMAL_95
from riskseg.insight.portfolio import Portfolio
from riskseg.insight.portfolio_tables.outcomes import WITHIN, Outcome, open_facts, outcome_of
from riskseg.insight.rates import Rate, rates_by
from riskseg.insight.similar_segments import pairs, unreached
from riskseg.insight.split_changes import SplitRule, changes
from riskseg.results.insights.answer import FEWEST
from riskseg.results.insights.split import Split, Structure

# A part of a segment is at least this share of it.
_SMALLEST = 0.05
# Less of the variance than this is not worth a segment: Cohen, Statistical Power Analysis (1988),
# calls a w of 0.1 small, whose square this is.
_WORTH = 0.01
# A text of more values than these names accounts rather than groups of them.
_MOST_LEVELS = 50
# Cuts of a number that are tried: each value where there are no more than these, else the tenths of
# the segment's accounts.
_MOST_CUTS = 13
_TENTHS = [number / 10 for number in range(1, 10)]
# To two digits: people remember 120 better than 118.73.
_ROUNDED = (
    "case when value = 0 then 0.0 else round(value, 1 - cast(floor(log10(abs(value))) as int)) end"
)
# Of the parties, those whose hash begins so are looked for splits in; the others measure them.
_FINDING = "md5(party_id) < '8'"


class _Found(NamedTuple):
    """A split by what it explains on the half it was found on: chi-squared."""

    score: float
    rule: SplitRule


class Splits(Insight[Portfolio, Structure]):
    """For each segment the split by one fact that separates its outcomes most: of the half of the
    parties that it is looked for in, the one of the largest chi-squared (of the sets of levels of a
    text, those of the highest rates: Breiman and others, Classification and Regression Trees, 1984,
    theorem 4.5). It is measured on the other half. It is clear where the interval of the difference
    leaves 0 out, at 95% for all segments together (Bonferroni), and it explains 1% of the variance.
    """

    name = "split"
    question = "Which segment is worth splitting, which are alike, and which does nobody reach?"
    about = Portfolio
    needs = ("outcomes",)

    def answer(self, subject: Portfolio) -> Structure:
        outcome = outcome_of(subject)
        sizes = dict(
            subject.engine.rows(f"""
                select segment,
                    least(count(*) filter ({_FINDING}), count(*) filter (not ({_FINDING})))
                from outcomes
                group by segment
                order by segment
            """)
        )
        enough = [name for name in subject.strategy.segments if sizes.get(name, 0) >= 2 * FEWEST]
        rules = _best(subject, enough)
        measured = dict(_measured(subject, rules))
        clear = [split for split in measured.values() if split is not None]
        clear.sort(key=lambda split: (-split.gain, split.segment))
        names = {split.segment for split in clear}
        return Structure(
            outcome=None if outcome is None else _in_words(subject, outcome),
            day=None if outcome is None else outcome.day,
            splits=tuple(clear),
            changes=tuple(changes(subject.strategy, (rules[split.segment] for split in clear))),
            pairs=tuple(pairs(subject)),
            unreached=tuple(unreached(subject)),
            looked_at=len(subject.days),
            not_clear=tuple(name for name in enough if name not in names),
            too_few=tuple(name for name in sizes if name not in enough),
            least=FEWEST,
            left_out=tuple(name for name in subject.facts if name in subject.cohorts),
            as_of=subject.as_of,
        )


SPLITS = Splits()


def _in_words(subject: Portfolio, outcome: Outcome) -> str:
    if outcome.model is None:
        return f"what was overdue was not paid in full within {WITHIN} days"
    target = subject.specs[outcome.model].target
    event = (target.event or "").replace("_", " ")
    return (
        f"{event} within {counted(target.horizon, 'day')} ({counted(target.dpd, 'day')} past due), "
        f"as {outcome.model} expects it"
    )


def _best(subject: Portfolio, segments: Sequence[str]) -> dict[str, SplitRule]:
    """For each segment the best split on the half that splits are looked for in."""
    best: dict[str, _Found] = {}
    if not segments:
        return {}
    for name in open_facts(subject):
        fact = subject.facts[name]
        tried = _of_number(subject, fact) if fact.kind.is_numeric else _of_levels(subject, fact)
        for found in tried:
            segment = found.rule.segment
            if segment in segments and (
                segment not in best or found.score > best[segment].score + 1e-9
            ):
                best[segment] = found
    return {segment: found.rule for segment, found in sorted(best.items())}


def _of_number(subject: Portfolio, fact: Fact) -> Iterator[_Found]:
    value = f"cast({fact_column(fact.name)} as double)"
    at_or_above = (
        f"coalesce(cast(value >= cuts[{n + 1}] as integer), 0)" for n in range(_MOST_CUTS)
    )
    reached = f"case when value is not null then {' + '.join(at_or_above)} end"
    rows = subject.engine.rows(f"""
        with own as (
            select segment, label, {value} as value from outcomes where {_FINDING}
        ),
        by_segment as (
            select segment,
                case when count(distinct rounded) <= {_MOST_CUTS}
                    then list_sort(list(distinct rounded))
                    else quantile_disc(rounded, {_TENTHS}) end as cuts
            from (select segment, value, {_ROUNDED} as rounded from own)
            where value is not null
            group by segment
        )
        select segment, cuts, {reached} as bin, count(*), sum(label)
        from own
        join by_segment using (segment)
        group by segment, cuts, bin
        order by segment, bin nulls first
    """)
    by_segment: dict[str, list[tuple[int | None, int, int]]] = {}
    cuts_of: dict[str, list[float]] = {}
    for segment, cuts, place, accounts, bad in rows:
        cuts_of[segment] = cuts
        by_segment.setdefault(segment, []).append((place, int(accounts), int(bad)))
    for segment, bins in by_segment.items():
        whole = (sum(n for _, n, _ in bins), sum(b for *_, b in bins))
        for number, cut in enumerate(cuts_of[segment], start=1):
            own = [(n, b) for place, n, b in bins if place is not None and place >= number]
            score = _chi_squared((sum(n for n, _ in own), sum(b for _, b in own)), whole)
            if score:
                least = Decimal(str(cut)).normalize()
                yield _Found(score, SplitRule(segment, fact, least))


def _of_levels(subject: Portfolio, fact: Fact) -> Iterator[_Found]:
    if not (fact.kind.is_textual or fact.kind is Kind.BOOLEAN):
        return
    rows = subject.engine.rows(f"""
        select segment, cast({fact_column(fact.name)} as varchar) as value, count(*), sum(label)
        from outcomes
        where {_FINDING}
        group by segment, value
        order by segment, value
    """)
    if len({value for _, value, *_ in rows}) > _MOST_LEVELS:
        return
    by_segment: dict[str, list[tuple[str | None, int, int]]] = {}
    for segment, value, accounts, bad in rows:
        by_segment.setdefault(segment, []).append((value, int(accounts), int(bad)))
    for segment, levels in by_segment.items():
        whole = (sum(n for _, n, _ in levels), sum(b for *_, b in levels))
        known = [
            (b / n, value, n, b)
            for value, n, b in levels
            if value is not None
            and n >= FEWEST
            and (fact.kind is not Kind.BOOLEAN or value == "true")
        ]
        known.sort(key=lambda level: (-level[0], level[1]))
        for count in range(1, len(known) + 1):
            own = known[:count]
            score = _chi_squared((sum(n for *_, n, _ in own), sum(b for *_, b in own)), whole)
            if score:
                names = tuple(sorted(value for _, value, *_ in own))
                yield _Found(score, SplitRule(segment, fact, None, names))


def _chi_squared(own: tuple[int, int], whole: tuple[int, int]) -> float:
    """Of (accounts, of which bad) of a part and of the whole; 0 where a part is too small."""
    (n, bad), (all_, all_bad) = own, whole
    if min(n, all_ - n) < max(FEWEST, _SMALLEST * all_) or not 0 < all_bad < all_:
        return 0.0
    expected = all_bad / all_
    return (bad / n - expected) ** 2 * n * all_ / ((all_ - n) * expected * (1 - expected))


def _measured(
    subject: Portfolio, rules: Mapping[str, SplitRule]
) -> Iterator[tuple[str, Split | None]]:
    """Each split on the other half; None where it is not clear."""
    if not rules:
        return
    apart = "case segment " + " ".join(
        f"when {literal(segment)} then {rule.sql}" for segment, rule in rules.items()
    )
    measured = rates_by(subject, f"segment, {apart} end", where=f"not ({_FINDING})")
    sizes = {
        (segment, part): int(n)
        for segment, part, n in subject.engine.rows(
            f"select segment, {apart} end as apart, count(*) from outcomes group by 1, 2"
        )
    }
    reach = NormalDist().inv_cdf(1 - 0.025 / len(rules))
    for segment, rule in rules.items():
        own, rest = (measured.get((segment, part)) for part in (True, False))
        if own is None or rest is None or min(own.accounts, rest.accounts) < FEWEST:
            yield segment, None
            continue
        gain = _explained(own, rest)
        difference = abs(own.rate - rest.rate)
        if difference <= reach * own.error_against(rest) or gain < _WORTH:
            yield segment, None
            continue
        yield (
            segment,
            Split(
                segment=segment,
                apart=rule.text,
                fact=rule.fact.name,
                fact_in_words=glossed(rule.fact.words).strip() or rule.fact.name,
                # Some features are not for models, but known as of any date.
                static=rule.fact.static and rule.fact.family == rule.fact.name,
                accounts=sizes[segment, True],
                measured=own.accounts,
                **_shown(subject, own, ""),
                others=sizes[segment, False],
                others_measured=rest.accounts,
                **_shown(subject, rest, "other_"),
                gain=subject.figure(gain),
            ),
        )


def _shown(subject: Portfolio, rate: Rate, prefix: str) -> dict[str, Decimal]:
    return {
        f"{prefix}rate": subject.figure(rate.rate),
        f"{prefix}low": subject.figure(max(rate.rate - NORMAL_95 * rate.error, 0.0)),
        f"{prefix}high": subject.figure(min(rate.rate + NORMAL_95 * rate.error, 1.0)),
    }


def _explained(own: Rate, rest: Rate) -> float:
    """The part of the variance between two groups."""
    share = own.accounts / (own.accounts + rest.accounts)
    overall = share * own.rate + (1 - share) * rest.rate
    if not 0 < overall < 1:
        return 0.0
    between = share * (1 - share) * (own.rate - rest.rate) ** 2
    return between / (overall * (1 - overall))
