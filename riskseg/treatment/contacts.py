"""Contacts: on which day the next one is lawful, from those there have been.

Counted are the actions that riskseg issued, from the day after, so that a day's list is the same
before issuing and after, and the contacts that sources and people report. That somebody was
spoken to in an action that was issued is no contact of its own, but a conversation. What was done
by the row of another account of the party, whose id is its `ref`, is a contact of the account, and
no second one of the party.
"""

from __future__ import annotations

from collections.abc import Iterable

from riskseg.domain.relations import Relation, fact_column, literal
from riskseg.rules.contacting import ContactLimit, limit_of

# Outcomes of contacts that say that somebody was spoken to.
SPOKEN = ("reached", "right_party", "promise", "refused", "answered")


def contact_limits(names: Iterable[str]) -> list[Relation]:
    """Relations from `snapshots`, `ledger_events`, `journal_events` and `ledger_accounts` to
    `contact_limits` (snap, and the first lawful day of each limit among `names`); empty where
    there is none."""
    limits = {name: limit for name in sorted(names) if (limit := limit_of(name))}
    if not limits:
        return []
    premises = any(limit.per == "premise" for limit in limits.values())
    relations = [_accounts(premises=premises), _CONTACTS]
    columns, joins = "", ""
    for number, (name, limit) in enumerate(limits.items()):
        relations.append(_lawful(limit, number))
        columns += f", l{number}.lawful_on as {fact_column(name)}"
        joins += f" left join lawful_{number} l{number} on l{number}.snap = s.snap"
    select = f"select s.snap{columns} from snapshots s{joins}"
    return [*relations, Relation("contact_limits", select)]


def _accounts(*, premises: bool) -> Relation:
    """`accounts_together` (snap, as_of, account_no, own, of_party, of_premise): the accounts whose
    contacts count for a snapshot: its own, all that its party ever had and, with `premises`, all
    that its premise ever had. An action taken for several of them at once is one contact of the
    party, and one of each account."""
    others = [("party_id", "false, true, false")]
    others += [("premise_id", "false, false, true")] if premises else []
    together = "".join(
        f"""
            union all
            select s.snap, s.as_of, other.account_no, {flags}
            from snapshots s
            join ledger_accounts mine on mine.account_no = s.account_no
            join ledger_accounts other on other.{shared} = mine.{shared}"""
        for shared, flags in others
    )
    return Relation(
        "accounts_together",
        f"""
        select snap, as_of, account_no,
            bool_or(own) as own,
            bool_or(of_party) as of_party,
            bool_or(of_premise) as of_premise
        from (
            select s.snap, s.as_of, s.account_no,
                true as own, true as of_party, true as of_premise
            from snapshots s{together}
        )
        group by snap, as_of, account_no
        """,
    )


_SPOKEN = ", ".join(map(literal, SPOKEN))
_CONTACTS = Relation(
    "contacts_known",
    f"""
    select a.snap, a.own, a.of_party, a.of_premise, c.happened_on, c.channel, c.action, c.spoken,
        c.counts, c.with_another
    from accounts_together a
    join (
        select e.account_no, e.happened_on, e.known_on, e.channel,
            cast(null as varchar) as action,
            coalesce(e.outcome in ({_SPOKEN}), false) as spoken,
            i.event_id is null as counts,
            false as with_another
        from ledger_events e
        left join ledger_actions i on i.event_id = e.ref
        where e.kind = 'contact'
        union all
        select account_no, happened_on, greatest(happened_on, recorded_on) + 1, channel,
            action, false, true,
            ref is not null
        from journal_events
        where kind = 'action'
            and contact is distinct from 'yes'
    ) c on c.account_no = a.account_no
        and c.happened_on <= a.as_of
        and c.known_on <= a.as_of
    """,
    materialized=True,
)


# Whose contacts a limit counts. What was done for several accounts of a premise at once counts for
# each of them, since the row that did it may be that of an account elsewhere.
_OF = {"account": "own", "party": "of_party and not with_another", "premise": "of_premise"}


def _lawful(limit: ContactLimit, number: int) -> Relation:
    """`lawful_N` (snap, lawful_on): the first lawful day of a limit, where there is one."""
    actions = ", ".join(map(literal, limit.actions))
    channels = ", ".join(map(literal, limit.channels))
    days = []
    if limit.at_most is not None:
        nth = f"max(happened_on) filter (where counts and place = {limit.at_most})"
        days.append(f"{nth} + {limit.within}")
    if limit.quiet is not None:
        days.append(f"max(happened_on) filter (where spoken) + {limit.quiet}")
    if limit.unanswered is not None:
        silent = f"""count(*) filter (
                where counts and (last_spoken is null or happened_on > last_spoken)
            ) >= {limit.unanswered}"""
        days.append(
            f"case when {silent} then max(happened_on) filter (where counts) + {limit.every} end"
        )
    return Relation(
        f"lawful_{number}",
        f"""
        select snap, greatest({", ".join([*days, "null"])}) as lawful_on
        from (
            select *,
                row_number() over (partition by snap, counts order by happened_on desc) as place,
                max(happened_on) filter (where spoken) over (partition by snap) as last_spoken
            from contacts_known
            where {_OF[limit.per]}
                and (action in ({actions}) or (action is null
                    and (channel is null or channel in ({channels}))))
        ) c
        group by snap
        """,
    )
