"""Numbers, names and dates as a person reads them."""

from __future__ import annotations

import datetime
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
ABSENT = "–"


@dataclass(frozen=True)
class Currency:
    """How money is written: GBP 1,012.50. Without a code, as a bare number."""

    code: str = ""
    scale: int = 2


NO_CURRENCY = Currency()


def known(value: Any) -> TypeGuard[float]:
    """Whether there is a number to show."""
    return isinstance(value, (int, float)) and math.isfinite(value)


def count(value: Any) -> str:
    """A number of rows; weighted counts need not be whole."""
    if not known(value):
        return ABSENT
    is_whole = abs(value - round(value)) < 0.05 or abs(value) >= 1000
    return f"{value:,.0f}" if is_whole else f"{value:,.1f}"


def percent(share: Any, digits: int | None = None) -> str:
    """A share as a percentage, with about two figures that mean something."""
    if not known(share):
        return ABSENT
    hundred = share * 100
    if digits is None:
        percent_size = abs(hundred)
        digits = 1 if percent_size >= 1 else 2 if percent_size >= 0.1 else 3
        if percent_size == 0 or percent_size == 100:
            digits = 0
    return f"{hundred:.{digits}f}%"


def tick_percent(share: float) -> str:
    """A percentage on an axis: as few digits as it needs."""
    return f"{round(share * 100, 6):g}%"


def figure(value: Any, digits: int = 3) -> str:
    """A metric at a fixed number of decimals; never "-0.000"."""
    if not known(value):
        return ABSENT
    return f"{round(value, digits) + 0.0:.{digits}f}"


def value(value: Any) -> str:
    """A feature's own value."""
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, (int, float)):
        return str(value)
    if not math.isfinite(value):
        return "missing"
    value_size = abs(value)
    if float(value).is_integer() and value_size < 1e15:
        return f"{value:,.0f}"
    if 1000 <= value_size < 1e15:
        return f"{value:,.2f}"
    return f"{value:.6g}"


def interval(estimate: Sequence[float] | float | None, digits: int = 3) -> str:
    """An estimate and its 95% interval, or alone where it has none."""
    if isinstance(estimate, (int, float)):
        return figure(estimate, digits)
    if not estimate or not known(estimate[0]):
        return ABSENT
    if len(estimate) < 3 or not (known(estimate[1]) and known(estimate[2])):
        return figure(estimate[0], digits)
    low, high = figure(estimate[1], digits), figure(estimate[2], digits)
    return f"{figure(estimate[0], digits)} ({low} to {high})"


def percent_interval(estimate: Sequence[float] | None) -> str:
    """A share and its 95% interval."""
    if not estimate or not known(estimate[0]):
        return ABSENT
    if len(estimate) < 3 or not (known(estimate[1]) and known(estimate[2])):
        return percent(estimate[0])
    return f"{percent(estimate[0])} ({percent(estimate[1])} to {percent(estimate[2])})"


def times(odds: float) -> str:
    """A multiple of the odds: ×2, ×0.5; near 1 to the hundredth, so that ×1.05 is not ×1.1."""
    if odds >= 10:
        return f"×{odds:,.0f}"
    return f"×{odds:.3g}" if 0.5 < odds < 2 else f"×{odds:.2g}"


def month(day: str | None) -> str:
    """A month on an axis: "Dec 2025"."""
    if not day or len(day) < 7:
        return ABSENT
    return f"{MONTHS[int(day[5:7]) - 1]} {day[:4]}"


def date(day: datetime.date | str | None) -> str:
    """A day: "3 Dec 2025"."""
    text = str(day or "")
    if len(text) < 10:
        return ABSENT
    return f"{int(text[8:10])} {month(text)}"


def learner(name: str) -> str:
    """A learner by the name people know it by."""
    from riskseg.learning.learners import is_registered, learner_named

    return learner_named(name).title if is_registered(name) else name


def the_learner(name: str) -> str:
    """A learner inside a sentence: "LightGBM", "the scorecard"."""
    return learner(name) if learner(name)[0].isupper() else f"the {learner(name)}"


def sentence(text: str) -> str:
    """Words as a sentence: a capital at the beginning, a full stop at the end."""
    return text and text[0].upper() + text[1:].rstrip(".") + "."


def clipped(text: str, most: int) -> str:
    """Text cut in the middle to fit a label: names often differ in their ends."""
    if len(text) <= most:
        return text
    tail_length = (most - 1) // 2
    return f"{text[: most - 1 - tail_length]}…{text[-tail_length:]}"


def listed(names: Sequence[str], most: int = 6) -> str:
    """Names in a sentence: "a, b and 3 more"."""
    shown_names = [str(name) for name in names]
    if len(shown_names) > most:
        return ", ".join(shown_names[:most]) + f" and {len(shown_names) - most} more"
    if len(shown_names) < 2:
        return "".join(shown_names)
    return f"{', '.join(shown_names[:-1])} and {shown_names[-1]}"


def held(bin_: Mapping[str, Any], kind: str | None = None) -> str:
    """What a bin of a scorecard holds."""
    if bin_.get("missing"):
        return "missing"
    if bin_.get("other"):
        return "any other level"
    if "levels" in bin_:
        return ", ".join(str(level) for level in bin_["levels"]) or "no level"
    if "code" in bin_:
        return f"{value(bin_['code'])} (a code)"
    low, high = bin_.get("from"), bin_.get("to")
    if kind == "boolean" and (low is None) != (high is None):
        return "no" if low is None else "yes"
    if kind == "integer":  # a cut between two whole numbers parts them as one at the higher does
        low, high = (None if end is None else math.ceil(end) for end in (low, high))
    if kind == "integer" and low is not None and high is not None:
        return value(low) if high - low == 1 else f"{value(low)} to {value(high - 1)}"
    if low is None and high is None:
        return "any value"
    if low is None:
        return f"below {value(high)}"
    code_held = _just_below(low)
    if code_held is not None:
        return f"above {value(code_held)}" + ("" if high is None else f" to <{value(high)}")
    if high is None:
        return f"{value(low)} or more"
    return value(low) if _just_below(high) == low else f"{value(low)} to <{value(high)}"


def _just_below(cut: float) -> float | None:
    """The code that a cut was made just above of; None where it was made at a number itself."""
    if cut == sys.float_info.min:
        return 0.0
    value_below = math.nextafter(cut, -math.inf)
    return value_below if float(f"{cut:.15g}") == value_below else None


def plural(many: float, singular: str, several: str | None = None) -> str:
    """A count and its noun: "1 bill", "2 bills"."""
    return f"{count(many)} {singular if many == 1 else several or singular + 's'}"
