"""Every account decided by two strategies, side by side in one table: what insights about a change
of strategy are asked of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from riskseg.domain.decision import RESULT
from riskseg.domain.problems import Problems
from riskseg.domain.relations import Relation, fact_column, literal, quoted
from riskseg.pipeline.decisions import Decider, decide_scored, decider
from riskseg.pipeline.facts import ALWAYS, OVERDUE
from riskseg.pipeline.facts_of_day import have_facts, have_scores
from riskseg.pipeline.feed_checks import source_notes
from riskseg.pipeline.models import Scorer, used_champions
from riskseg.pipeline.open_journal import read_journal
from riskseg.pipeline.session import Session
from riskseg.pipeline.stages import Stage
from riskseg.rules.elements import in_force
from riskseg.rules.model import Strategy
from riskseg.rules.sql import out
from riskseg.strategy.renames import renames

DECIDE = Stage("decide", "decide every account with both strategies")


def old(name: str) -> str:
    """The column of what the old strategy decides."""
    return quoted(f"old {name}")


def new(name: str) -> str:
    """The column of what the new strategy decides."""
    return quoted(f"new {name}")


def differs(names: Iterable[str]) -> str:
    """The condition that the strategies differ in any of these columns of a decision."""
    return " or ".join(
        f"{old(differing_name)} is distinct from {new(differing_name)}" for differing_name in names
    )


class DecidedTwice:
    """The accounts there are as of a date, each decided by two strategies, from the very same facts
    and probabilities.

    `engine` holds them as the table `decided_twice`, a row for each account, with the columns
    account_no (a key of the table `account_ids`), overdue (null without bills), protected (whether
    a protective flag of either strategy is true; null where none is, and one is unknown) and, for
    each of `names`, `old(name)` and `new(name)`. `names` are the bands and tiers that both
    strategies have, which are the `levels`, then what else is decided. A segment, path or action
    that only has another name in the new strategy has that name in both. `without_models` are the
    models that were never trained, whose probabilities are unknown for every account.
    """

    def __init__(
        self, session: Session, strategies: tuple[Strategy, Strategy], as_of: date
    ) -> None:
        """Raises RS602 for a date before anything is known, RS210 for one on which a strategy has
        no paths, RS401 for a model never trained."""
        self._session, self.strategies, self.as_of = session, strategies, as_of
        self.engine, self.billed, self.scale = session.engine, session.ledger.billed, session.scale
        self.currency = session.workspace.settings.currency
        session.answers(as_of)
        self.notes = (*_dates_noted(strategies, as_of), *source_notes(session, as_of))
        names = {
            model: model
            for decided_strategy in strategies
            for model in decided_strategy.uses.values()
        }
        with read_journal(session.workspace) as journal:
            models = used_champions(session.workspace, names, journal)
        self.models = {model_name: model.version for model_name, model in sorted(models.items())}
        self.without_models = tuple(sorted(set(names) - set(models)))
        self._deciders = [
            decider(
                strategy,
                {
                    key: models[model_name]
                    for key, model_name in strategy.uses.items()
                    if model_name in models
                },
                as_of,
                "none",
                session.facts,
                billed=self.billed,
                scale=self.scale,
                currency=self.currency,
            )
            for strategy in strategies
        ]
        levels = [
            [*(b.name for b in decided_strategy.bands), *(c.name for c in decided_strategy.schemes)]
            for decided_strategy in strategies
        ]
        self.levels = [model_name for model_name in levels[1] if model_name in levels[0]]
        self.names = [*self.levels, *RESULT]
        self._renames = renames(*strategies)
        self._begun = False

    def add(self, first: int, last: int) -> None:
        """Decide the accounts of a range with both strategies."""
        before, after = self._deciders
        session = self._session
        have_facts(session, before.wanted | after.wanted, self.as_of, (first, last))
        self._scores = have_scores(session, self._scorers, session.facts, self.as_of, (first, last))
        self.engine.run("create or replace temp table facts_of_both as from facts")
        self._decide(before, Relation("decided_old", self._old(), materialized=True))
        self._decide(after, Relation("decided_beside", self._beside_old(), materialized=True))
        into = "insert into decided_twice" if self._begun else "create temp table decided_twice as"
        self.engine.run(f"{into} from decided_beside")
        self._begun = True

    @property
    def _scorers(self) -> dict[str, Scorer]:
        """The models of both strategies, by name."""
        return {s.model.name: s for decider in self._deciders for s in decider.scorers.values()}

    def _decide(self, decider: Decider, of_decided: Relation) -> None:
        """Make a relation of what is decided of `facts_of_both`. Only what this strategy asked for
        is there: a fact the other one reads may go by the name of a probability of this one."""
        wanted = {fact_column(wanted_fact) for wanted_fact in (*ALWAYS, *OVERDUE, *decider.wanted)}
        facts = [
            quoted_column
            for quoted_column in map(quoted, self.engine.columns("facts_of_both"))
            if quoted_column in wanted
        ]
        selected_columns = ", ".join(["snap", "account_no", "as_of", *facts])
        self.engine.run(
            f"create or replace temp table facts as select {selected_columns} from facts_of_both"
        )
        scores = {key: self._scores[s.model.name] for key, s in decider.scorers.items()}
        decide_scored(self.engine, decider, scores, of_decided)

    # Two relations: `decided` is first of the old strategy, then of the new one.

    def _old(self) -> str:
        old_columns = "".join(
            f",\n    {self._by_new_name(column_name)} as {old(column_name)}"
            for column_name in self.names
        )
        return f"""
        select
            d.snap,
            {_any(self.strategies[0].protective)} as protected{old_columns}
        from decided d
        """

    def _by_new_name(self, column: str) -> str:
        """A column of the old strategy's decisions, with the new names of segments, paths and
        actions that only have another name."""
        decided, names = f"d.{out(column)}", self._renames.of_column(column)
        whens = " ".join(f"when {literal(a)} then {literal(b)}" for a, b in names.items())
        return f"case {decided} {whens} else {decided} end" if names else decided

    def _beside_old(self) -> str:
        columns_of_both = "".join(
            f",\n    o.{old(column_name)},\n    d.{out(column_name)} as {new(column_name)}"
            for column_name in self.names
        )
        overdue = f"d.{fact_column('balance_overdue')}" if self.billed else "null::decimal(18, 4)"
        return f"""
        select
            d.account_no,
            {overdue} as overdue,
            o.protected or {_any(self.strategies[1].protective)} as protected{columns_of_both}
        from decided_old o
        join decided d on d.snap = o.snap
        """


def _any(flags: Sequence[str]) -> str:
    """Whether any flag is true; unknown where none is and one is unknown."""
    return f"({' or '.join(f'd.{fact_column(f)}' for f in flags)})" if flags else "false"


def _dates_noted(strategies: Iterable[Strategy], as_of: date) -> tuple[str, ...]:
    """A note for each strategy outside its effective dates: a version may be tried before it
    holds. Raises RS210 where it has segments without a path on that date."""
    notes, problems = [], Problems()
    for strategy in strategies:
        if in_force([strategy], as_of):
            continue
        dates = f"from {strategy.effective_from}" if strategy.effective_from else ""
        dates += f" until {strategy.effective_to}" if strategy.effective_to else ""
        holds = f'The strategy "{strategy.name}" holds {dates.strip()}; {as_of} is outside that'
        if all(in_force(strategy.paths_of(segment), as_of) for segment in strategy.segments):
            notes.append(f"{holds}. It is tried as if it held.")
        else:
            problems.add(
                "RS210",
                f"{holds}, and its paths do not cover that day.",
                file=f"{strategy.folder}/strategy.yaml",
                hint="Choose another date.",
            )
    problems.raise_if_any()
    return tuple(notes)
