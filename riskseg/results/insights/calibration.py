"""What the question `calibration` gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from riskseg.domain.words import counted
from riskseg.results.insights.answer import Answer, too_few, with_months
from riskseg.results.part import Part
from riskseg.results.units import ShareOrNone


class CalibratedGroup(Part):
    """How often something was expected of the accounts of a group, and how often it came true."""

    model: str
    """The probability, by its name in decisions."""
    by: str
    """`model` for all accounts that have the probability, else `segment` or `month`."""
    group: str
    """The segment, or the month of the as-of dates."""
    accounts: int
    decisions: int
    """The accounts, once for each day on which they were decided."""
    expected: ShareOrNone = None
    """The mean probability. Null, as all that follows, for too few accounts."""
    observed: ShareOrNone = None
    """The share for which it came true."""
    low: ShareOrNone = None
    """The lower end of the 95% interval of `observed`, by parties."""
    high: ShareOrNone = None

    clear: str = ""
    """`more` or `fewer` where clearly more or fewer came true than expected, though so many groups
    are looked at: of those called clear, one in twenty is chance on average (Benjamini and
    Hochberg, Journal of the Royal Statistical Society B 57, 1995)."""

    @property
    def excess(self) -> Decimal:
        """How far apart both shares are."""
        return abs((self.observed or Decimal(0)) - (self.expected or Decimal(0)))


class NotYetKnown(Part):
    """A probability of which nothing came true yet."""

    model: str
    days: int
    """Days from an as-of date until it is known; 0 where the model predicts a column of accounts,
    which this question does not look at."""


class Calibration(Answer):
    """Whether probabilities came true. Observed of accounts that were treated."""

    groups: tuple[CalibratedGroup, ...]
    unknown: tuple[NotYetKnown, ...]
    """The probabilities that cannot be judged by any of the days."""
    least: int
    """The accounts that a group needs to be judged."""
    as_of: date

    def words(self) -> str:
        sentences = [
            f"{row.model}: {row.expected:.1%} expected, {row.observed:.1%} observed, of "
            f"{counted(row.decisions, 'decision')} whose outcome is known."
            for row in self.groups
            if row.by == "model" and row.expected is not None
        ]
        parts = [row for row in self.groups if row.by != "model"]
        judged = [row for row in parts if row.expected is not None]
        for which in ("more", "fewer"):
            clear = [row for row in judged if row.clear == which]
            if clear:
                most = max(clear, key=lambda row: row.excess)
                sentences.append(
                    f"Clearly {which} than expected in {len(clear)} of {len(judged)} segments and "
                    f"months, the furthest: {most.model} in {most.group}, {most.expected:.1%} "
                    f"expected and {most.observed:.1%} observed."
                )
        if judged and not any(row.clear for row in judged):
            sentences.append("No segment or month differs clearly from what was expected.")
        elif judged:
            sentences.append(
                "Of differences called clear, one in twenty is chance on average. Accounts were "
                "treated in the meantime, so fewer may also be what treatment brought."
            )
        if len(judged) < len(parts):
            few = too_few(
                (r.group for r in parts if r.expected is None), "Not judged", of_total=True
            )
            sentences.append(few.strip())
        sentences += [_unknown(row) for row in self.unknown]
        if any(row.days for row in self.unknown):
            sentences.append(with_months("calibration", self.as_of))
        return " ".join(sentences) or "The strategy uses no probability that can be judged."

    def tables(self) -> Mapping[str, Sequence[Part]]:
        return {"Expected and observed": self.groups}


def _unknown(row: NotYetKnown) -> str:
    if not row.days:
        return (
            f"{row.model} predicts a column of accounts: `riskseg models compare` and the model "
            "card judge it."
        )
    return (
        f"{row.model} cannot be judged yet: what came true is known {row.days} days after a day, "
        "and no day that is looked at is so long ago."
    )
