"""The model month by month, and how far its features have moved."""

from __future__ import annotations

from riskseg.learning import words
from riskseg.learning.evidence import verdicts
from riskseg.learning.words import count, interval, known, percent
from riskseg.report.drawing import MOST_BARS
from riskseg.report.markup import Html, absent, figure, folded, joined, paragraph, table
from riskseg.report.model_card import charts_of_time
from riskseg.report.model_card.material import Material


def over_time(m: Material) -> Html:
    months = m.evidence.by_snapshot
    parts: list[object] = []
    if not months:
        why = (
            "No comparison by month: the accounts carry no dates, so there are no months to "
            "compare."
            if not verdicts.dated(m.manifest)
            else "No comparison by month was kept for this version."
        )
        parts.append(absent(why))
    else:
        if any(month.auc for month in months):
            parts.append(
                figure(
                    "AUC by month",
                    charts_of_time.auc_by_month(months, m.auc),
                    "With 95% intervals; the dotted line is the whole hold-out. Training months "
                    "are judged by models that did not see them.",
                    key="chart-auc-by-month",
                    klass="wide",
                )
            )
        else:
            parts.append(absent("No AUC by month: no month held bad outcomes enough."))
        parts.append(
            figure(
                "Predicted and observed by month",
                charts_of_time.rate_by_month(months),
                "A prediction outside the observed rate's interval is a miss; one in twenty "
                "misses by chance.",
                key="chart-rate-by-month",
                klass="wide",
            )
        )
        if any(known(month.psi) for month in months):
            parts.append(
                figure(
                    "PSI of the probability by month",
                    charts_of_time.psi_by_month(months),
                    "How far each month's probabilities are from those of the whole training "
                    "window. Black ticks: what chance gives. Dashed lines, where in sight: 0.10 "
                    "and 0.25, conventions that ignore how many rows a month has.",
                    key="chart-psi-by-month",
                    klass="wide",
                )
            )
        rows = [
            (
                words.month(month.from_),
                "hold-out" if month.part == "hold_out" else "training",
                count(month.rows),
                count(month.bad),
                interval(month.auc),
                percent(month.mean),
                words.percent_interval(month.rate),
                words.figure(month.psi, 4),
                words.figure(month.by_chance, 4),
            )
            for month in months
        ]
        heads = ("Month", "Part", "Rows", "Bad", "AUC", "Predicted", "Observed", "PSI", "By chance")
        parts.append(folded("The numbers: by month", table(heads, rows, words=2)))
    parts.append(_stability(m))
    return joined(parts)


def _stability(m: Material) -> Html:
    features, whole = m.evidence.stability.features, m.evidence.stability.probability
    parts: list[object] = []
    if whole is not None:
        parts.append(
            paragraph(
                f"PSI of the probability, hold-out against training: "
                f"{words.figure(whole.psi, 4)}. Samples of these sizes from one and the same "
                f"distribution give about {words.figure(whole.by_chance, 4)}."
            )
        )
    if not features:
        parts.append(absent("No PSI by feature was measured for this version."))
        return joined(parts)
    many = len({f.feature for f in features})
    more = f" The {MOST_BARS} that moved most of {many}." if (many > MOST_BARS) else ""
    parts.append(
        figure(
            "PSI by feature",
            charts_of_time.psi_by_feature(features),
            "How far each feature moved, between the halves of the training window or into the "
            f"hold-out. Left of its black tick a feature moved no more than chance moves it.{more}",
            key="chart-psi-by-feature",
            klass="wide",
        )
    )
    ranked = sorted(features, key=lambda f: (-f.psi, f.feature, f.part))
    rows = [
        (f.feature, f.part, words.figure(f.psi, 4), words.figure(f.by_chance, 4)) for f in ranked
    ]
    heads = ("Feature", "Compared", "PSI", "By chance")
    parts.append(folded("The numbers: PSI by feature", table(heads, rows, words=2)))
    return joined(parts)
