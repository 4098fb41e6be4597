"""Which facts rules are checked, tried and proved against: those of a workspace's data, or, without
data, those that riskseg declares and the rules expect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

from riskseg.domain.facts import Fact, Kind, folded
from riskseg.domain.problems import Problems
from riskseg.engine import DuckDB, Engine
from riskseg.features.catalogue import Catalogue, read_catalogue
from riskseg.ledger.accounts import DATES, LIFECYCLE
from riskseg.pipeline.session import begin, read_own_catalogue, scratch_engine
from riskseg.pipeline.workspace_facts import own_facts
from riskseg.strategy.authored import AuthoredStrategy
from riskseg.workspace import Workspace

# Facts that every account has, whoever expects them.
_ALWAYS = ("as_of", LIFECYCLE.name)
# The decimals of money where no riskseg.toml says otherwise.
SCALE = 2


class FactSource(Protocol):
    """What a strategy is checked against. Without a workspace there is none to say which models
    there are."""

    @property
    def workspace(self) -> Workspace | None: ...
    @property
    def engine(self) -> Engine: ...
    @property
    def catalogue(self) -> Catalogue: ...
    @property
    def facts(self) -> Mapping[str, Fact]: ...
    @property
    def scale(self) -> int: ...


@dataclass(frozen=True)
class Declared:
    """The facts of any workspace there could be."""

    workspace: Workspace | None
    engine: Engine
    catalogue: Catalogue
    facts: Mapping[str, Fact]
    scale: int


def is_from_data(source: FactSource) -> bool:
    """Whether the facts are those of a workspace's data."""
    return not isinstance(source, Declared)


@contextmanager
def from_data(workspace: Workspace) -> Iterator[FactSource]:
    """The facts of a workspace's data. Raises the Problems of data and catalogue."""
    with scratch_engine(workspace) as engine:
        yield begin(workspace, engine)


@contextmanager
def declared_facts(
    workspace: Workspace | None, strategies: Sequence[AuthoredStrategy]
) -> Iterator[FactSource]:
    """The facts that the catalogue declares and the strategies expect. Raises the catalogue's
    Problems."""
    problems = Problems()
    catalogue = (
        read_own_catalogue(workspace, None, problems)
        if workspace
        else read_catalogue(None, problems)
    )
    problems.raise_if_any()
    facts = _with_expected(own_facts(catalogue, DATES, billed=True), strategies)
    scale = workspace.settings.scale if workspace is not None else SCALE
    with DuckDB() as engine:
        yield Declared(workspace, engine, catalogue, facts, scale)


def _with_expected(
    facts: Mapping[str, Fact], strategies: Sequence[AuthoredStrategy]
) -> dict[str, Fact]:
    """The facts, and those that a strategy or one of its packs expects: of any value of their
    type, and unknown too where `else` says so. No default value stands for them: there is no
    workspace that lacks them."""
    expected_facts = dict(facts)
    for authored in strategies:
        expected = [authored.head.expects, *(pack.expects for pack in authored.packs.values())]
        for written, expectation in (
            (expected_name, expected_fact)
            for expects in expected
            for expected_name, expected_fact in expects.items()
        ):
            folded_name = folded(written)
            if folded_name in _ALWAYS:
                continue
            fact = expected_facts.get(folded_name) or Fact(
                folded_name, Kind(expectation.type), words=f"{folded_name} is {{value}}"
            )
            expected_facts[folded_name] = replace(
                fact, nullable=fact.nullable or expectation.otherwise == "unknown"
            )
    return expected_facts
