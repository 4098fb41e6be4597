"""Who moves between two strategies: every account decided twice, and the differences counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from riskseg.domain.decision import OUTCOMES, RESULT
from riskseg.domain.problems import Problems
from riskseg.domain.relations import fact_column, quoted
from riskseg.pipeline.decisions import Decider, decide_scored, decider, make_facts, score_facts
from riskseg.pipeline.facts import ALWAYS, OVERDUE
from riskseg.pipeline.journal import read_journal
from riskseg.pipeline.models import load_champions
from riskseg.pipeline.session import Session
from riskseg.pipeline.stages import Stage
from riskseg.results.strategies import (
    AccountMigration,
    ChangedAction,
    MovedAccounts,
    MovedLevel,
    Outcome,
)
from riskseg.rules.elements import NO_ACTION, in_force
from riskseg.rules.model import Strategy
from riskseg.rules.sql import out

DECIDE = Stage("decide", "decide every account with both strategies")

EXAMPLES = 3


class Migration:
    """The old and the new of two strategies on the accounts there are as of a date, from the very
    same facts and probabilities, a range of accounts at a time."""

    def __init__(
        self, session: Session, strategies: tuple[Strategy, Strategy], as_of: date
    ) -> None:
        """Raises RS602 for a date before anything is known, RS210 for one on which a strategy has
        no paths, RS401 for a model never trained."""
        self._session, self._strategies, self._as_of = session, strategies, as_of
        billed = session.ledger.billed
        session.answers(as_of)
        self._notes = _holding(strategies, as_of)
        names = {model: model for s in strategies for model in s.uses.values()}
        with read_journal(session.workspace) as journal:
            self._models = load_champions(session.workspace, names, journal)
        self._old, self._new = (
            decider(
                s,
                {key: self._models[name] for key, name in s.uses.items()},
                as_of,
                "none",
                session.facts,
                billed=billed,
                scale=session.scale,
                currency=session.workspace.settings.currency,
            )
            for s in strategies
        )
        self._tally = _Tally(strategies, billed=billed)

    def add(self, first: int, last: int) -> None:
        """Decide the accounts of a range with both strategies, and count what differs."""
        session, engine, tally = self._session, self._session.engine, self._tally
        wanted = self._old.wanted | self._new.wanted
        make_facts(session, wanted, self._as_of, first, last)
        engine.run("create or replace temp table all_facts as select * from facts")
        _decide(session, self._old)
        engine.run(tally.keep_old())
        _decide(session, self._new)
        engine.run(tally.compare())
        tally.add(engine.rows)

    def moves(self) -> AccountMigration:
        """What was counted."""
        old, new = self._strategies
        settings = self._session.workspace.settings
        return self._tally.moves(
            self._as_of,
            models={n: m.version for n, m in sorted(self._models.items())},
            default_values=dict(sorted({**old.default_values, **new.default_values}.items())),
            notes=self._notes,
            currency=settings.currency,
            scale=settings.scale,
        )


def _holding(strategies: Iterable[Strategy], as_of: date) -> tuple[str, ...]:
    """A note for each strategy outside its effective dates: a version may be tried before it
    holds. Raises RS210 where it has segments without a path on that date."""
    notes, problems = [], Problems()
    for s in strategies:
        if in_force([s], as_of):
            continue
        dates = f"from {s.effective_from}" if s.effective_from else ""
        dates += f" until {s.effective_to}" if s.effective_to else ""
        holds = f'The strategy "{s.name}" holds {dates.strip()}; {as_of} is outside that'
        if all(in_force(s.paths_of(segment), as_of) for segment in s.segments):
            notes.append(f"{holds}. It is tried as if it held.")
        else:
            problems.add(
                "RS210",
                f"{holds}, and its paths do not cover that day.",
                file=f"{s.folder}/strategy.yaml",
                hint="Choose another date.",
            )
    problems.raise_if_any()
    return tuple(notes)


def _decide(session: Session, one: Decider) -> None:
    """Make `decided` from `all_facts`. Only what this strategy asked for is there: a fact the
    other one reads may go by the name of a probability of this one."""
    engine = session.engine
    mine = {fact_column(name) for name in (*ALWAYS, *OVERDUE, *one.wanted)}
    facts = [c for c in map(quoted, engine.columns("all_facts")) if c in mine]
    listed = ", ".join(["snap", "account_no", "as_of", *facts])
    engine.run(f"create or replace temp table facts as select {listed} from all_facts")
    decide_scored(engine, one, score_facts(engine, one))


def _was(name: str) -> str:
    return quoted(f"was {name}")


def _now(name: str) -> str:
    return quoted(f"now {name}")


def _differs(names: Iterable[str]) -> str:
    return " or ".join(f"{_was(n)} is distinct from {_now(n)}" for n in names)


@dataclass
class _Count:
    """`overdue` is None from the start, and stays so, where there are no bills."""

    overdue: Decimal | None
    accounts: int = 0
    protected: int = 0
    unknown: int = 0
    examples: list[str] = field(default_factory=list)

    def add(
        self, accounts: int, overdue: Decimal | None, protected: int = 0, unknown: int = 0
    ) -> None:
        self.accounts += accounts
        if self.overdue is not None:
            self.overdue += overdue or 0
        self.protected += protected
        self.unknown += unknown


class _Tally:
    """Two decided tables, an account a row in each, counted together partition by partition."""

    def __init__(self, strategies: tuple[Strategy, Strategy], *, billed: bool) -> None:
        self.strategies = strategies
        old, new = strategies
        known = {*_leveled(old)}
        self.levels = [name for name in _leveled(new) if name in known]
        self.names = [*self.levels, *RESULT]
        self.overdue = (
            f"d.{fact_column('balance_overdue')}" if billed else "cast(null as decimal(18, 4))"
        )
        self.nothing = Decimal(0) if billed else None
        self.total = 0
        self.different = 0
        self.columns = dict.fromkeys(self.names, 0)
        self.all_moved = _Count(self.nothing)
        self.moved: dict[tuple[str, ...], _Count] = {}
        self.shifted: dict[tuple[str, str, str], _Count] = {}
        self.actions: dict[tuple[str, str], list[int]] = {}

    # Two statements: `decided` is first of the old strategy, then of the new one.

    def keep_old(self) -> str:
        listed = ", ".join(f"{out(n)} as {_was(n)}" for n in self.names)
        flags = _any(self.strategies[0].protective)
        return (
            "create or replace temp table was as "
            f"select snap, {flags} as protected, {listed} from decided d"
        )

    def compare(self) -> str:
        listed = ", ".join(f"w.{_was(n)}, d.{out(n)} as {_now(n)}" for n in self.names)
        flags = _any(self.strategies[1].protective)
        return (
            "create or replace temp table compared as "
            f"select d.account_no, {self.overdue} as overdue, w.protected or {flags} as protected, "
            f"{listed} from was w join decided d on d.snap = w.snap"
        )

    def add(self, rows: Callable[[str], list[tuple[Any, ...]]]) -> None:
        each = ", ".join(f"count(*) filter (where {_differs([n])})" for n in self.names)
        total, different, *columns = rows(
            f"select count(*), count(*) filter (where {_differs(self.names)}), {each} from compared"
        )[0]
        self.total += total
        self.different += different
        for name, count in zip(self.names, columns, strict=True):
            self.columns[name] += count
        self._outcomes(rows)
        for name in self.levels:
            for was, now, *counts in rows(
                f"select {_was(name)}, {_now(name)}, count(*), sum(overdue) from compared "
                f"where {_differs([name])} group by 1, 2"
            ):
                self.shifted.setdefault((name, was, now), _Count(self.nothing)).add(*counts)
        self._actions(rows)

    def _outcomes(self, rows: Callable[[str], list[tuple[Any, ...]]]) -> None:
        keys = ", ".join((*map(_was, OUTCOMES), *map(_now, OUTCOMES)))
        moved = f"from compared where {_differs(OUTCOMES)}"
        for row in rows(
            f"select {keys}, count(*), sum(overdue), count(*) filter (where protected), "
            f"count(*) filter (where protected is null) {moved} group by {keys}"
        ):
            key, counts = row[: 2 * len(OUTCOMES)], row[2 * len(OUTCOMES) :]
            self.moved.setdefault(key, _Count(self.nothing)).add(*counts)
            self.all_moved.add(*counts)
        for *named, account in rows(
            f"select {keys}, account_id from (select *, row_number() over "
            f"(partition by {keys} order by account_no) as nth {moved}) c "
            f"join account_ids i on i.account_no = c.account_no where nth <= {EXAMPLES} "
            "order by c.account_no"
        ):
            examples = self.moved[tuple(named)].examples
            if len(examples) < EXAMPLES:
                examples.append(account)

    def _actions(self, rows: Callable[[str], list[tuple[Any, ...]]]) -> None:
        other = _differs(("action", "channel"))
        halves = [
            f"select {side('channel')} as channel, {side('action')} as action, {counted} "
            f"from compared where {side('action')} <> '{NO_ACTION}'"
            for side, counted in (
                (_was, f"1 as old, 0 as new, 0 as added, ({other})::integer as removed"),
                (_now, f"0 as old, 1 as new, ({other})::integer as added, 0 as removed"),
            )
        ]
        for channel, action, *counts in rows(
            "select channel, action, sum(old), sum(new), sum(added), sum(removed) "
            f"from ({' union all '.join(halves)}) group by channel, action"
        ):
            before = self.actions.setdefault((channel, action), [0, 0, 0, 0])
            self.actions[channel, action] = [
                b + int(c) for b, c in zip(before, counts, strict=True)
            ]

    def moves(
        self,
        as_of: date,
        *,
        models: Mapping[str, str],
        default_values: Mapping[str, object],
        notes: Sequence[str],
        currency: str,
        scale: int,
    ) -> AccountMigration:
        ordered = sorted(self.moved.items(), key=lambda m: (-m[1].accounts, m[0]))
        shifted = sorted(
            self.shifted.items(),
            key=lambda m: (self.levels.index(m[0][0]), -m[1].accounts, m[0]),
        )
        protective = (*self.strategies[0].protective, *self.strategies[1].protective)
        return AccountMigration(
            as_of=as_of,
            accounts=self.total,
            moved=self.all_moved.accounts,
            different=self.different,
            overdue=self.all_moved.overdue,
            protected=self.all_moved.protected,
            unknown=self.all_moved.unknown,
            moves=tuple(
                MovedAccounts(
                    old=_outcome(key[: len(OUTCOMES)]),
                    new=_outcome(key[len(OUTCOMES) :]),
                    accounts=count.accounts,
                    overdue=count.overdue,
                    protected=count.protected,
                    unknown=count.unknown,
                    examples=tuple(count.examples),
                )
                for key, count in ordered
            ),
            levels=tuple(
                MovedLevel(
                    name=name, old=old, new=new, accounts=count.accounts, overdue=count.overdue
                )
                for (name, old, new), count in shifted
            ),
            actions=tuple(
                ChangedAction(
                    channel=channel, action=action, old=old, new=new, added=added, removed=removed
                )
                for (channel, action), (old, new, added, removed) in sorted(self.actions.items())
            ),
            columns={n: c for n, c in self.columns.items() if c},
            models=models,
            protective=tuple(dict.fromkeys(protective)),
            default_values=default_values,
            notes=tuple(notes),
            currency=currency,
            scale=scale,
        )


def _outcome(names: Sequence[str]) -> Outcome:
    return Outcome.model_validate(dict(zip(OUTCOMES, names, strict=True)))


def _leveled(strategy: Strategy) -> list[str]:
    return [*(b.name for b in strategy.bands), *(s.name for s in strategy.schemes)]


def _any(flags: Sequence[str]) -> str:
    """Whether any flag is true; unknown where none is and one is unknown."""
    return f"({' or '.join(f'd.{fact_column(f)}' for f in flags)})" if flags else "false"
