"""How ageing is shown: the buckets, the ledger beside them, and how it ties to the source."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from rich.markup import escape

from riskseg.cli.show.tables import money, number, share, table
from riskseg.cli.terminal import stdout
from riskseg.domain.ageing import BUCKETS
from riskseg.domain.words import counted

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from riskseg.results.ageing import Ageing, TieDifference, TieOut

# As many groups as are shown.
MOST = 40


def ageing(done: Ageing) -> None:
    """The table that a credit controller reads first, and the sums that prove it."""
    console = stdout()
    console.print(
        f"[bold]Ageing as of {done.as_of}[/]  ({done.currency}, as it was known on that day)"
    )
    console.print(_groups(done) if done.groups else _total(done))
    if len(done.groups) > MOST:
        console.print(f"[dim]{len(done.groups) - MOST:,} more groups; --json has them all.[/]")
    _ledger(console, done)
    for bad_table, bad_rows in done.quarantined.items():
        console.print(
            f"Not in these amounts: {counted(bad_rows, 'bad row')} of {bad_table}, which "
            "`riskseg check` shows."
        )
    if done.tie is not None:
        _tie(console, done, done.tie)
    if done.accounts is not None:
        console.print(f"{counted(done.accounts.rows, 'account')} in {escape(done.accounts.place)}.")


def _total(done: Ageing) -> Table:
    amounts = table(
        "past due", "accounts", "share", "amount", right=("accounts", "share", "amount")
    )
    total, scale = done.total, done.scale
    for bucket in total.buckets:
        days = bucket.bucket if bucket.bucket == BUCKETS[0].label else f"{bucket.bucket} days"
        amounts.add_row(
            days,
            number(bucket.accounts),
            share(bucket.accounts, total.accounts),
            money(bucket.amount, scale),
        )
    amounts.add_section()
    open_amount = sum((bucket.amount for bucket in total.buckets), Decimal(0))
    amounts.add_row("unpaid", number(total.accounts), "", money(open_amount, scale))
    amounts.add_row("of it overdue", "", "", money(total.overdue, scale))
    amounts.add_row("disputed", "", "", money(total.disputed, scale))
    amounts.add_row("credit, not allocated", "", "", money(-total.credit, scale))
    amounts.add_row("balance", "", "", money(total.balance, scale))
    return amounts


def _groups(done: Ageing) -> Table:
    columns = [bucket.label for bucket in BUCKETS]
    after = ("overdue", "disputed", "credit", "balance")
    right = ("accounts", *columns, *after)
    amounts = table(done.by or "", *right, right=right)
    for group in (*done.groups[:MOST], done.total):
        if group is done.total:
            amounts.add_section()
        amounts.add_row(
            "all" if group is done.total else "–" if group.value is None else group.value,
            number(group.accounts),
            *(money(bucket.amount, done.scale) for bucket in group.buckets),
            money(group.overdue, done.scale),
            money(group.disputed, done.scale),
            money(-group.credit, done.scale),
            money(group.balance, done.scale),
        )
    return amounts


def _ledger(console: Console, done: Ageing) -> None:
    """The identity of the ledger, in one line, and the difference."""
    ledger, scale = done.ledger, done.scale
    parts = [f"billed {money(ledger.billed, scale)}"]
    parts += [
        f"{sign} {word} {money(amount, scale)}"
        for sign, word, amount in (
            ("−", "cancelled", ledger.cancelled),
            ("−", "credited", ledger.credited),
            ("−", "paid", ledger.paid),
            ("+", "taken back", ledger.taken_back),
            ("+", "paid out", ledger.paid_out),
        )
        if amount
    ]
    console.print(f"Ledger: {' '.join(parts)} = {money(ledger.balance, scale)}", soft_wrap=True)
    accounts = f" ({counted(ledger.accounts, 'account')} differ)" if ledger.accounts else ""
    console.print(f"Difference to the ledger: {money(ledger.difference, scale)}{accounts}")


def _tie(console: Console, done: Ageing, tie: TieOut) -> None:
    scale = done.scale
    console.print(f"\n[bold]Tied to {escape(tie.against)}[/]")
    for note in tie.notes:
        console.print(f"Note: {escape(note)}", soft_wrap=True)
    agree = f"{number(tie.agree)} of {counted(tie.compared, 'account')} agree"
    console.print(f"{agree} ({share(tie.agree, tie.compared)}).")
    console.print(
        f"Balance {money(tie.balance, scale)}, source {money(tie.source, scale)}: "
        f"difference {money(tie.difference, scale)}"
        + (f", explained for {number(tie.explained)} of {tie.differ:,}." if tie.differ else ".")
    )
    if tie.buckets:
        right = ("amount", "source", "difference", "accounts that differ")
        by_bucket = table("past due", *right, right=right)
        for bucket in tie.buckets:
            amounts = (bucket.amount, bucket.source, bucket.difference)
            by_bucket.add_row(
                bucket.bucket, *(money(a, scale) for a in amounts), number(bucket.accounts)
            )
        console.print(by_bucket)
    if not tie.differ:
        return
    causes = table("likely cause", "accounts", "difference", right=("accounts", "difference"))
    for cause in tie.causes:
        causes.add_row(cause.words, number(cause.accounts), money(cause.difference, scale))
    console.print(causes)
    of_money = ("balance", "source", "difference")
    largest = table(
        "account", *of_money, "likely cause", "row", right=of_money, title="The largest differences"
    )
    for row in tie.largest:
        amounts_shown = (row.balance, row.source, row.difference)
        largest.add_row(
            row.account_id, *(money(a, scale) for a in amounts_shown), row.words, _row(row)
        )
    console.print(largest)
    if tie.differ > len(tie.largest):
        console.print(f"[dim]{tie.differ - len(tie.largest):,} more differ; --out has them all.[/]")


def _row(difference: TieDifference) -> str:
    """The row that explains a difference, and how many others would."""
    if difference.row is None:
        return ""
    table_name = f"{difference.table} " if difference.table else ""
    day = f", {difference.day}" if difference.day else ""
    others = f" (or {difference.others:,} more)" if difference.others else ""
    return f"{table_name}{difference.row}{day}{others}"
