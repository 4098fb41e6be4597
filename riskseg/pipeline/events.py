"""The journal's events in the engine, beside what the sources say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from riskseg.domain.problems import Problems, ProblemsError
from riskseg.domain.relations import Relation, fact_column, literal
from riskseg.engine import Engine
from riskseg.pipeline.contracts import check_table
from riskseg.pipeline.open_journal import read_journal
from riskseg.pipeline.staged_ledger import folder_for_events
from riskseg.rules.action_facts import action_of
from riskseg.rules.placing import PLACED_PATH, entered_path, path_before_of
from riskseg.rules.step_facts import INSTEAD, OCCURRENCE, OUTCOME, elsewhere, is_outcome, of_step
from riskseg.workspace import Workspace


def load_events(engine: Engine, workspace: Workspace, problems: Problems) -> bool:
    """Make `journal_events`, every event that the journal holds of an account that is known, with
    its `number` in the order of recording, and `ledger_actions`, the actions that were issued;
    whether there is any event. Needs `account_ids`. Adds the Problems of a journal that cannot be
    read."""
    try:
        with read_journal(workspace) as journal:
            events = journal.events(folder_for_events(workspace))
    except ProblemsError as error:
        problems.extend(error.problems)
        return False
    engine.register("recorded_events", events)
    engine.run(
        """
        create table journal_events as
        select a.account_no, e.*
        from (select *, row_number() over () as number from recorded_events) e
        join account_ids a on a.account_id = e.account_id
        order by a.account_no
        """
    )
    engine.unregister("recorded_events")
    engine.run(
        """
        create view ledger_actions as
        select account_no, happened_on, recorded_on as known_on, path, step, action, channel,
            template, event_id
        from journal_events
        where kind = 'action'
        """
    )
    check_table("ledger_actions", engine.columns("ledger_actions"))
    return bool(events.num_rows)


def events_fingerprint(engine: Engine, as_of: date) -> str | None:
    """What the journal's events known as of a date amount to; None where there are none."""
    event_count, digest = engine.rows(
        f"""
        select count(*), cast(bit_xor(md5_number(event_id)) as varchar)
        from journal_events
        where recorded_on <= date '{as_of}'
        """
    )[0]
    return f"{event_count} {digest}" if event_count else None


def steps_among(names: Iterable[str]) -> list[str]:
    """Those of the facts that are of steps: see `riskseg.rules.step_facts`."""
    return sorted(filter(of_step, names))


def issued_steps(names: Sequence[str]) -> Relation:
    """`issued_steps`: for each snapshot of an account for which anything was issued, what `names`
    ask of each step: the day on which it was last issued, which occurrence of it that was, and the
    day of its last outcome; and the same of what was done on other paths."""
    step_columns = "".join(
        f""",
            {_of_step(step_fact)} as {fact_column(step_fact)}"""
        for step_fact in names
    )
    # Outcomes are looked up only where a step waits for another that is not answered.
    outcome_day, outcomes = "cast(null as date)", ""
    if any(map(is_outcome, names)):
        outcome_day = "o.happened_on"
        outcomes = """
            left join (
                select snap, ref, max(o.happened_on) as happened_on
                from snapshots s
                join journal_events o on o.account_no = s.account_no
                where o.kind = 'outcome'
                    and o.happened_on <= s.as_of
                    and o.recorded_on <= s.as_of
                group by snap, ref
            ) o on o.snap = s.snap and o.ref = a.event_id"""
    return Relation(
        "issued_steps",
        f"""
        select snap{step_columns}
        from (
            select s.snap, a.happened_on, {outcome_day} as outcome_on,
                a.action, a.template, a.path,
                a.path || ' ' || split_part(a.step, '~', 1) as step,
                coalesce(try_cast(split_part(a.step, '~', 2) as bigint), 1) as occurrence
            from snapshots s
            join ledger_actions a on a.account_no = s.account_no{outcomes}
            where a.happened_on < s.as_of
                and a.known_on <= s.as_of
        ) a
        group by snap
        """,
    )


def _of_step(name: str) -> str:
    """SQL of a fact of steps, over all that was issued for an account."""
    if (elsewhere_fact := elsewhere(name)) is not None:
        other, of_outcome = elsewhere_fact
        route = ", ".join(map(literal, other.route))
        template = "null" if other.template is None else literal(other.template)
        same = f"""action = {literal(other.action)}
                    and template is not distinct from {template}
                    and path not in ({route})"""
        day = "outcome_on" if of_outcome else "happened_on"
        return f"max({day}, {other.times}) filter (where {same})[{other.times}]"
    if name.startswith(INSTEAD):
        step = name.partition(" ")[2]
        action = step.partition(" ")[2].partition("#")[0]
        other_action = f"step = {literal(step)} and action <> {literal(action)}"
        return f"max(happened_on) filter (where {other_action})"
    value = "max(happened_on)"
    if name.startswith(OCCURRENCE):
        value = "max_by(occurrence, (happened_on, occurrence))"
    if name.startswith(OUTCOME):
        value = "max(outcome_on)"
    return f"{value} filter (where step = {literal(name.partition(' ')[2])})"


PLACEMENTS = Relation(
    "placements",
    """
    select snap,
        max_by(path, happened_on) as path,
        max(happened_on) as entered_on,
        nullif(max_by(path_before, happened_on), '') as path_before
    from (
        select *, coalesce(lag(path) over stays, '') as path_before
        from (
            select s.snap, e.path, e.happened_on
            from snapshots s
            join journal_events e on e.account_no = s.account_no
            where e.kind = 'placement'
                and e.happened_on < s.as_of
                and e.recorded_on <= s.as_of
            qualify 1 = row_number() over (
                partition by s.snap, e.happened_on
                order by e.number desc
            )
        )
        window stays as (partition by snap order by happened_on)
        qualify path <> path_before
    )
    group by snap
    """,
)


def placed_column(name: str, *, episodes: bool) -> str:
    """SQL of a fact of placements, from `placements` p and, with `episodes`, from `episodes` e. A
    stay that began before the arrears episode is over with it: the account came to its path when
    the episode began, and from nowhere."""
    began = "e.episode_started_on" if episodes else "cast(null as date)"
    if name == PLACED_PATH:
        return f"case when coalesce({began} <= p.entered_on, true) then p.path end"
    if (path := entered_path(name)) is not None:
        return f"case when p.path = {literal(path)} then greatest(p.entered_on, {began}) end"
    path = path_before_of(name)
    assert path is not None
    return f"""case
            when p.path <> {literal(path)} and coalesce({began} <= p.entered_on, true) then p.path
            when p.path = {literal(path)} and coalesce({began} < p.entered_on, true)
                then p.path_before
        end"""


# Outcomes that say that an action reached nobody.
_FAILED = ("failed", "wrong_number")


def issued_actions(names: Iterable[str]) -> Relation | None:
    """`issued_actions`: for each snapshot of an account for which any was issued, the day on which
    each action that `names` ask of was issued last, less those of which nothing came but that they
    failed. None where they ask of none."""
    actions = {name: action for name in sorted(names) if (action := action_of(name))}
    if not actions:
        return None
    action_columns = "".join(
        f""",
            max(happened_on) filter (where action = {literal(action)}) as {fact_column(name)}"""
        for name, action in actions.items()
    )
    failed = ", ".join(map(literal, _FAILED))
    return Relation(
        "issued_actions",
        f"""
        select snap{action_columns}
        from (
            select s.snap, a.action, a.happened_on
            from snapshots s
            join ledger_actions a on a.account_no = s.account_no
            left join journal_events o on o.ref = a.event_id
                and o.kind = 'outcome'
                and o.happened_on <= s.as_of
                and o.recorded_on <= s.as_of
            where a.action in ({", ".join(map(literal, actions.values()))})
                and a.happened_on < s.as_of
                and a.known_on <= s.as_of
            group by s.snap, a.event_id, a.action, a.happened_on
            having not coalesce(bool_and(o.outcome in ({failed})), false)
        ) a
        group by snap
        """,
    )
