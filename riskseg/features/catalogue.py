"""The catalogue: every feature, of riskseg and of the workspace, and which can be computed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from pathlib import Path

from riskseg.domain.columns import Column
from riskseg.domain.documents import parse_yaml, read_yaml
from riskseg.domain.facts import Fact, folded
from riskseg.domain.problems import Problems
from riskseg.domain.relations import quoted
from riskseg.expressions import check
from riskseg.features.authored import AuthoredFeature, ColumnEntry, Entries, Entry
from riskseg.features.check import check_account_features, check_aggregate, check_keys
from riskseg.features.feature import SCOPES, BillAttribute, Feature

# How old the latest bill may be, where its attributes are features.
LATEST_DAYS = 365


@dataclass(frozen=True)
class Catalogue:
    """Every feature known, and which of them this workspace can compute.

    `lacking` maps the others to the source (or `source.column`) that is not there. `columns` are
    attributes of the accounts that models/features.yaml describes, by folded name.
    """

    features: Mapping[str, Feature]
    lacking: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Column] = field(default_factory=dict)

    def available(self) -> dict[str, Feature]:
        return {n: f for n, f in self.features.items() if n not in self.lacking}

    def declared(self) -> dict[str, Fact]:
        """What the features that this workspace lacks would be."""
        return {n: self.features[n].fact for n in self.lacking}

    def closure(self, names: Iterable[str]) -> dict[str, Feature]:
        """The named features and those they are worked out from, in catalogue order."""
        wanted: set[str] = set()
        todo = [n for n in names if n in self.features]
        while todo:
            name = todo.pop()
            if name not in wanted:
                wanted.add(name)
                value = self.features[name].value
                if self.features[name].range == "account" and value:
                    todo += [n for n in value.names if n in self.features]
        return {n: f for n, f in self.features.items() if n in wanted}


@cache
def _shipped_features() -> tuple[Mapping[str, Feature], Mapping[str, AuthoredFeature]]:
    """The catalogue that comes with riskseg, read and checked once: its features over bills,
    payments and events, and those of accounts, which own features may come before."""
    text = (files("riskseg.features") / "catalogue.yaml").read_text(encoding="utf-8")
    problems = Problems()
    document = parse_yaml(text, "catalogue.yaml", problems)
    entries = document.shaped(Entries, problems) if document else None
    features: dict[str, Feature] = {}
    of_account: dict[str, AuthoredFeature] = {}
    for index, entry in enumerate(entries.root if entries else ()):
        assert document is not None and isinstance(entry, Entry)
        authored = AuthoredFeature(entry, document, index)
        if entry.range == "account":
            check_keys(authored, problems)
            of_account[entry.name] = authored
        elif (feature := check_aggregate(authored, {}, problems)) is not None:
            features[entry.name] = feature
    problems.raise_if_any()
    return features, of_account


@cache
def _shipped_alone() -> Catalogue:
    """The catalogue of a workspace without features and attributes of bills of its own."""
    features, of_account = _shipped_features()
    problems = Problems()
    worked_out = check_account_features([*of_account.values()], features, problems)
    problems.raise_if_any()
    return Catalogue({**features, **worked_out})


def read_catalogue(
    own: Path | None,
    problems: Problems,
    *,
    shown: str = "",
    attributes: Iterable[BillAttribute] = (),
    undetermined: Collection[str] = (),
) -> Catalogue:
    """The shipped catalogue, the workspace's own features where it has any, and for each attribute
    of bills the feature that is that of the latest bill.

    `undetermined` are attributes of bills of which nobody knows yet what they hold: features that
    name one are left out.
    """
    attributes = tuple(attributes)
    bill_attributes = {attribute.fact.name: attribute.fact for attribute in attributes}
    document = None
    if own is not None and own.is_file():
        document = read_yaml(own, problems, shown=shown)
    elif not attributes:
        return _shipped_alone()
    entries = document.shaped(Entries, problems) if document and document.data else None
    shipped, shipped_of_account = _shipped_features()
    features, of_account = {**shipped}, {**shipped_of_account}
    columns: dict[str, Column] = {}
    for index, entry in enumerate(entries.root if entries else ()):
        assert document is not None
        if isinstance(entry, ColumnEntry):
            _add_column(entry, Column(entry, document, (index,)), columns, problems)
            continue
        authored = AuthoredFeature(entry, document, index)
        if entry.name in features or entry.name in of_account:
            problems.add(
                "RS503",
                f'The feature "{entry.name}" is defined twice.',
                file=document.file,
                line=document.line(index),
                hint="Give it another name.",
            )
        elif entry.range == "account":
            before = len(problems)
            check_keys(authored, problems)
            if len(problems) == before:
                of_account[entry.name] = authored
        elif entry.range != "bills" or not authored.words & set(undetermined):
            feature = check_aggregate(authored, bill_attributes, problems)
            if feature is not None:
                features[entry.name] = feature
    _add_latest(attributes, features, problems)
    features |= check_account_features(list(of_account.values()), features, problems)
    clashes = {name: columns.pop(name) for name in sorted(columns.keys() & features.keys())}
    for name, column in clashes.items():
        problems.add(
            "RS503",
            f'"{name}" is a feature that riskseg works out, not an attribute to describe.',
            hint="Give your own feature another name, and a `range`.",
            **column.at(),
        )
    return Catalogue(features, columns=columns)


def _add_latest(
    attributes: Iterable[BillAttribute], features: dict[str, Feature], problems: Problems
) -> None:
    """Add, for each attribute of bills, the feature that is the attribute of the latest bill; a
    Problem where its name, or the attribute's, is that of something else."""
    scope = SCOPES["bills"]
    for attribute in attributes:
        name, latest = attribute.fact.name, attribute.latest
        taken = name if name in scope else latest if latest in features else None
        if taken is not None:
            problems.add(
                "RS503",
                f'The attribute "{name}" of bills would be known as {taken}, which is something '
                "else already.",
                file=attribute.file,
                line=attribute.line,
                hint=f"Give it another name in [source.bills]: `NAME = '{quoted(name)}'`.",
            )
            continue
        known = {name: attribute.fact}
        value = check(quoted(name), known, problems, expect="value", may_be_unknown=True)
        assert value is not None
        features[latest] = Feature(
            replace(attribute.fact, name=latest, family=latest),
            "bills",
            "latest",
            value,
            None,
            LATEST_DAYS,
            None,
            frozenset({"bills"}),
            known,
        )


def _add_column(
    entry: ColumnEntry, column: Column, columns: dict[str, Column], problems: Problems
) -> None:
    """Add what an entry says of an attribute; a Problem where another entry says it already."""
    if folded(entry.name) in columns:
        problems.add(
            "RS503",
            f'The attribute "{folded(entry.name)}" is described twice.',
            hint="Names have no letter case: keep one of them.",
            **column.at(),
        )
    columns[folded(entry.name)] = column


def without(
    catalogue: Catalogue, has: frozenset[str], replaced: Mapping[str, str] | None = None
) -> Catalogue:
    """The catalogue as a workspace with the sources (and `source.column`s) in `has` sees it.
    Features that are `replaced` by an attribute of their name are left out, each with the source
    that it would need."""
    lacking: dict[str, str] = dict(replaced or {})
    for name, feature in catalogue.features.items():
        for need in sorted(feature.needs):
            if need not in has:
                lacking.setdefault(name, need)
    changed = True
    while changed:
        changed = False
        for name, feature in catalogue.features.items():
            if name in lacking or feature.range != "account" or feature.value is None:
                continue
            missing = [lacking[n] for n in sorted(feature.value.names) if n in lacking]
            if missing:
                lacking[name] = missing[0]
                changed = True
    return Catalogue(catalogue.features, lacking, catalogue.columns)
