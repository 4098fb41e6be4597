"""`riskseg hold|promise|plan|note ACCOUNT …`: what people know of an account, as dated facts."""

from __future__ import annotations

import getpass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from riskseg import run as use_cases
from riskseg.cli.common import AsJson, By, On, day_or_today, now, one_line, present, root
from riskseg.cli.exit_codes import guarded
from riskseg.cli.terminal import visible
from riskseg.results.worklist import RecordedEvent

Account = Annotated[str, typer.Argument(help="The account's id.")]
_DAY = ["%Y-%m-%d"]
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
        raise typer.BadParameter(f'"{text}" is no amount.') from None


@guarded
def hold(
    account: Account,
    reason: Reason,
    kind: Annotated[
        str,
        typer.Option(help="What holds it: hold, complaint, bereavement, breathing_space, adviser."),
    ] = "hold",
    from_: Annotated[
        datetime | None,
        typer.Option("--from", formats=_DAY, help="Its first day; that of --on if left out."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(formats=_DAY, help="Its last day; without one it goes on until it is ended."),
    ] = None,
    end: Annotated[
        bool,
        typer.Option("--end", help="End what holds it: --until, or --on, is the last day held."),
    ] = False,
    by: By = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Hold an account: nothing is done while it lasts, where the strategy says so."""
    if end and from_ is not None:
        raise typer.BadParameter("--from is for a hold that begins; --end ends one.")

    def record() -> RecordedEvent:
        last, day, who = _day(until), day_or_today(on), by or getpass.getuser()
        if end:
            return use_cases.account_events.end_hold(
                root(), account, kind=kind, until=last, on=day, at=now(), by=who, reason=reason
            )
        return use_cases.account_events.hold(
            root(),
            account,
            kind=kind,
            from_=_day(from_),
            until=last,
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
        datetime | None, typer.Option(formats=_DAY, help="The day by which it is promised.")
    ] = None,
    from_: Annotated[
        datetime | None,
        typer.Option("--from", formats=_DAY, help="The day it was made; --on if left out."),
    ] = None,
    cancel: Annotated[
        bool, typer.Option("--cancel", help="Cancel the promises that are still to be kept.")
    ] = False,
    reason: Remark = None,
    by: By = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Record a promise to pay an amount by a day."""
    given = amount is not None and until is not None
    if cancel and (amount or until or from_ or not reason):
        raise typer.BadParameter("To cancel promises give --reason, and nothing of a new one.")
    if not cancel and not given:
        raise typer.BadParameter("Give --amount and --until.")

    def record() -> RecordedEvent:
        day, who = day_or_today(on), by or getpass.getuser()
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
        typer.Option("--from", formats=_DAY, help="Its first day; that of --on if left out."),
    ] = None,
    reason: Remark = None,
    by: By = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Record a plan to pay in instalments."""
    parts = [_instalment(text) for text in instalments.split(",") if text.strip()]
    present(
        lambda _: use_cases.account_events.plan(
            root(),
            account,
            instalments=parts,
            from_=_day(from_),
            on=day_or_today(on),
            at=now(),
            by=by or getpass.getuser(),
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
def note(
    account: Account,
    text: Annotated[str, typer.Argument(help="The remark, in one line.", callback=one_line)],
    from_: Annotated[
        datetime | None,
        typer.Option("--from", formats=_DAY, help="The day it is about; --on if left out."),
    ] = None,
    by: By = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Record a remark about an account, for people: nothing is decided by it."""
    present(
        lambda _: use_cases.account_events.note(
            root(),
            account,
            text,
            from_=_day(from_),
            on=day_or_today(on),
            at=now(),
            by=by or getpass.getuser(),
        ),
        _show,
        as_json=as_json,
    )
