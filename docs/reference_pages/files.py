"""files.md: every file that is read or written, key by key."""

from __future__ import annotations

from collections.abc import Iterator

from reference_pages.markdown import code, table
from reference_pages.spec_file import spec_file
from reference_pages.strategy_files import strategy_files
from reference_pages.workspace_file import workspace_file
from riskseg.domain.decision import COLUMNS, decision_names


def files() -> Iterator[str]:
    yield "# Files"
    yield ""
    yield from workspace_file()
    yield from spec_file()
    yield from strategy_files()
    yield from _decision()


def _decision() -> Iterator[str]:
    words = {column.name: column.description for column in COLUMNS} | {
        "p_…": "a probability for each name under `uses`; null where the model does not cover the "
        "account",
        "…": "one column for each band, then one for each tier scheme, under their own names",
    }
    yield "## A decision"
    yield ""
    yield (
        "One row an account, in the order of account ids. The form follows the ending of the name: "
        ".parquet, .csv, .csv.gz, .json, .jsonl, .xlsx, or a database URL with `#table`. Beside a "
        "file stands `FILE.manifest.json`: the run, the file's hash, the versions of strategy and "
        "models, fingerprints of the sources."
    )
    yield ""
    yield from table(
        ("column", "what it holds"),
        ((code(name), words[name]) for name in decision_names(["p_…"], ["…"])),
    )
