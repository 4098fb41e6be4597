"""Whether probabilities came true, by segment and by month."""

from __future__ import annotations

import math
from collections.abc import Iterator

from riskseg.domain.relations import literal
from riskseg.insight.insight import Insight
from riskseg.insight.intervals import NORMAL_95, clear_of_many, ratio_of_sums
from riskseg.insight.portfolio import Portfolio
from riskseg.insight.portfolio_tables.came_true import known_days
from riskseg.insight.small_numbers import hidden_groups
from riskseg.results.insights.answer import FEWEST
from riskseg.results.insights.calibration import CalibratedGroup, Calibration, NotYetKnown

# What accounts are grouped by, as SQL over `came_true`.
_GROUPS = {"model": "model", "segment": "segment", "month": "strftime(day, '%Y-%m')"}


class CalibrationOfModels(Insight[Portfolio, Calibration]):
    """The mean probability of the accounts of a group, against the share of them for which it came
    true. The interval is that of a ratio of sums over parties (Cochran, Sampling Techniques, 1977,
    section 6.3), and never narrower than the probabilities themselves make it: where none of a few
    accounts came true, what is observed does not vary at all."""

    name = "calibration"
    question = "Do as many accounts default or pay late as the models expect?"
    about = Portfolio
    needs = ("came_true",)

    def answer(self, subject: Portfolio) -> Calibration:
        groups = [group for name in subject.specs for group in _of_model(subject, name)]
        limit = clear_of_many([chance for group, chance in groups if group.observed is not None])
        return Calibration(
            groups=tuple(_judged(group, clear=chance <= limit) for group, chance in groups),
            unknown=tuple(
                NotYetKnown(model=name, days=spec.label_days)
                for name, spec in subject.specs.items()
                if not known_days(subject, spec)
            ),
            least=FEWEST,
            as_of=subject.as_of,
        )


CALIBRATION = CalibrationOfModels()


def _of_model(subject: Portfolio, name: str) -> Iterator[tuple[CalibratedGroup, float]]:
    """The groups of a model, each with how probable it is that chance alone makes so large a
    difference."""
    for by, group in _GROUPS.items():
        rows = list(
            subject.engine.rows(
                f"""
            with by_party as (
                select {group} as group_name, party_id,
                    count(distinct account_id) as accounts,
                    count(*) as times,
                    sum(cast(probability as decimal(18, 6))) as expected,
                    sum(label) as bad,
                    sum(sqrt(probability * (1 - probability))) as spread
                from came_true
                where model = {literal(name)}
                group by group_name, party_id
            )
            select group_name, sum(accounts), count(*), sum(times), sum(expected), sum(bad),
                sum((bad - expected) * (bad - expected)),
                sum((bad - expected) * times),
                sum(times * times),
                sum(spread * spread)
            from by_party
            group by group_name
            order by group_name
            """
            )
        )
        few = hidden_groups({group_name: int(accounts) for group_name, accounts, *_ in rows})
        for group_name, *sums in rows:
            yield _group(
                subject, name, by, group_name, *map(float, sums), shown=group_name not in few
            )


def _group(
    subject: Portfolio,
    model: str,
    by: str,
    group: str,
    accounts: float,
    parties: float,
    times: float,
    expected: float,
    bad: float,
    *squares: float,
    shown: bool,
) -> tuple[CalibratedGroup, float]:
    of_excess, crossed, of_times, of_spread = squares
    excess, error = ratio_of_sums(
        parties, times, bad - expected, parts=of_excess, crossed=crossed, wholes=of_times
    )
    error = max(error, math.sqrt(of_spread) / times)
    observed, reach = bad / times, NORMAL_95 * error
    figures = (expected / times, observed, max(observed - reach, 0), min(observed + reach, 1))
    names = ("expected", "observed", "low", "high")
    columns = {n: subject.figure(f) for n, f in zip(names, figures, strict=True)}
    counts = {"accounts": int(accounts), "decisions": int(times)}
    found = CalibratedGroup(model=model, by=by, group=group, **counts, **(columns if shown else {}))
    return found, math.erfc(abs(excess) / error / math.sqrt(2)) if error else float(excess == 0)


def _judged(group: CalibratedGroup, *, clear: bool) -> CalibratedGroup:
    if not clear or group.observed is None or group.expected is None:
        return group
    which = "more" if group.observed > group.expected else "fewer"
    return group.model_copy(update={"clear": which})
