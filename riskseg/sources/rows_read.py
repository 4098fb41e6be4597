"""Whether the rows that were read are those of the files, and why they could not be read."""

from __future__ import annotations

from collections.abc import Mapping

from riskseg.domain.problems import Problems
from riskseg.ledger.mapping import Mapped
from riskseg.sources.reader import open_source
from riskseg.workspace import Workspace


def explain_failure(workspace: Workspace, problems: Problems) -> bool:
    """Whether the files of the sources show why the engine cannot read their rows; each reason is
    added as a Problem."""
    before = len(problems)
    for source in workspace.settings.sources.values():
        problems.extend(open_source(source, workspace.root).faults())
    return len(problems) > before


def check_counts(
    sources: Mapping[str, Mapped], rows: Mapping[str, int], problems: Problems
) -> None:
    """Add a Problem for each source of which the engine read another number of rows than its files
    have."""
    for table, mapped in sources.items():
        if mapped.rows_in_files is not None and mapped.rows_in_files != rows[table]:
            problems.add(
                "RS023",
                f"{mapped.loaded_from} has {mapped.rows_in_files:,} rows, and {rows[table]:,} were "
                f"read for {table}.",
                file=mapped.file,
                line=mapped.lines.get("from"),
                hint="Look for quotes that are not closed, or write the file again.",
            )
