"""How what was decided is shown: the decisions of a run, and scores alone."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from rich.markup import escape

from riskseg.cli.show.control_totals import control_lines
from riskseg.cli.show.tables import default_values, money, number, share, table
from riskseg.cli.terminal import stdout
from riskseg.domain.words import counted

if TYPE_CHECKING:
    from riskseg.results.runs import Decisions, Scores


def show_decisions(decisions: Decisions) -> None:
    """The table of segments a billing manager reads first."""
    console = stdout()
    # Without bills nothing is known to be overdue or not.
    amounts = [s.overdue for s in decisions.segments if s.overdue is not None]
    with_overdue = ("overdue",) if amounts else ()
    left, figures = ("segment", "path"), ("accounts", "share", *with_overdue, "mean probability")
    last = ("due today", "no step left")
    by_segment = table(left[0], *figures, left[1], *last, right=(*figures, *last))
    for segment in decisions.segments:
        paths_by_size = sorted(
            segment.paths, key=lambda path_name: (-segment.paths[path_name], path_name)
        )
        by_segment.add_row(
            segment.segment,
            number(segment.accounts),
            share(segment.accounts, decisions.rows),
            *([] if segment.overdue is None else [money(segment.overdue, decisions.scale)]),
            "–" if segment.probability is None else f"{100 * segment.probability:.1f}%",
            ", then ".join(paths_by_size[:2]),
            number(segment.due),
            number(segment.finished),
        )
    by_segment.add_section()
    by_segment.add_row(
        "all",
        number(decisions.rows),
        share(decisions.rows, decisions.rows),
        *([money(sum(amounts, Decimal(0)), decisions.scale)] if amounts else []),
        "",
        "",
        number(sum(segment.due for segment in decisions.segments)),
        number(sum(segment.finished for segment in decisions.segments)),
    )
    title = f"{decisions.strategy.name} as of {decisions.as_of}"
    said = [f"overdue in {decisions.currency}"] if amounts else []
    said += [f"mean probability: {decisions.of}"] if decisions.of else []
    console.print(f"[bold]{title}[/]" + (f"  ({'; '.join(said)})" if said else ""))
    console.print(by_segment)
    actions = ", ".join(
        f"{action} {number(accounts)}" for action, accounts in sorted(decisions.actions.items())
    )
    console.print(f"Actions due on {decisions.as_of}: {actions or 'none'}.")
    run = f"run {decisions.run_id}{'' if decisions.activated else ', not activated'}"
    console.print(f"{counted(decisions.rows, 'decision')} in {decisions.place} ({run}).")
    if decisions.control_totals is not None:
        for line in control_lines(decisions.control_totals, decisions.scale):
            console.print(escape(line), soft_wrap=True)
    for line in decisions.unmatched:
        console.print(escape(line), soft_wrap=True)
    if decisions.default_values:
        console.print(f"[dim]{escape(default_values(decisions.default_values))}[/]")


def show_scores(scores: Scores) -> None:
    """How many rows were scored, and where they are."""
    print(f"{counted(scores.rows, 'row' if scores.of_bills else 'account')} in {scores.place}")
    for model, scored_count in scores.scored.items():
        print(f"p_{model}: {scored_count:,} scored by version {scores.models[model]}")
