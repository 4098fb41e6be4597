"""`riskseg strategy diff`: two versions of a strategy side by side."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from riskseg import run as use_cases
from riskseg.cli.common import AsJson, Plan, present, root_if_any
from riskseg.cli.progress import guarded, stdout
from riskseg.cli.show import default_values, money, number, share, table
from riskseg.cli.strategy import NoData, note_facts, strategy_app
from riskseg.domain.words import counted
from riskseg.domain.words import money as money_text

if TYPE_CHECKING:
    from riskseg.results.strategies import AccountMigration, ChangeInMeaning, StrategyDifference

# More lines than this in one table nobody reads; --json has them all.
MOST = 25


@strategy_app.command("diff")
@guarded
def strategy_diff(
    old: Annotated[str, typer.Argument(help="A strategy folder, or a version in the journal.")],
    new: Annotated[
        str | None, typer.Argument(help="The same; the workspace's own folder if left out.")
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            "--as-of",
            formats=["%Y-%m-%d"],
            help="Also decide the accounts of this day with both: who moves.",
        ),
    ] = None,
    no_data: NoData = False,
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """Compare two versions of a strategy: which rows changed, and who moves. Writes nothing."""
    day = as_of.date() if as_of else None
    workspace = root_if_any(old, new)
    with_data = workspace is not None and not no_data
    present(
        lambda progress: use_cases.diff.diff(
            workspace,
            old,
            new,
            here=Path.cwd(),
            as_of=day,
            data=not no_data,
            progress=progress,
        ),
        _difference,
        plan=use_cases.diff.plan(data=with_data, accounts=day is not None) if plan else None,
        as_json=as_json,
        quiet=as_json or not day,
    )


def _difference(done: StrategyDifference) -> None:
    note_facts(done.from_data)
    difference(stdout(), done)


def difference(console: Console, d: StrategyDifference) -> None:
    for side, version in (("old", d.old), ("new", d.new)):
        name = f"{escape(version.name)} {version.fingerprint}"
        console.print(f"{side}: [bold]{name}[/]  [dim]{escape(version.where)}[/]")
    console.print()
    if d.changes:
        console.print(f"[bold]{counted(len(d.changes), 'change')}[/]")
    else:
        console.print("No row changed.")
    for change in d.changes:
        console.print(f"  {escape(change.text)}")
    meaning(console, d.meaning)
    if d.moves is not None:
        console.print()
        moves(console, d.moves)


def meaning(console: Console, m: ChangeInMeaning) -> None:
    """Which accounts, of all there could be, get another segment, path or action."""
    from riskseg.strategy.proof.written import values

    console.print()
    if not m.turns and not m.unsure:
        console.print("No difference in meaning: no account gets another segment, path or action.")
        return
    console.print("[bold]For every account there could be[/]")
    for turn in m.turns:
        console.print(f"  {turn.outcome} [bold]{escape(turn.before)} → {escape(turn.after)}[/]")
        for region in turn.regions:
            console.print(f"    where {escape(', '.join(region)) or 'ever'}")
        if not turn.complete:
            console.print("    and elsewhere")
        console.print(f"    [dim]such as {escape(values(turn.example))}[/]", soft_wrap=True)
    for question in m.unsure:
        console.print(f"  [bold yellow]not settled[/] {escape(question)}")


def moves(console: Console, m: AccountMigration) -> None:
    """Who moves, from where to where, and what becomes of the day's actions."""
    for note in m.notes:
        console.print(f"Note: {escape(note)}")
    goes = "moves" if m.moved == 1 else "move"
    owed = "" if m.overdue is None else f", {money_text(m.overdue, m.currency, m.scale)} overdue"
    flags = f"; protected {number(m.protected)}, not known {number(m.unknown)}"
    console.print(
        f"[bold]As of {m.as_of}[/] {number(m.moved)} of {counted(m.accounts, 'account')} {goes} "
        f"({share(m.moved, m.accounts)}){owed}{flags if m.protective else ''}."
    )
    if m.moves:
        console.print(_outcomes(m))
        _left_out(console, len(m.moves), "moves")
    if m.levels:
        console.print(_levels(m))
        _left_out(console, len(m.levels), "changes of level")
    if m.columns:
        counts = ", ".join(f"{escape(name)} {number(n)}" for name, n in m.columns.items())
        decided = "account is decided" if m.different == 1 else "accounts are decided"
        console.print(f"{number(m.different)} {decided} otherwise, by column: {counts}.")
    if m.actions:
        console.print(_actions(m))
    if m.default_values:
        console.print(f"[dim]{escape(default_values(m.default_values))}[/]")


def _outcomes(m: AccountMigration) -> Table:
    right = ("accounts", "overdue", "protected", "unknown")
    made = table("segment", "path", "action", *right, "such as", right=right)
    for move in m.moves[:MOST]:
        made.add_row(
            _step(move.old.segment, move.new.segment),
            _step(move.old.path, move.new.path),
            _step(move.old.action, move.new.action),
            number(move.accounts),
            money(move.overdue, m.scale),
            number(move.protected),
            number(move.unknown),
            ", ".join(move.examples),
        )
    return made


def _levels(m: AccountMigration) -> Table:
    right = ("accounts", "overdue")
    made = table("band or tier", "level", *right, right=right)
    for level in m.levels[:MOST]:
        step = _step(level.old, level.new)
        made.add_row(level.name, step, number(level.accounts), money(level.overdue, m.scale))
    return made


def _actions(m: AccountMigration) -> Table:
    right = ("old", "new", "added", "removed")
    title = f"Actions due on {m.as_of}"
    made = table("channel", "action", *right, right=right, title=title)
    for action in m.actions:
        figures = map(number, (action.old, action.new, action.added, action.removed))
        made.add_row(action.channel, action.action, *figures)
    return made


def _step(old: str, new: str) -> str:
    return escape(old if old == new else f"{old} → {new}")


def _left_out(console: Console, count: int, what: str) -> None:
    if count > MOST:
        console.print(f"[dim]{count - MOST:,} more {what}; --json has them all.[/]")
