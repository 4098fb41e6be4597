"""`rehearse`: strategies carried out day by day, over the past of a workspace or over a generated
portfolio that responds to them.

Each day's worklist is issued to a scratch journal, so that the next day reads what was done; the
workspace's own journal stays as it is. Facts are as they were known on each day. Nobody's answer
to a worklist is known: whatever needs approval is taken to be approved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING

from riskseg.domain.problems import Problems, did_you_mean, problem
from riskseg.ledger.settled import settled_bills
from riskseg.pipeline.contracts import build
from riskseg.pipeline.decisions import prepare
from riskseg.pipeline.feed_checks import notes_of_days
from riskseg.pipeline.open_journal import read_journal
from riskseg.pipeline.outputs import check_target
from riskseg.pipeline.rehearsal import Period, amount
from riskseg.pipeline.rehearsal import Rehearsal as Rehearsed
from riskseg.pipeline.responding import (
    RespondingLedger,
    check_actions,
    generate,
    generated_session,
)
from riskseg.pipeline.session import Session
from riskseg.pipeline.stages import Plan, Progress, Stage
from riskseg.pipeline.strategy_versions import VersionsJob, checking
from riskseg.results.interval import Interval
from riskseg.results.rehearsal import (
    Rehearsal,
    RehearsedAction,
    RehearsedDay,
    RehearsedDifference,
    RehearsedStrategy,
    RehearsedWeek,
)
from riskseg.rules.elements import in_force
from riskseg.rules.model import Strategy
from riskseg.store import sinks
from riskseg.strategy.described import version_of

if TYPE_CHECKING:
    from riskseg.synthetic.responding import Responding

PREPARE = Stage("models", "load the champions of the strategies' models")
REHEARSE = Stage("rehearse", "day by day: decide, list, issue to a scratch journal", weight=20)
COUNT = Stage("count", "add up by week and path, and compare")

EVERY = {"day": 1, "week": 7}
MEASURES = ("actions", "contacts", "significant", "cost", "cures", "paid", "overdue")
_MONEY = ("cost", "paid", "overdue")
# Of a normal distribution, 95% lies within so many standard deviations of its mean.
_WITHIN = 1.959964


class _Rehearsal(VersionsJob):
    """What a run of `rehearse` holds while it is carried out."""

    source: Session

    def __init__(
        self,
        root: Path,
        names: Sequence[str],
        here: Path,
        period: Period,
        *,
        capacity: Mapping[str, int],
        more_than: int,
        target: str | None,
        generated: int | None,
        seed: int,
        progress: Progress | None,
    ) -> None:
        super().__init__(root, names or [None], here, progress=progress)
        self.period, self.more_than, self.target = period, more_than, target
        self.generated, self.seed, self.capacity = generated, seed, capacity
        self.portfolio: Responding | None = None

    @property
    def needs_data(self) -> bool:
        return True

    def load(self) -> None:
        if self.generated is None:
            super().load()
            return
        assert self.workspace is not None
        period = self.period
        self.portfolio = generate(self.generated, self.seed, period.first, period.last)
        session = generated_session(self.workspace, self.portfolio)
        self.source = self.opened.enter_context(session)

    def prepare(self) -> None:
        session = self.source
        strategies = [edition.strategy for edition in self.editions]
        _check_paths(strategies, self.period.days)
        _check_capacity(strategies, self.capacity)
        if self.portfolio is not None:
            check_actions(strategies)
        else:
            for note in notes_of_days(session, self.period.days):
                self.progress.warn(note)
        assert self.workspace is not None
        with read_journal(self.workspace) as journal:
            self.deciders = [
                prepare(session, strategy, self.period.first, journal, reasons="none")
                for strategy in strategies
            ]
        # What is over of each account stays so, unless people are yet to respond.
        shared = session.ledger.billed and self.portfolio is None
        if shared:
            build(session.engine, settled_bills(session.ledger.money))
        self.rehearsed = Rehearsed(
            session, self.deciders, self.period, capacity=self.capacity, shared=shared
        )

    def rehearse(self) -> None:
        days = self.period.days
        for side, side_decider in enumerate(self.deciders):
            self.rehearsed.begin()
            people = None
            if self.portfolio is not None:
                people = RespondingLedger(self.source, self.portfolio, side_decider.strategy)
            for number, day in enumerate(days):
                share = (side + number / len(days)) / len(self.deciders)
                self.progress.within(share, str(day))
                if people is None:
                    self.rehearsed.pass_day(side, day)
                    continue
                people.begin_day()
                people.stage()
                self.rehearsed.pass_day(side, day)
                people.end_day(issued=True)
                for _ in range(self.period.without_worklist(day)):
                    people.begin_day()
                    people.end_day(issued=False)
            self.rehearsed.end(side)

    def count(self) -> None:
        session, period = self.source, self.period
        side_names = _names([edition.strategy for edition in self.editions])
        weeks = session.engine.arrow(self.rehearsed.weeks()).to_pylist()
        if not session.ledger.billed:
            weeks = [{**week, "in_arrears": None, "cures": None} for week in weeks]
        self.done = Rehearsal(
            first=period.first,
            last=period.last,
            every=period.every,
            generated=self.generated,
            more_than=self.more_than,
            currency=session.workspace.settings.currency,
            scale=session.scale,
            strategies=tuple(
                self._strategy(side, side_name) for side, side_name in enumerate(side_names)
            ),
            differences=tuple(self._differences()),
            weeks=tuple(
                RehearsedWeek(strategy=side_names[week_row.pop("side")], **week_row)
                for week_row in weeks
            ),
            place=None,
        )
        if self.target is not None:
            weeks_table = self.done.to_arrow()
            token = f"rehearse-{period.first}"
            written = sinks.write(
                self.target, weeks_table.schema, weeks_table.to_batches(), token=token
            )
            self.done = self.done.model_copy(update={"place": written.place})

    def _strategy(self, side: int, name: str) -> RehearsedStrategy:
        strategy, scale = self.deciders[side].strategy, self.source.scale
        summed_measures = ", ".join(
            f"cast(coalesce(sum({measure_name}), 0) as bigint)"
            for measure_name in ("accounts", *MEASURES)
        )
        parties = self.rehearsed.by_party()
        sums_row = self.source.engine.rows(
            f"select {summed_measures} from ({parties}) where side = {side}"
        )[0]
        total_by_measure = dict(zip(("accounts", *MEASURES), sums_row, strict=True))
        days = [
            RehearsedDay(day=day, action=action, channel=channel, issued=issued)
            for day, action, channel, issued in self.rehearsed.days(side)
        ]
        known = self._known()
        costs = any(action.cost is not None for action in strategy.actions)
        return RehearsedStrategy(
            strategy=version_of(strategy),
            name=name,
            accounts=total_by_measure["accounts"],
            issued=total_by_measure["actions"],
            contacts=total_by_measure["contacts"],
            significant=total_by_measure["significant"],
            cost=amount(total_by_measure["cost"], scale) if costs else None,
            cures=total_by_measure["cures"] if "cures" in known else None,
            paid=amount(total_by_measure["paid"], scale) if "paid" in known else None,
            overdue=amount(total_by_measure["overdue"], scale) if "overdue" in known else None,
            contacted_often=self.rehearsed.contacted_often(side, self.more_than),
            actions=tuple(_actions(strategy, days, self.rehearsed.left(side))),
            days=tuple(days),
        )

    def _known(self) -> list[str]:
        """The measures of which anything is known: without bills and payments not all are."""
        sources = self.source.ledger.sources
        needed = {"cures": "bills", "overdue": "bills", "paid": "payments"}
        return [name for name in MEASURES if name not in needed or needed[name] in sources]

    def _differences(self) -> list[RehearsedDifference]:
        """What the second strategy has more of, party by party, over all of them."""
        if len(self.deciders) < 2:
            return []
        differences = ", ".join(
            f"coalesce(b.{measured}, 0) - coalesce(a.{measured}, 0) as {measured}"
            for measured in MEASURES
        )
        summed_differences = ", ".join(
            f"cast(sum({measured}) as double), "
            f"cast(sum(cast({measured} as hugeint) * {measured}) as double)"
            for measured in MEASURES
        )
        parties = self.rehearsed.by_party()
        sums_row = self.source.engine.rows(
            f"""
            with parties as ({parties}),
            differences as (
                select {differences}
                from (select * from parties where side = 0) a
                full join (select * from parties where side = 1) b on b.party = a.party
            )
            select count(*), {summed_differences}
            from differences
            """
        )[0]
        count, *sums_of_measures = sums_row
        differences_made, known = [], self._known()
        for measure, total, squares in zip(
            MEASURES, sums_of_measures[::2], sums_of_measures[1::2], strict=True
        ):
            if measure not in known:
                continue
            factor = 10.0**self.source.scale if measure in _MONEY else 1.0
            differences_made.append(
                RehearsedDifference(
                    measure=measure, difference=_interval(count, total, squares, factor)
                )
            )
        return differences_made


def _interval(count: int, total: float | None, squares: float | None, factor: float) -> Interval:
    """A total of `count` differences and its 95% interval, from their sum and that of their
    squares, all divided by `factor`: a normal approximation to the sum of independent parties."""
    mean_total, squares = total or 0.0, squares or 0.0
    variance = (
        max(squares - mean_total * mean_total / count, 0.0) * count / (count - 1)
        if count > 1
        else 0.0
    )
    half = _WITHIN * sqrt(variance)
    return Interval(
        *(
            round(end_value / factor, 2)
            for end_value in (mean_total, mean_total - half, mean_total + half)
        )
    )


def _actions(
    strategy: Strategy, days: Sequence[RehearsedDay], left: Mapping[str, int]
) -> list[RehearsedAction]:
    rehearsed_actions = []
    for action in strategy.actions:
        issued_counts = [day.issued for day in days if day.action == action.name]
        rehearsed_actions.append(
            RehearsedAction(
                action=action.name,
                channel=action.channel,
                issued=sum(issued_counts),
                cost=None if action.cost is None else action.cost * sum(issued_counts),
                most_a_day=max(issued_counts, default=0),
                left=left.get(action.name, 0),
            )
        )
    return rehearsed_actions


def _names(strategies: Sequence[Strategy]) -> list[str]:
    """What to call the strategies: their names, with the fingerprints where these are the same."""
    strategy_names = [strategy.name for strategy in strategies]
    if len(set(strategy_names)) == len(strategy_names):
        return strategy_names
    return [f"{strategy.name} {strategy.fingerprint}" for strategy in strategies]


def _check_paths(strategies: Sequence[Strategy], days: Sequence[date]) -> None:
    """Raise RS210 for a strategy that has a segment without a path on one of the days."""
    problems = Problems()
    for strategy in strategies:
        for day in days:
            if not all(
                in_force(strategy.paths_of(segment_name), day) for segment_name in strategy.segments
            ):
                problems.add(
                    "RS210",
                    f'The paths of the strategy "{strategy.name}" do not cover {day}.',
                    file=f"{strategy.folder}/paths.yaml",
                    hint="Rehearse days that they cover.",
                )
                break
    problems.raise_if_any()


def _check_capacity(strategies: Sequence[Strategy], capacity: Mapping[str, int]) -> None:
    """Raise RS209 for an action that none of the strategies has."""
    known = {action.name for strategy in strategies for action in strategy.actions}
    problems = Problems()
    for name in capacity:
        if name not in known:
            hint = did_you_mean(name, known)
            problems.add("RS209", f'There is no action "{name}".', hint=hint)
    problems.raise_if_any()


def plan() -> Plan:
    """What `rehearse` carries out."""
    return [
        *checking(_Rehearsal, data=True),
        PREPARE.by(_Rehearsal.prepare),
        REHEARSE.by(_Rehearsal.rehearse),
        COUNT.by(_Rehearsal.count),
    ]


def rehearse(
    root: Path,
    first: date,
    last: date,
    strategies: Sequence[str] = (),
    *,
    here: Path,
    every: str = "day",
    capacity: Mapping[str, int] | None = None,
    more_than: int = 4,
    target: str | None = None,
    generated: int | None = None,
    seed: int = 7,
    progress: Progress | None = None,
) -> Rehearsal:
    """Carry out one or two strategies from one day to another, both included.

    `strategies` are named as in :mod:`riskseg.pipeline.strategy_versions`; without any it is the
    workspace's folder. `every` is `day` or `week`. `capacity` says how often an action can be taken
    on a day of a worklist; the rest stays due. Accounts with more than `more_than` contacts
    are counted. With a `target`, the weeks are written there. With `generated`, a portfolio of that
    many accounts that responds to what is done stands in place of the workspace's data; another
    `seed`, another portfolio.

    Raises RS004 for days in the wrong order or too many strategies, RS602 for a day before anything
    is known.
    """
    if last < first:
        raise problem("RS004", f"{last} is before {first}.", hint="Give the earlier day first.")
    if len(strategies) > 2:
        message = f"There are {len(strategies)} strategies; two can be compared."
        raise problem("RS004", message, hint="Name one or two.")
    job = _Rehearsal(
        root,
        strategies,
        here,
        Period(first, last, EVERY[every]),
        capacity=capacity or {},
        more_than=more_than,
        target=target,
        generated=generated,
        seed=seed,
        progress=progress,
    )
    if target is not None:
        assert job.workspace is not None
        problems = Problems()
        check_target(job.workspace, target, problems)
        problems.raise_if_any()
    job.carry_out(plan())
    return job.done
