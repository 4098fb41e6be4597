"""Every account decided by two strategies, side by side in one table: what insights about a change
of strategy are asked of."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date

from riskseg.domain.decision import RESULT
from riskseg.domain.problems import Problems
from riskseg.domain.relations import Relation, fact_column, literal, quoted
from riskseg.pipeline.contracts import build
from riskseg.pipeline.decision_columns import IN_FULL
from riskseg.pipeline.decisions import (
    Decider,
    decide_scored,
    decider,
    make_decided,
    put_scored,
    scored_by,
)
from riskseg.pipeline.facts import ALWAYS, OVERDUE
from riskseg.pipeline.facts_of_day import have_facts, have_scores
from riskseg.pipeline.feed_checks import source_notes
from riskseg.pipeline.invariants import hold_against
from riskseg.pipeline.models import Scorer, used_champions
from riskseg.pipeline.open_journal import read_journal
from riskseg.pipeline.session import Session
from riskseg.pipeline.stages import Stage
from riskseg.rules.elements import in_force
from riskseg.rules.model import Strategy
from riskseg.rules.sql import out
from riskseg.strategy.common_end import own_relations
from riskseg.strategy.compile import compile_strategy
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
        scored = [scored_by(decider, self._scores_of(decider)) for decider in self._deciders]
        if before.wanted == after.wanted and scored[0] == scored[1]:
            self._decide_from_one_table()
            return
        self.engine.run("create or replace temp table facts_of_both as from facts")
        self._decide(before, Relation("decided_old", self._old(), materialized=True))
        self._decide(after, Relation("decided_beside", self._beside_old(), materialized=True))
        self._take("from decided_beside")

    def _take(self, rows: str) -> None:
        into = "insert into decided_twice" if self._begun else "create temp table decided_twice as"
        self.engine.run(f"{into} {rows}")
        self._begun = True

    def _decide_from_one_table(self) -> None:
        """Decide the accounts in `facts` with both strategies, which read the very same of them."""
        before, after = self._deciders
        put_scored(self.engine, before, self._scores_of(before))
        held = hold_against(self.engine, before.strategy, before.relations, self.scale)
        own = own_relations(*(compile_strategy(d.strategy, self.as_of) for d in self._deciders))
        differing = None if own is None else self._own_columns(*own)
        if own is None or differing is None:
            make_decided(self.engine, before, Relation("decided_old", self._old(), True))
            hold_against(self.engine, after.strategy, after.relations, self.scale, held)
            make_decided(self.engine, after, Relation("decided_beside", self._beside_old(), True))
            self._take("from decided_beside")
            return
        decided_old = Relation("decided_old", self._old_and_alike(differing), True)
        make_decided(self.engine, before, decided_old)
        hold_against(self.engine, after.strategy, after.relations, self.scale, held)
        self._decide_those_that_differ(own[1], differing)

    def _own_columns(
        self, old_relations: Sequence[Relation], new_relations: Sequence[Relation]
    ) -> Collection[str] | None:
        """The columns that each strategy adds by relations of its own, if they add the same."""
        common = self.engine.columns("scored")
        added = [
            set(self.engine.columns_of_each(relations)[-1]) - set(common) if relations else set()
            for relations in (old_relations, new_relations)
        ]
        return sorted(map(quoted, added[0])) if added[0] == added[1] else None

    def _decide_those_that_differ(
        self, own_relations: Sequence[Relation], columns: Collection[str]
    ) -> None:
        """Decide with the new strategy those accounts for which its own relations give other values
        than those of the old one. Every other is decided as by the old one: from the same values,
        by the same relations."""
        differs = " or ".join(f"n.{column} is distinct from o.{column}" for column in columns)
        last = own_relations[-1].name if own_relations else "scored"
        differing = f"""
        select n.snap
        from {last} n
        join decided_old o on o.snap = n.snap
        where {differs or "false"}
        """
        build(self.engine, [*own_relations, Relation("decided_otherwise", differing, True)])
        decided = "".join(f", {old(name)}, {new(name)}" for name in self.names)
        self._take(
            f"""
            select account_no, overdue, protected or also_protected as protected{decided}
            from decided_old
            where snap not in (select snap from decided_otherwise)
            """
        )
        if not self.engine.value("select count(*) from decided_otherwise"):
            return
        self.engine.run(
            """
            create or replace temp table scored as
            select *
            from scored
            where snap in (select snap from decided_otherwise)
            """
        )
        beside = Relation("decided_beside", self._beside_old(), materialized=True)
        make_decided(self.engine, self._deciders[1], beside)
        self._take("from decided_beside")

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
        decide_scored(self.engine, decider, self._scores_of(decider), of_decided)

    def _scores_of(self, decider: Decider) -> dict[str, str]:
        return {key: self._scores[s.model.name] for key, s in decider.scorers.items()}

    # Relations of what is decided, first by the old strategy, then by the new one.

    def _old(self, more: str = "") -> str:
        old_columns = "".join(
            f",\n    {self._by_new_name(column_name)} as {old(column_name)}"
            for column_name in self.names
        )
        return f"""
        select
            d.snap,
            {_any(self.strategies[0].protective)} as protected{old_columns}{more}
        from {IN_FULL} d
        """

    def _old_and_alike(self, columns: Collection[str]) -> str:
        """What :meth:`_old` gives, these columns, and what the new strategy decides of an account
        for which it gives these columns the same values."""
        more = [
            "d.account_no",
            f"{self._overdue} as overdue",
            f"{_any(self.strategies[1].protective)} as also_protected",
            *(f"d.{out(column_name)} as {new(column_name)}" for column_name in self.names),
            *(f"d.{column}" for column in columns),
        ]
        return self._old("".join(f",\n    {column}" for column in more))

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
        return f"""
        select
            d.account_no,
            {self._overdue} as overdue,
            o.protected or {_any(self.strategies[1].protective)} as protected{columns_of_both}
        from decided_old o
        join {IN_FULL} d on d.snap = o.snap
        """

    @property
    def _overdue(self) -> str:
        return f"d.{fact_column('balance_overdue')}" if self.billed else "null::decimal(18, 4)"


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
