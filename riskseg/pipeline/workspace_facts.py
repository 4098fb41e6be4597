"""Every fact of a workspace: features, dates and attributes, with all that is said of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from riskseg.domain.columns import Column
from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems
from riskseg.domain.relations import quoted
from riskseg.features.catalogue import Catalogue, without
from riskseg.ledger.accounts import DATES, LIFECYCLE
from riskseg.ledger.set_apart import HAS_QUARANTINED_ROWS
from riskseg.pipeline.attributes import described_attributes
from riskseg.pipeline.load import Ledger
from riskseg.treatment.episodes import EPISODE_STARTED_ON


def own_facts(catalogue: Catalogue, dates: Iterable[str], *, billed: bool) -> dict[str, Fact]:
    """The facts that riskseg itself gives: the lifecycle, `dates` of the account, those of bills
    where there are any, and the features that the catalogue has available."""
    facts = {fact.name: fact for fact in (LIFECYCLE, HAS_QUARANTINED_ROWS)}
    for date_fact in dates:
        facts[date_fact] = Fact(date_fact, Kind.DATE, nullable=True, words=f"{date_fact} {{value}}")
    if billed:
        facts["first_billed_on"] = Fact(
            "first_billed_on", Kind.DATE, nullable=True, words="first billed on {value}"
        )
        facts[EPISODE_STARTED_ON.name] = EPISODE_STARTED_ON
    return facts | {
        feature_name: feature.fact for feature_name, feature in catalogue.available().items()
    }


def workspace_facts(
    catalogue: Catalogue, ledger: Ledger, problems: Problems
) -> tuple[Catalogue, dict[str, Fact]]:
    """The catalogue as this workspace sees it, and every fact a rule may name here."""
    # What a source says of an account counts more than what riskseg alone has recorded of it.
    recorded_only = without(catalogue, ledger.of_sources).lacking
    replaced = {name: recorded_only[name] for name in ledger.attributes if name in recorded_only}
    available = without(catalogue, ledger.has, replaced)
    dates = [
        account_attribute
        for account_attribute in DATES
        if f"accounts.{account_attribute}" in ledger.has
    ]
    facts = own_facts(available, dates, billed=ledger.billed)
    for account_attribute, fact in ledger.attributes.items():
        if account_attribute in facts or account_attribute == "as_of":
            source = ledger.sources["accounts"]
            header = source.written[account_attribute]
            problems.add(
                "RS503",
                f'The attribute "{header}" of accounts has the name of a fact of riskseg\'s own, '
                f"{account_attribute}.",
                file=source.file,
                line=source.lines.get(header) or source.lines.get("from"),
                hint=f"Give it another name in [source.accounts]: `NAME = '{quoted(header)}'`.",
            )
            continue
        # Whoever counts, a count is never negative.
        declared = available.declared().get(account_attribute)
        if declared is not None and fact.kind.is_numeric:
            fact = replace(fact, lower=declared.lower, upper=declared.upper)
        facts[account_attribute] = fact
    if not ledger.listed:
        return available, facts
    described_by: dict[str, list[Column]] = {}
    for columns_described in (ledger.authored["accounts"].described, available.columns):
        for account_attribute, column in columns_described.items():
            described_by.setdefault(account_attribute, []).append(column)
    accounts = ledger.authored["accounts"]
    return available, facts | described_attributes(
        accounts, described_by, ledger.attributes, facts, problems
    )
