"""How well it ranks, and whether its probabilities come true."""

from __future__ import annotations

from riskseg.learning import words
from riskseg.learning.evidence import verdicts
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
from riskseg.report.model_card import charts
from riskseg.report.model_card.material import Material
from riskseg.results.interval import Interval

METRICS = (
    ("auc", "AUC", "chance that a bad one ranks above a good one; 0.5 is chance", 3),
    ("gini", "Gini", "2 × AUC − 1", 3),
    ("ks", "KS", "widest gap of the two cumulative curves", 3),
    ("brier", "Brier score", "mean squared error of the probability; less is better", 4),
    ("log_loss", "Log loss", "mean negative log-likelihood, in nats; less is better", 4),
    (
        "expected_calibration_error",
        "Expected calibration error",
        "mean gap of predicted and observed over ten groups",
        4,
    ),
    (
        "calibration_slope",
        "Calibration slope",
        "1 is right; below 1 too bold, above 1 too timid",
        3,
    ),
    (
        "calibration_intercept",
        "Calibration intercept",
        "0 is right; above 0 the predictions are too low",
        3,
    ),
)


def performance(m: Material) -> Html:
    if m.unjudged:
        return absent("It was made elsewhere: how well it ranks was not measured here.")
    parts: list[object] = [_metrics(m), Html('<div class="pair">')]
    if m.evidence.roc:
        parts.append(
            figure(
                "ROC curve",
                charts.roc(m.evidence.roc, m.auc),
                "Each point is a cut: how many bads are caught for how many goods flagged. The "
                "dashed diagonal is chance.",
                key="chart-roc",
            )
        )
    else:
        parts.append(absent("No ROC curve: its points were not kept for this version."))
    ks = m.evidence.ks
    if ks and ks.curve:
        parts.append(
            figure(
                "Kolmogorov-Smirnov",
                charts.ks(ks),
                f"The share of goods and of bads at or below each probability. They are furthest "
                f"apart at {percent(ks.at)}: the cut that separates them best.",
                key="chart-ks",
            )
        )
    else:
        parts.append(absent("No KS curves: they were not kept for this version."))
    gains = m.evidence.gains
    if gains:
        parts.append(
            figure(
                "Gains",
                charts.gains(gains),
                "How many of the bads are found by working from the riskiest account downward.",
                key="chart-gains",
            )
        )
        parts.append(
            figure(
                "Lift",
                charts.lift(gains),
                "Each tenth's bad rate over the average one. Bars should fall from left to right.",
                key="chart-lift",
            )
        )
    else:
        parts.append(absent("No gains or lift: they were not kept for this version."))
    parts.append(Html("</div>"))
    distribution = m.evidence.distribution
    if distribution:
        parts.append(
            figure(
                "Probabilities by outcome",
                charts.distribution(distribution),
                "Goods above the middle line, bads below it, each adding up to 100%. The less the "
                "two mirror each other, the better the model separates them.",
                key="chart-distribution",
                klass="wide",
            )
        )
    else:
        parts.append(absent("No distribution by outcome was kept for this version."))
    if gains:
        each = charts.each_lift(gains)
        rows = [
            (
                f"{percent(t.share, 0)}",
                percent(t.caught),
                f"{t.lift:.2f}",
                f"{one:.2f}",
            )
            for t, one in zip(gains, each, strict=True)
        ]
        heads = ("Riskiest", "Bads caught", "Cumulative lift", "Lift of this tenth")
        parts.append(folded("The numbers: gains and lift", table(heads, rows)))
    return joined(parts)


def _metrics(m: Material) -> Html:
    metrics = m.manifest.metrics
    names = [m.learner, *sorted(name for name in metrics if name != m.learner)]
    heads: list[object] = ["Metric"]
    for name in names:
        ships = " (ships)" if name == m.learner else ""
        heads += [f"{words.learner(name)}{ships}, hold-out", "out of fold"]
    rows = []
    for key, title, about, digits in METRICS:
        row: list[object] = [
            Html(element("b", title) + "<br>" + element("span", about, klass="small"))
        ]
        for name in names:
            held = (metrics[name].hold_out or {}).get(key)
            folds = (metrics[name].out_of_fold or {}).get(key)
            estimate = m.evidence.intervals.get(key)
            if name == m.learner and key == "gini" and m.auc and m.auc.interval:
                estimate = Interval(*(2 * end - 1 for end in m.auc.interval))
            ours = name == m.learner and estimate
            row.append(interval(estimate, digits) if ours else words.figure(held, digits))
            row.append(words.figure(folds, digits))
        rows.append(row)
    caption = "In brackets: 95% intervals, which count parties and not rows as evidence."
    return table(heads, rows, caption=caption, klass="metrics")


def calibrated(m: Material) -> Html:
    groups = m.evidence.calibration
    if not groups:
        return absent("No calibration groups were kept for this version.")
    rows = [
        (
            n,
            f"{percent(g.low)} to {percent(g.high)}",
            count(g.rows),
            count(g.bad),
            percent(g.mean),
            words.percent_interval(g.rate),
        )
        for n, g in enumerate(groups, 1)
    ]
    heads = ("Group", "Probabilities", "Rows", "Bad", "Mean predicted", "Observed")
    off = len(verdicts.misses(groups))
    chosen = _chosen(m)
    note = "orange squares do not." if off else "here all do."
    return joined(
        [
            paragraph(chosen) if chosen else "",
            Html('<div class="pair">'),
            figure(
                "Calibration, whole range",
                charts.calibration(groups, near=False),
                "Ten groups of equal count. On the dashed diagonal, what was predicted came true.",
                key="chart-calibration",
            ),
            figure(
                "Calibration, where the accounts are",
                charts.calibration(groups, near=True),
                f"The same groups, close up. A group agrees where its interval crosses the "
                f"diagonal; {note}",
                key="chart-calibration-near",
            ),
            Html("</div>"),
            folded("The numbers: calibration", table(heads, rows, words=2)),
            _known_and_new(m),
        ]
    )


def _known_and_new(m: Material) -> Html | str:
    """How right the probabilities are for parties that were learned from, and for new ones."""
    parties = m.evidence.parties
    rows = []
    for found, about in (
        (parties.known, "Learned from, at earlier dates"),
        (parties.new, "Not learned from"),
    ):
        if found:
            rows.append(
                (
                    about,
                    count(found.rows),
                    words.figure(found.auc, 3),
                    words.figure(found.expected_calibration_error, 4),
                    words.figure(found.calibration_slope, 3),
                    words.figure(found.calibration_intercept, 3),
                )
            )
    if len(rows) < 2:
        return ""
    heads = ("Parties", "Rows", "AUC", "Calibration error", "Slope", "Intercept")
    return folded("The numbers: parties that are known, and new ones", table(heads, rows, words=1))


def _chosen(m: Material) -> str:
    """The calibration that ships, from the record of what was tried."""
    tried = m.manifest.tried.get(m.learner)
    attempts = tried.calibrations if tried else []
    named = [(one.what.removesuffix(" calibration"), one.chosen) for one in attempts]
    found = [what for what, chosen in named if chosen]
    if not found:
        return ""
    others = listed([what for what, chosen in named if not chosen])
    more = f", chosen out of fold over {others}" if others else ""
    return f"Calibration that ships: {found[0]}{more}."
