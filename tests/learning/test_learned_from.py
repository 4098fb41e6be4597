"""Which rows a version learned from, by what it held out and whether it was fitted to all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from riskseg.learning.frame import TrainingFrame
from riskseg.learning.learned_from import unseen
from riskseg.learning.manifest import Manifest
from riskseg.learning.split import held_out_by_party
from tests.support.manifests import COUNTS, manifest_json

PARTIES = np.array([f"P{n:03d}" for n in range(200)], dtype=object)
LATE = "target: {event: late, days_past_due: 5, horizon_days: 30}"
COLUMN = "target: {column: outcome}"
MONTHLY = "target: {column: outcome, horizon_days: 30}"
YEAR = ("2024-01-01", "2024-12-31")
ONE_DAY = ("2024-12-31", "2024-12-31")
UNDATED = (None, None)


def frame(day: str | None) -> TrainingFrame:
    """A row of every party, all of one day."""
    many = len(PARTIES)
    days = np.full(many, np.datetime64(day or "NaT", "D"))
    reported = np.zeros(many, dtype=np.int8)
    held = np.zeros(many, dtype=np.bool_)
    return TrainingFrame(
        pd.DataFrame(index=range(many)), (), reported, PARTIES, PARTIES, days, held, np.ones(many)
    )


def manifest(
    text: str, learned: tuple[str | None, str | None], *, refit: bool, rows: int = 150
) -> dict[str, Any]:
    counts = {**COUNTS, "rows": rows, "bad": 0, "from": learned[0], "until": learned[1]}
    return manifest_json(text, training=counts, refit=counts if refit else None)


@pytest.mark.parametrize(
    ("text", "learned", "refit", "day", "new"),
    [
        # By date: nothing up to the last date, nor while a label of training was open.
        (LATE, YEAR, False, "2024-12-31", "none"),
        (LATE, YEAR, False, "2025-02-03", "none"),
        (LATE, YEAR, False, "2025-02-04", "all"),
        (f"{MONTHLY}\nhold_out: {{last: 60 days}}", YEAR, False, "2025-01-29", "none"),
        (f"{MONTHLY}\nhold_out: {{last: 60 days}}", YEAR, False, "2025-01-30", "all"),
        # By share, written or implied: the parties held out, and later rows of any.
        (f"{LATE}\nhold_out: {{share: 0.5}}", YEAR, False, "2024-06-01", 0.5),
        (f"{LATE}\nhold_out: {{share: 0.5}}", YEAR, False, "2025-02-04", "all"),
        (MONTHLY, YEAR, False, "2024-01-01", 0.25),
        (MONTHLY, YEAR, False, "2024-12-31", 0.25),
        (MONTHLY, YEAR, False, "2025-02-01", "all"),
        (f"{LATE}\nobserve: {{at: 2024-12-31}}", ONE_DAY, False, "2024-12-31", 0.25),
        (COLUMN, UNDATED, False, None, 0.25),
        # A column of accounts looked at once is the same outcome on a later day.
        (COLUMN, ONE_DAY, False, "2026-01-01", 0.25),
        (COLUMN, ONE_DAY, True, "2026-01-01", "none"),
        # Fitted once more to all rows: no party is held out.
        (LATE, YEAR, True, "2025-02-03", "none"),
        (LATE, YEAR, True, "2025-02-04", "all"),
        (MONTHLY, YEAR, True, "2024-06-01", "none"),
        (COLUMN, UNDATED, True, None, "none"),
    ],
)
def test_what_is_new_to_a_version(
    text: str,
    learned: tuple[str | None, str | None],
    refit: bool,
    day: str | None,
    new: str | float,
) -> None:
    wanted = {"all": np.ones(len(PARTIES), dtype=bool), "none": np.zeros(len(PARTIES), dtype=bool)}
    if isinstance(new, float):
        wanted[new] = held_out_by_party(PARTIES, new, 7)  # type: ignore[index]
    reported = unseen(Manifest.model_validate(manifest(text, learned, refit=refit)), frame(day))
    assert reported.tolist() == wanted[new].tolist()  # type: ignore[index]


def test_a_version_of_an_earlier_riskseg_says_nothing_of_refits() -> None:
    earlier = manifest(COLUMN, UNDATED, refit=False)
    del earlier["refit"], earlier["spec"]["hold_out"]
    new = unseen(Manifest.model_validate(earlier), frame(None))
    assert new.sum() == held_out_by_party(PARTIES, 0.25, 7).sum()


def test_an_imported_version_learned_from_nothing_here() -> None:
    imported = Manifest.model_validate(manifest(LATE, UNDATED, refit=False, rows=0))
    assert imported.first_unseen is None and unseen(imported, frame("2024-01-01")).all()
