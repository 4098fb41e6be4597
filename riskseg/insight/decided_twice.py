"""Accounts decided by two strategies: what insights about a change of strategy are asked of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from riskseg.domain.decision import OUTCOMES, RESULT
from riskseg.domain.problems import Problems
from riskseg.domain.relations import Relation, fact_column, literal, quoted
from riskseg.pipeline.contracts import build
from riskseg.pipeline.decision_columns import IN_FULL
from riskseg.pipeline.decisions import Decider, decider, make_decided, scored_by
from riskseg.pipeline.facts import OVERDUE
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
from riskseg.strategy.compile import SEGMENTED
from riskseg.strategy.renames import renames

DECIDE = Stage("decide", "decide every account with both strategies")
# What is decided by which the decisions of the old strategy are added up.
ADDED_UP_BY = (*OUTCOMES, "channel")


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

    `engine` holds two tables. `decided_before` is what the old strategy decides of all accounts,
    added up: their number (accounts) and overdue balance (overdue; null without bills) by the
    columns `ADDED_UP_BY`. `decided_otherwise` has a row for each account that the new strategy
    decides otherwise, with the columns account_no (a key of the table `account_ids`), overdue,
    protected (whether a protective flag of either strategy is true; null where none is, and one is
    unknown) and, for each of `names`, `old(name)` and `new(name)`. `names` are the bands and tiers
    that both strategies have, which are the `levels`, then what else is decided. A segment, path or
    action that only has another name in the new strategy has that name in all of them.
    `without_models` are the models that were never trained, whose probabilities are unknown for
    every account.
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
        self._halves = [_halves(decider.compiled) for decider in self._deciders]
        self._tables: set[str] = set()

    def add(self, first: int, last: int) -> None:
        """Decide the accounts of a range: all of them with the old strategy, and with the new one
        those that it may decide otherwise."""
        before, after = self._deciders
        session, day = self._session, (self.as_of, (first, last))
        wanted = before.wanted | after.wanted
        read = before.read_by_rules.union(after.read_by_rules, OVERDUE)
        have_facts(session, wanted, *day, read)
        self._scores = have_scores(session, wanted, self._scorers, session.facts, *day)
        self.engine.run("create or replace temp view facts_of_both as select * from facts")
        self._scored: list[Relation] = []
        self._put_scored(before)
        found = self._found(before)
        self._decide(before, "decided_old", self._old(found))
        self._take("decided_before", self._added_up())
        self._put_scored(after)
        if found and found == self._found(after):
            self._put_scored(after, self._where_they_may_differ(found))
        self._decide(after, "decided_beside", self._beside_old())
        self._take("decided_otherwise", "from decided_beside")

    def _put_scored(self, by: Decider, where: str = "") -> None:
        """Make `scored` of the accounts, as a strategy needs it, and hold it against what proofs
        assume. Of facts, those that the strategy reads are there: one that the other reads may go
        by the name of a probability."""
        columns = ", ".join(["snap", "account_no", "as_of", *self._facts_read(by)])
        facts = Relation("facts", f"select {columns} from facts_of_both {where}")
        scores = {key: self._scores[s.model.name] for key, s in by.scorers.items()}
        relations = [facts, scored_by(by, scores)]
        if relations != self._scored:
            build(self.engine, relations)
            self._scored, self._held = relations, frozenset[str]()
        if not where:
            checks = by.strategy, by.relations, self.scale
            self._held = hold_against(self.engine, *checks, self._held)

    def _facts_read(self, by: Decider) -> list[str]:
        read = {*map(fact_column, (*OVERDUE, *by.read_by_rules))}
        return [c for c in map(quoted, self.engine.columns("facts_of_both")) if c in read]

    def _found(self, by: Decider) -> list[str]:
        """The columns, beside facts, of what a strategy finds of the accounts in `scored` up to
        their segment: levels, and what it reads from there on. None where the strategies do not go
        on alike from there. Where they do, an account of which both find the same is decided
        alike."""
        (_, then), (_, then_after) = self._halves
        if then != then_after:
            return []
        relations, _ = self._halves[self._deciders.index(by)]
        found = map(quoted, self.engine.columns_of_each(relations)[-1])
        facts, levels = {*self._facts_read(by)}, {*map(out, self.levels)}
        text = " ".join(relation.select for relation in then)
        return sorted(c for c in found if c in levels or (c in text and c not in facts))

    def _where_they_may_differ(self, found: Sequence[str]) -> str:
        """A condition for the accounts of which the strategies have not found the same."""
        relations, _ = self._halves[1]
        differs = " or ".join(f"n.{column} is distinct from o.{column}" for column in found)
        select = f"""
        select n.snap
        from {relations[-1].name} n
        join decided_old o on o.snap = n.snap
        where {differs}
        """
        build(self.engine, [*relations, Relation("may_differ", select, materialized=True)])
        return "where snap in (select snap from may_differ)"

    def _decide(self, by: Decider, table: str, select: str) -> None:
        """Make a table of what a strategy decides of the accounts in `scored`."""
        make_decided(self.engine, by, Relation(table, select, materialized=True))

    def _take(self, table: str, rows: str) -> None:
        into = f"insert into {table}" if table in self._tables else f"create temp table {table} as"
        self.engine.run(f"{into} {rows}")
        self._tables.add(table)

    @property
    def _scorers(self) -> dict[str, Scorer]:
        """The models of both strategies, by name."""
        return {s.model.name: s for decider in self._deciders for s in decider.scorers.values()}

    # Selects of what is decided by the old strategy, then by both.

    def _added_up(self) -> str:
        by = {old(name): name for name in ADDED_UP_BY}
        columns = "".join(f"{column} as {name},\n            " for column, name in by.items())
        return f"""
        select
            {columns}count(*) as accounts,
            sum(overdue) as overdue
        from decided_old
        group by {", ".join(by)}
        """

    def _old(self, found: Iterable[str]) -> str:
        selected = [f"{self._by_new_name(name)} as {old(name)}" for name in self.names]
        selected += [f"d.{column}" for column in found]
        columns = "".join(f",\n            {column}" for column in selected)
        return f"""
        select
            d.snap,
            {self._overdue} as overdue,
            {_any(self.strategies[0].protective)} as protected{columns}
        from {IN_FULL} d
        """

    def _by_new_name(self, column: str) -> str:
        """A column of the old strategy's decisions, with the new names of segments, paths and
        actions that only have another name."""
        decided, names = f"d.{out(column)}", self._renames.of_column(column)
        whens = " ".join(f"when {literal(a)} then {literal(b)}" for a, b in names.items())
        return f"case {decided} {whens} else {decided} end" if names else decided

    def _beside_old(self) -> str:
        columns = "".join(
            f",\n            o.{old(name)},\n            d.{out(name)} as {new(name)}"
            for name in self.names
        )
        differs = " or ".join(
            f"o.{old(name)} is distinct from d.{out(name)}" for name in self.names
        )
        return f"""
        select
            d.account_no,
            o.overdue,
            o.protected or {_any(self.strategies[1].protective)} as protected{columns}
        from decided_old o
        join {IN_FULL} d on d.snap = o.snap
        where {differs}
        """

    @property
    def _overdue(self) -> str:
        return f"d.{fact_column('balance_overdue')}" if self.billed else "null::decimal(18, 4)"


def _halves(relations: Sequence[Relation]) -> tuple[Sequence[Relation], Sequence[Relation]]:
    """The relations up to the segment, and those after it."""
    end = [relation.name for relation in relations].index(SEGMENTED) + 1
    return relations[:end], relations[end:]


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
