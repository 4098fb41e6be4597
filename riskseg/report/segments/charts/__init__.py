"""The charts of the report on segments, by the class of the answer that they draw."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from markupsafe import Markup

from riskseg.report.segments.charts.arrears import ageing_over_time
from riskseg.report.segments.charts.calibration import by_month, by_segment
from riskseg.report.segments.charts.cures import cured_by_segment
from riskseg.report.segments.charts.drift import drift_of_models
from riskseg.report.segments.charts.flows import flows, rolls
from riskseg.report.segments.charts.performance import paid_by_segment_and_step
from riskseg.report.segments.charts.plans import arrears_on_plan
from riskseg.report.segments.charts.sizes import overdue_over_time, sizes_of_segments
from riskseg.report.segments.charts.split import rates_of_parts
from riskseg.report.segments.charts.vintages import episodes_by_month, unpaid_by_month
from riskseg.results.insights.arrears import Arrears
from riskseg.results.insights.calibration import Calibration
from riskseg.results.insights.cures import CureRates
from riskseg.results.insights.drift import Drifts
from riskseg.results.insights.movement import Movement
from riskseg.results.insights.performance import Performance
from riskseg.results.insights.plans import PlansKept
from riskseg.results.insights.report import SegmentReport
from riskseg.results.insights.roll_rates import Roll
from riskseg.results.insights.sizes import SegmentSizes
from riskseg.results.insights.split import Structure
from riskseg.results.insights.vintages import Vintages

# A chart is None where there is nothing to draw.
CHARTS: Mapping[type[Any], tuple[Callable[[Any, SegmentReport], Markup | None], ...]] = {
    SegmentSizes: (sizes_of_segments, overdue_over_time),
    Movement: (flows,),
    Arrears: (ageing_over_time,),
    Vintages: (unpaid_by_month, episodes_by_month),
    Roll: (rolls,),
    CureRates: (cured_by_segment,),
    PlansKept: (arrears_on_plan,),
    Performance: (paid_by_segment_and_step,),
    Calibration: (by_segment, by_month),
    Structure: (rates_of_parts,),
    Drifts: (drift_of_models,),
}
