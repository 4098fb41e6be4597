"""How the model came about, and what is needed to make it again."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from riskseg.learning import words
from riskseg.learning.manifest import Attempt
from riskseg.learning.words import count, interval, percent
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
from riskseg.report.model_card.material import Material, Told, days


def making(m: Material) -> Html:
    champion = m.manifest.champion
    parts: list[object] = []
    if champion.why:
        parts.append(
            paragraph(
                f"Champion: {words.learner(m.learner)}. {m.why}",
                " The hold-out took no part in the choice." if champion.gain else "",
            )
        )
    parent = m.manifest.parent
    if parent:
        parts.append(
            paragraph(
                f"Parent version: {parent}.{_moved(m)} Only the calibration was fitted again; "
                "features, ranking and reasons are the parent's."
            )
        )
    parts.append(element("h3", "What was tried"))
    tried = sorted(m.manifest.tried.items(), key=lambda item: item[0] != m.learner)
    tables = [
        _tried(name, what, attempts)
        for name, of in tried
        for what, attempts in (("settings", of.settings), ("calibrations", of.calibrations))
        if attempts
    ]
    parts += tables
    if not tables:
        parts.append(absent("No alternatives were tried within a learner."))
    steps = m.evidence.learning_curve
    if any(s.auc for s in steps):
        rows = [(percent(s.share, 0), count(s.rows), count(s.bad), interval(s.auc)) for s in steps]
        heads = ("Share", "Rows", "Bad", "AUC")
        parts.append(
            figure(
                "Would more data help? The learning curve",
                charts.learning_curve(steps),
                "AUC by the number of training rows. Where it is flat, more rows of the same kind "
                "will not help; where it still rises, they will.",
                key="chart-learning-curve",
                klass="wide",
            )
        )
        parts.append(folded("The numbers: learning curve", table(heads, rows)))
    else:
        parts.append(element("h3", "Would more data help?"))
        parts.append(
            absent(
                "No learning curve: it is drawn where the spec has ",
                element("code", "evidence: {learning_curve: true}"),
                ".",
            )
        )
    return joined(parts)


def _moved(m: Material) -> str:
    line = m.manifest.recalibrated
    if not line:
        return ""
    since = f" to accounts observed since {words.date(line.since)}" if line.since else ""
    slope, intercept = words.figure(line.slope), words.figure(line.intercept)
    return f" Its log-odds were moved{since}: times {slope}, plus {intercept}."


def _tried(name: str, what: str, attempts: Sequence[Attempt]) -> Html:
    """The choices of a learner in the order they were made."""
    body = []
    for attempt in attempts:
        what_was, judged_on = _judged_on(attempt.what)
        body.append(
            (
                element("b", what_was) if attempt.chosen else what_was,
                "chosen" if attempt.chosen else "rejected",
                judged_on,
                words.figure(attempt.log_loss, 5),
            )
        )
    title = f"{words.learner(name)}: {what}"
    unlike = len({judged_on for _, _, judged_on, _ in body}) > 1
    caption = title + (
        ". Log losses compare only where they were judged on the same folds and rows."
        if unlike
        else ""
    )
    heads = ("What", "", "Judged on", "Log loss out of fold")
    shown = table(heads, body, words=3, caption=caption, klass="words tried")
    return folded(f"{title}, {len(body)} tried", shown) if len(body) > 15 else shown


def _judged_on(what: str) -> tuple[str, str]:
    """(what was tried, the folds and rows it was judged on) of a choice's record, which has them
    where they are not all: "16 leaves, 2 folds (on 20,000 rows)"."""
    some_rows = re.search(r" \(on ([\d,]+ rows)\)$", what)
    what = what[: some_rows.start()] if some_rows else what
    some_folds = re.search(r", (\d+ folds)$", what)
    what = what[: some_folds.start()] if some_folds else what
    rows = some_rows[1] if some_rows else "all rows"
    return what, f"{some_folds[1] if some_folds else 'all folds'}, {rows}"


def record(m: Material) -> Html:
    return joined(
        [
            element("h3", "The spec, with its defaults"),
            element("pre", "\n".join(_yaml(m.manifest.spec.as_json()))),
            element("h3", "Libraries"),
            table(("Library", "Version"), sorted(m.manifest.libraries.items()), words=2),
            element("h3", "Fingerprints"),
            paragraph(
                "SHA-256. The version is the first twelve digits of the manifest's own, and the "
                "manifest names every other file's: a changed file is refused.",
                klass="small",
            ),
            table(
                ("What", "Fingerprint"),
                [
                    ("version", element("code", m.version)),
                    *((n, element("code", p)) for n, p in sorted(m.manifest.fingerprints.items())),
                    *((n, element("code", p)) for n, p in sorted(m.manifest.files.items())),
                ],
                words=2,
                klass="hashes",
            ),
        ]
    )


def _yaml(spec: Told, indent: str = "") -> list[str]:
    """The spec as it could be written in its file; what is not set is left out."""
    lines = []
    for key, value in spec.items():
        if value is None or value == "" or (isinstance(value, (list, tuple, dict)) and not value):
            continue
        if isinstance(value, Mapping):
            inside = _yaml(value, indent + "  ")
            if inside:
                lines += [f"{indent}{key}:", *inside]
            continue
        lines.append(f"{indent}{key}: {_scalar(key, value)}")
    return lines


def _scalar(key: str, value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_scalar("", one) for one in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and key in ("every", "for", "history", "last"):
        return days(value)
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)
