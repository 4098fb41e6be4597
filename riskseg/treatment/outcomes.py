"""What came of actions: the columns of a file of outcomes, their check, and the events they are.

An outcome is of an action that was issued. Where somebody was spoken to it is a contact as well,
and a promise to pay is a promise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from riskseg.domain import row_reasons
from riskseg.domain.relations import literal
from riskseg.treatment.ids import id_sql

TABLE = "outcomes"


@dataclass(frozen=True, slots=True)
class OutcomeColumn:
    """A column of a file of outcomes: `names` are those under which it is looked for, the first of
    them its own."""

    names: tuple[str, ...]
    description: str

    @property
    def name(self) -> str:
        return self.names[0]


COLUMNS: tuple[OutcomeColumn, ...] = (
    OutcomeColumn(("id", "action_id", "ref"), "the action's id, as the worklist gave it"),
    OutcomeColumn(
        ("account_id", "account"),
        "the account: with `action`, in place of the id, it means the action of that name that "
        "was issued to it last",
    ),
    OutcomeColumn(("action",), "the name of the action"),
    OutcomeColumn(("outcome", "result", "disposition"), "what came of it: a word of the list"),
    OutcomeColumn(
        ("happened_on", "date", "called_on", "contacted_on"),
        "the day on which it was done; the day of recording where it is left out",
    ),
    OutcomeColumn(("amount", "promised_amount"), "what was promised, in the workspace's currency"),
    OutcomeColumn(("until", "promised_until", "promise_date"), "the day by which it was promised"),
    OutcomeColumn(
        ("attempt", "call_id"),
        "what distinguishes two attempts of one day, such as the id of a call",
    ),
    OutcomeColumn(("reason", "note", "notes"), "a remark"),
    OutcomeColumn(("made_by", "agent"), "who did it"),
)

# What each word means, and whether somebody was spoken to.
OUTCOMES: Mapping[str, tuple[str, bool]] = {
    "done": ("it was carried out; nothing more is known", False),
    "delivered": ("a message or a letter arrived", False),
    "failed": ("it could not be carried out, or came back", False),
    "no_answer": ("nobody answered", False),
    "message_left": ("a message was left for the party", False),
    "wrong_number": ("the number or address is somebody else's", False),
    "reached": ("somebody was spoken to", True),
    "right_party": ("the party was spoken to", True),
    "promise": ("the party promised to pay an amount by a day", True),
    "refused": ("the party was spoken to and will not pay", True),
}

# As many characters of a bad value as a reason shows.
_MOST_SHOWN = 40

_EVENT_KINDS = {"outcome": "true", "contact": "spoken", "promise": "outcome = 'promise'"}


def read_outcomes(relation: str, columns: Mapping[str, str], recorded_on: date) -> str:
    """The statement that makes `outcome_rows`: the rows of a file under the columns' own names, as
    texts, with their number and the action that each is of.

    `columns` maps the columns that the file has to SQL over it. Reads `journal_actions`.
    """
    texts = ",\n            ".join(
        f"nullif(trim(cast({columns.get(c.name, 'null')} as varchar)), '') as {c.name}"
        for c in COLUMNS
    )
    return f"""
        create table outcome_rows as
        with texts as (
            select row_number() over () as row_no,
            {texts}
            from {relation}
        ),
        dated as (
            select * replace (lower(outcome) as outcome),
                case
                    when happened_on is null then date '{recorded_on}'
                    else {_as_day("happened_on")}
                end as day,
                {_as_day("until")} as until_day
            from texts
        ),
        last_issued as (
            select d.row_no, arg_max(a.event_id, (a.happened_on, a.event_id)) as found
            from dated d
            join journal_actions a
                on d.id is null
                and a.account_id = d.account_id
                and a.action = d.action
                and a.happened_on <= d.day
            group by d.row_no
        )
        select d.*,
            a.event_id as action_id,
            a.account_id as of_account,
            a.action as of_action,
            a.channel as of_channel,
            a.happened_on as issued_on
        from dated d
        left join last_issued l on l.row_no = d.row_no
        left join journal_actions a
            on a.event_id = coalesce(d.id, l.found)
            and a.account_id = coalesce(d.account_id, a.account_id)
            and a.action = coalesce(d.action, a.action)
        """


def _as_day(text: str) -> str:
    """A text as a date; of a date with a time, its day."""
    return f"coalesce(try_cast({text} as date), cast(try_cast({text} as timestamp) as date))"


def _faults(scale: int, recorded_on: date) -> Iterator[tuple[str, str, str, str | None]]:
    """Each thing that can be wrong with a row: its code, what it is, when it is so, and the column
    whose value is to be shown, if that helps."""
    words = ", ".join(map(literal, OUTCOMES))
    promise, exact = "outcome = 'promise'", "try_cast(amount as decimal(28, 6))"
    no_action = "id is null and (account_id is null or action is null)"
    yield "RS101", "there is neither an id, nor an account_id with an action", no_action, None
    yield "RS101", "outcome is null", "outcome is null", None
    yield (
        "RS107",
        f"outcome is not one of {', '.join(OUTCOMES)}",
        f"outcome not in ({words})",
        "outcome",
    )
    yield "RS102", "happened_on is not a date", "day is null", "happened_on"
    later = f"day > date '{recorded_on}'"
    yield "RS105", "happened_on is after the day on which it is recorded", later, "happened_on"
    yield "RS105", "happened_on is before the action was issued", "day < issued_on", "happened_on"
    yield "RS101", "a promise has no amount", f"{promise} and amount is null", None
    yield (
        "RS102",
        "amount is not an amount of money",
        f"amount is not null and {exact} is null",
        "amount",
    )
    more = f"{exact} <> round({exact}, {scale})"
    yield "RS103", f"amount has more than {scale} decimals", more, "amount"
    yield "RS103", "a promise is of nothing, or of less", f"{promise} and {exact} <= 0", "amount"
    yield "RS101", "a promise has no until", f"{promise} and until is null", None
    yield "RS102", "until is not a date", "until is not null and until_day is null", "until"
    yield "RS105", "until is before happened_on", "until_day < day", "until"


def _in_words(what: str, column: str | None) -> str:
    """SQL of what is wrong, with the value of the column that is, cut where it is long."""
    if column is None:
        return literal(what)
    return f"""{literal(what)} || coalesce(': "' || {column}[:{_MOST_SHOWN}] || '"', '')"""


def bad_outcomes(scale: int, recorded_on: date) -> str:
    """The rows of `outcome_rows` that cannot be recorded: row, code, reason, the row as it came.
    Where several things are wrong with a row, the code is that of the first."""
    faults = ", ".join(
        f"case when {when} then {row_reasons.fault_sql(literal(code), _in_words(what, column))} end"
        for code, what, when, column in _faults(scale, recorded_on)
    )
    # With the account of a row that names only the action, so that it can be erased here too.
    named = {c.name: c.name for c in COLUMNS} | {"account_id": "coalesce(account_id, of_account)"}
    content = ", ".join(f"{name} := {sql}" for name, sql in named.items())
    return f"""
        select row_no as row,
            {row_reasons.code_sql("faults")} as code,
            {row_reasons.reason_sql("faults")} as reason,
            cast(struct_pack({content}) as varchar) as content
        from (
            select *, list_filter([{faults}], lambda f: f is not null) as faults
            from outcome_rows
        )
        where len(faults) > 0
        order by row_no
        """


def unmatched_outcomes() -> str:
    """The sound rows that are of no action that was issued. Reads `bad_outcomes`."""
    return """
        select row_no, coalesce(id, account_id || ', ' || action) as named
        from outcome_rows
        where action_id is null
            and row_no not in (select row from bad_outcomes)
        order by row_no
        """


def outcome_events(scale: int, recorded_on: date, by: str) -> str:
    """The events of the sound rows, as the journal keeps them: texts, each with its id.

    Attempts that are alike in all are numbered in their order, so that reading a file twice adds
    nothing and each of its rows counts. Reads `bad_outcomes`.
    """
    spoken = ", ".join(literal(word) for word, (_, spoken) in OUTCOMES.items() if spoken)
    kinds = " union all ".join(
        f"""
        select {id_sql(literal(kind), "parts")} as event_id,
            {literal(kind)} as kind, *
        from numbered
        where {when}
        """
        for kind, when in _EVENT_KINDS.items()
    )
    alike = "action_id, outcome, day, amount, until_day, attempt"
    return f"""
        with sound as (
            select * replace (cast(try_cast(amount as decimal(28, {scale})) as varchar) as amount)
            from outcome_rows
            where row_no not in (select row from bad_outcomes)
        ),
        numbered as (
            select *,
                outcome in ({spoken}) as spoken,
                concat_ws('|', action_id, outcome, day, coalesce(amount, ''),
                    coalesce(cast(until_day as varchar), ''), coalesce(attempt, ''),
                    row_number() over (partition by {alike} order by row_no)) as parts
            from sound
        )
        select event_id,
            kind,
            of_account as account_id,
            cast(day as varchar) as happened_on,
            '{recorded_on}' as recorded_on,
            of_action as action,
            of_channel as channel,
            case when kind <> 'promise' then outcome end as outcome,
            case when kind <> 'contact' then amount end as amount,
            case when kind <> 'contact' then cast(until_day as varchar) end as until,
            action_id as ref,
            regexp_replace(reason, '[[:cntrl:]]', ' ', 'g') as reason,
            coalesce(regexp_replace(made_by, '[[:cntrl:]]', ' ', 'g'), {literal(by)}) as made_by
        from ({kinds})
        order by row_no, kind
        """
