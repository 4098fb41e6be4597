"""Protection is one-way: a protective flag that becomes true never makes treatment harsher.

Two accounts are compared that differ in nothing but the flag: false or unknown in the one, true in
the other. If on some day the protected one gets an action, the other must have had one at least as
harsh by then: on that day, or on an earlier day of the path that its segment had in force, and on
which the strategy was. On each the as-of date is that day, and every other fact is as it is now. An
action that helps is as harsh as none.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import z3

from riskseg.domain.facts import Kind
from riskseg.expressions.smt import Term, both, constant, either, negated
from riskseg.rules.model import Path, Step, Strategy
from riskseg.rules.proof_account import Account, changed, condition_holds, in_cell, within
from riskseg.strategy.proof.ask import Asker, verdict_of_none
from riskseg.strategy.proof.decision import Decision, decide
from riskseg.strategy.proof.results import Result
from riskseg.treatment.guards import lawful
from riskseg.treatment.placement import regimes, standing
from riskseg.treatment.routes import route, step_days


def prove_protection(strategy: Strategy, decision: Decision, asker: Asker) -> Iterator[Result]:
    head_file = f"{strategy.folder}/strategy.yaml"
    account = decision.account
    for flag in strategy.protective:
        protected = decide(
            strategy, changed(account, **{flag: constant(True, Kind.BOOLEAN, account.texts)})
        )
        flag_before = account.terms[flag]
        harsh = _harshness(strategy, protected.rank)
        solver = asker.solver(*decision.granted, *protected.granted)
        harsher = both(
            either(flag_before.false, flag_before.unknown),
            harsh > _harshness(strategy, decision.rank),
            *(
                z3.Implies(passed, harsh > _harshness(strategy, emitted))
                for passed, emitted in _earlier(strategy, decision)
            ),
        )
        yield verdict_of_none(
            Result("protection", flag, "proved", "", (), head_file, None),
            "With the flag true the action is harsher than any had so far without.",
            solver,
            [harsher],
            [account, protected.account],
            asker,
        )


def _harshness(strategy: Strategy, rank: Any) -> Any:
    helping = [rank == action.rank for action in strategy.actions if action.helps]
    return z3.If(either(*helping), z3.IntVal(0), rank) if helping else rank


def _earlier(strategy: Strategy, decision: Decision) -> Iterator[tuple[Any, Any]]:
    """(that the account has passed a day on which a step of its path was due, the rank of what was
    emitted then), for every such day of every path its segment may have had: that in force then."""
    account = decision.account
    as_of, segment = account.terms["as_of"], decision.names["segment"]
    ranks = {action.name: action.rank for action in strategy.actions}
    for begins, ends, serves, walked, started, step, day in _ever(strategy, account, segment):
        then = changed(account, as_of=Term(started.value + day))
        guards = {guard.name: guard.applies(then) for guard in strategy.guards}
        ended = either(
            *(condition_holds(path.ends_when, then) for path in walked if path.ends_when)
        )
        due = z3.IntVal(ranks[step.action])
        then_emitted = lawful(strategy, guards, due, then, actions=[step.action])
        emitted = z3.If(ended, z3.IntVal(0), then_emitted)
        passed = both(
            serves,
            *([condition_holds(step.when, then)] if step.when else []),
            # Where a duty was open, it may have come before the step.
            *(negated(duty.open_term(then)) for duty in strategy.duties),
            z3.Not(started.unknown),
            started.value + day <= as_of.value,
            within(begins, ends, then),
            within(strategy.effective_from, strategy.effective_to, then),
        )
        yield passed, emitted


def _ever(
    strategy: Strategy, account: Account, segment: Term
) -> Iterator[tuple[date | None, date | None, Any, tuple[Path, ...], Term, Step, int]]:
    """Every day on which a step of the account's segment was due, in each stretch of time with its
    first and last day: that the segment leads there, the paths walked up to the step's own, the
    date of day 0 of that, the step and the day."""
    for begins, ends, paths in regimes(strategy):
        for first in paths:
            serves = in_cell(segment, frozenset(first.segments), account.texts)
            walked = route(first, paths)
            for number, leg in enumerate(standing(walked, serves, account).legs, start=1):
                if any("as_of" in path.starts.names for path in walked[:number]):
                    continue  # such a path has no yesterday: every day is its first
                for _, step, days in step_days(leg.path):
                    if step.after is not None:
                        continue  # whether it came on that day is not known
                    # Where a step stays due, the day on which it came is enough: leaving days out
                    # makes the claim stronger, and never proves what is not so.
                    for day in days if leg.path.due_for else days[:1]:
                        yield begins, ends, serves, walked[:number], leg.started, step, day
