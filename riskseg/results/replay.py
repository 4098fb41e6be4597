"""What `replay` gives: a run decided again, and how that compares."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal

from pydantic import computed_field

from riskseg.domain.words import counted
from riskseg.results.base import Single
from riskseg.results.part import Part


class Differences(Part):
    """How two tables of one row per account differ."""

    rows: int
    """Accounts in both whose rows differ."""
    columns: Mapping[str, int]
    """In how many rows each column differs; columns that are the same are left out."""
    appeared: int
    """Accounts in the second table alone."""
    vanished: int
    """Accounts in the first table alone."""
    accounts: tuple[str, ...]
    """The first few accounts that differ or are in one table alone."""

    @property
    def any(self) -> bool:
        return bool(self.rows or self.appeared or self.vanished)


class SinceRun(Part):
    """What is different at the source since a run."""

    sources: tuple[str, ...]
    """Those whose fingerprint changed."""
    facts: Differences | None
    decisions: Differences | None
    """What the run's strategy and models would decide now; null, like `facts`, where `gone` facts
    forbid it."""
    moved: int
    """Accounts that would be treated otherwise."""
    gone: tuple[str, ...]
    """Facts that the sources do not give any more."""


OutputState = Literal[
    "as written", "altered", "written over", "gone", "elsewhere", "a table", "in memory"
]


ReplayVerdict = Literal["same bytes", "same rows", "different", "not compared"]


class OutputFile(Part):
    """What became of the file that a run wrote."""

    state: OutputState
    differing: Differences | None = None
    """How the rows of an altered file differ; null where they cannot be compared."""
    by: str = ""
    """The later run that has written over it."""
    manifest: bool | None = None
    """Whether the manifest beside the file is of this run; null where there is none."""


class Replay(Single):
    """A run decided again, beside what it decided."""

    run_id: str
    as_of: date
    output: str | None
    rows: int
    verdict: ReplayVerdict
    sha256: str | None
    journalled_sha256: str | None
    erased: int
    """Accounts that were taken out of the run's inputs since."""
    differing: Differences | None
    why: str
    """What could not be compared, if anything."""
    riskseg_then: str
    riskseg_now: str
    since: SinceRun | None
    file: OutputFile

    @computed_field  # type: ignore[prop-decorator]
    @property
    def same(self) -> bool:
        """Whether every row that can still be decided came out as it was, and nothing else stands
        where the run wrote it."""
        reproduced = self.verdict in ("same bytes", "same rows")
        return reproduced and self.file.state != "altered" and self.file.manifest is not False

    def _title(self) -> str:
        rows = counted(self.rows, "account")
        return f"Run {self.run_id} as of {self.as_of}: {rows} decided again, {self.verdict}."
