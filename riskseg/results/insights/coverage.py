"""What the question `coverage` gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

from riskseg.domain.words import counted, first_few
from riskseg.results.insights.answer import Answer, with_months
from riskseg.results.part import Part


class Use(Part):
    """A part of the strategy, and how often it was used."""

    kind: str
    """`row` of the segment table, `tier`, `band` (a level of one), `guard`, `path` or `step`."""
    name: str
    where: str
    """The file and, where it is known, the line."""
    decisions: int
    """Those that used it: an account counts on every day that is looked at."""
    examples: int | None
    """The strategy's own examples that use it; null where they cannot be decided."""


class Coverage(Answer):
    """Which parts of the strategy no account used."""

    unused: tuple[Use, ...]
    """Those of `uses` that no decision used."""
    uses: tuple[Use, ...]
    days: int
    """The days decided by the strategy as it is now."""
    other_days: int
    """The days decided by other versions of it, which are not counted."""
    as_of: date

    def words(self) -> str:
        if not self.days:
            return (
                "No day that is looked at was decided by the strategy as it is now. "
                f"{with_months('coverage', self.as_of)}"
            )
        other = f"; {self.other_days} by other versions are not counted" if self.other_days else ""
        sentences = [f"{counted(self.days, 'day')} decided by the strategy as it is now{other}."]
        wholes = Counter(use.kind for use in self.uses)
        for kind, whole in wholes.items():
            names = [use.name for use in self.unused if use.kind == kind]
            if names:
                sentences.append(
                    f"{len(names)} of {counted(whole, *_NOUNS.get(kind, (kind,)))} used by no "
                    "account: "
                    f"{first_few(names)}."
                )
        if not self.unused:
            sentences.append("Every row, tier, band, guard, path and step was used.")
        elif all(use.examples is not None for use in self.unused):
            untried = sum(not use.examples for use in self.unused)
            sentences.append(f"{untried} of these are used by no example either.")
        return " ".join(sentences)

    def tables(self) -> Mapping[str, Sequence[Part]]:
        return {"Never used": self.unused, "How often each part is used": self.uses}


_NOUNS = {"band": ("level of bands", "levels of bands"), "tier": ("row of tiers", "rows of tiers")}
