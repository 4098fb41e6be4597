"""`riskseg strategy diff`: two versions of a strategy side by side."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from riskseg import run as use_cases
from riskseg.cli import completion
from riskseg.cli.common import DAY, AsJson, Plan, day, now, present, root_if_any
from riskseg.cli.exit_codes import guarded
from riskseg.cli.show.tables import default_values, money, number, share, table
from riskseg.cli.strategy import NoData, note_facts, strategy_app
from riskseg.cli.terminal import stdout
from riskseg.domain.words import counted
from riskseg.domain.words import money as money_text

if TYPE_CHECKING:
    from riskseg.results.strategy_difference import (
        AccountMigration,
        ChangeInMeaning,
        StrategyDifference,
    )

# More lines than this in one table nobody reads; --json has them all.
MOST = 25
# More conditions than this of one group of accounts nobody reads.
MOST_CONDITIONS = 15
_OF_HISTORY = re.compile(
    r"\(|(?:elsewhere|issued|last issued|instead|lasting|lawful from|occurrence) |.* not in force$"
)


@strategy_app.command("diff")
@guarded
def strategy_diff(
    old: Annotated[
        str | None,
        typer.Argument(
            autocompletion=completion.names("strategies"),
            help="A strategy folder, the name of one in rules/, or a version in the journal; what "
            "is in force if left out.",
        ),
    ] = None,
    new: Annotated[
        str | None,
        typer.Argument(
            autocompletion=completion.names("strategies"),
            help="The same; the workspace's own folder if left out.",
        ),
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            "--as-of",
            parser=day,
            metavar=DAY,
            help="Also decide the accounts of this day with both, and show which of them move.",
        ),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            help="With --as-of: where a row goes for each account that moves: a .parquet, .csv, "
            ".csv.gz, .json, .jsonl or .xlsx file, or a database URL with #table.",
        ),
    ] = None,
    no_data: NoData = False,
    plan: Plan = False,
    as_json: AsJson = False,
) -> None:
    """Compare two versions of a strategy: which rows changed, and who moves.

    Without arguments, what is in force with the strategy's folder. For instance
    `riskseg strategy diff --as-of 2026-06-30 --out movers.xlsx`.
    """
    day = as_of.date() if as_of else None
    if out is not None and day is None:
        raise typer.BadParameter("Give --as-of: the day as of which accounts move.")
    on = day or now().date()
    workspace = root_if_any(old, new)
    present(
        lambda progress: use_cases.diff.diff(
            workspace,
            old,
            new,
            here=Path.cwd(),
            as_of=day,
            on=on,
            out=out,
            data=not no_data,
            progress=progress,
        ),
        _difference,
        plan=use_cases.diff.plan(
            workspace,
            old,
            new,
            here=Path.cwd(),
            on=on,
            data=not no_data,
            accounts=day is not None,
        )
        if plan
        else None,
        as_json=as_json,
        quiet=as_json or not day,
    )


def _difference(strategy_difference: StrategyDifference) -> None:
    note_facts(strategy_difference.from_data)
    difference(stdout(), strategy_difference)


def difference(console: Console, strategy_difference: StrategyDifference) -> None:
    for side, version in (("old", strategy_difference.old), ("new", strategy_difference.new)):
        version_name = f"{escape(version.name)} {version.fingerprint}"
        console.print(f"{side}: [bold]{version_name}[/]  [dim]{escape(version.where)}[/]")
    console.print()
    if strategy_difference.changes:
        console.print(f"[bold]{counted(len(strategy_difference.changes), 'change')}[/]")
    else:
        console.print("No row changed.")
    for change in strategy_difference.changes:
        console.print(f"  {escape(change.text)}")
    if strategy_difference.moves is not None:
        console.print()
        moves(console, strategy_difference.moves)
    if strategy_difference.movers is not None:
        written = strategy_difference.movers
        console.print(f"{counted(written.rows, 'account')} in {escape(written.place)}.")
    meaning(console, strategy_difference.meaning, brief=strategy_difference.moves is not None)
    for insight in strategy_difference.insights:
        console.print(f"\n[bold]{escape(insight.question)}[/]")
        for figure_name, figure in insight.answer:
            console.print(f"  {escape(figure_name)}: {escape(str(figure))}")


def meaning(console: Console, in_meaning: ChangeInMeaning, *, brief: bool = False) -> None:
    """Which accounts, of all there could be, get another segment, path or action; `brief` without
    examples, and without conditions that fill pages: real accounts have been shown."""
    from riskseg.strategy.proof.example_text import values

    console.print()
    if not in_meaning.turns and not in_meaning.unsure:
        console.print("No difference in meaning: no account gets another segment, path or action.")
        return
    console.print("[bold]For every account there could be[/]")
    left_out = False
    for changed_outcome in in_meaning.turns:
        before_and_after = f"{escape(changed_outcome.before)} → {escape(changed_outcome.after)}"
        console.print(f"  {changed_outcome.outcome} [bold]{before_and_after}[/]")
        regions = changed_outcome.regions
        no_page_holds_them = any(len(region) > MOST_CONDITIONS for region in regions)
        if brief and no_page_holds_them:
            left_out = True
            continue
        # Of regions that no page holds, one shows what they are like.
        shown = regions[:1] if no_page_holds_them else regions
        for region in shown:
            console.print(f"    where {escape(_conditions(region))}")
        if not changed_outcome.complete or len(shown) < len(regions):
            console.print("    and elsewhere")
        if not brief:
            console.print(
                f"    [dim]such as {escape(values(changed_outcome.example))}[/]", soft_wrap=True
            )
    if left_out:
        console.print("[dim]For which accounts: leave --as-of out, or take --json.[/]")
    for question in in_meaning.unsure:
        console.print(f"  [bold yellow]not settled[/] {escape(question)}")


def _conditions(region: Sequence[str]) -> str:
    """Which accounts a region holds. What they have in common that no fact says (what was done
    for them before, rules that are not in force) fills pages: it is in the JSON."""
    if len(region) <= MOST_CONDITIONS:
        return ", ".join(region) or "nothing else is required"
    plain = [text for text in region if not _OF_HISTORY.match(text)][:MOST_CONDITIONS]
    return f"{', '.join(plain)}, and {len(region) - len(plain)} conditions more (--json has them)"


def moves(console: Console, migration: AccountMigration) -> None:
    """Who moves, from where to where, and what becomes of the day's actions."""
    for note in migration.notes:
        console.print(f"Note: {escape(note)}")
    for model, accounts in migration.without_models.items():
        verb = "has" if accounts == 1 else "have"
        console.print(
            f"Note: {counted(accounts, 'account')} {verb} no probability of {escape(model)}: it "
            "was never trained (without_models)."
        )
    verb = "moves" if migration.moved == 1 else "move"
    overdue_text = (
        ""
        if migration.overdue is None
        else f", {money_text(migration.overdue, migration.currency, migration.scale)} overdue"
    )
    flags = f"; protected {number(migration.protected)}, not known {number(migration.unknown)}"
    console.print(
        f"[bold]As of {migration.as_of}[/] {number(migration.moved)} of "
        f"{counted(migration.accounts, 'account')} {verb} "
        f"({share(migration.moved, migration.accounts)}){overdue_text}"
        f"{flags if migration.protective else ''}."
    )
    if migration.moves:
        console.print(_outcomes(migration))
        _left_out(console, len(migration.moves), "moves")
    if migration.levels:
        console.print(_levels(migration))
        _left_out(console, len(migration.levels), "changes of level")
    if migration.columns:
        counts_by_column = ", ".join(
            f"{escape(column_name)} {number(accounts)}"
            for column_name, accounts in migration.columns.items()
        )
        decided = "account is decided" if migration.different == 1 else "accounts are decided"
        console.print(
            f"{number(migration.different)} {decided} differently, by column: {counts_by_column}."
        )
    if migration.actions:
        console.print(_actions(migration))
    if migration.default_values:
        console.print(f"[dim]{escape(default_values(migration.default_values))}[/]")


def _outcomes(migration: AccountMigration) -> Table:
    right = ("accounts", "overdue", "protected", "unknown")
    move_table = table("segment", "path", "action", *right, "such as", right=right)
    for move in migration.moves[:MOST]:
        move_table.add_row(
            _step(move.old.segment, move.new.segment),
            _step(move.old.path, move.new.path),
            _step(move.old.action, move.new.action),
            number(move.accounts),
            money(move.overdue, migration.scale),
            number(move.protected),
            number(move.unknown),
            ", ".join(move.examples),
        )
    return move_table


def _levels(migration: AccountMigration) -> Table:
    right = ("accounts", "overdue")
    level_table = table("band or tier", "level", *right, right=right)
    for change in migration.levels[:MOST]:
        change_of_level = _step(change.old, change.new)
        level_table.add_row(
            change.name,
            change_of_level,
            number(change.accounts),
            money(change.overdue, migration.scale),
        )
    return level_table


def _actions(migration: AccountMigration) -> Table:
    right = ("old", "new", "added", "removed")
    title = f"Actions due on {migration.as_of}"
    action_table = table("channel", "action", *right, right=right, title=title)
    for action in migration.actions:
        figures = map(number, (action.old, action.new, action.added, action.removed))
        action_table.add_row(action.channel, action.action, *figures)
    return action_table


def _step(old: str, new: str) -> str:
    return escape(old if old == new else f"{old} → {new}")


def _left_out(console: Console, count: int, things: str) -> None:
    if count > MOST:
        console.print(f"[dim]{count - MOST:,} more {things}; --json has them all.[/]")
