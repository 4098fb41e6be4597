"""The head of the card: what the model is for, how good, how sure, and what to watch."""

from __future__ import annotations

from riskseg.learning import words
from riskseg.learning.evidence import verdicts
from riskseg.learning.evidence.verdict import calibration, certainty, predicted, ranking
from riskseg.learning.words import count, percent
from riskseg.report.markup import (
    Html,
    element,
    escaped,
    items,
    joined,
    paragraph,
    table,
)
from riskseg.report.model_card.material import Material

MARKS = {"holds": ("✓", "holds"), "watch": ("!", "watch"), "unknown": ("?", "not known")}


def heading(m: Material) -> Html:
    about = f"Model card · version {m.version} · {m.form}"
    question = m.manifest.spec.question
    return element(
        "header",
        paragraph(about, klass="kicker"),
        element("h1", m.manifest.name),
        paragraph(question, klass="question") if question else "",
    )


def verdict(m: Material) -> Html:
    return joined(
        [
            _tiles(m),
            *(element("p", element("strong", lead), " ", rest) for lead, rest in _answers(m)),
            _watch(m),
            element("h3", "Checks"),
            _checks(m),
            paragraph(
                f"Everything on this page is measured on the hold-out unless it says otherwise: "
                f"{_held_out(m)}. Intervals are 95%. "
                "Thresholds (PSI 0.10 and 0.25, four fifths, 200 bad outcomes) are conventions to "
                "read by, not rules of nature.",
                klass="small",
            ),
        ]
    )


def _held_out(m: Material) -> str:
    if m.unjudged:
        return "here there is none"
    if m.manifest.recalibrated:
        return "here the recent accounts it was recalibrated to, each by a line fitted to others"
    return "rows that took no part in learning, read once at the end"


def _tiles(m: Material) -> Html:
    tiles: list[tuple[str, str, str]] = []
    if m.auc:
        tiles.append(("AUC", words.figure(m.auc.value), _ends(m.auc) or "no interval"))
    ks = verdicts.estimate(m.manifest, m.evidence, "ks")
    if ks:
        tiles.append(("KS", words.figure(ks.value), _ends(ks)))
    if m.evidence.gains:
        first = m.evidence.gains[0]
        tiles.append(
            (
                f"Bads in the riskiest {percent(first.share, 0)}",
                percent(first.caught),
                f"lift {first.lift:.2f}",
            )
        )
    mean = m.mean_predicted
    if mean is not None:
        tiles.append(
            ("Predicted bad rate", percent(mean), f"observed {percent(verdicts.bad_rate(m.held))}")
        )
    if not m.unjudged:
        tiles.append(("Hold-out", count(m.held.rows), f"{count(m.held.bad)} bad"))
    return element(
        "div",
        *(
            element(
                "div",
                paragraph(name, klass="name"),
                paragraph(value, klass="value"),
                paragraph(more, klass="more"),
                klass="tile",
            )
            for name, value, more in tiles
        ),
        klass="tiles",
    )


def _ends(estimate: verdicts.Estimate) -> str:
    """The ends of an estimate's interval; empty where it has none."""
    if estimate.interval is None:
        return ""
    return f"{words.figure(estimate.interval.low)} to {words.figure(estimate.interval.high)}"


def _answers(m: Material) -> list[tuple[str, str]]:
    """What a reader asks first, each answered in a sentence or two."""
    return [
        ("What it predicts.", _what(m)),
        ("For whom.", _whom(m)),
        ("How good.", _how_good(m)),
        ("How sure.", certainty(m.manifest, m.evidence, tuple(m.checks))),
        ("What ships, and why.", _ships(m)),
    ]


def _what(m: Material) -> str:
    question = m.manifest.spec.question.strip()
    return f"{predicted(m.manifest.spec.target)}. " + (f"In full: “{question}”" if question else "")


def _whom(m: Material) -> str:
    population = m.manifest.population
    if population:
        return (
            f"Accounts where {population}, as far as the target allows. Others are not "
            "scored and their band is “unscored”."
        )
    return "Every account the target allows; the spec names no narrower population."


def _how_good(m: Material) -> str:
    parts = (of(m.manifest, m.evidence) for of in (ranking, calibration))
    return " ".join(filter(None, parts))


def _ships(m: Material) -> str:
    message = f"{words.sentence(m.form)} {m.why}"
    parent = m.manifest.parent
    if parent:
        message += (
            f" It is a recalibrated version of {parent}: the ranking is the parent's, only the "
            "probabilities were fitted again."
        )
    return message


def _watch(m: Material) -> Html:
    found = verdicts.watched(m.checks)
    if m.unjudged:
        return Html("")
    if not found:
        return element(
            "p",
            element("strong", "What to watch."),
            " No check asks for attention. Compare "
            "predicted and observed rates, and the PSI, month by month once it is in use.",
        )
    return joined(
        [
            element("p", element("strong", "What to watch.")),
            items([Html(escaped(f"{c.found} ") + element("em", c.act)) for c in found], "watch"),
        ]
    )


def _checks(m: Material) -> Html:
    rows = []
    for check in m.checks:
        sign, word = MARKS[check.status]
        mark = element("span", element("b", sign), f" {word}", klass=f"mark {check.status}")
        rows.append((mark, check.topic, check.found))
    return table(("", "Question", "Answer"), rows, words=3, klass="checks")
