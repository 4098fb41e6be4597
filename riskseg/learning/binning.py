"""Where to cut a number into bins. The only door to optbinning, and to its split points alone:
counts, weights of evidence and points are worked out here, from all rows."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from riskseg.learning.frame import Floats, Labels

TRENDS = {1: "ascending", -1: "descending", 0: "auto_heuristic"}
# A late counter is rare and telling: bins may be small, but not a handful of rows.
LEAST_SHARE = 0.02
LEAST_ROWS = 25
# Split points settle long before counts do; more rows only cost time.
ENOUGH_ROWS = 100_000


def split_points(values: Floats, label: Labels, direction: int) -> tuple[float, ...]:
    """Rising cut points; a bin holds its lower cut and not its upper. NaN is left out.

    `direction` is the sign the share of bad outcomes must have along the value; 0 leaves it to
    the data, which may have one turn. Empty where one bin is best.
    """
    import numpy as np

    known = ~np.isnan(values)
    stride = -(-int(known.sum()) // ENOUGH_ROWS) or 1
    values, label = values[known][::stride], label[known][::stride]
    if len(values) < 2 * LEAST_ROWS or len(np.unique(label)) < 2 or len(np.unique(values)) < 2:
        return ()
    with _quiet():
        from optbinning import OptimalBinning

        binning = OptimalBinning(
            dtype="numerical",
            solver="cp",  # half the time of "mip"; one worker and a fixed seed of its own
            monotonic_trend=TRENDS[direction],
            min_prebin_size=max(LEAST_SHARE, LEAST_ROWS / len(values)),
        )
        binning.fit(values, label)
    # optbinning cuts halfway, in single precision. A bin that begins at a value that occurs holds
    # the same rows and reads better: "from 17", not "from 16.5".
    ordered = np.sort(values)
    begins = ordered[np.searchsorted(ordered[:-1], binning.splits)]
    return tuple(float(cut) for cut in np.unique(begins) if cut > ordered[0])


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """optbinning and the solvers it loads log and warn about what is no concern of the user."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
