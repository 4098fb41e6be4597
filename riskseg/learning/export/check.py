"""Made-up accounts on which an export is held against the model it was made from."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from riskseg.domain.facts import Fact, Kind
from riskseg.learning.learner import Edges
from riskseg.learning.reference import Spread

if TYPE_CHECKING:
    from riskseg.learning.artefact import Model

LEAST_ROWS = 3000
UNSEEN = "a level that training never saw"
# Far beyond what occurs, and small enough for whole numbers of every engine.
FAR = 1e15
SEED = 7


def check_rows(model: Model) -> pd.DataFrame:
    """`account_id` and the model's features: every edge of every bin or split with a hair to
    either side, every level, a level never seen, null; each beside chance values of the others.

    A few thousand rows, the same for the same model. Numbers are float64 with NaN for null,
    text is objects with None.
    """
    edges = model.learned_by.edges(model)
    values_of_fact = [
        _values(fact, edges.get(fact.name, Edges()), model.reference.features.get(fact.name))
        for fact in model.facts
    ]
    row_count = max([LEAST_ROWS, *map(len, values_of_fact)])
    random = np.random.default_rng(SEED)
    made_up: dict[str, Any] = {
        "account_id": [f"T{account_number:06d}" for account_number in range(row_count)]
    }
    for fact, candidates in zip(model.facts, values_of_fact, strict=True):
        # Each value at least once, in an order of its own.
        order = np.concatenate(
            [random.permutation(len(candidates)) for _ in range(-(-row_count // len(candidates)))]
        )[:row_count]
        column_type: Any = object if fact.kind.is_textual else np.float64
        made_up[fact.name] = pd.Series(
            np.array(candidates, dtype=column_type)[order], dtype=column_type
        )
    return pd.DataFrame(made_up)


def _values(fact: Fact, edges: Edges, spread: Spread | None) -> list[Any]:
    if fact.kind.is_textual:
        return [None, UNSEEN, *sorted(edges.levels)]
    if fact.kind is Kind.BOOLEAN:
        return [math.nan, 0.0, 1.0]
    edges_and_cuts = {*edges.cuts, *((spread.cuts or ()) if spread is not None else ())}
    finite = {edge for edge in edges_and_cuts if math.isfinite(edge)} | {0.0, FAR, -FAR}
    if fact.kind is Kind.INTEGER:
        near = {float(whole) for edge in finite for whole in (math.floor(edge), math.ceil(edge))}
        return [
            math.nan,
            *sorted(near | {whole + 1 for whole in near} | {whole - 1 for whole in near}),
        ]
    hair = {
        math.nextafter(edge, direction) for edge in finite for direction in (math.inf, -math.inf)
    }
    return [math.nan, *sorted(finite | hair)]
