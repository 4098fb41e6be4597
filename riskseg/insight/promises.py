"""What came of promises to pay, by segment, channel and month."""

from __future__ import annotations

from riskseg.insight.arrangements import ALL, BY_CHANNEL, BY_MONTH, BY_SEGMENT, arrangements
from riskseg.insight.insight import Insight
from riskseg.insight.portfolio import Portfolio
from riskseg.results.insights.promises import PromisesKept


class Promises(Insight[Portfolio, PromisesKept]):
    """What came of the promises to pay of the last twelve months."""

    name = "promises"
    question = "Which promises to pay are kept?"
    about = Portfolio
    needs = ("promised",)

    def answer(self, subject: Portfolio) -> PromisesKept:
        return PromisesKept(
            total=next(iter(arrangements(subject, "promised", ALL)), None),
            segments=arrangements(subject, "promised", BY_SEGMENT),
            channels=arrangements(subject, "promised", BY_CHANNEL),
            months=arrangements(subject, "promised", BY_MONTH),
        )


PROMISES = Promises()
