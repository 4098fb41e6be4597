"""Whether accounts in arrears are treated alike, whoever they are, and fare alike: by declared
cohort, in the legal frame that riskseg.toml names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from riskseg.domain.facts import Kind
from riskseg.domain.relations import literal
from riskseg.insight.insight import Insight
from riskseg.insight.intervals import (
    ObservedShare,
    clear_of_many,
    difference,
    observed_share,
    share_columns,
)
from riskseg.insight.legal_frames import legal_frames
from riskseg.insight.portfolio import Portfolio
from riskseg.insight.portfolio_tables.arranged import since
from riskseg.insight.proxies import level_sql, proxies
from riskseg.results.insights.answer import FEWEST
from riskseg.results.insights.fairness import CohortTreatment, LegalFrame, TreatmentByCohort
from riskseg.rules.elements import Action

# Values of an attribute beyond these are no cohorts.
_MOST_LEVELS = 25
# Within how many days after a day in arrears it is asked what came.
WITHIN = 30


@dataclass(frozen=True)
class Measure:
    """What is compared: the sum of `part` over that of `whole`, columns of `treated_accounts`.
    `good` says whether it is good for customers; None where it is neither, or no rate."""

    name: str
    part: str
    whole: str = "days"
    good: bool | None = None


MEASURES = (
    Measure("contacted", "contacted"),
    Measure("harshness", "harshness", "most_harshness"),
    Measure("offered help", "helped", good=True),
    Measure("significant action", "significant", good=False),
    Measure("plan", "planned", "followed_days", good=True),
    Measure("cured", "cured", "followed_days", good=True),
    Measure("complaint", "complained", "followed_days", good=False),
)
_SUMS = ("days", "followed_days", "most_harshness", *(measure.part for measure in MEASURES))


class FairnessOfTreatment(Insight[Portfolio, TreatmentByCohort]):
    """On how many of the days on which an account is in arrears something is due for it, how harsh
    that is, and after how many of them it agrees a plan, cures or complains within 30 days: by
    cohort, against all other accounts in arrears. An account is in the cohort that it is in on the
    last day."""

    name = "fairness"
    question = "Are accounts in arrears treated alike, whoever they are?"
    about = Portfolio
    needs = ("profiled", "past_episodes", "planned")

    def answer(self, subject: Portfolio) -> TreatmentByCohort:
        frame = legal_frames().get(subject.legal_frame)
        cohorts = [
            name
            for name, kinds in subject.cohorts.items()
            if _has_levels(subject, name) and (frame is None or kinds & {*frame.cohorts})
        ]
        _treated(subject)
        measures = [m for m in MEASURES if _is_asked(subject, m, frame)]
        levels = {name: _levels(subject, name, measures) for name in cohorts}
        levels = {name: own for name, own in levels.items() if 1 < len(own) <= _MOST_LEVELS}
        compared = [row for name, own in levels.items() for row in _compare(name, own, measures)]
        once = [row.chance for row in compared if row.counts]
        limit = clear_of_many(once)
        rows = [row.shown(subject, frame, clear=row.chance <= limit) for row in compared]
        return TreatmentByCohort(
            cohorts=tuple(sorted(rows, key=_clear_first)),
            proxies=proxies(subject, {name: [*own] for name, own in levels.items()}),
            compared=tuple(cohorts),
            suppressed=tuple(
                f"{name} = {level}"
                for name, own in levels.items()
                for level, counts in own.items()
                if counts["accounts"] < FEWEST
            ),
            comparisons=len(once),
            alone=sum(s.alone for s, row in zip(rows, compared, strict=True) if row.counts),
            clear=sum(s.is_clear for s, row in zip(rows, compared, strict=True) if row.counts),
            not_known=tuple(m.name for m in measures if not any(r.measure == m for r in compared))
            if compared
            else (),
            as_of=subject.as_of,
            protective=tuple(name for name in cohorts if "protective" in subject.cohorts[name]),
            frame=frame,
        )


FAIRNESS = FairnessOfTreatment()


def _clear_first(row: CohortTreatment) -> tuple[bool, Decimal]:
    """The clear differences come first, the largest before the others."""
    return not row.is_clear, -abs(row.here - row.elsewhere) if row.is_clear else Decimal(0)


def _has_levels(subject: Portfolio, name: str) -> bool:
    kind = subject.facts[name].kind
    return kind.is_textual or kind is Kind.BOOLEAN


def _is_asked(subject: Portfolio, measure: Measure, frame: LegalFrame | None) -> bool:
    """Whether a measure is compared: what nothing is known of is the same for everybody."""
    if frame is not None and measure.name not in frame.measures:
        return False
    known = {"complaint": "complaints", "plan": "planned"}.get(measure.name)
    return known is None or bool(subject.engine.value(f"select count(*) > 0 from {known}"))


def _treated(subject: Portfolio) -> None:
    """Make `treated_accounts`, a row for each account and party that was in arrears on any of the
    days, with the `_SUMS` over those days; and `complaints`. An action is as harsh as its place is
    among those of the strategy that are no help, from mild to harsh; nothing and help are 0."""
    harsh = [action.name for action in subject.actions if not action.helps]
    places = " ".join(f"when {literal(name)} then {n}" for n, name in enumerate(harsh, start=1))
    place = f"case d.action {places} else 0 end" if places else "0"

    def due(counts: Callable[[Action], bool]) -> str:
        names = ", ".join(literal(action.name) for action in subject.actions if counts(action))
        return f"d.action in ({names})" if names else "false"

    subject.engine.run(f"""
        create or replace temp table complaints as
        select i.account_id, e.happened_on
        from ledger_events e
        join account_ids i on i.account_no = e.account_no
        where e.kind = 'complaint'
            and e.known_on <= date '{subject.as_of}'
            and e.happened_on <= date '{subject.as_of}'
    """)
    subject.engine.run(f"""
        create or replace temp table treated_accounts as
        with days as (
            select d.account_id, d.party_id, {place} as place,
                {due(lambda action: action.contact)} as contacted,
                {due(lambda action: action.helps)} as helped,
                {due(lambda action: action.significant)} as significant,
                e.account_id is not null
                    and d.day + {WITHIN} <= date '{subject.as_of}'
                    and d.day + 1 >= date '{since(subject.as_of)}' as followed,
                coalesce(p.made_on <= d.day + {WITHIN}, false) as planned,
                coalesce(e.ended_on <= d.day + {WITHIN} and not e.by_plan, false) as cured,
                coalesce(c.happened_on <= d.day + {WITHIN}, false) as complained
            from decided_days d
            left join past_episodes e
                on e.account_id = d.account_id
                and e.started_on <= d.day
                and coalesce(e.ended_on > d.day, true)
            asof left join planned p on p.account_id = d.account_id and d.day < p.made_on
            asof left join complaints c on c.account_id = d.account_id and d.day < c.happened_on
            where d.balance_overdue > 0
        )
        select account_id, party_id,
            count(*) as days,
            count(*) filter (where followed) as followed_days,
            count(*) * {max(len(harsh), 1)} as most_harshness,
            count(*) filter (where contacted) as contacted,
            sum(place) as harshness,
            count(*) filter (where helped) as helped,
            count(*) filter (where significant) as significant,
            count(*) filter (where followed and planned) as planned,
            count(*) filter (where followed and cured) as cured,
            count(*) filter (where followed and complained) as complained
        from days
        group by account_id, party_id
    """)


Counts = Mapping[str, Any]


def _levels(subject: Portfolio, name: str, measures: list[Measure]) -> dict[str, Counts]:
    """Of each level of a cohort: the accounts, those that are looked at after their days, and for
    each measure what an observed share is made from."""
    sums = ", ".join(f"sum(t.{column}) as {column}" for column in _SUMS)
    shares = ", ".join(share_columns(measure.part, measure.whole) for measure in measures)
    rows = subject.engine.rows(f"""
        with by_party as (
            select {level_sql(name)} as level, t.party_id,
                count(distinct t.account_id) as accounts,
                count(distinct t.account_id) filter (where t.followed_days > 0) as followed,
                {sums}
            from treated_accounts t
            join profiled p on p.account_id = t.account_id
            group by all
        )
        select level, sum(accounts), sum(followed), {shares}
        from by_party
        group by level
        order by level
    """)
    return {
        level: {
            "accounts": int(accounts),
            "followed": int(followed),
            **{m.name: own[6 * n : 6 * n + 6] for n, m in enumerate(measures)},
        }
        for level, accounts, followed, *own in rows
    }


@dataclass(frozen=True)
class _Compared:
    """A level of a cohort against all others, in one measure."""

    cohort: str
    level: str
    measure: Measure
    accounts: int
    here: ObservedShare
    elsewhere: ObservedShare
    highest: Decimal
    counts: bool

    @property
    def chance(self) -> float:
        _, _, chance = difference(self.here, self.elsewhere)
        return chance

    def shown(
        self, subject: Portfolio, frame: LegalFrame | None, *, clear: bool
    ) -> CohortTreatment:
        low, high, _ = difference(self.here, self.elsewhere)
        judged = frame is not None and frame.least_ratio is not None and self.highest > 0
        return CohortTreatment(
            cohort=self.cohort,
            level=self.level,
            measure=self.measure.name,
            accounts=self.accounts,
            here=subject.figure(self.here.share),
            elsewhere=subject.figure(self.elsewhere.share),
            low=subject.figure(low),
            high=subject.figure(high),
            is_clear=clear,
            mirrored=not self.counts,
            ratio=subject.figure(_good(self.measure, self.here.share) / self.highest)
            if judged and self.measure.good is not None
            else None,
        )


def _good(measure: Measure, share: Decimal) -> Decimal:
    """The rate of what is good for customers."""
    return share if measure.good else 1 - share


def _compare(
    name: str, levels: Mapping[str, Counts], measures: list[Measure]
) -> Iterator[_Compared]:
    for measure in measures:
        size = "followed" if measure.whole == "followed_days" else "accounts"
        # Levels of few accounts are not among the others either: from those, and from what is shown
        # of each level, they could be worked out.
        accounts = {lv: counts[size] for lv, counts in levels.items() if counts[size] >= FEWEST}
        enough = [*accounts] if len(accounts) > 1 else []
        shares = {level: observed_share(*levels[level][measure.name]) for level in enough}
        rates = [_good(measure, share.share) for share in shares.values()]
        highest = max(rates, default=Decimal(0))
        mirrored = _mirrored(enough)
        for level, share in shares.items():
            others = [levels[other][measure.name] for other in enough if other != level]
            elsewhere = observed_share(*(sum(column) for column in zip(*others, strict=True)))
            yield _Compared(
                name,
                level,
                measure,
                accounts[level],
                share,
                elsewhere,
                highest,
                level != mirrored,
            )


def _mirrored(levels: Sequence[str]) -> str | None:
    """The level that differs from the others as another one does, the other way round: of a flag
    that of `false`, though it may be unknown of some accounts; of two levels the second."""
    if {"true", "false"} <= {*levels}:
        return "false"
    return levels[1] if len(levels) == 2 else None
