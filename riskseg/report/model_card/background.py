"""What the model is for, what it was learned from, and the limits of what is known."""

from __future__ import annotations

from riskseg.learning import words
from riskseg.learning.evidence import verdicts
from riskseg.learning.evidence.limits import limits as limits_of
from riskseg.learning.manifest import Counts, RecordedObserve
from riskseg.learning.words import count, percent, plural
from riskseg.report.markup import (
    Html,
    absent,
    element,
    folded,
    items,
    joined,
    paragraph,
    table,
)
from riskseg.report.model_card.material import Material, days


def purpose(m: Material) -> Html:
    return joined(
        [
            paragraph(
                "Meant for: ordering accounts by risk, setting risk bands, expected loss, and "
                "rules that read a probability, on accounts of the population above."
            ),
            paragraph("Not meant for:"),
            items(
                [
                    "accounts outside its population, or without the history it needs: they "
                    "have no probability",
                    "judging what a treatment achieves: it was not learned from an experiment",
                    "decisions with legal or similarly significant effect without a person who can "
                    "overrule them",
                    "another outcome, horizon or portfolio than the one it was validated on",
                ]
            ),
            paragraph(
                "Retire or retrain it when the monthly PSI of the probability stays above 0.10 and "
                "above chance, when the observed rate leaves the interval around the predicted one "
                "two months running, or when the meaning of a feature changes at its source."
            ),
        ]
    )


def data(m: Material) -> Html:
    rows = []
    for name, part in (("Training", m.training), ("Hold-out", m.held)):
        rows.append(
            (
                name,
                _window(part),
                count(part.rows),
                count(part.bad),
                percent(verdicts.bad_rate(part)),
                count(part.parties),
            )
        )
    heads = ("Part", "Observed", "Rows", "Bad", "Bad rate", "Parties")
    parts: list[object] = [table(heads, rows, words=2)]
    if m.manifest.imported:
        origin = f"The points are those of {m.manifest.imported.file}, made elsewhere."
        parts = [paragraph(origin), *([] if m.unjudged else parts)]
    if m.manifest.recalibrated:
        parts.append(
            paragraph(
                "The hold-out of this version is the recent accounts that it was recalibrated to. "
                "The line that predicts an account was fitted to the accounts of other parties.",
                klass="small",
            )
        )
    elif verdicts.out_of_time(m.manifest):
        parts.append(
            paragraph(
                "The hold-out is later than the training window, with one full label between them, "
                "so that no outcome used in training was still open when the hold-out began.",
                klass="small",
            )
        )
    sampled = verdicts.sampled(m.manifest)
    if sampled:
        parts.append(
            paragraph(
                f"Goods were sampled: {sampled}, and stands for as many. Rates here are those of "
                f"the population, {count(m.training.stands_for)} training rows in full.",
                klass="small",
            )
        )
    observe = m.manifest.spec.observe
    if verdicts.dated(m.manifest):
        history = f"with {days(observe.history)} of history before the first"
        parts.append(paragraph(f"{_observed(observe)}, {history}.", klass="small"))
    parts.append(element("h3", "Population, and what was left out"))
    population = m.manifest.population
    parts.append(
        paragraph(
            "Population: ",
            element("code", population) if population else "every account the target allows",
            ". Accounts outside it are neither learned from nor scored.",
        )
    )
    parts.append(_dropped(m))
    return joined(parts)


def _window(part: Counts) -> str:
    if part.from_ is None:
        return "no dates"
    if part.from_ == part.until:
        return words.date(part.from_)
    return f"{words.date(part.from_)} to {words.date(part.until)}"


def _dropped(m: Material) -> Html:
    dropped = dict(m.manifest.dropped)
    dropped |= {
        n: w for n, w in ((m.scorecard or {}).get("dropped") or {}).items() if n not in dropped
    }
    if not dropped:
        return absent("No feature was left out.")
    by_reason: dict[str, list[str]] = {}
    for name, why in sorted(dropped.items()):
        by_reason.setdefault(str(why), []).append(name)
    ranked = sorted(by_reason.items(), key=lambda item: (-len(item[1]), item[0]))
    rows = [(why, ", ".join(names), len(names)) for why, names in ranked]
    shown = table(("Why", "Features left out", "Number"), rows, words=2, klass="words")
    if len(rows) > 15:
        return folded(f"{plural(len(dropped), 'feature')} left out, and why", shown)
    return joined([paragraph(f"{plural(len(dropped), 'feature')} left out of learning:"), shown])


def limits(m: Material) -> Html:
    found = limits_of(m.manifest, m.evidence)
    parts: list[object] = [
        element("dl", *(Html(element("dt", one.title) + element("dd", one.says)) for one in found))
    ]
    notes = m.manifest.notes
    if notes:
        parts += [element("h3", "Noted while training"), items(notes)]
    return joined(parts)


def _observed(observe: RecordedObserve) -> str:
    if observe.at == "issue":
        return "One row is one bill, its account as it was on the day the bill was issued"
    if observe.at is not None:
        return f"One row is one account as it was on {observe.at}"
    return (
        f"Each account was observed every {days(observe.every)}; "
        "one row is one account on one as-of date"
    )
