"""What the facts mean that are read: a hash of each definition, so that a change is noticed.

A strategy says what is done about `balance_overdue`; what that is, the catalogue, the mapping
and `[workspace]` say. An activation is proved of what they say on its day.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from riskseg.domain.facts import Kind
from riskseg.expressions import Expression, show
from riskseg.features.feature import Feature
from riskseg.pipeline.session import Session
from riskseg.rules.model import Strategy
from riskseg.sources.reader import open_source

_SETTINGS = ("currency", "scale", "arrears_from", "promise_grace", "plan_grace", "broken_plan")
# What lifecycle and balances come from, whatever else is read.
_ALWAYS = ("accounts", "bills", "payments")


def definitions(session: Session, strategy: Strategy, more: Iterable[str] = ()) -> dict[str, str]:
    """A hash of each definition that the strategy's facts rest on, and those of the facts `more`
    that its models read, by name: `balance_overdue`, `bills.amount`, `workspace.scale`."""
    read = {*strategy.facts, *more} - set(strategy.uses) - {"as_of"}
    features = session.catalogue.closure(read - set(strategy.default_values))
    described: dict[str, Any] = {}
    for defined_name in read | set(features):
        described[defined_name] = [
            _fact(session, strategy, defined_name),
            _feature(features[defined_name]) if defined_name in features else None,
        ]
    tables = {*_ALWAYS, *(own_feature.range for own_feature in features.values())}
    for table, mapped in session.ledger.sources.items():
        if table in tables:
            source = session.workspace.settings.sources[table]
            described[f"{table}.from"] = open_source(source, session.workspace.root).definition
            described |= {
                f"{table}.{column}": mapped_text for column, mapped_text in mapped.columns.items()
            }
    for defined_name in {
        defined_name for own_feature in features.values() for defined_name in own_feature.attributes
    }:
        described[f"bills.{defined_name}"] = session.ledger.sources["bills"].attributes[
            defined_name
        ]
    settings = session.workspace.settings
    described |= {
        f"workspace.{defined_name}": str(getattr(settings, defined_name))
        for defined_name in _SETTINGS
    }
    if settings.timezone is not None:
        described["workspace.timezone"] = settings.timezone
    return {
        defined_name: _hash(definition) for defined_name, definition in sorted(described.items())
    }


def fingerprint(definitions: Mapping[str, str]) -> str:
    """One hash of all definitions."""
    return _hash(sorted(definitions.items()))


def changed(then: Mapping[str, str] | None, now: Mapping[str, str]) -> tuple[str, ...]:
    """What is defined otherwise than it was; nothing where that was not recorded."""
    names = sorted({*then, *now}) if then is not None else []
    return tuple(n for n in names if then is not None and then.get(n) != now.get(n))


def _fact(session: Session, strategy: Strategy, name: str) -> Any:
    """What rules see of a fact, and where an attribute comes from."""
    if name in strategy.default_values:
        return {"default": str(strategy.default_values[name])}
    accounts = session.ledger.sources.get("accounts")
    source = accounts.attributes.get(name) if accounts else None
    if name in strategy.facts:
        fact = strategy.facts[name]
        return [fact.kind, fact.levels, source]
    # A model knows its own levels: those of today's data are not a definition.
    kind = session.facts[name].kind if name in session.facts else None
    return [Kind.TEXT if kind is Kind.LEVEL else kind, source]


def _feature(feature: Feature) -> Any:
    """What a feature is; not the words for it, nor what only learning reads of it."""
    return [
        feature.range,
        feature.aggregate,
        _shown(feature.value),
        _shown(feature.filter),
        feature.window,
        feature.empty,
        feature.fact.kind,
        feature.fact.unit,
    ]


def _shown(expression: Expression | None) -> str | None:
    """An expression however it is spaced."""
    return None if expression is None else show(expression.tree)


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, default=str).encode()).hexdigest()[:12]
