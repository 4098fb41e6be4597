"""Bins found by optbinning (Navas-Palencia, *Optimal binning: mathematical programming
formulation and solution approach*, 2020).

It finds cuts and groups of levels, and nothing else: what they weigh, the points and the scores
are made here as for any other bins.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np

from riskseg.domain.facts import Fact
from riskseg.learning.levels import levels_by_risk
from riskseg.learning.parties import LEAST_PARTIES, Parties
from riskseg.learning.scorecard.tables import Bins

if TYPE_CHECKING:
    import pandas as pd

    from riskseg.learning.frame import Floats, Labels
    from riskseg.learning.scorecard.controls import Controls

# What optbinning itself takes where nothing is said.
LEAST_SHARE = 0.05
# A bin has a half of all rows at most, or there would be one alone.
MOST_SHARE = 0.5
MOST_PREBINS = 20
TRENDS = {1: "ascending", -1: "descending"}
SHAPES = {"auto": "auto", "always": "auto_asc_desc", "none": None}
# A search that is stopped gives what it has by then, which differs between machines. So many
# pre-bins take it well under a second.
TIME_LIMIT = 3600


def load_optbinning() -> Any:
    """The library. It is loaded when it is asked for: it takes two seconds."""
    # A solver that optbinning does not use here may complain, on standard output, when loaded.
    logging.getLogger("__cvxpy__").addFilter(lambda record: False)
    import optbinning

    return optbinning


def optimal_bins(
    values: pd.Series,
    label: Labels,
    weight: Floats,
    fact: Fact,
    controls: Controls,
    party: Parties | None = None,
) -> Bins | str:
    """The bins of a feature, its codes left out; or why there are none.

    `fact` has the direction that the bad rate is to keep to. Levels too rare to judge are not
    grouped. Where a `party` has several rows, a bin has the share of rows of enough parties. The
    same rows give the same bins: the solver works by itself on one thread.
    """
    textual = fact.kind.is_textual
    least_share, most = controls.share(fact.name) or LEAST_SHARE, controls.most(fact.name)
    party_codes = None
    if party is not None:
        party_codes = party.codes
        least_share = max(least_share, LEAST_PARTIES / float(party.counted(fact.name).sum()))
        if least_share > MOST_SHARE:
            return f"fewer than {2 * LEAST_PARTIES} parties are too few for two bins"
    levels = levels_by_risk(values, label, weight, party_codes) if textual else ()
    settings: dict[str, Any] = {
        "dtype": "categorical" if textual else "numerical",
        "solver": "cp",
        "time_limit": TIME_LIMIT,
        "min_prebin_size": min(least_share, LEAST_SHARE),
        "min_bin_size": least_share,
        "max_n_prebins": max(MOST_PREBINS, most or 0),
        "max_n_bins": most,
        "special_codes": [float(special_code) for special_code in controls.edit(fact.name).specials]
        or None,
        "monotonic_trend": "ascending"
        if textual
        else TRENDS.get(fact.direction, SHAPES.get(controls.shape(fact.name))),
    }
    if textual:
        values_to_bin = values.where(values.isin(levels), None).to_numpy(dtype=object)
    else:
        values_to_bin = values.to_numpy(dtype=np.float64, na_value=np.nan)
    weighted = None if bool((weight == 1).all()) else weight
    try:
        optimizer = load_optbinning().OptimalBinning(**settings)
        with np.errstate(all="ignore"):
            optimizer.fit(values_to_bin, np.asarray(label, dtype=np.int64), sample_weight=weighted)
    except (ValueError, TypeError, IndexError, ZeroDivisionError) as error:
        refusal_lines = str(error).splitlines() or [type(error).__name__]
        return f"optbinning cannot bin it ({refusal_lines[0]})"
    if optimizer.status != "OPTIMAL":
        return f"optbinning found no bins for it ({str(optimizer.status).lower()})"
    if not textual:
        return Bins(fact.name, tuple(float(cut) for cut in optimizer.splits), None)
    rank = {level: index for index, level in enumerate(levels)}
    level_groups = [sorted(map(str, group), key=rank.__getitem__) for group in optimizer.splits]
    level_groups.sort(key=lambda group: rank[group[0]])
    group_ends = np.cumsum([len(group) for group in level_groups])[:-1]
    ordered_levels = tuple(level for group in level_groups for level in group)
    return Bins(fact.name, tuple(float(group_end) for group_end in group_ends), ordered_levels)
