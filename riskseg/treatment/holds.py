"""Holds: on which days an event lasted that holds the account.

An event lasts from the day it happened until the day that it names, both included; without one,
until an event of its kind with the outcome `ended` says so, under the same `ref`. A promise, a plan
or a dispute lasts on the days at whose close it was open, as the ledger works out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from riskseg.domain.relations import Relation, fact_column, literal
from riskseg.rules.holding import HeldDays, counted_days, lasting

ENDED = "ended"


def kinds_that_hold(names: Iterable[str]) -> list[str]:
    """The kinds of events of which the facts `names` say whether, or for how long, they last."""
    listed = list(names)
    lasts = {kind for name in listed if (kind := lasting(name))}
    return sorted(lasts.union(*_sets(listed)))


def holds(names: Iterable[str], spans: Mapping[str, str]) -> list[Relation]:
    """Relations from `snapshots` and `ledger_events` to `lasting_holds` (snap, and whether an event
    of each kind among `names` lasts), and to the days held that they count: see
    `days_held`. Empty where there is none.

    `spans` are the relations (snap, as_of, first_day, last_day) of the kinds that are worked out;
    of any other the events say themselves how long they last."""
    kinds = {name: kind for name in names if (kind := lasting(name))}
    sets = _sets(names)
    every = kinds_that_hold(names)
    if not every:
        return []
    columns = "".join(
        f""",
            bool_or(kind = {literal(kind)} and last_day = as_of) as {fact_column(name)}"""
        for name, kind in sorted(kinds.items())
    )
    relations = _holding(every, spans)
    if kinds:
        select = f"select snap{columns} from holding group by snap"
        relations.append(Relation("lasting_holds", select))
    return relations + [_apart(counted, number) for number, counted in enumerate(sets)]


def _sets(names: Iterable[str]) -> list[tuple[str, ...]]:
    """The sets of kinds of which the days held are counted."""
    counted = (counted_days(name) for name in names)
    return sorted({held.kinds for held in counted if held is not None})


def _holding(kinds: Sequence[str], spans: Mapping[str, str]) -> list[Relation]:
    """Relations to `holding`: each event of the kinds, as known on the as-of date, from its first
    day to its last, or to the as-of date."""
    stated = [kind for kind in kinds if kind not in spans]
    relations = _stated(stated) if stated else []
    parts = [_STATED if stated else _NOTHING]
    parts += [
        f"""
        select snap, as_of, {literal(kind)} as kind, first_day, last_day
        from {spans[kind]}
        where first_day <= last_day
        """
        for kind in kinds
        if kind in spans
    ]
    return [*relations, Relation("holding", "union all".join(parts), materialized=True)]


def _stated(kinds: Sequence[str]) -> list[Relation]:
    """What events say themselves of how long they last."""
    listed = ", ".join(map(literal, kinds))
    known = f"""
        select s.snap, s.as_of, e.kind, e.happened_on, e.until, e.ref,
            coalesce(e.outcome = {literal(ENDED)}, false) as ends
        from snapshots s
        join ledger_events e on e.account_no = s.account_no
        where e.kind in ({listed})
            and e.happened_on <= s.as_of
            and e.known_on <= s.as_of
        """
    return [Relation("holding_known", known), _HOLDS_ENDED]


_HOLDS_ENDED = Relation(
    "holds_ended",
    """
    select snap, kind, ref, min(coalesce(until, happened_on)) as last_day
    from holding_known
    where ends
        and ref is not null
    group by snap, kind, ref
    """,
)
_STATED = """
        select k.snap, k.as_of, k.kind, k.happened_on as first_day,
            least(coalesce(k.until, k.as_of), coalesce(e.last_day, k.as_of), k.as_of) as last_day
        from holding_known k
        left join holds_ended e on e.snap = k.snap and e.kind = k.kind and e.ref = k.ref
        where not k.ends
        """
_NOTHING = """
        select snap, as_of, '' as kind, as_of as first_day, as_of as last_day
        from snapshots
        where false
        """


def _apart(kinds: Sequence[str], number: int) -> Relation:
    """`held_N`: stretches of days on which an event of the kinds lasted, none in two of them."""
    listed = ", ".join(map(literal, kinds))
    return Relation(
        f"held_{number}",
        f"""
        select snap, last_day,
            greatest(
                first_day,
                coalesce(
                    1 + max(last_day) over (
                        partition by snap
                        order by first_day, last_day
                        rows between unbounded preceding and 1 preceding
                    ),
                    first_day
                )
            ) as first_day
        from holding
        where kind in ({listed})
        """,
    )


def days_held(names: Iterable[str], columns: Mapping[str, str]) -> Relation | None:
    """`facts` from `facts_so_far`: with the days held that `names` count, each since a date among
    the `columns`; none where it is not there. None where they count none."""
    counts = {name: held for name in sorted(names) if (held := counted_days(name))}
    if not counts:
        return None
    listed, joins = "", ""
    for number, kinds in enumerate(_sets(counts)):
        sums = ""
        for name, held in counts.items():
            if held.kinds == kinds and held.since in columns:
                sums += f",\n        {_days_since(held)} as {fact_column(name)}"
                listed += (
                    f",\n    coalesce(h{number}.{fact_column(name)}, 0) as {fact_column(name)}"
                )
        if sums:
            joins += f"""
    left join (
        select f.snap{sums}
        from facts_so_far f
        join held_{number} d on d.snap = f.snap
        group by f.snap
    ) h{number} on h{number}.snap = f.snap"""
    for name, held in counts.items():
        if held.since not in columns:
            listed += f",\n    cast(0 as bigint) as {fact_column(name)}"
    return Relation("facts", f"select f.*{listed}\nfrom facts_so_far f{joins}", materialized=True)


def _days_since(held: HeldDays) -> str:
    start = f"f.{fact_column(held.since)} + {held.offset}"
    days = f"greatest(d.last_day - greatest(d.first_day, {start} + 1) + 1, 0)"
    # `greatest` would take the first day of the hold where the date is not known.
    return f"cast(sum(case when {start} is not null then {days} else 0 end) as bigint)"
