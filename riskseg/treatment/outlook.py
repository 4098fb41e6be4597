"""What comes next for each account: whether there is something to do today, later, or never."""

from __future__ import annotations

from datetime import date

from riskseg.domain.relations import literal, quoted
from riskseg.rules.elements import NO_ACTION, in_force
from riskseg.rules.model import Strategy
from riskseg.rules.sql import inner, out


def outlook_sql(strategy: Strategy, as_of: date) -> str:
    """The :data:`riskseg.domain.decision.Outlook` of an account, over the columns of `decided`.

    An account has exactly one: an action is `due` today; it is `held`, since a rule forbids what
    is due or a hold pauses its path; a step comes `later`; the path is `finished`, so that
    nothing further comes; or the account is `untreated`, because its path has no steps, has not
    begun or has ended.
    """
    nothing = literal(NO_ACTION)
    idle = [literal(path.name) for path in in_force(strategy.paths, as_of) if path.idle]
    on_steps = f"{out('path_day')} is not null"
    if idle:
        on_steps += f" and {inner('first')} not in ({', '.join(idle)})"
    pauses = [
        quoted("!" + guard.name)
        for guard in in_force(strategy.guards, as_of)
        if guard.stops_everything
    ]
    # The clock stands: nobody knows when the next step comes.
    pauses.append(f"{inner('next_order')} is not null and {out('next_action')} is null")
    return f"""
        case
            when {out("action")} <> {nothing} then 'due'
            when {out("due_action")} <> {nothing} then 'held'
            when {on_steps} and ({" or ".join(pauses)}) then 'held'
            when {out("next_action")} is not null then 'later'
            when {inner("finished")} then 'finished'
            else 'untreated'
        end
        """
