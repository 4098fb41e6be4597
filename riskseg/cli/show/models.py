"""How models are shown: what was trained, how good it is, and what became of a version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from riskseg.cli.progress import warn
from riskseg.cli.show.tables import RISK, day, number, share, table
from riskseg.cli.terminal import stdout

if TYPE_CHECKING:
    from riskseg.results.interval import Interval
    from riskseg.results.model_comparison import Comparison
    from riskseg.results.model_evidence import ProtectedLevel, Verdict
    from riskseg.results.models import (
        Headline,
        ImportedCard,
        Metrics,
        ModelExport,
        ModelSummary,
        ModelVersions,
        Recalibration,
        Registration,
        Training,
    )

# What is shown of a learner, and its name among the metrics.
METRICS = {
    "AUC": "auc",
    "Gini": "gini",
    "KS": "ks",
    "Brier": "brier",
    "log-loss": "log_loss",
    "ECE": "expected_calibration_error",
}
# Calibration: 1 and 0 are right.
CALIBRATION = {
    "calibration slope": "calibration_slope",
    "calibration intercept": "calibration_intercept",
}


def show_training(training: Training) -> None:
    """The versions that were trained: what each learned from, how good it is, whether it ships."""
    for trained in training:
        show_trained(trained.summary)


def show_model(summary: ModelSummary) -> None:
    """A version: what `train` shows, its intervals, its features and what was left out."""
    console = stdout()
    show_trained(summary)
    if summary.parent:
        console.print(f"Recalibrated from version {summary.parent}.\n")
    intervals = table("how sure, on the hold-out", "estimate (95% interval)")
    for metric, metric_key in {**METRICS, **CALIBRATION}.items():
        if estimate := summary.intervals.get(metric_key):
            intervals.add_row(metric, interval(estimate))
    if summary.intervals:
        console.print(intervals)
    by_points = any(feature.gain is None for feature in summary.features)
    weight_title = "points" if by_points else "gain in training"
    feature_table = table("feature", weight_title, "risk", "what it is", right=(weight_title,))
    for feature in summary.features:
        weight = (
            f"{feature.least:.1f} to {feature.most:.1f}"
            if feature.gain is None
            else f"{feature.gain:.0f}"
        )
        meaning = feature.meaning
        feature_table.add_row(feature.feature, weight, RISK[feature.direction], meaning)
    console.print(feature_table)
    if summary.dropped:
        left_out_table = table("left out", "why")
        for feature_name, left_out_reason in summary.dropped.items():
            left_out_table.add_row(feature_name, left_out_reason)
        console.print(left_out_table)
    for level in summary.protected:
        if level.auc is not None:
            console.print(escape(proxy(level)))


def show_trained(summary: ModelSummary) -> None:
    """What a version learned from, how good it is on the hold-out, and whether it ships."""
    console = stdout()
    question = summary.question or summary.predicts
    console.print(f"[bold]{summary.name}[/] {summary.version}  [dim]{escape(question)}[/]")
    if summary.imported and not summary.hold_out.rows:
        console.print(
            f"Imported from {escape(summary.imported['file'])}, not measured on outcomes yet."
        )
        _ships(console, summary)
        return
    count_columns = ("rows", "bad", "rate", "parties")
    sample_table = table("", *count_columns, "from", "until", right=count_columns)
    for sample_name, sample in (("training", summary.training), ("hold-out", summary.hold_out)):
        sample_table.add_row(
            sample_name,
            number(sample.rows),
            number(sample.bad),
            share(sample.bad, sample.rows),
            number(sample.parties),
            day(sample.from_),
            day(sample.until),
        )
    console.print(sample_table)
    if summary.known_by:
        console.print(f"Learned from what was known by {summary.known_by} (train --as-of).")
    metric_table = table("on the hold-out", *METRICS, right=tuple(METRICS))
    for learner, metrics in summary.learners.items():
        arrow = " ←" if learner == summary.learner else ""
        metric_table.add_row(learner + arrow, *figures(metrics, METRICS))
    console.print(metric_table)
    _ships(console, summary)


def figures(metrics: Headline | Metrics, columns: Mapping[str, str]) -> list[str]:
    """The metrics of those columns, to four decimals."""
    return [f"{getattr(metrics, metric_column):.4f}" for metric_column in columns.values()]


def _ships(console: Console, summary: ModelSummary) -> None:
    console.print(f"Ships: {shipped(summary)}. {escape(summary.why)}")
    for note in summary.notes:
        console.print(f"Note: {escape(note)}")
    verdict(console, summary.verdict)
    console.print(escape(_state(summary)) + "\n")


def _state(summary: ModelSummary) -> str:
    """Whether a version is the champion, and what makes it that."""
    if summary.champion:
        return "It is the champion."
    promote = f"`riskseg models promote {summary.name} {summary.version}` makes it this one."
    if summary.champion_version is not None:
        return f"Another version is the champion; {promote}"
    weakness = summary.verdict.too_weak
    return f"It is not made the champion{f': {weakness}' if weakness else ''}. {promote}"


def verdict(console: Console, model_verdict: Verdict) -> None:
    """The verdict on a model: in sentences, then the checks that do not hold."""
    quality = f"{model_verdict.ranking} {model_verdict.calibration}".strip()
    for sentence in filter(None, (quality, model_verdict.certainty)):
        console.print(escape(sentence))
    for check in model_verdict.checks:
        if check.status == "watch":
            watch_line = f"  ! {check.found} {check.act}"
            console.print(escape(watch_line.rstrip()), soft_wrap=True)
    unknown = [check.topic for check in model_verdict.checks if check.status == "unknown"]
    if unknown:
        console.print(f"Not known: {'; '.join(escape(topic) for topic in unknown)}.")


def shipped(summary: ModelSummary) -> str:
    """The learner, its form and its calibration, in a few words."""
    form = f" ({summary.form})" if summary.form else ""
    return f"{summary.learner}{form}, calibration {summary.calibration}"


def interval(estimated: Interval, digits: int = 4) -> str:
    """An estimate with its 95% interval."""
    estimate, low, high = estimated
    return f"{estimate:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def proxy(level: ProtectedLevel) -> str:
    """How well the features predict one level of a protected attribute."""
    assert level.auc is not None
    auc = interval(level.auc, 2)
    if level.by_chance:
        return f"The features predict {level.name} no better than chance: AUC {auc}."
    most = f", most of all {', '.join(level.through)}" if level.through else ""
    return f"The features predict {level.name} with AUC {auc}{most}."


def show_versions(versions: ModelVersions) -> None:
    """Every trained version."""
    version_table = table("model", "version", "learner", "AUC", "trained", "", right=("AUC",))
    for version in versions:
        auc_text = "–" if version.auc is None else f"{version.auc:.4f}"
        champion = "champion" if version.champion else ""
        champion += "" if version.there else ", its folder is gone"
        trained_at = version.at.isoformat()
        version_table.add_row(
            version.model, version.version, version.learner, auc_text, trained_at, champion
        )
    stdout().print(
        version_table if len(versions) else "No model has been trained here. Run `riskseg train`."
    )
    for version in versions:
        if version.champion and version.promoted is not None:
            promoted = version.promoted
            why = f": {promoted.reason}" if promoted.reason else ""
            print(
                f"{version.model} {version.version} is the champion since "
                f"{promoted.at.isoformat()}, by {promoted.by}{why}."
            )


def show_registration(registration: Registration) -> None:
    """A version from elsewhere; what is to be known of it to stderr."""
    for note in registration.notes:
        warn(note)
    champion = "; it is the champion" if registration.champion else ""
    print(f"{registration.model} {registration.version} is in {registration.place}{champion}.")


def show_imported_card(card: ImportedCard) -> None:
    """A version made of a card; what is to be known of it to stderr."""
    for note in card.notes:
        warn(f"Note: {note}")
    if card.spec:
        print(f"Wrote {card.spec}.")
    champion = "; it is the champion" if card.champion else ""
    print(f"{card.model} {card.version}: {card.features} features{champion}.")


def show_export(export: ModelExport, *, runs: bool) -> None:
    """Where a version was written, and how it was checked, unless it is a form nothing `runs`."""
    print(f"{export.model} {export.version}: {export.place}")
    if not runs:
        print("The bins and points are those of the version; there is nothing to run.")
    elif export.rows is None:
        print("It was not run here, and so not checked against riskseg.")
    else:
        print(
            f"{export.rows:,} made-up accounts scored both ways: "
            f"probabilities differ by {export.difference:.2g} at most."
        )


def show_comparison(comparison: Comparison) -> None:
    """Two versions: their metrics, the differences, and whom each would treat."""
    console = stdout()
    console.print(f"{number(comparison.rows)} accounts that neither learned from")
    for note in comparison.notes:
        console.print(f"Note: {escape(note)}")
    metrics_shown = {**METRICS, **CALIBRATION}
    metric_table = table("", *metrics_shown, right=tuple(metrics_shown))
    for compared in comparison.models:
        metric_table.add_row(compared.name, *figures(compared.metrics, metrics_shown))
    console.print(metric_table)
    differences = table("the second less the first", "difference (95% interval)")
    for metric, metric_key in METRICS.items():
        if difference := getattr(comparison.difference, metric_key, None):
            differences.add_row(metric, interval(difference, 5))
    console.print(differences)
    for sentence in comparison.verdict:
        console.print(escape(sentence))
    console.print()
    swap_table = table("treated by", "accounts", "share", "bad", right=("accounts", "share", "bad"))
    swap = comparison.swap
    for treated_by, accounts in (
        ("both", swap.both),
        ("the first alone", swap.only_a),
        ("the second alone", swap.only_b),
        ("neither", swap.neither),
    ):
        rate = "–" if accounts.rate is None else f"{100 * accounts.rate.value:.1f}%"
        swap_table.add_row(treated_by, number(accounts.rows), f"{100 * accounts.share:.1f}%", rate)
    console.print(swap_table)
    console.print(
        f"Treated from probability {swap.cut_a:.4f} by the first, {swap.cut_b:.4f} by the "
        f"second. {100 * comparison.moves.same_tenth:.1f}% of accounts are in the same tenth of "
        f"both, {100 * comparison.moves.within_one_tenth:.1f}% at most one tenth apart."
    )


def show_recalibration(recalibration: Recalibration) -> None:
    """A recalibrated version, beside the one it comes from."""
    console = stdout()
    console.print(
        f"[bold]{recalibration.name}[/] {recalibration.version}, "
        f"recalibrated from {recalibration.parent}"
    )
    observed = (
        f"observed {recalibration.first} to {recalibration.last}, " if recalibration.first else ""
    )
    console.print(
        f"{number(recalibration.rows)} accounts, {observed}{number(recalibration.bad)} of them bad"
    )
    console.print(
        f"log-odds: {recalibration.slope:.4f} × what they were, {recalibration.intercept:+.4f}"
    )
    metrics_shown = {**METRICS, **CALIBRATION}
    metric_table = table("on these accounts", *metrics_shown, right=tuple(metrics_shown))
    for before_or_after, metrics in (
        ("before", recalibration.before),
        ("after", recalibration.after),
    ):
        metric_table.add_row(before_or_after, *figures(metrics, metrics_shown))
    console.print(metric_table)
    for note in recalibration.notes:
        console.print(f"Note: {escape(note)}")
    if not recalibration.champion:
        promote = f"riskseg models promote {recalibration.name} {recalibration.version}"
        console.print(f"`{promote}` makes it the champion.")
