"""Insight: questions about accounts, one file for each.

Each is one object behind the port of `insight/insight.py`. A new one is written in a file of its
own and registered here. What an insight is asked of has a file too:
`decided_twice.py`, `portfolio.py`.
"""

from riskseg.insight.ageing import AGEING
from riskseg.insight.arrears import ARREARS
from riskseg.insight.calibration import CALIBRATION
from riskseg.insight.collected import COLLECTED
from riskseg.insight.coverage import COVERAGE
from riskseg.insight.cures import CURES
from riskseg.insight.differences import DIFFERENCES
from riskseg.insight.drift import DRIFTS
from riskseg.insight.fairness import FAIRNESS
from riskseg.insight.feeds import FEEDS
from riskseg.insight.insight import register
from riskseg.insight.migration import MIGRATION
from riskseg.insight.movement import MOVEMENTS
from riskseg.insight.performance import PERFORMANCE
from riskseg.insight.plans import PLANS
from riskseg.insight.profile import PROFILES
from riskseg.insight.promises import PROMISES
from riskseg.insight.roll_rates import ROLLS
from riskseg.insight.sizes import SIZES
from riskseg.insight.splits import SPLITS
from riskseg.insight.vintages import VINTAGES

for _insight in (
    MIGRATION,
    DIFFERENCES,
    AGEING,
    SIZES,
    PROFILES,
    MOVEMENTS,
    ARREARS,
    VINTAGES,
    ROLLS,
    CURES,
    COLLECTED,
    PROMISES,
    PLANS,
    PERFORMANCE,
    CALIBRATION,
    SPLITS,
    COVERAGE,
    DRIFTS,
    FEEDS,
    FAIRNESS,
):
    register(_insight)
