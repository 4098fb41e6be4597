"""`riskseg hold|promise|plan|dispute|note ACCOUNT …`: what people know of an account, as dated
facts."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskseg import run as use_cases
from riskseg.cli.common import (
    DAY,
    AsJson,
    By,
    On,
    Plan,
    day,
    day_or_today,
    now,
    one_line,
    present,
    root,
    user_or,
)
from riskseg.cli.exit_codes import guarded
from riskseg.cli.show.tables import table
from riskseg.cli.terminal import stdout, visible

if TYPE_CHECKING:
    from riskseg.results.worklist import History, RecordedEvent

Account = Annotated[str, typer.Argument(help="The account's id.")]
Reason = Annotated[str, typer.Option("--reason", help="Why.", callback=one_line)]
Remark = Annotated[str | None, typer.Option("--reason", help="A remark.", callback=one_line)]


def _show(done: RecordedEvent) -> None:
    print(visible(repr(done)))


def _day(value: datetime | None) -> date | None:
    return None if value is None else value.date()


def _amount(text: str) -> Decimal:
    try:
        return Decimal(text.strip())
    except InvalidOperation:
        raise typer.BadParameter(f'"{text}" is not an amount.') from None


@guarded
def hold(
    account: Account,
    reason: Reason,
    kind: Annotated[
        str,
        typer.Option(
            help="The kind of hold: hold, complaint, bereavement, breathing_space, adviser."
        ),
    ] = "hold",
    from_: Annotated[
        datetime | None,
        typer.Option(
            "--from", parser=day, metavar=DAY, help="Its first day; the day of --on if left out."
        ),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(
            parser=day, metavar=DAY, help="Its last day; without one it goes on until it is ended."
        ),
    ] = None,
    end: Annotated[
        bool,
        typer.Option("--end", help="End the hold: --until, or else --on, is its last day."),
    ] = False,
    by: By = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Hold an account: nothing is done while it lasts, where the strategy says so.

    For instance `riskseg hold A00000042 --reason "complaint 17" --until 2026-07-31`.
    """
    if end and from_ is not None:
        raise typer.BadParameter("--from is for a new hold: it cannot be given with --end.")

    def record() -> RecordedEvent:
        last_day, day, who = _day(until), day_or_today(on), user_or(by)
        if end:
            return use_cases.account_events.end_hold(
                root(), account, kind=kind, until=last_day, on=day, at=now(), by=who, reason=reason
            )
        return use_cases.account_events.hold(
            root(),
            account,
            kind=kind,
            from_=_day(from_),
            until=last_day,
            on=day,
            at=now(),
            by=who,
            reason=reason,
        )

    present(lambda _: record(), _show, as_json=as_json)


@guarded
def promise(
    account: Account,
    amount: Annotated[str | None, typer.Option(help="What is promised, as 50.00.")] = None,
    until: Annotated[
        datetime | None,
        typer.Option(parser=day, metavar=DAY, help="The day by which it is promised."),
    ] = None,
    from_: Annotated[
        datetime | None,
        typer.Option(
            "--from", parser=day, metavar=DAY, help="The day it was made; --on if left out."
        ),
    ] = None,
    cancel: Annotated[
        bool, typer.Option("--cancel", help="Cancel the promises that are still open.")
    ] = False,
    reason: Remark = None,
    by: By = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Record a promise to pay an amount by a day.

    For instance `riskseg promise A00000042 --amount 120.00 --until 2026-07-15`.
    """
    is_complete = amount is not None and until is not None
    if cancel and (amount or until or from_ or not reason):
        raise typer.BadParameter("To cancel promises, give --reason only: no amount and no dates.")
    if not cancel and not is_complete:
        raise typer.BadParameter("Give --amount and --until.")

    def record() -> RecordedEvent:
        day, who = day_or_today(on), user_or(by)
        if cancel:
            return use_cases.account_events.cancel_promise(
                root(), account, on=day, at=now(), by=who, reason=reason or ""
            )
        assert amount is not None and until is not None
        return use_cases.account_events.promise(
            root(),
            account,
            amount=_amount(amount),
            until=until.date(),
            from_=_day(from_),
            on=day,
            at=now(),
            by=who,
            reason=reason,
        )

    present(lambda _: record(), _show, as_json=as_json)


@guarded
def plan(
    account: Account,
    instalments: Annotated[
        str,
        typer.Option(help="What is due when, as 2026-07-15=50.00,2026-08-15=50.00."),
    ],
    from_: Annotated[
        datetime | None,
        typer.Option(
            "--from", parser=day, metavar=DAY, help="Its first day; the day of --on if left out."
        ),
    ] = None,
    reason: Remark = None,
    by: By = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Record a plan to pay in instalments.

    For instance `riskseg plan A00000042 --instalments 2026-07-15=50.00,2026-08-15=50.00`.
    """
    instalments_read = [
        _instalment(instalment_text)
        for instalment_text in instalments.split(",")
        if instalment_text.strip()
    ]
    present(
        lambda _: use_cases.account_events.plan(
            root(),
            account,
            instalments=instalments_read,
            from_=_day(from_),
            on=day_or_today(on),
            at=now(),
            by=user_or(by),
            reason=reason,
        ),
        _show,
        as_json=as_json,
    )


def _instalment(text: str) -> tuple[date, Decimal]:
    day, separator, amount = text.strip().partition("=")
    try:
        due = date.fromisoformat(day)
    except ValueError:
        separator = ""
    if not separator:
        raise typer.BadParameter("Write --instalments as 2026-07-15=50.00,2026-08-15=50.00.")
    return due, _amount(amount)


@guarded
def dispute(
    account: Account,
    reason: Reason,
    bill: Annotated[
        str | None, typer.Option(help="The bill it is about; all that was billed if left out.")
    ] = None,
    amount: Annotated[
        str | None, typer.Option(help="What of it is disputed, or upheld; the whole if left out.")
    ] = None,
    outcome: Annotated[
        str | None, typer.Option(help="What came of it: upheld, rejected or ended.")
    ] = None,
    from_: Annotated[
        datetime | None,
        typer.Option(
            "--from",
            parser=day,
            metavar=DAY,
            help="The day it was raised, or decided; --on if left out.",
        ),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(
            parser=day, metavar=DAY, help="Its last day; without one it goes on until its outcome."
        ),
    ] = None,
    by: By = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Record that a bill is disputed, or what came of it: while it is open, the disputed part is
    not overdue.

    For instance `riskseg dispute A00000042 --bill B17 --reason "meter read wrongly"`.
    """
    if outcome is not None and until is not None:
        raise typer.BadParameter("--until is for a dispute that is raised.")

    def record() -> RecordedEvent:
        events, given = use_cases.account_events, None if amount is None else _amount(amount)
        day, who = day_or_today(on), user_or(by)
        if outcome is None:
            return events.dispute(
                root(),
                account,
                bill=bill,
                amount=given,
                from_=_day(from_),
                until=_day(until),
                on=day,
                at=now(),
                by=who,
                reason=reason,
            )
        return events.answer_dispute(
            root(),
            account,
            bill=bill,
            outcome=outcome,
            amount=given,
            from_=_day(from_),
            on=day,
            at=now(),
            by=who,
            reason=reason,
        )

    present(lambda _: record(), _show, as_json=as_json)


@guarded
def history(
    account: Account,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            "--as-of", parser=day, metavar=DAY, help="The close of this day; today if left out."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="An .html file to write it to, with a picture.")
    ] = None,
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """Show an account's whole story: bills, payments, what was done, decided and recorded.

    For instance `riskseg history A00000042 --as-of 2026-06-30 --out history.html`.
    """
    present(
        lambda progress: use_cases.history.history(
            root(), account, day_or_today(as_of), out=out, progress=progress
        ),
        _show_history,
        plan=use_cases.history.plan() if plan else None,
        as_json=as_json,
    )


def _show_history(done: History) -> None:
    history_table = table("day", "what happened", "by", "known from")
    for history_entry in done.entries:
        late = (
            str(history_entry.recorded_on) if history_entry.recorded_on != history_entry.day else ""
        )
        history_table.add_row(
            str(history_entry.day), history_entry.words, history_entry.made_by or "", late
        )
    stdout().print(history_table)
    print(f"{visible(done.account_id)} as of {done.as_of}, in {done.currency}.")
    for remark in done.notes:
        print(f"Note: {remark}.")
    if done.place:
        print(f"The same with a picture: {done.place}.")


@guarded
def note(
    account: Account,
    text: Annotated[str, typer.Argument(help="The remark, in one line.", callback=one_line)],
    from_: Annotated[
        datetime | None,
        typer.Option(
            "--from", parser=day, metavar=DAY, help="The day it is about; --on if left out."
        ),
    ] = None,
    by: By = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Record a remark about an account, for people: nothing is decided by it.

    For instance `riskseg note A00000042 "Prefers to be called in the evening."`.
    """
    present(
        lambda _: use_cases.account_events.note(
            root(),
            account,
            text,
            from_=_day(from_),
            on=day_or_today(on),
            at=now(),
            by=user_or(by),
        ),
        _show,
        as_json=as_json,
    )
