"""How what was decided is shown: the decisions of a run, and scores alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from rich.markup import escape

from riskseg.cli.show.control_totals import control_lines
from riskseg.cli.show.tables import default_values, money, number, share, table
from riskseg.cli.terminal import stdout
from riskseg.domain.decision import Outlook
from riskseg.domain.words import counted

if TYPE_CHECKING:
    from rich.table import Table

    from riskseg.results.runs import Decisions, OutlookTotal, Scores, SegmentTotal


# How what comes next is called: see `SegmentTotal.outlook`.
OUTLOOKS: Mapping[Outlook, str] = {
    "due": "due today",
    "later": "next step later",
    "finished": "nothing further",
    "held": "held",
    "untreated": "not treated",
}


def show_decisions(decisions: Decisions) -> None:
    """The tables of segments a billing manager reads first."""
    console = stdout()
    # Without bills nothing is known to be overdue or not.
    billed = any(segment.overdue is not None for segment in decisions.segments)
    title = f"{decisions.strategy.name} as of {decisions.as_of}"
    notes = [f"overdue in {decisions.currency}"] if billed else []
    notes += [f"mean probability: {decisions.of}"] if decisions.of else []
    console.print(f"[bold]{title}[/]" + (f"  ({'; '.join(notes)})" if notes else ""))
    console.print(_sizes(decisions, billed=billed))
    balances = ", and what they owe that is overdue" if billed else ""
    console.print(f"[bold]What comes next[/]  (accounts{balances})")
    console.print(_outlooks(decisions))
    actions = ", ".join(
        f"{action} {number(accounts)}" for action, accounts in sorted(decisions.actions.items())
    )
    console.print(f"Actions due on {decisions.as_of}: {actions or 'none'}.")
    run = f"run {decisions.run_id}{'' if decisions.activated else ', not activated'}"
    written = counted(decisions.rows, "decision")
    if decisions.selection is not None:
        written = f"{number(decisions.selection.rows)} of {written}"
    console.print(f"{written} in {decisions.place} ({run}).")
    if decisions.control_totals is not None:
        for line in control_lines(decisions.control_totals, decisions.scale):
            console.print(escape(line), soft_wrap=True)
    for line in decisions.unmatched:
        console.print(escape(line), soft_wrap=True)
    if decisions.default_values:
        console.print(f"[dim]{escape(default_values(decisions.default_values))}[/]")


def _sizes(decisions: Decisions, *, billed: bool) -> Table:
    """How large each segment is, what it owes and which path it is on."""
    figures = ("accounts", "share", *(("overdue",) if billed else ()), "mean probability")
    by_segment = table("segment", *figures, "path", right=figures)
    for segment in decisions.segments:
        by_segment.add_row(
            segment.segment,
            number(segment.accounts),
            share(segment.accounts, decisions.rows),
            *([] if segment.overdue is None else [money(segment.overdue, decisions.scale)]),
            "–" if segment.probability is None else f"{100 * segment.probability:.1f}%",
            _paths(segment.paths),
        )
    overdue = sum((segment.overdue or Decimal(0) for segment in decisions.segments), Decimal(0))
    by_segment.add_section()
    by_segment.add_row(
        "all",
        number(decisions.rows),
        share(decisions.rows, decisions.rows),
        *([money(overdue, decisions.scale)] if billed else []),
        "",
        "",
    )
    return by_segment


def _paths(accounts_by_path: Mapping[str, int]) -> str:
    """The path of a segment; where its accounts are on several, how many are on each."""
    by_size = sorted(accounts_by_path, key=lambda path: (-accounts_by_path[path], path))
    if len(by_size) == 1:
        return by_size[0]
    counts = [f"{path} {number(accounts_by_path[path])}" for path in by_size[:2]]
    others = sum(accounts_by_path[path] for path in by_size[2:])
    return ", ".join([*counts, *([f"others {number(others)}"] if others else [])])


def _outlooks(decisions: Decisions) -> Table:
    """What comes next for the accounts of each segment, and what they owe that is overdue."""
    titles = [*OUTLOOKS.values()]
    outlook_table = table("segment", *titles, right=titles)

    def cells(totals: Sequence[SegmentTotal]) -> list[str]:
        return [
            _accounts_and_balance([t.outlook[outlook] for t in totals], decisions.scale)
            for outlook in OUTLOOKS
        ]

    for segment in decisions.segments:
        outlook_table.add_row(segment.segment, *cells([segment]))
    outlook_table.add_section()
    outlook_table.add_row("all", *cells(decisions.segments))
    return outlook_table


def _accounts_and_balance(totals: Sequence[OutlookTotal], scale: int) -> str:
    accounts = sum(total.accounts for total in totals)
    amounts = [total.overdue for total in totals if total.overdue is not None]
    if not accounts:
        return "0"
    balance = f" ({money(sum(amounts, Decimal(0)), scale)})" if amounts else ""
    return f"{number(accounts)}{balance}"


def show_scores(scores: Scores) -> None:
    """How many rows were scored, and where they are."""
    print(f"{counted(scores.rows, 'row' if scores.of_bills else 'account')} in {scores.place}")
    for model, scored_count in scores.scored.items():
        print(f"p_{model}: {scored_count:,} scored by version {scores.models[model]}")
