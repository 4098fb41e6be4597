"""A rehearsal: one or two strategies side by side, and their actions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskseg.cli.show.tables import money, number, table
from riskseg.cli.terminal import stdout
from riskseg.domain.words import counted

if TYPE_CHECKING:
    from decimal import Decimal

    from riskseg.results.rehearsal import Rehearsal, RehearsedDifference, RehearsedStrategy

_MONEY = ("cost", "paid", "overdue")


def rehearsal(done: Rehearsal) -> None:
    """What came of each strategy, how they differ, and what each action was taken for."""
    console = stdout()
    accounts = done.strategies[0].accounts
    over = "a generated portfolio" if done.generated else "the past"
    period = "day" if done.every == 1 else "week"
    console.print(
        f"[bold]Rehearsed over {over}, {done.first} to {done.last}[/], a worklist each {period}: "
        f"{counted(accounts, 'account')} on the last day; money in {done.currency}"
    )
    strategy_names = [strategy.name for strategy in done.strategies]
    differences = {measured.measure: measured for measured in done.differences}
    difference_columns = ["difference", "95% interval"] if differences else []
    comparison_table = table(
        "", *strategy_names, *difference_columns, right=[*strategy_names, *difference_columns]
    )
    table_rows: list[tuple[str, str]] = [
        ("actions", "issued"),
        ("contacts", "contacts"),
        ("significant actions", "significant"),
        ("cost", "cost"),
        ("arrears episodes ended", "cures"),
        ("paid", "paid"),
        ("overdue on the last day", "overdue"),
        (f"contacted more than {done.more_than} times", "contacted_often"),
    ]
    for row_title, measure_field in table_rows:
        measure_cells = [_cell(strategy, measure_field, done.scale) for strategy in done.strategies]
        measure = "actions" if measure_field == "issued" else measure_field
        comparison_table.add_row(
            row_title,
            *measure_cells,
            *_difference(differences.get(measure), done.scale, difference_columns),
        )
    console.print(comparison_table)
    for strategy in done.strategies:
        limited = any(action.left for action in strategy.actions)
        columns = ["action", "channel", "issued", "most a day", "cost", *(["left"] * limited)]
        actions = table(*columns, right=columns[2:], title=strategy.name)
        for action in strategy.actions:
            actions.add_row(
                action.action,
                action.channel,
                number(action.issued),
                number(action.most_a_day),
                money(action.cost, done.scale),
                *([number(action.left)] if limited else []),
            )
        console.print(actions)
    if done.place is not None:
        console.print(f"{counted(len(done.weeks), 'row')} of weeks and paths in {done.place}.")


def _cell(strategy: RehearsedStrategy, field: str, scale: int) -> str:
    figure: int | Decimal | None = getattr(strategy, field)
    if field in _MONEY:
        return money(figure, scale)
    return "–" if figure is None else number(int(figure))


def _difference(
    difference: RehearsedDifference | None, scale: int, more: list[str]
) -> tuple[str, ...]:
    if not more:
        return ()
    if difference is None:
        return ("", "")
    decimals = scale if difference.measure in _MONEY else 0
    estimate, low, high = (
        f"{end_of_interval:+,.{decimals}f}" for end_of_interval in difference.difference
    )
    return estimate, f"{low} to {high}"
