"""All that is known of one account, in the order of time: what the sources say of it, what the
journal does, and what came of its promises and plans."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from riskseg.domain.relations import Relation, chained, from_minor
from riskseg.domain.words import money
from riskseg.ledger.allocation import bill_facts
from riskseg.ledger.promises import promise_outcomes
from riskseg.pipeline.readable_ids import readable_id
from riskseg.pipeline.session import Session
from riskseg.results.worklist import HistoryEntry

_COLUMNS = (
    *("amount", "until", "channel", "action", "step", "path", "outcome", "ref", "reason"),
    *("made_by", "bill_id"),
)
# The place, within a day, of what riskseg works out, and the words for it.
_WORKED_OUT = 5
_CAME_OF = {
    "open": "is open",
    "running": "is running",
    "kept": "was kept",
    "partly_kept": "was kept in part",
    "broken": "was broken",
    "missed": "was missed",
}
_AMOUNT = "cast({amount} as decimal(18, {scale}))"


def entries(session: Session, account_no: int, as_of: date) -> tuple[HistoryEntry, ...]:
    """What had happened to an account, and was known, by the close of a day; and what people said
    later of the actions on that day's list. The account's ids have been read
    (:func:`riskseg.pipeline.readable_ids.read_ids`)."""
    scale = session.scale
    selects = [_journal(scale)]
    sources = session.ledger.sources
    if "bills" in sources:
        selects.append(_bills(session, account_no))
    if "payments" in sources:
        selects.append(_payments(session, account_no))
    if "events" in sources:
        selects.append(_events(scale))
    selects += _came_of(session, account_no, as_of)
    event_rows = session.engine.arrow(
        f"""
        select kind, day, known_on as recorded_on, by_riskseg, place, {", ".join(_COLUMNS)}
        from ({" union all by name ".join(selects)})
        where account_no = {account_no}
            and (day <= date '{as_of}' and known_on <= date '{as_of}' or list_of <= date '{as_of}')
        order by day, known_on, place, number, kind, ref, amount
        """
    ).to_pylist()
    settings = session.workspace.settings
    return tuple(
        HistoryEntry.model_validate(
            {name: value for name, value in event_row.items() if name != "place"}
            | {"words": _words(event_row, settings.currency, scale)}
        )
        for event_row in event_rows
    )


def _nulls(*given: str) -> str:
    """The columns that a kind of fact does not have."""
    type_by_column = {"until": "date", "amount": "decimal(18, 2)"}
    return ", ".join(
        f"cast(null as {type_by_column.get(null_column, 'varchar')}) as {null_column}"
        for null_column in _COLUMNS
        if null_column not in given
    )


def _bills(session: Session, account_no: int) -> str:
    return f"""
        select account_no, 'bill' as kind, issued_on as day, known_on, 1 as place, 0 as number,
            false as by_riskseg,
            {from_minor("amount_minor", session.scale)} as amount,
            due_on as until,
            {readable_id(session, "cast(bill_id as varchar)")} as ref,
            {_nulls("amount", "until", "ref")}
        from ledger_bills
        where account_no = {account_no}
        """


def _payments(session: Session, account_no: int) -> str:
    # A column that the source lacks is a text, whatever the others are.
    staged_id = "coalesce(cast(reverses as varchar), cast(payment_id as varchar))"
    return f"""
        select account_no,
            case
                when refund and (reverses is null or won_back) then 'refund'
                when refund then 'refund_reversal'
                when won_back then 'won_back'
                when reverses is null then 'payment'
                else 'reversal'
            end as kind,
            paid_on as day, known_on, 2 as place, 0 as number,
            false as by_riskseg,
            {from_minor("amount_minor", session.scale)} as amount,
            case when pending then 'pending' when not settled and not refund then 'failed' end
                as outcome,
            {readable_id(session, staged_id)} as ref,
            {_nulls("amount", "outcome", "ref")}
        from ledger_payments
        where account_no = {account_no}
        """


def _events(scale: int) -> str:
    return f"""
        select account_no, kind, happened_on as day, known_on, 3 as place, 0 as number,
            false as by_riskseg,
            {from_minor("amount_minor", scale)} as amount,
            until, channel, outcome, coalesce(ref, bill_id) as ref, bill_id,
            {_nulls("amount", "until", "channel", "outcome", "ref", "bill_id")}
        from events
        where fault is null
        """


def _journal(scale: int) -> str:
    return f"""
        select account_no, kind, happened_on as day, recorded_on as known_on, 4 as place, number,
            true as by_riskseg,
            {_AMOUNT.format(amount="amount", scale=scale)} as amount,
            until, channel, action, step, path, outcome,
            coalesce(ref, bill_id, case when kind = 'action' then event_id end) as ref,
            reason, made_by, bill_id,
            case when kind = 'approval' then due_on end as list_of
        from journal_events
        """


def _came_of(session: Session, account_no: int, as_of: date) -> list[str]:
    """What came of promises and plans, as riskseg works it out for rules: on the day on which it
    was kept or broken, and on the as-of date for what is still open."""
    ledger = session.ledger
    relations = [
        Relation(
            "snapshots",
            f"""
            select cast(1 as bigint) as snap,
                cast({account_no} as bigint) as account_no,
                date '{as_of}' as as_of
            """,
        ),
        *(bill_facts(ledger.money) if ledger.billed else []),
    ]
    outcomes = []
    if ledger.promise_grace is not None:
        relations += promise_outcomes(ledger.promise_grace, reverses=ledger.undone)
        outcomes.append("promise_outcomes")
    if ledger.money.plans is not None:
        outcomes.append("plan_outcomes")
    select = """
        select cast({account_no} as bigint) as account_no, o.kind,
            case when o.outcome in ('open', 'running') then o.as_of else o.happened_on end as day,
            day as known_on, {place} as place, 0 as number,
            true as by_riskseg,
            {amount} as amount,
            o.until, o.channel, o.outcome,
            cast(o.ref as varchar) as ref,
            {nulls}
        from {name} o
        """
    given = {
        "account_no": account_no,
        "place": _WORKED_OUT,
        "amount": from_minor("o.amount_minor", session.scale),
        "nulls": _nulls("amount", "until", "channel", "outcome", "ref"),
    }
    return [
        f"from ({chained([*relations, Relation('came_of', select.format(name=name, **given))])})"
        for name in outcomes
    ]


def _words(row: Mapping[str, Any], currency: str, scale: int) -> str:
    """What an entry says, in a line that a person reads."""
    amount = "" if row["amount"] is None else money(row["amount"], currency, scale)
    until, outcome, channel = row["until"], row["outcome"], row["channel"]
    action = row["action"] or "action"
    match row["kind"]:
        case "bill":
            event_text = f"bill {row['ref']} of {amount}, due {until}"
        case "payment":
            event_text = f"paid {amount}"
            event_text += " (failed)" if outcome else ""
        case "reversal":
            event_text = f"{amount} of a payment taken back"
        case "action" if row["by_riskseg"]:
            by = f" by {channel}" if channel and channel != action else ""
            event_text = f"{action} issued{by}: step {row['step']} of {row['path']}"
        case "placement":
            event_text = f"placed on path {row['path']}"
        case "approval":
            event_text = f"{action} {outcome}"
        case "outcome":
            event_text = f"{action}: {(outcome or '').replace('_', ' ')}"
            event_text += f", {amount} until {until}" if amount else ""
        case "promise" | "plan" | "instalment" as kind if row["place"] == _WORKED_OUT:
            by = "due" if kind == "instalment" else "until"
            event_text = f"{kind} of {amount} {by} {until} {_CAME_OF[outcome]}"
        case "note":
            event_text = "note"
        case kind:
            event_text = kind.replace("_", " ")
            event_text += f" {outcome.replace('_', ' ')}" if outcome else ""
            event_text += f" by {channel}" if channel else ""
            event_text += f" about bill {row['bill_id']}" if row["bill_id"] else ""
            event_text += f" of {amount}" if amount else ""
            event_text += f" until {until}" if until else ""
    return event_text + (f": {row['reason']}" if row["reason"] else "")
