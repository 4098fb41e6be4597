"""Makes a version of a model from a scorecard that was made elsewhere.

Nothing is known of how good it is until outcomes judge it: it has no metrics. Accounts as of a
date, where they are given, say how its features and probabilities are spread.
"""

from __future__ import annotations

import hashlib
import math
import platform
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from riskseg.domain.facts import Fact, Kind
from riskseg.learning.calibration import Calibration
from riskseg.learning.canonical import canonical, fixed
from riskseg.learning.evidence.effects import effect, effects
from riskseg.learning.evidence.model import Effect, EffectPoint, Evidence
from riskseg.learning.manifest import (
    FORMAT,
    Champion,
    Counts,
    ImportedFrom,
    Manifest,
    RecordedFact,
    RecordedMetrics,
    RecordedSpec,
)
from riskseg.learning.reference import Reference, Spread, reference
from riskseg.learning.scorecard.learner import ScorecardLearner
from riskseg.learning.scorecard.tables import Scorecard, Table
from riskseg.learning.spec import ModelSpec
from riskseg.learning.train import Trained, hashes, sealed

if TYPE_CHECKING:
    import pandas as pd

LEARNER = ScorecardLearner.name
NOTHING = Counts(rows=0, bad=0, stands_for=0.0, parties=0, from_=None, until=None)


def imported(
    spec: ModelSpec,
    card: Scorecard,
    calibration: Calibration,
    facts: Sequence[Fact],
    *,
    source: str,
    content: bytes,
    accounts: pd.DataFrame | None,
    threads: int,
) -> Trained:
    """The version's files. `facts` are those of the card's features; `accounts`, if given, those
    that later ones are compared with."""
    if accounts is None or not len(accounts):
        card_reference = Reference(
            rows=max((sum(table.counts) for table in card.tables), default=0),
            probability=None,
            features=_spreads(card),
        )
        measured = [_effect(table, facts, card.scale.factor) for table in card.tables]
        measured += [_unmeasured(fact) for fact in facts if fact.name not in _tabled(card)]
    else:
        card = replace(card, tables=tuple(_counted(table, accounts) for table in card.tables))
        weight = np.ones(len(accounts))
        probability = calibration.probability(card.margin(accounts))
        card_reference = reference(accounts, facts, probability, weight)
        measured = effects(lambda rows: card.margin(rows, threads), accounts, weight, facts)
    digest = hashlib.sha256(content).hexdigest()
    card_files = ScorecardLearner().files(card)
    card_files["calibration.json"] = canonical({LEARNER: calibration.as_json()})
    card_files["reference.json"] = canonical(card_reference.as_json())
    card_files["evidence.json"] = canonical(Evidence.of_no_outcomes(measured).as_json())
    manifest = Manifest(
        format=FORMAT,
        name=spec.name,
        spec=RecordedSpec.model_validate(spec.as_json()),
        learner=LEARNER,
        form=card.form,
        imported=ImportedFrom(file=source, sha256=digest),
        champion=Champion(learner=LEARNER, why=f"It was imported from {source}.", gain=None),
        population=spec.population,
        features=[RecordedFact.of(fact) for fact in facts],
        attributes=[],
        dropped={},
        notes=list(card.notes),
        tried={},
        training=NOTHING,
        hold_out=NOTHING,
        metrics={LEARNER: RecordedMetrics(out_of_fold=None, hold_out=None)},
        fingerprints={"data": digest},
        libraries={"python": platform.python_version()},
        parent=None,
        files=hashes(card_files),
    )
    return sealed(manifest, card_files)


def _tabled(card: Scorecard) -> set[str]:
    return {table.bins.name for table in card.tables}


def _counted(table: Table, accounts: pd.DataFrame) -> Table:
    """The table with the accounts in each bin, where its file does not say how many."""
    if sum(table.counts):
        return table
    bin_of_row = table.bins.bin_indexes(accounts[table.bins.name])
    rows_by_bin = np.bincount(bin_of_row, minlength=table.bins.count)
    return replace(table, counts=tuple(int(count) for count in rows_by_bin))


def _spreads(card: Scorecard) -> dict[str, Spread]:
    """How the numbers were spread over the card's own bins, where it says."""
    spreads = {}
    for table in card.tables:
        row_total = sum(table.counts)
        if row_total and table.bins.levels is None:
            *known_shares, missing = (fixed(count / row_total) for count in table.counts)
            spreads[table.bins.name] = Spread(
                cuts=list(table.bins.cuts), shares=known_shares, missing=missing
            )
    return spreads


def _effect(table: Table, facts: Sequence[Fact], factor: float) -> Effect:
    """What the points of a table do to the log-odds, at one value of each bin."""
    fact = next(fact for fact in facts if fact.name == table.bins.name)
    all_rows = sum(table.counts)
    ordered_bins = len(table.bins.cuts) + 1
    shares = [count / all_rows if all_rows else 1 / ordered_bins for count in table.counts]
    points = []
    for bin_index, described in enumerate(table.bins.described()):
        is_extra = bin_index >= ordered_bins
        if is_extra and not table.counts[bin_index]:
            continue
        bin_values = [None] if "missing" in described else described.get("levels", ["other"])
        if "from" in described:
            bin_values = [_inside(described["from"], described["to"], fact.kind)]
        for bin_value in bin_values:
            points.append(
                EffectPoint(
                    value=bin_value,
                    margin=fixed((table.average - table.points[bin_index]) / 100 / factor),
                    share=fixed(shares[bin_index] / len(bin_values)),
                )
            )
    return effect(fact, points)


def _unmeasured(fact: Fact) -> Effect:
    """A feature that has points with another only: without accounts there is no telling."""
    value = None if fact.kind.is_textual else 0.0
    return effect(fact, [EffectPoint(value=value, margin=0.0, share=1.0)])


def _inside(low: float | None, high: float | None, kind: Kind) -> float:
    """A value in a bin, its least where it has one."""
    if low is not None:
        return float(math.ceil(low)) if kind is Kind.INTEGER else low
    if high is None:
        return 0.0
    just_below = math.nextafter(high, -math.inf)
    return float(math.floor(just_below)) if kind in (Kind.INTEGER, Kind.BOOLEAN) else just_below
