"""What the journal keeps, as plain values.

Mappings hold what JSON can hold: text, whole numbers, floats that are numbers, booleans,
None, lists and mappings of these. `at` is the moment the caller gives; it is kept as given,
time zone included, and never used to put entries in order.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """A run that is complete: it is recorded last, so that one without a record never was.

    `output` and `output_sha256` are None for a run that decides nothing; the hash alone is None
    for a database table, the output alone where decisions were given in memory. `strategy` is a
    fingerprint. `models` maps a model's name to its version, `sources` a source's name to its
    fingerprint. `activated` tells whether the strategy was in force, or merely the one that lay in
    the folder. `definitions` maps what was read to a hash of what it meant; None where an earlier
    version of riskseg recorded the run.
    """

    run_id: str
    command: str
    at: datetime
    riskseg_version: str
    as_of: date | None = None
    arguments: Mapping[str, Any]
    output: str | None = None
    output_sha256: str | None = None
    rows: int | None = None
    strategy: str | None = None
    models: Mapping[str, str]
    sources: Mapping[str, str]
    activated: bool = False
    definitions: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRecord:
    """A trained version of a model. `fingerprint` covers every file of the version."""

    model: str
    version: str
    fingerprint: str
    metrics: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionRecord:
    """From `at`, `version` is the champion of `model`; `by` whom and why (`reason`)."""

    model: str
    version: str
    at: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyRecord:
    """A strategy's files as they were activated: `files` maps a file's name in its folder to its
    text, and `text` is their :func:`text_hash`. Several texts can have one `fingerprint`, that of
    what they mean."""

    fingerprint: str
    text: str
    name: str
    files: Mapping[str, str]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationRecord:
    """For as-of dates from `effective_from` on, the strategy of this `fingerprint` and `text` is
    the one in force, until an activation made later says otherwise. `proof` tells what was proved
    of it; `reason` why it was activated without. `definitions` maps the facts it was proved of to
    a hash of what they meant then. These and the version of riskseg are None in entries of before
    they were recorded."""

    fingerprint: str
    text: str
    at: datetime
    by: str
    effective_from: date
    proof: Mapping[str, Any]
    reason: str
    definitions: Mapping[str, str] | None = None
    riskseg_version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureRecord:
    """An account was taken out of the kept inputs of `runs`. `account` is a hash of its id."""

    at: datetime
    by: str
    account: str
    runs: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBatchRecord:
    """Events of accounts that were recorded together, by `command`, as known from the day
    `recorded_on`. `sha256` is a digest of all of them, in their order."""

    batch_id: str
    command: str
    at: datetime
    recorded_on: date
    riskseg_version: str
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveRecord:
    """The journal was left at `source`, to be moved to `target`; or it `arrived` there. Both are
    places as they may be shown. The journal is in use where the last such entry says that it
    arrived, and where there is none."""

    at: datetime
    by: str
    source: str
    target: str
    arrived: bool


def text_hash(files: Mapping[str, str]) -> str:
    """The SHA-256 of a strategy's files."""
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()
