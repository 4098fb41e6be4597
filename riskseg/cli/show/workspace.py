"""How a workspace is shown: what was checked, the facts it has, the demo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from riskseg.cli.show.decisions import show_decisions
from riskseg.cli.show.models import show_trained
from riskseg.cli.show.tables import RISK, default_values, table
from riskseg.cli.terminal import problems_to_stderr, stdout, visible
from riskseg.domain.decision import NO_ACTION
from riskseg.domain.facts import glossed
from riskseg.domain.words import counted

if TYPE_CHECKING:
    from riskseg.results.workspace import Check, Demo, FactList


def show_check(check: Check) -> None:
    """What was read and found; the Problems to stderr."""
    for source_table, row_count in check.rows.items():
        of_them_bad = (
            f", {check.bad[source_table]:,} of them bad" if source_table in check.bad else ""
        )
        print(f"{source_table}: {counted(row_count, 'row')}{of_them_bad}")
    if check.models:
        print(f"models: {', '.join(check.models)}")
    if check.strategy:
        print(f"strategy: {check.strategy}")
    if check.default_values:
        print(default_values(check.default_values))
    for note in check.notes:
        print(note)
    if check.problems:
        problems_to_stderr(check.problems)
    else:
        print("No problems.")


def show_facts(facts: FactList) -> None:
    """The facts of the catalogue and the data, and what those that are not here need."""
    console = stdout()
    catalogue = table("name", "type", "window", "risk", "what it is")
    for listed_fact in facts:
        fact = listed_fact.fact
        meaning = Text(visible(glossed(fact.words)))
        if listed_fact.lacks:
            meaning = Text(f"not here: needs {listed_fact.lacks}", style="dim")
        catalogue.add_row(
            fact.name, str(fact.kind), listed_fact.window, RISK[fact.direction], meaning
        )
    console.print(catalogue)


def show_demo(demo: Demo) -> None:
    """What the demo trained and decided, and what to ask next."""
    for trained in demo.models:
        show_trained(trained.summary)
    show_decisions(demo.assigned)
    shown_columns = ["account_id", "action", "priority"]
    decision_rows = demo.to_arrow().select(shown_columns).to_pylist()
    with_action = [
        decision_row for decision_row in decision_rows if decision_row["action"] != NO_ACTION
    ] or decision_rows
    first_due = max(
        with_action,
        key=lambda decision_row: (decision_row["priority"] or 0, decision_row["account_id"]),
    )
    stdout().print(
        f"\nThe workspace is {demo.folder}. Ask it why: "
        f"riskseg -w {demo.folder} explain {first_due['account_id']} --as-of {demo.assigned.as_of}"
    )
