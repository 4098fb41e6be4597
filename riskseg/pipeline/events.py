"""The journal's events in the engine, beside what the sources say."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from riskseg.domain.relations import Relation, fact_column, literal
from riskseg.engine import Engine
from riskseg.pipeline.contracts import check_table
from riskseg.pipeline.open_journal import read_journal
from riskseg.rules.step_facts import OCCURRENCE, OUTCOME, of_step
from riskseg.workspace import Workspace


def load_events(engine: Engine, workspace: Workspace) -> bool:
    """Make `journal_events`, every event that the journal holds of an account that is known, with
    its `number` in the order of recording, and `ledger_actions`, the actions that were issued;
    whether there is any event. Needs `account_ids`."""
    with read_journal(workspace) as journal:
        events = journal.events()
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
            event_id
        from journal_events
        where kind = 'action'
        """
    )
    check_table("ledger_actions", engine.columns("ledger_actions"))
    return bool(events.num_rows)


def events_fingerprint(engine: Engine, as_of: date) -> str | None:
    """What the journal's events known as of a date amount to; None where there are none."""
    count, digest = engine.rows(
        f"""
        select count(*), cast(bit_xor(md5_number(event_id)) as varchar)
        from journal_events
        where recorded_on <= date '{as_of}'
        """
    )[0]
    return f"{count} {digest}" if count else None


def steps_among(names: Iterable[str]) -> list[str]:
    """Those of the facts that are of steps: see `riskseg.rules.step_facts`."""
    return sorted(filter(of_step, names))


def issued_steps(names: Iterable[str]) -> Relation:
    """`issued_steps`: for each snapshot of an account for which anything was issued, what `names`
    ask of each step: the day on which it was last issued, which occurrence of it that was, and the
    day of its last outcome."""
    columns = ""
    for name in names:
        value = "max(happened_on)"
        if name.startswith(OCCURRENCE):
            value = "max_by(occurrence, (happened_on, occurrence))"
        if name.startswith(OUTCOME):
            value = "max(outcome_on)"
        step = literal(name.partition(" ")[2])
        columns += f""",
            {value} filter (where step = {step}) as {fact_column(name)}"""
    return Relation(
        "issued_steps",
        f"""
        select snap{columns}
        from (
            select s.snap, a.happened_on, o.happened_on as outcome_on,
                a.path || ' ' || split_part(a.step, '~', 1) as step,
                coalesce(try_cast(split_part(a.step, '~', 2) as bigint), 1) as occurrence
            from snapshots s
            join ledger_actions a on a.account_no = s.account_no
            left join journal_events o on o.ref = a.event_id
                and o.kind = 'outcome'
                and o.happened_on <= s.as_of
                and o.recorded_on <= s.as_of
            where a.happened_on < s.as_of
                and a.known_on <= s.as_of
        ) a
        group by snap
        """,
    )
