"""How the export of a strategy is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskseg.cli.progress import remark
from riskseg.domain.words import counted

if TYPE_CHECKING:
    from riskseg.results.strategy_export import StrategyExport

_ORIGINS = {
    "account": "of the account",
    "model": "probabilities of models",
    "treatment": "of how it was treated",
    "day": "of the day",
}


def show_strategy_export(export: StrategyExport) -> None:
    """The query, where no folder was named; else what was written, what it reads and how it is
    tested."""
    if export.sql is not None:
        print(export.sql, end="")
        return
    print(f"{export.strategy} {export.version} for {export.to}: {export.folder}")
    for file in export.files:
        print(f"  {file}")
    by_origin = {
        words: sum(fact.origin == origin for fact in export.facts)
        for origin, words in _ORIGINS.items()
    }
    parts = ", ".join(f"{count} {words}" for words, count in by_origin.items() if count)
    print(f"It reads {counted(len(export.facts), 'column')} of facts: {parts}.")
    if export.days:
        print(f"What calendars say is written for {counted(export.days, 'day')}.")
    if export.first_day or export.last_day:
        first, last = export.first_day or "the beginning", export.last_day or "without end"
        print(f"Its rules are in force from {first} to {last}.")
    print(
        f"{counted(export.test_accounts, 'made-up account')} test it; DuckDB decides all of them "
        "as riskseg does."
    )
    if export.not_reached:
        remark(f"Not reached by any of them: {'; '.join(export.not_reached)}.")
