"""The worklist: what is due of an account, as one row that a person or a system can work from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from riskseg.domain.facts import Kind
from riskseg.domain.relations import fact_column, literal, quoted
from riskseg.rules.contacting import PREMISE
from riskseg.rules.elements import NO_ACTION, in_force
from riskseg.rules.model import Strategy
from riskseg.rules.sql import inner, out
from riskseg.treatment.duties import deadline_column
from riskseg.treatment.ids import id_sql


@dataclass(frozen=True, slots=True)
class WorklistColumn:
    """A column of a worklist and what it holds."""

    name: str
    kind: Kind
    description: str


COLUMNS: tuple[WorklistColumn, ...] = (
    WorklistColumn("id", Kind.TEXT, "the action's id: the same action, the same id"),
    WorklistColumn("account_id", Kind.TEXT, "the account"),
    WorklistColumn("party_id", Kind.TEXT, "who owes; the account itself where nothing says"),
    WorklistColumn("action", Kind.TEXT, "what to do"),
    WorklistColumn("channel", Kind.TEXT, "the action's channel"),
    WorklistColumn("template", Kind.TEXT, "the step's template, if any"),
    WorklistColumn("due_on", Kind.DATE, "the day on which the step came due, or the duty began"),
    WorklistColumn("deadline", Kind.DATE, "the last day on which it meets a duty in time"),
    WorklistColumn("priority", Kind.DECIMAL, "the strategy's number; larger comes first"),
    WorklistColumn("value", Kind.DECIMAL, "the overdue balance times the first probability"),
    WorklistColumn(
        "balance_overdue", Kind.DECIMAL, "what is overdue on these accounts; null without bills"
    ),
    WorklistColumn("days_past_due", Kind.INTEGER, "of the oldest overdue bill"),
    WorklistColumn("segment", Kind.TEXT, "the segment"),
    WorklistColumn("path", Kind.TEXT, "the path that the step is of; `duty` and its name for one"),
    WorklistColumn("step", Kind.TEXT, "which step of it: its action, numbered where repeated"),
    WorklistColumn("started_on", Kind.DATE, "day 0 of the account's route, or of the duty"),
    WorklistColumn("needs_approval", Kind.BOOLEAN, "whether a person must approve it first"),
    WorklistColumn("contact_from", Kind.TEXT, "the first time of day at which it is lawful"),
    WorklistColumn("contact_to", Kind.TEXT, "the last; null where no rule says hours"),
    WorklistColumn("contact_zone", Kind.TEXT, "the time zone whose clock that is"),
    WorklistColumn(
        "accounts", Kind.INTEGER, "how many of the party's it is for: what they owe is added"
    ),
    WorklistColumn("reason", Kind.TEXT, "why, in words"),
)
NAMES = tuple(column.name for column in COLUMNS)
_HOURS = ("contact_from", "contact_to", "contact_zone")


def worklist_select(
    strategy: Strategy,
    as_of: date,
    of: str | None,
    scale: int,
    columns: Sequence[str],
    *,
    billed: bool,
) -> str:
    """The actions that are due of the accounts just decided, less what approvals say of them.

    Reads `decided` and `account_ids`. `of` is the probability that values are worked out with;
    `columns` are attributes to add.
    """
    approvers = " ".join(
        f"when {literal(a.name)} then {a.approvers}" for a in strategy.actions if a.approvers
    )
    needed = f"case d.{out('action')} {approvers} else 0 end" if approvers else "0"
    money = f"decimal(18, {scale})"
    overdue = f"d.{fact_column('balance_overdue')}" if billed else f"cast(null as {money})"
    past_due = f"d.{fact_column('days_past_due')}" if billed else "cast(null as bigint)"
    value = f"cast(null as {money})"
    if of is not None and billed:
        value = f"cast(round({overdue} * d.{fact_column(of)}, {scale}) as {money})"
    party = 'coalesce(d."@party_id", i.account_id)'
    started = f"d.as_of - cast(d.{inner('begun_ago')} as integer)"
    key, path = f"d.{inner('due_key')}", f"d.{inner('due_path')}"
    duties = in_force(strategy.duties, as_of)
    if duties:
        started = f"case when d.{inner('asks')} then d.{inner('due_on')} else {started} end"
    duty = f"d.{inner('duty')}" if duties else "cast(null as varchar)"
    deadline = f"d.{inner('deadline')}" if duties else "cast(null as date)"
    words = [
        f"'day ' || (d.as_of - d.{inner('due_on')} + d.{inner('due_day')}) || ' of ' || {path}",
        f"'due since ' || case when d.{inner('due_on')} < d.as_of then d.{inner('due_on')} end",
        f"'in place of ' || case when d.{out('action')} <> d.{out('due_action')} "
        f"then d.{out('due_action')} end",
        f"'duty ' || {duty} || ': until ' || {deadline}",
    ]
    hours = _contact_hours(strategy, as_of)
    made = {
        "id": id_sql(party, "i.account_id", f"cast({started} as varchar)", path, key),
        "account_id": "i.account_id",
        "party_id": party,
        **{n: f"d.{out(n)}" for n in ("action", "channel", "template", "priority", "segment")},
        "due_on": f"d.{inner('due_on')}",
        "deadline": deadline,
        "value": value,
        "balance_overdue": overdue,
        "days_past_due": past_due,
        "path": path,
        "step": key,
        "started_on": started,
        "needs_approval": f"({needed}) > 0",
        **{n: f"split_part({hours}, ' ', {part})" for part, n in enumerate(_HOURS, start=1)},
        "accounts": "cast(1 as bigint)",
        "reason": f"concat_ws('; ', {', '.join(words)})",
    }
    listed = [f"{made[name]} as {quoted(name)}" for name in NAMES]
    listed += [f"d.{fact_column(name)} as {quoted(name)}" for name in columns]
    # Beside the worklist's own columns: how many people must approve, whether the action reaches
    # the customer, and whether a rule limits it for all accounts of a party, or of a premise.
    listed.append(f"{needed} as approvers")
    reaching = ", ".join(literal(a.name) for a in strategy.actions if a.contact)
    reaches = f"d.{out('action')} in ({reaching})" if reaching else "false"
    listed.append(f"{reaches} as reaches_customer")
    for shared in ("party", "premise"):
        limited = ", ".join(map(literal, sorted(_limited_by(strategy, shared))))
        is_limited = f"d.{out('action')} in ({limited})" if limited else "false"
        listed.append(f"{is_limited} as limited_by_{shared}")
    by_premise = PREMISE in strategy.facts
    listed.append(f"{f'd.{fact_column(PREMISE)}' if by_premise else 'i.account_id'} as premise")
    # The accounts of one party, of which the same is due, are one row of the list.
    together = f"case when {reaches} then {party} else i.account_id end"
    listed.append(f"{together if strategy.treat == 'party' else 'i.account_id'} as together")
    return f"""
        select {", ".join(listed)}
        from decided d
        join account_ids i on i.account_no = d.account_no
        where d.{out("action")} <> {literal(NO_ACTION)}
        """


def _contact_hours(strategy: Strategy, as_of: date) -> str:
    """The hours of the day at which what is done is lawful, where a rule says so: from, to and the
    time zone."""
    arms = [
        f"when d.{out('action')} in ({', '.join(map(literal, sorted(guard.never)))}) "
        f"then d.{fact_column(guard.hours_fact)}"
        for guard in in_force(strategy.guards, as_of)
        if guard.hours_fact is not None
    ]
    return f"(case {' '.join(arms)} end)" if arms else "cast(null as varchar)"


def _limited_by(strategy: Strategy, shared: str) -> set[str]:
    """The actions that a rule limits for all accounts of a party, or of a premise, together."""
    rules = [guard for guard in strategy.guards if guard.counts_per == shared]
    return {action for rule in rules for action in rule.never}


def duties_select(strategy: Strategy, as_of: date) -> str:
    """The duties that are open of the accounts just decided: account_id, duty, deadline, and the
    actions that fulfil it."""
    selects = [
        f"""
        select i.account_id, {literal(duty.name)} as duty, d.{deadline_column(duty)} as deadline,
            [{", ".join(map(literal, duty.actions))}] as actions
        from decided d
        join account_ids i on i.account_no = d.account_no
        where d.{deadline_column(duty)} is not null
        """
        for duty in in_force(strategy.duties, as_of)
    ]
    return " union all ".join(selects) or _NO_DUTIES


_NO_DUTIES = """
        select cast(null as varchar) as account_id, cast(null as varchar) as duty,
            cast(null as date) as deadline, cast([] as varchar[]) as actions
        where false
        """


def duty_counts(as_of: date) -> str:
    """Of each duty in `open_duties`: how many accounts it is open for, for how many of them its
    deadline is over, and for how many `listed_actions` does nothing about it."""
    return f"""
        select duty, count(*),
            count(*) filter (where deadline < date '{as_of}'),
            count(*) filter (where not listed)
        from (
            select o.*,
                exists (
                    select 1
                    from listed_actions l
                    where l.account_id = o.account_id
                        and l.state in ('listed', 'with another')
                        and list_contains(o.actions, l.action)
                ) as listed
            from open_duties o
        )
        group by duty
        order by duty
        """


def paths_select(strategy: Strategy) -> str:
    """The path on which the route of each of the accounts just decided begins, and whether anything
    is done on it: of those that were placed before, or that there is anything to do for."""
    idle = ", ".join(literal(path.name) for path in strategy.paths if path.idle)
    has_steps = f"d.{inner('first')} not in ({idle})" if idle else "true"
    return f"""
        select i.account_id, d.account_no, d.{inner("first")} as path, {has_steps} as has_steps
        from decided d
        join account_ids i on i.account_no = d.account_no
        where {has_steps}
            or d.account_no in (select account_no from journal_events where kind = 'placement')
        """


def listed_actions(
    as_of: date,
    scale: int,
    chosen: str,
    capacity: Mapping[str, int],
) -> str:
    """The statement that makes `listed_actions` of `due_actions`, each with its `state`: `listed`,
    `over capacity`, `rejected` by a person, `held back`, since the account had another action
    that day, or another account of its party one that a rule limits for the party: such a rule is
    in force by the day, so that one a day never goes beyond it; or `with another`: done by the row
    of another account of its party, whose id is `row_id`. `needs_approval` is true until as many
    people as it takes have approved of the action, each since it was last rejected:
    `approved_by` are those who have. An approval counts from the day of its list on, whenever it is
    given. What waits for them takes nothing of a day's capacity; what
    was issued that day keeps what it has taken.

    Reads `journal_events`. Rows of `due_actions` (named `d`) for which the condition `chosen` does
    not hold are not there at all.
    """
    limits = " ".join(f"when {literal(action)} then {n}" for action, n in capacity.items())
    limit = f"case action {limits} end" if limits else "cast(null as bigint)"
    return f"""
        create or replace temp table listed_actions as
        with approvals as (
            select ref,
                arg_max(outcome, number) as outcome,
                list(distinct made_by order by made_by) filter (
                    where outcome = 'approved' and number > last_rejected
                ) as made_by
            from (
                select *,
                    coalesce(
                        max(number) filter (where outcome = 'rejected') over (partition by ref), 0
                    ) as last_rejected
                from journal_events
                where kind = 'approval'
                    and coalesce(due_on, recorded_on) <= date '{as_of}'
            )
            group by ref
        ),
        issued_today as (
            select account_id, list(event_id) as ids
            from journal_events
            where kind = 'action'
                and happened_on = date '{as_of}'
            group by account_id
        ),
        judged as (
            select d.* replace (
                    d.approvers > coalesce(len(a.made_by), 0) as needs_approval
                ),
                coalesce(a.made_by, []) as approved_by,
                coalesce(list_contains(t.ids, d.id), false) as issued,
                case
                    when t.ids is not null and not list_contains(t.ids, d.id) then 'held back'
                    when a.outcome = 'rejected' then 'rejected'
                    else 'listed'
                end as state
            from due_actions d
            left join approvals a on a.ref = d.id
            left join issued_today t on t.account_id = d.account_id
            where {chosen}
        ),
        gathered as (
            select *,
                row_number() over by_turn as number_together,
                first_value(id) over by_turn as row_id,
                count(*) over alike as accounts_alike,
                sum(balance_overdue) over alike as overdue_alike
            from judged
            window
                alike as (partition by together, action, template, state, needs_approval),
                by_turn as (
                    partition by together, action, template, state, needs_approval
                    order by issued desc, deadline nulls last, priority desc nulls last,
                        account_id
                )
        ),
        in_turn as (
            select * replace (
                case
                    when state = 'listed' and limited_by_party and turn > 1 then 'held back'
                    when state = 'listed' and limited_by_premise and premise_turn > 1
                        then 'held back'
                    else state
                end as state
            )
            from (
                select *,
                    row_number() over (
                        partition by party_id, limited_by_party, state
                        order by issued desc, needs_approval, deadline nulls last,
                            priority desc nulls last, account_id
                    ) as turn,
                    row_number() over (
                        partition by premise, limited_by_premise, state
                        order by issued desc, needs_approval, deadline nulls last,
                            priority desc nulls last, account_id
                    ) as premise_turn
                from gathered
                where number_together = 1
            )
        ),
        placed as (
            select row_id, state,
                row_number() over (
                    partition by state, action, needs_approval
                    order by issued desc, deadline nulls last, priority desc nulls last,
                        account_id
                ) as place
            from in_turn
        )
        select g.* exclude (number_together, accounts_alike, overdue_alike) replace (
            case
                when p.state = 'listed' and not needs_approval and p.place > {limit}
                    then 'over capacity'
                when p.state = 'listed' and number_together > 1 then 'with another'
                else p.state
            end as state,
            accounts_alike as accounts,
            cast(overdue_alike as decimal(18, {scale})) as balance_overdue
        )
        from gathered g
        join placed p on p.row_id = g.row_id
        """


def no_longer_due(as_of: date, chosen: str) -> str:
    """What was issued on the day, as far as `chosen` holds of it (named `d`), and is not in
    `listed_actions`: by what is known now it is not due."""
    return f"""
        select d.event_id, d.account_id, d.action
        from journal_events d
        where d.kind = 'action'
            and d.happened_on = date '{as_of}'
            and d.event_id not in (select id from listed_actions)
            and {chosen}
        order by d.account_id, d.action
        """


def issued_events(as_of: date) -> str:
    """The events of issuing `listed_actions`, by the columns of the journal."""
    return f"""
        select id as event_id, account_id, 'action' as kind,
            date '{as_of}' as happened_on,
            date '{as_of}' as recorded_on,
            path, step, action, channel, template, due_on, segment,
            started_on as episode,
            case when reaches_customer and state = 'listed' then 'yes' end as contact,
            case when state = 'with another' then row_id end as ref
        from listed_actions
        where state in ('listed', 'with another')
            and not needs_approval
        order by account_id
        """


def placement_events(as_of: date) -> str:
    """The events of `changed_paths`, by the columns of the journal."""
    return f"""
        select {id_sql("'placement'", "account_id", "path", f"'{as_of}'")} as event_id,
            account_id, 'placement' as kind,
            date '{as_of}' as happened_on,
            date '{as_of}' as recorded_on,
            path
        from ({changed_paths(as_of)})
        order by account_id
        """


def changed_paths(as_of: date) -> str:
    """The accounts of `account_paths` that were last seen on another path, or, where there is
    something to do on theirs, on none."""
    return f"""
        with last_placed as (
            select account_no, arg_max(path, (happened_on, number)) as path
            from journal_events
            where kind = 'placement'
                and happened_on <= date '{as_of}'
            group by account_no
        )
        select p.account_id, p.path
        from account_paths p
        left join last_placed l on l.account_no = p.account_no
        where l.path <> p.path
            or l.path is null and p.has_steps
        order by p.account_id
        """
