"""Groups compared, and what stands in for protected attributes."""

from __future__ import annotations

from riskseg.learning import words
from riskseg.learning.evidence import verdicts
from riskseg.learning.evidence.model import Cohort
from riskseg.learning.words import count, interval, listed, percent
from riskseg.report.markup import (
    Html,
    absent,
    element,
    figure,
    folded,
    joined,
    paragraph,
    table,
)
from riskseg.report.model_card import charts_of_groups
from riskseg.report.model_card.material import Material
from riskseg.results.interval import Interval


def groups(m: Material) -> Html:
    rows = m.evidence.cohorts
    parts: list[object] = []
    if rows:
        by_attribute: dict[str, list[Cohort]] = {}
        for c in rows:
            by_attribute.setdefault(c.attribute, []).append(c)
        for n, (attribute, levels) in enumerate(by_attribute.items(), 1):
            more = (
                f" The first {charts_of_groups.MOST_COHORTS} of {len(levels)}."
                if (len(levels) > charts_of_groups.MOST_COHORTS)
                else ""
            )
            parts.append(
                figure(
                    f"By {attribute}",
                    charts_of_groups.cohorts(attribute, levels, m.auc, f"cohorts-{n}"),
                    "Groups may differ in risk; what should not differ is how well they are ranked "
                    f"and whether predictions come true.{more}",
                    key=f"chart-cohorts-{n}",
                    klass="wide",
                )
            )
        body = [
            (
                c.attribute,
                "unknown" if c.level is None else words.value(c.level),
                count(c.rows),
                count(c.bad),
                interval(c.auc),
                percent(c.mean),
                words.percent_interval(c.rate),
                interval(c.expected_calibration_error, 4),
                words.percent_interval(c.above_cut),
                words.percent_interval(c.bad_above_cut),
                words.percent_interval(c.good_above_cut),
            )
            for c in rows
        ]
        heads = (
            "Attribute",
            "Group",
            "Rows",
            "Bad",
            "AUC",
            "Predicted",
            "Observed",
            "Calibration error",
            "Above the cut",
            "Of the bads",
            "Of the goods",
        )
        parts.append(folded("The numbers: groups", table(heads, body, words=2)))
    else:
        parts.append(
            absent(
                "No groups were compared: the spec names no attribute to compare by (",
                element("code", "fairness: {by: [...]}"),
                ").",
            )
        )
    parts.append(element("h3", "Protected attributes and what stands in for them"))
    protected = m.evidence.protected
    if protected:
        parts.append(
            paragraph(
                "How well the model's features together tell each attribute. An AUC of 0.5 means "
                "not at all, and so does one below it: what was learned of some parties did not "
                "hold for others. Well above it, the model can treat the group differently without "
                "reading the attribute."
            )
        )
        read = [
            (
                verdicts.attribute(p),
                "yes" if p.in_model else "no",
                _predictability(p.auc),
                listed(p.through) or words.ABSENT,
            )
            for p in protected
        ]
        titles = ("Attribute", "Read by the model", "Told with AUC", "Mostly through")
        parts.append(table(titles, read, words=4))
    else:
        parts.append(absent("No attribute is marked as protected, so no proxy was looked for."))
    return joined(parts)


def _predictability(auc: Interval | None) -> str:
    by_chance = auc is not None and verdicts.told_by_chance(auc)
    return interval(auc) + ("; no better than chance" if by_chance else "")
