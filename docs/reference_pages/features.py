"""features.md: the catalogue, and what else a rule may name."""

from __future__ import annotations

from collections.abc import Iterator

from reference_pages.markdown import code, table
from riskseg.domain.facts import Fact, glossed
from riskseg.domain.problems import Problems
from riskseg.features.catalogue import read_catalogue
from riskseg.features.feature import SCOPES, Feature
from riskseg.ledger.accounts import LIFECYCLE
from riskseg.treatment.episodes import EPISODE_STARTED_ON


def features() -> Iterator[str]:
    found = Problems()
    catalogue = read_catalogue(None, found)
    found.raise_if_any()
    yield "# Features"
    yield ""
    yield (
        "Every feature riskseg ships, from `riskseg/features/catalogue.yaml`. How they are "
        "written, and how to add your own: [the guide](../guide/features.md). `riskseg features` "
        "lists those that your workspace can compute."
    )
    yield ""
    yield (
        "Windows end with the as-of date, included; `open` stands for bills not yet due, not yet "
        "cleared, or with something overdue. Risk: `+` more is riskier, `-` less is riskier. "
        "A feature marked *rules only* is left out of models unless a spec lists it under `static`."
    )
    yield ""
    for range_, title in (
        ("bills", "From bills"),
        ("payments", "From payments"),
        ("events", "From events"),
        ("party", "From the accounts of the party"),
        ("premise", "From the accounts at the premise"),
        ("account", "Worked out from other features and dates"),
    ):
        yield f"## {title}"
        yield ""
        chosen = [f for f in catalogue.features.values() if f.range == range_]
        yield from table(
            ("name", "type", "window", "computed as", "risk", "can be unknown", "in words"),
            map(_feature, chosen),
        )
    yield "## What else a rule may name"
    yield ""
    yield from table(
        ("name", "type", "there with", "what it is"),
        (
            ("`as_of`", "date", "always", "the as-of date"),
            (
                "`lifecycle`",
                "level",
                "always",
                "one of " + ", ".join(code(level) for level in LIFECYCLE.levels),
            ),
            (
                code(EPISODE_STARTED_ON.name),
                "date",
                "bills",
                "day 0 of the current arrears episode",
            ),
            ("`first_billed_on`", "date", "bills", "when the first bill was issued"),
            ("`opened_on` `closed_on` `written_off_on`", "date", "accounts that have them", ""),
            ("every other column of accounts", "its own", "accounts", "an attribute"),
            (
                "`latest_NAME` for each attribute NAME of bills",
                "its own",
                "bills",
                "the attribute of the bill issued last, if that was in the last 365 days; scored "
                "at issue, of the bill itself",
            ),
            ("the names under `uses` in strategy.yaml", "decimal", "a trained model", "0 to 1"),
        ),
    )
    yield "## What the expressions of a feature may name"
    yield ""
    yield from table(
        ("range", "names"),
        (
            (
                range_,
                ", ".join(map(_named, facts.values()))
                + (", and the attributes of bills" if range_ == "bills" else ""),
            )
            for range_, facts in SCOPES.items()
        ),
    )


def _feature(feature: Feature) -> tuple[str, ...]:
    fact = feature.fact
    window = "" if feature.window is None else str(feature.window)
    computed = feature.aggregate or ""
    if feature.value is not None:
        computed += f"{' of ' if computed else ''}{code(feature.value.text)}"
    if feature.filter is not None:
        computed += f" where {code(feature.filter.text)}"
    needs = sorted(feature.needs - {feature.range})
    words = "; ".join(map(glossed, (fact.words, *dict(fact.phrases).values())))
    words += " (*rules only*)" if fact.static else ""
    return (
        code(fact.name),
        f"{fact.kind} ({fact.unit})" if fact.unit == "money" else str(fact.kind),
        f"{window} days" if window.isdigit() else window,
        computed + (f"; needs {', '.join(needs)}" if needs else ""),
        {1: "+", -1: "-", 0: ""}[fact.direction],
        "yes" if fact.nullable else "",
        words,
    )


def _named(fact: Fact) -> str:
    return f"{code(fact.name)} ({fact.kind}{', can be unknown' if fact.nullable else ''})"
