"""Which step of an account's route is due, as terms of a proof: what
:mod:`riskseg.treatment.due_steps` says in SQL, written apart from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import z3

from riskseg.expressions.smt import Term, both, either, negated
from riskseg.rules.model import Step
from riskseg.rules.proof_account import Account, condition_holds
from riskseg.treatment.calendar import closed_term
from riskseg.treatment.due_steps import first_day
from riskseg.treatment.routes import RouteStep


def due_terms(
    steps: Sequence[RouteStep],
    starts: Sequence[Term],
    begun: Sequence[Any],
    at: Any,
    account: Account,
    route_began: Any,
    came_on: Term | None,
) -> Iterator[tuple[RouteStep, Any]]:
    """For each step, that it is the one due. `route_began` is the date that the first path of the
    route starts at, whether its clock has stood since or not; steps of days before `came_on` are
    passed over."""
    as_of = account.terms["as_of"].value
    days = [as_of - start.value for start in starts]
    rounds = {s: _round_term(s, days[s.leg], account) for s in steps}
    day_due = {s: s.step.day + rounds[s] * s.every for s in steps}
    ahead_by = {s: _brought_forward(s.step, account) for s in steps}
    since = route_began + first_day(steps)

    def in_episode(fact: str) -> Any:
        last = account.terms[fact]
        return both(negated(last.unknown), last.value >= since, last.value < as_of)

    here = {s: in_episode(s.issued) for s in steps}
    elsewhere = {s: in_episode(s.elsewhere.issued) for s in steps}
    ever = {s: either(here[s], elsewhere[s]) for s in steps}
    # Issued in the round that its path is in, or in a later one; and in a later one.
    issued, ahead = dict(ever), {}
    for s in (s for s in steps if s.repeat):
        occurrence = account.terms[s.occurrence]
        number = z3.If(occurrence.unknown, z3.IntVal(1), occurrence.value)
        first_round = both(elsewhere[s], rounds[s] == 0)
        issued[s] = either(both(here[s], number >= rounds[s] + 1), first_round)
        ahead[s] = both(here[s], number >= rounds[s] + 2)
    taken = {s: _taken_term(s, issued, account) for s in steps}
    reached = {
        s: both(
            begun[s.leg],
            days[s.leg] + ahead_by[s] >= day_due[s],
            taken[s],
            *(
                [either(came_on.unknown, starts[s.leg].value + day_due[s] >= came_on.value)]
                if came_on is not None
                else []
            ),
        )
        for s in steps
    }
    musts = {
        s: both(
            begun[s.leg],
            days[s.leg] + ahead_by[s] >= s.step.day,
            negated(ever[s]),
            _taken_term(s, ever, account),
        )
        for s in steps
        if s.step.must
    }
    no_must = negated(either(*musts.values()))
    for s in steps:
        later = [other for other in steps if other.order > s.order]
        again = [ahead[other] for other in ahead if other.leg == s.leg]
        latest = both(
            reached[s],
            negated(either(*(reached[other] for other in later))),
            negated(either(issued[s], *(issued[other] for other in later), *again)),
            *_not_yet_over(s, days[s.leg], day_due[s], account),
        )
        chosen = both(no_must, latest)
        if s in musts:
            earlier = either(*(musts[other] for other in musts if other.order < s.order))
            chosen = either(chosen, both(musts[s], negated(earlier)))
        yield s, both(at, chosen, negated(closed_term(s.step.calendar, account)))


def _taken_term(s: RouteStep, issued: Mapping[RouteStep, Any], account: Account) -> Any:
    """That a step is not passed over, where `issued` says which steps were."""
    held = [] if s.step.when is None else [condition_holds(s.step.when, account)]
    if (after := s.step.after) is not None:
        (waited,) = (w for w in issued if w.leg == s.leg and w.step.key == after.step)
        last = _later(account.terms[waited.issued], account.terms[waited.elsewhere.issued])
        instead = account.terms[waited.instead]
        held += [
            issued[waited],
            either(instead.unknown, instead.value < last.value),
            last.value + after.days <= account.terms["as_of"].value,
        ]
        if after.unanswered:
            outcome = _later(account.terms[waited.outcome], account.terms[waited.elsewhere.outcome])
            held.append(either(outcome.unknown, outcome.value < last.value))
    return both(*held)


def _later(one: Term, other: Term) -> Term:
    """The later of two dates; of one that is unknown, the other."""
    take_other = either(one.unknown, both(negated(other.unknown), other.value > one.value))
    return Term(z3.If(take_other, other.value, one.value), both(one.unknown, other.unknown))


def _round_term(s: RouteStep, day: Any, account: Account) -> Any:
    """The round that the path of a step is in, on a day of it."""
    if s.repeat is None:
        return z3.IntVal(0)
    first = s.path.repeated[0]
    since = day + _brought_forward(first, account) - first.day
    most = s.repeat.at_most
    number = z3.If(since < 0, z3.IntVal(0), since / s.every)
    return number if most is None else z3.If(number > most, z3.IntVal(most), number)


def _brought_forward(step: Step, account: Account) -> Any:
    """How many days before its day a step comes."""
    if step.calendar is None or step.calendar.closed == "next":
        return 0
    return account.terms[step.calendar.closed_after].value


def _not_yet_over(s: RouteStep, day: Any, day_due: Any, account: Account) -> Iterator[Any]:
    """That a step is still due on a day of its path."""
    if s.path.due_for is not None:
        calendar = s.step.calendar
        closed = 0 if calendar is None else account.terms[calendar.closed_before].value
        yield day - closed < day_due + s.path.due_for
