"""Which facts say how an account was treated and what holds it: no source has them, and no rule
names them."""

from __future__ import annotations

from riskseg.rules.action_facts import action_of
from riskseg.rules.calendar import counted_by
from riskseg.rules.contact_hours import hours_of
from riskseg.rules.contacting import PREMISE, limit_of
from riskseg.rules.holding import counted_days, lasting
from riskseg.rules.placing import of_placement
from riskseg.rules.quiet import counted_periods
from riskseg.rules.step_facts import of_step


def is_state(fact: str) -> bool:
    """Whether a fact, by its name, says what was issued, on which path it was, what lasts, when
    contacts are lawful again and at which hours, or what the day is by a calendar."""
    of_any = (
        of_step,
        action_of,
        of_placement,
        counted_by,
        lasting,
        counted_days,
        limit_of,
        counted_periods,
        hours_of,
    )
    return fact == PREMISE or any(of(fact) for of in of_any)


def of_account(fact: str) -> bool:
    """Whether a fact is one of these that differs from account to account, and says it in words: no
    count of a calendar, and not the premise."""
    of_the_day = fact == PREMISE or counted_by(fact) or counted_periods(fact)
    return is_state(fact) and not of_the_day
